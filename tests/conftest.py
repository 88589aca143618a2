"""Which tests begin first: those that take longest, so that no worker is left alone with one at the end. What a test
that got a second try had failed with, which its passing hides. And no deadline for an example of hypothesis: how long
one takes says how busy the machine is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: -_seconds(item))  # the others stay in their order


def _seconds(item: pytest.Item) -> int:
    marker = item.get_closest_marker("long")
    return int(marker.args[0]) if marker else 0


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"first failed: {report.nodeid}")
        for line in report.longreprtext.splitlines():
            if line.startswith((">", "E ")):
                terminalreporter.write_line(line)
