"""Endpoints as a person names them: a table of `josh.toml`, or MODEL@URL. Pure; nothing is asked or opened here.

A key never stands in either: a table names the environment variable that holds it (`key_env`), and what could be a
key (in an address, or instead of a variable's name) is refused without being repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from app.extras import KEYS as EXTRAS_KEYS
from app.extras import declared_extras
from josh_engine.errors import ConfigError
from josh_engine.models.endpoint import USUAL_TRIES, Endpoint, Timeouts
from josh_engine.models.prices import Price

OPENAI_HOST, OPENAI_KEY = "api.openai.com", "OPENAI_API_KEY"
EXAMPLE = '[models.mine]\nurl = "http://127.0.0.1:8000/v1"\nmodel = "my-model"\nkey_env = "MY_KEY"'

_TYPED = re.compile(r"(?P<model>[^@].*?)@(?P<url>https?://.*)", re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBERS = {
    "price_prompt": 0.0,
    "price_completion": 0.0,
    "max_concurrency": 1,
    "requests_per_minute": 0.001,
    "connect_seconds": 0.001,
    "first_byte_seconds": 0.001,
    "total_seconds": 0.001,
    "tries": 1,
}
_WHOLE = ("max_concurrency", "tries")
KEYS = ("url", "model", "key_env", *_NUMBERS, *EXTRAS_KEYS)


def typed_endpoint(name: str) -> Endpoint | None:
    """The endpoint that MODEL@URL names; None where this is no such name. Raises ConfigError for an unusable URL."""
    found = _TYPED.fullmatch(name)
    if found is None:
        return None
    url = checked_url(found["url"], "The model's address")
    return Endpoint(found["model"], url, OPENAI_KEY if urlsplit(url).hostname == OPENAI_HOST else "")


def declared_endpoint(table: Mapping[str, Any], where: str) -> Endpoint:
    """The endpoint of one table; `where` says which, for messages. Raises ConfigError naming the key."""
    for key in table:
        if key not in KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}.", remedy=f"It may hold: {', '.join(KEYS)}.")
    for key in ("url", "model"):
        if not isinstance(table.get(key), str) or not table[key]:
            raise ConfigError(f"{where}: {key} is missing, or no text.", remedy=f"For example:\n{EXAMPLE}")
    url = checked_url(table["url"], f"{where}: url")
    usual = OPENAI_KEY if urlsplit(url).hostname == OPENAI_HOST else ""
    key_env = table.get("key_env", usual)
    if not isinstance(key_env, str) or (key_env and not _VARIABLE.fullmatch(key_env)):
        raise ConfigError(
            f"{where}: key_env is not the name of an environment variable.",
            remedy="Put the key into a variable, and the variable's name here.",
        )
    numbers = {key: _number(table[key], f"{where}: {key}", key) for key in _NUMBERS if key in table}
    return replace(_endpoint(table["model"], url, key_env, numbers), extras=declared_extras(table, where))


def checked_url(url: str, where: str) -> str:
    """The base address without a slash at its end; never one that carries a secret."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(each.isspace() for each in url):
        raise ConfigError(f"{where} is no http address.", remedy="For example: http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"{where} holds more than an address.",
            remedy="Leave out user, password and everything from ? on; name the key's variable with key_env, and"
            " give what follows the ? as query in josh.toml.",
        )
    return url.rstrip("/")


def _number(given: object, where: str, key: str) -> float:
    whole = key in _WHOLE
    fitting = isinstance(given, int if whole else int | float) and not isinstance(given, bool)
    if not fitting or not isinstance(given, int | float) or not _NUMBERS[key] <= given < 1e9:
        what = "a whole number" if whole else "a number"
        raise ConfigError(f"{where} must be {what} of at least {_NUMBERS[key]:g}.")
    return given


def _endpoint(model: str, url: str, key_env: str, numbers: Mapping[str, float]) -> Endpoint:
    usual = Timeouts()
    at_once = numbers.get("max_concurrency")
    return Endpoint(
        model,
        url,
        key_env,
        price=Price(numbers.get("price_prompt"), numbers.get("price_completion")),
        max_concurrency=None if at_once is None else int(at_once),
        requests_per_minute=numbers.get("requests_per_minute"),
        timeouts=Timeouts(
            connect=numbers.get("connect_seconds", usual.connect),
            first_byte=numbers.get("first_byte_seconds", usual.first_byte),
            total=numbers.get("total_seconds", usual.total),
        ),
        tries=int(numbers.get("tries", USUAL_TRIES)),
    )
