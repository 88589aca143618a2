"""What a person can tell apart: text at 4.5:1, graphics at 3:1, in both themes; labels by shape and word, not hue.

Measured on the pages as Chromium draws them: each visible text against the ground it stands on, each shape of the
tree against the drawing's ground, opacity included (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import settled

pytestmark = [pytest.mark.browser, pytest.mark.long(55)]
PAGES = ("overview", "run", "watched run", "tree", "export", "data", "models", "talk")

MEASURE = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def address(served: Any, name: str, run: str) -> str:
    return {
        "overview": served.url(),
        "run": served.url("run"),
        "watched run": served.url("run", run=run),
        "tree": served.url("tree", run=run, scenario="SCN-02"),
        "export": served.url("export", runs=run),
        "data": served.url("data"),
        "models": served.url("data", tab="models"),
        "talk": served.url("talk"),
    }[name]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_text_and_graphics_stand_out_from_their_ground(page, server, finished, name, theme):
    page.emulate_media(color_scheme=theme)
    page.goto(address(server, name, finished[1]))
    settled(page)
    measured = page.evaluate(MEASURE)
    assert len(measured["words"]) > 10, "the page shows text"
    faint = {said: round(ratio, 2) for said, ratio, least in measured["words"] if ratio < least}
    assert faint == {}
    if name == "tree":
        assert len(measured["shapes"]) > 20, "the page shows a tree"
    weak = {shape: round(ratio, 2) for shape, ratio in measured["shapes"] if ratio < 3}
    assert weak == {}


@pytest.mark.parametrize("deficiency", ["deuteranopia", "achromatopsia"])
def test_labels_are_told_apart_by_shape_and_word(page, server, finished, deficiency):
    """Each label's shape, cut out of the legend as that eye sees it and reduced to black and white, differs from every
    other's in at least a tenth of its pixels; and beside each stands its word."""
    from PIL import Image

    page.goto(address(server, "tree", finished[1]))
    settled(page)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setEmulatedVisionDeficiency", {"type": deficiency})
    shapes, names = {}, set()
    entries = page.locator('[data-testid="legend"] [data-label]')
    assert entries.count() >= 5
    for entry in entries.all():
        name = entry.get_attribute("data-label")
        assert entry.inner_text().strip()
        names.add(entry.inner_text().strip())
        picture = Image.open(io.BytesIO(entry.locator("svg").screenshot())).convert("L").resize((24, 24))
        ground = picture.getpixel((0, 0))
        shapes[name] = [abs(value - ground) > 45 for value in picture.get_flattened_data()]
    assert len(names) == len(shapes)
    for one, other in combinations(shapes, 2):
        differing = sum(a != b for a, b in zip(shapes[one], shapes[other], strict=True)) / 576
        assert differing >= 0.1, f"{one} and {other} look alike: {differing:.0%} of the pixels differ"
