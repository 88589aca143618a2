"""Agents: one file, one way to turn a path of turns into the agent's next turn."""
