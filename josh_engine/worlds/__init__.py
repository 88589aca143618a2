"""Domain-free worlds. Real ones (ToolWOZ, τ-bench) are packages beside the engine."""
