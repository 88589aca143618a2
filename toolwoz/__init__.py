"""ToolWOZ (arXiv 2409.04617, section 3): the imported world here, the invented one in `toolwoz.generated`."""

from toolwoz.world import open_world

__all__ = ["open_world"]
