"""An endpoint's refusals as errors with a name and a remedy. Pure: a status, headers and a body go in.

Two questions are answered here and nowhere else: may the same call succeed later (`ModelError.retry`), and can no call
at all succeed until a person has done something (`ModelError.final`: no key, no such model, wrong address)?
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from josh_engine.errors import ContextOverflow, MissingKey, ModelError, ModelUnavailable, RateLimited
from josh_engine.models.answers import NEW_MAX_TOKENS, NO_SYSTEM_ALONE, WITHOUT_SEED, lacks_user
from josh_engine.models.endpoint import Endpoint
from josh_engine.values import Json

_TOO_LONG = re.compile(
    r"context.{0,12}(length|window|size)|maximum context|max_model_len|too many (input )?tokens|too long"
    r"|exceeds? the (available )?context|prompt is longer",
    re.IGNORECASE,
)
_NO_MONEY = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.IGNORECASE)
_UNKNOWN_PARAMETER = re.compile(r"unsupported|unrecogni[sz]ed|unknown|not support|not permitted|extra", re.IGNORECASE)
_PAGE = re.compile(r"\s*<(!doctype|html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came back instead of an answer. `text` is the body, without the key."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def said(self) -> str:
        """The endpoint's own words, in one short line."""
        found: Any = _parsed(self.text)
        for key in ("error", "message", "detail"):
            found = found.get(key, found) if isinstance(found, dict) else found
        words = found if isinstance(found, str) else self.text
        return " ".join(words.split())[:200]

    @property
    def parameter(self) -> str:
        """The parameter the endpoint complains of, where it names one."""
        error = _parsed(self.text)
        error = error.get("error", error) if isinstance(error, dict) else {}
        named = error.get("param") if isinstance(error, dict) else None
        return named if isinstance(named, str) else ""


def fault(refusal: Refusal, endpoint: Endpoint) -> ModelError:
    """The error for a status of 400 or more."""
    status = refusal.status
    if status == 401:
        return _no_entry(refusal, endpoint)
    if status == 429:
        return _too_many(refusal, endpoint)
    if status in (408, 409, 425) or status >= 500:
        return ModelUnavailable(f"{endpoint.address} is in trouble (status {status}): {refusal.said}")
    if status in (400, 413, 422) and (status == 413 or _TOO_LONG.search(refusal.text)):
        return ContextOverflow(
            f"The conversation no longer fits {endpoint.address}: {refusal.said}",
            remedy="Use a model with a longer window, or lower --depth.",
        )
    if status in (404, 405, 410) or (status == 400 and "model_not_found" in refusal.text):
        return _not_there(refusal, endpoint)
    named = refusal.parameter
    return ModelError(
        f"{endpoint.address} refuses the request (status {status}): {refusal.said}",
        remedy=f"Leave out --{named.replace('_', '-')}." if named in ("top_k", "top_p", "max_tokens") else "",
    )


def nothing_there(endpoint: Endpoint, why: str) -> ModelError:
    """The address leads nowhere, and nothing ever answered from it."""
    said = f"Nothing answers at {endpoint.url} ({why})."
    return _final(ModelUnavailable(said, remedy="Check the address, or start the server."))


def too_slow(endpoint: Endpoint, seconds: float) -> ModelUnavailable:
    return ModelUnavailable(
        f"{endpoint.address} did not answer within {seconds:g} s.",
        remedy="Raise total_seconds or first_byte_seconds in josh.toml, or lower max_concurrency.",
    )


def no_page(text: str, endpoint: Endpoint) -> ModelError | None:
    """An error where a web page came back instead of an answer."""
    return _wrong_address(endpoint, "a web page is there") if _PAGE.match(text) else None


def gives_way(refusal: Refusal, body: Mapping[str, Json]) -> str | None:
    """What to leave out of the request (see `answers.fitted`) so that this endpoint takes it; None: nothing helps."""
    if refusal.status not in (400, 422) or _TOO_LONG.search(refusal.text):
        return None
    for name, habit in (("seed", WITHOUT_SEED), ("max_tokens", NEW_MAX_TOKENS)):
        complains = refusal.parameter == name or (
            name in refusal.text and _UNKNOWN_PARAMETER.search(refusal.text) is not None
        )
        if name in body and complains:
            return habit
    return NO_SYSTEM_ALONE if lacks_user(body) else None


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for: a number, milliseconds in a header of its own, or a date beside Date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return max(0.0, seconds) if seconds < 1e9 else None  # not a number is neither
    try:
        until, now = parsedate_to_datetime(headers["retry-after"]), parsedate_to_datetime(headers["date"])
        return max(0.0, (until - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def _no_entry(refusal: Refusal, endpoint: Endpoint) -> ModelError:
    if endpoint.key_env:
        said = f"{endpoint.url} does not accept the key in {endpoint.key_env}: {refusal.said}"
        return _final(MissingKey(said, remedy=f"Put a valid key into {endpoint.key_env}."))
    return _final(
        MissingKey(
            f"{endpoint.url} wants a key.",
            remedy="Describe the endpoint in josh.toml, with key_env naming the environment variable that holds it.",
        )
    )


def _too_many(refusal: Refusal, endpoint: Endpoint) -> ModelError:
    if _NO_MONEY.search(refusal.text):
        said = f"The account behind {endpoint.url} has nothing left to spend: {refusal.said}"
        return _final(ModelError(said, remedy="Add credit, then resume the run."))
    wait = wait_of(refusal.headers)
    asks = "" if wait is None else f" It asks to wait {wait:g} s."
    return RateLimited(
        f"{endpoint.address} takes no more calls now.{asks}",
        remedy="Resume later, or lower max_concurrency or requests_per_minute in josh.toml.",
        wait=wait,
    )


def _not_there(refusal: Refusal, endpoint: Endpoint) -> ModelError:
    if "model" in refusal.said.lower() and not _PAGE.match(refusal.text):
        said = f"{endpoint.url} has no model {endpoint.model!r}: {refusal.said}"
        return _final(ModelError(said, remedy="Name one that it has; GET /models of the address lists them."))
    return _wrong_address(endpoint, f"status {refusal.status}")


def _wrong_address(endpoint: Endpoint, why: str) -> ModelError:
    said = f"There is no chat endpoint at {endpoint.url} ({why})."
    return _final(ModelError(said, remedy="Give the base address; it usually ends in /v1."))


def _final(error: ModelError) -> ModelError:
    error.final, error.retry = True, False
    return error


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
