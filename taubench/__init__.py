"""τ-bench retail as a world: a shop's desk with 16 tools over users, orders and products (docs/taubench.md)."""

from taubench.world import open_world

__all__ = ["open_world"]
