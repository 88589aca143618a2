"""Which tests begin first: those that take longest, so that no worker is left alone with one at the end."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: -_seconds(item))  # the others stay in their order


def _seconds(item: pytest.Item) -> int:
    marker = item.get_closest_marker("long")
    return int(marker.args[0]) if marker else 0
