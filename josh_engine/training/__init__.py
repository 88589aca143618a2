"""Training on a JOSH export: one file, one trainer. torch and peft are imported inside functions only."""
