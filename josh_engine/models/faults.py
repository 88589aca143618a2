"""An endpoint's refusals, and what happens on the way to it, as errors with a name and a remedy. Pure.

What a refusal means stands in `refusals.TABLE`, what a meaning is to a person in `kinds.KINDS`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urljoin, urlsplit

from josh_engine.errors import ModelError, ModelUnavailable, RateLimited
from josh_engine.models.endpoint import Endpoint
from josh_engine.models.habits import HABITS, helps
from josh_engine.models.kinds import KINDS
from josh_engine.models.refusal import Refusal, is_page, one_line, plain
from josh_engine.models.refusals import TABLE, Row
from josh_engine.values import Json

TRUST = (
    "If it is your own or your company's, name the file that vouches for it: export SSL_CERT_FILE=/path/to/ca.pem"
    " (PEM), and start again."
)
UNREAD = "unread"  # what the model wrote, the server could not read: its answer, and no fault on the way
NAMED_BY_HAND = ("temperature", "top_p", "top_k", "max_tokens")


def meaning(refusal: Refusal, body: Mapping[str, Json], learned: Collection[str] = ()) -> Row:
    """The row that says what a refusal of this request means."""
    words = refusal.words
    return next(row for row in TABLE if _concerns(row, body, learned) and row.holds(refusal, words))


def _concerns(row: Row, body: Mapping[str, Json], learned: Collection[str]) -> bool:
    """A habit only where it is new and changes the request; what is about tools only where it holds some."""
    if row.kind in HABITS:
        return row.kind not in learned and helps(row.kind, dict(body))
    return not KINDS[row.kind].of_tools or bool(body.get("tools"))


def fault(row: Row, refusal: Refusal, endpoint: Endpoint, body: Mapping[str, Json]) -> ModelError:
    """The error for a refusal that this row explains and no habit meets."""
    kind = KINDS["wants_key" if row.kind == "no_key" and not endpoint.key_env else row.kind]
    wait = refusal.wait if kind.error is RateLimited else None
    filling = {
        "address": endpoint.address,
        "url": endpoint.url,
        "model": endpoint.model,
        "key_env": endpoint.key_env,
        "how": refusal.how,
        "said": _sentence(refusal.said or "it says no more"),
        "asks": "" if wait is None else f" It asks to wait {wait:g} s.",
        "where": one_line(refusal.headers.get("location", ""))[:200] or "which it does not name",
    }
    remedy = (row.remedy or kind.remedy or _other_field(refusal, body)).format_map(filling)
    error = kind.error(kind.says.format_map(filling), remedy=remedy)
    if isinstance(error, RateLimited):
        error.wait = wait
    error.final, error.retry = kind.final, error.retry and not kind.final
    return error


def _sentence(said: str) -> str:
    return said if said[-1:] in ".!?…" else f"{said}."


def moved_to(refusal: Refusal, url: str) -> str | None:
    """Where a redirect leads, if that is the same server: nothing of a person's is sent elsewhere unasked."""
    if refusal.status not in (301, 302, 307, 308):
        return None
    try:
        target = urljoin(url, refusal.headers.get("location", ""))
        here, there = urlsplit(url), urlsplit(target)
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
    except ValueError:
        return None
    return target if same else None


def nothing_there(endpoint: Endpoint, why: str) -> ModelError:
    """The address leads nowhere, and nothing ever answered from it."""
    said = f"Nothing answers at {endpoint.url} ({why})."
    return _final(ModelUnavailable(said, remedy="Check the address, or start the server."))


def insecure(endpoint: Endpoint, reason: str, why: str) -> ModelError:
    """The connection could not be secured; `reason` as OpenSSL names it."""
    if reason == "CERTIFICATE_VERIFY_FAILED":
        return _final(ModelUnavailable(f"The certificate of {endpoint.url} is not trusted ({why}).", remedy=TRUST))
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        said = f"{endpoint.url} does not speak https ({why})."
        return _final(ModelUnavailable(said, remedy="Give the address with http:// in front."))
    return ModelUnavailable(f"The connection to {endpoint.url} could not be secured ({why}).", remedy="Resume the run.")


def no_certificates(why: str) -> ModelError:
    said = f"The certificates that are trusted cannot be read ({why})."
    return _final(ModelUnavailable(said, remedy="If SSL_CERT_FILE is set, let it name a PEM file, or unset it."))


def too_slow(endpoint: Endpoint, seconds: float) -> ModelUnavailable:
    return ModelUnavailable(
        f"{endpoint.address} did not answer within {seconds:g} s.",
        remedy="Raise total_seconds or first_byte_seconds in josh.toml, or lower max_concurrency.",
    )


def no_page(text: str, endpoint: Endpoint) -> ModelError | None:
    """An error where a web page came back instead of an answer."""
    if not is_page(text):
        return None
    said = f"There is no chat endpoint at {endpoint.url} (a web page is there): {plain(text)[:200] or 'it is empty'}"
    return _final(ModelError(said, remedy=KINDS["wrong_address"].remedy))


def in_vain(error: ModelError) -> ModelError:
    """A refusal that every such request met, and none was answered: the next would meet it too."""
    return _final(type(error)(error.message, remedy=error.remedy or "No request of this kind was answered."))


def _other_field(refusal: Refusal, body: Mapping[str, Json]) -> str:
    """What helps where one field of the request is refused."""
    words = refusal.words
    named = [name for name in body if name in refusal.parameters] or [name for name in NAMED_BY_HAND if name in words]
    if not named or named[0] in ("model", "messages", "tools"):
        return ""
    option = named[0].replace("_", "-")
    by_hand = f"Choose another --{option} (--user-{option} for the user), or leave it out"
    first = by_hand if named[0] in NAMED_BY_HAND else "Leave it out"
    return f'{first} with omit = ["{named[0]}"] under [models.NAME] in josh.toml.'


def _final(error: ModelError) -> ModelError:
    error.final, error.retry = True, False
    return error
