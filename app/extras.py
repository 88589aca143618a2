"""What a person has endpoints asked beyond the usual: `extra_body`, `headers`, `query` and `omit`, of a table in
`josh.toml` or of one side of a run (as JSON, with the same keys). Pure.

What could be a key is refused unless it is named by its variable ("env:AZURE_KEY"), without being repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from josh_engine.errors import ConfigError
from josh_engine.models.endpoint import Extras
from josh_engine.values import Json

KEYS = ("extra_body", "headers", "query", "omit")
FROM_ENVIRONMENT = "env:"
EXAMPLE = '{"extra_body": {"reasoning_effort": "low"}, "omit": ["seed"]}'

_OURS = ("model", "messages", "tools", "stream")  # what is asked, and that the answer comes whole
_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET = re.compile(r"auth|key|token|secret|cookie|password|credential|signature", re.IGNORECASE)


def declared_extras(table: Mapping[str, Any], where: str) -> Extras:
    """The extras among a table's keys. Raises ConfigError naming the key."""
    body, query, headers = (_table(table, key, where) for key in ("extra_body", "query", "headers"))
    omit = table.get("omit", ())
    if not isinstance(omit, list | tuple) or not all(isinstance(each, str) for each in omit):
        raise ConfigError(f"{where}: omit must be a list of names.", remedy='For example: omit = ["temperature"]')
    for name in (*body, *omit):
        if name in _OURS:
            raise ConfigError(f"{where}: {name} is what the run itself asks, and can be neither set nor left out.")
    _check_json(body, where)
    for name, value in headers.items():
        _check_header(name, value, where)
    for name, value in query.items():
        if _SECRET.search(name) or not isinstance(value, str | int | float) or isinstance(value, bool):
            raise ConfigError(f"{where}: query.{name} must be a text, and no key.", remedy="Send keys as headers.")
    return Extras(body, headers, {name: str(value) for name, value in query.items()}, tuple(dict.fromkeys(omit)))


def typed_extras(text: str | None, where: str) -> Extras:
    """Those of one side of a run, as a person typed them. Raises ConfigError."""
    if not (text or "").strip():
        return Extras()
    try:
        table = json.loads(text or "")
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a JSON object.", remedy=f"For example: {EXAMPLE}")
    for key in table:
        if key not in KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}.", remedy=f"It may hold: {', '.join(KEYS)}.")
    return declared_extras(table, where)


def in_words(extras: Extras) -> str:
    """As `typed_extras` reads it; headers whose values stand in josh.toml come from there again. Empty: none."""
    headers = {name: value for name, value in extras.headers.items() if value}
    told = {"extra_body": extras.body, "headers": headers, "query": extras.query, "omit": list(extras.omit)}
    held = {key: value for key, value in told.items() if value}
    return json.dumps(held, ensure_ascii=False) if held else ""


def merged(usual: Extras, chosen: Extras) -> Extras:
    """A run's own over those of the endpoint."""
    kept = [name for name in usual.omit if name not in chosen.body]
    return Extras(
        {**usual.body, **chosen.body},
        {**usual.headers, **chosen.headers},
        {**usual.query, **chosen.query},
        tuple(dict.fromkeys((*kept, *chosen.omit))),
    )


def recorded(extras: Extras) -> Extras:
    """As a run keeps them: of a header its name and its variable, never what it holds."""
    named = {name: value if value.startswith(FROM_ENVIRONMENT) else "" for name, value in extras.headers.items()}
    return replace(extras, headers=named)


def played(kept: Extras, now: Extras, name: str) -> Extras:
    """A run's extras with the headers that josh.toml holds today. Raises ConfigError where one is no longer there."""
    headers = {header: value or now.headers.get(header, "") for header, value in kept.headers.items()}
    if missing := [header for header, value in headers.items() if not value]:
        raise ConfigError(
            f"The run was made with a header {missing[0]!r} for {name!r}, which josh.toml no longer gives.",
            remedy=f"Put it back under headers of [models.{name}], or start a new run.",
        )
    return replace(kept, headers=headers)


def _table(table: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    given = table.get(key, {})
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: {key} must be a table of names and values.")
    return dict(given)


def _check_json(body: Json, where: str) -> None:
    """TOML holds dates and not-a-numbers, which a request can't carry."""
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: extra_body holds what JSON has no word for: {error}.") from error


def _check_header(name: str, value: object, where: str) -> None:
    if not _HEADER.fullmatch(name) or not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ConfigError(
            f"{where}: headers.{name} is no header.", remedy='For example: headers = { "X-Title" = "josh" }'
        )
    if value.startswith(FROM_ENVIRONMENT) and _VARIABLE.fullmatch(value):
        return
    if value.startswith(FROM_ENVIRONMENT) or _SECRET.search(name):
        raise ConfigError(
            f"{where}: headers.{name} could hold a key.",
            remedy=f'Put it into a variable and name that: headers = {{ "{name}" = "env:MY_VARIABLE" }}',
        )
