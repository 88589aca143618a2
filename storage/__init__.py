"""The store: rows in, values out. SQLite through sqlite-utils; knows no page, no world and no model."""
