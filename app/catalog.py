"""Short names for the parts a run is made of, as "module:attribute". Pure: nothing is imported from here.

Any "module:attribute" is a name too, so a person's own world, agent, user or model needs no entry. The page offers
the short names only: a name typed into a page must never run code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from josh_engine.errors import ConfigError

Kind = Literal["world", "agent", "user", "model"]

DEFAULT_WORLD = "toolwoz-generated"  # the embedded default: no key, no GPU, no download
DEFAULT_AGENT = "scripted"
DEFAULT_USER = "agenda"

CATALOG: Mapping[Kind, Mapping[str, str]] = {
    "world": {
        "toolwoz-generated": "toolwoz.generated:open_world",
        "toolwoz": "toolwoz:open_world",
    },
    "agent": {"scripted": "toolwoz.scripted:ScriptedAgent"},
    "user": {"agenda": "toolwoz.agenda:AgendaUser"},
    "model": {},
}

_ADDRESS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def names(kind: Kind) -> tuple[str, ...]:
    """The short names of this kind, the default first."""
    return tuple(CATALOG[kind])


def address(kind: Kind, name: str) -> str:
    """The "module:attribute" behind a name. Raises ConfigError naming the choices."""
    if name in CATALOG[kind]:
        return CATALOG[kind][name]
    if _ADDRESS.fullmatch(name):
        return name
    if kind == "model":
        raise ConfigError(
            f"Model {name!r} cannot be used: this version takes models as module:attribute only.",
            remedy="Give your own as my_module:my_model, or leave the model out for the scripted players.",
        )
    raise ConfigError(
        f"Unknown {kind} {name!r}.", remedy=f"Use one of: {', '.join(names(kind))}; or your own as module:attribute."
    )
