"""User simulators: one file, one way to play the person who wants something."""
