"""Strategies: one file, one way to grow a conversation tree."""
