"""The parts there are to play with, and what checking one found, as listings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.catalog import CATALOG, KINDS, Declared, Kind
from app.checking import Checked
from app.listings import Listed, linked

EXAMPLE = """\
# josh.toml, beside your own modules
[worlds]
my-world = "my_world:open_world"

[agents]
my-agent = "my_agent:MyAgent"

[users]
my-user = "my_user:MyUser"

[models]
my-model = "my_model:open_model"
"""

Checks = Mapping[tuple[Kind, str], Checked]


def every_part(own: Declared) -> Iterator[tuple[Kind, str, str]]:
    """(kind, name, address): a person's own first, then those that come with the product."""
    for kind in KINDS:
        yield from ((kind, name, address) for name, address in own.named(kind).items())
    for kind in KINDS:
        yield from ((kind, name, address) for name, address in CATALOG[kind].items())


def parts_listed(own: Declared, checks: Checks) -> Listed:
    rows = [
        linked(
            f"{kind}/{name}",
            "",
            ("text", kind),
            ("name", name),
            ("faint", address),
            ("name", _state(checks.get((kind, name)))),
            ("text", _found(checks.get((kind, name)))),
        )
        for kind, name, address in every_part(own)
    ]
    return Listed(("Kind", "Name", "Where", "Contract", "What was found"), rows)


def _state(checked: Checked | None) -> str:
    if checked is None:
        return "○ not checked"
    return "✓ kept" if checked.ok else "⚠ broken"


def _found(checked: Checked | None) -> str:
    if checked is None:
        return ""
    if checked.ok:
        return f"Found nothing wrong in {checked.seconds:.1f} s."
    more = f" And {len(checked.findings) - 1} more." if len(checked.findings) > 1 else ""
    return checked.findings[0] + more
