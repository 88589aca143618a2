"""The prompt texts: shipped ones in `prompts/*.md`, a person's edited copies in their place, and how they are filled.

A prompt file may begin with a comment (`<!-- ... -->`) that says what it is and where it comes from; that is not sent.
Places to fill are written `{{name}}`. What is filled in is never read again for places, so a policy or a transcript may
hold any braces.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

from josh_engine.errors import ConfigError

# name -> the places its text may hold, and whether it must: without them the player would not know its task
PLACES: Mapping[str, Mapping[str, bool]] = {
    "react": {"policy": False, "tools": True},
    "act": {"policy": False, "tools": True},
    "function_calling": {"policy": False},
    "goal": {"brief": True, "conversation": True},
    "tau_function_calling": {"policy": True},
    "tau_react": {"policy": False, "tools": True},
    "tau_act": {"policy": False, "tools": True},
    "shopper": {"brief": True},
    "guide": {"brief": True, "guide": True, "conversation": True},
}
_HEADER = re.compile(r"\A\s*<!--.*?-->", re.S)
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def prompt_text(name: str, edited: Mapping[str, str] | None = None) -> str:
    """A prompt's whole text, header included: the edited copy where there is one, else the shipped file's."""
    if edited and name in edited:
        return checked(name, edited[name])
    return (files("josh_engine") / "prompts" / f"{name}.md").read_text(encoding="utf-8")


def checked(name: str, text: str) -> str:
    """Itself, or a ConfigError that says which place it lacks or does not know."""
    places = PLACES[name]
    known = ", ".join(f"{{{{{place}}}}}" for place in places)
    held = set(_PLACE.findall(_HEADER.sub("", text)))
    if strange := sorted(held - places.keys()):
        raise ConfigError(f"Prompt {name!r} holds {{{{{strange[0]}}}}}, which is not filled.", remedy=f"Use: {known}.")
    if missing := [place for place, needed in places.items() if needed and place not in held]:
        raise ConfigError(f"Prompt {name!r} lacks {{{{{missing[0]}}}}}.", remedy="The player could not do its task.")
    return text


def filled(text: str, values: Mapping[str, str]) -> str:
    """What is sent: the text without its header, each place filled once."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), _HEADER.sub("", text)).strip()


def digest(text: str) -> str:
    """The hash by which a prompt is told from another; sha256 of its UTF-8 text."""
    return hashlib.sha256(text.encode()).hexdigest()
