"""Measurements of whole runs, as ratios within one run. `python -m bench` prints them; README.md keeps them."""
