"""What a refusal is to a person: which error, in which words, and what to do about it.

Two questions are answered here and nowhere else: may the same call succeed later (`ModelError.retry`), and can no call
succeed until a person has done something (`Kind.final`; `of_tools`: no call with tools, others still may)?
"""

from __future__ import annotations

from dataclasses import dataclass

from josh_engine.errors import BadResponse, ContextOverflow, MissingKey, ModelError, ModelUnavailable, RateLimited

TEXT_AGENT = "play with an agent whose calls are text, such as react"


@dataclass(frozen=True, slots=True)
class Kind:
    """`says` is filled with address, url, model, key_env, how and said (the endpoint's own words)."""

    error: type[ModelError]
    says: str
    remedy: str
    final: bool = False
    of_tools: bool = False


KINDS: dict[str, Kind] = {
    "limit": Kind(
        RateLimited,
        "{address} takes no more calls now ({how}): {said}{asks}",
        "Resume later, or lower max_concurrency or requests_per_minute in josh.toml.",
    ),
    "no_money": Kind(
        ModelError,
        "The account behind {url} has nothing left to spend: {said}",
        "Add credit, then resume the run.",
        final=True,
    ),
    "no_key": Kind(
        MissingKey,
        "{url} does not accept the key in {key_env}: {said}",
        "Put a valid key into {key_env}.",
        final=True,
    ),
    "wants_key": Kind(
        MissingKey,
        "{url} wants a key: {said}",
        "Describe the endpoint in josh.toml, with key_env naming the environment variable that holds it.",
        final=True,
    ),
    "window": Kind(
        ContextOverflow,
        "The conversation no longer fits {address}: {said}",
        "Use a model with a longer window, or lower --depth.",
    ),
    "too_large": Kind(
        ContextOverflow,
        "A request is too large for {address} ({how}): {said}",
        "Let the server, or the proxy before it, take larger bodies (nginx: client_max_body_size), or lower --depth.",
    ),
    "server_lacks_tools": Kind(
        ModelError,
        "{address} was started without tool calls: {said}",
        f"Start it with what it names (vLLM: --enable-auto-tool-choice and --tool-call-parser), or {TEXT_AGENT}.",
        final=True,
        of_tools=True,
    ),
    "model_lacks_tools": Kind(
        ModelError,
        "{address} offers no tool calls: {said}",
        f"Choose a model or provider that takes tools, or {TEXT_AGENT}.",
        final=True,
        of_tools=True,
    ),
    "bad_tools": Kind(
        ModelError,
        "{address} refuses the tools of this world: {said}",
        f"Choose another model or server, or {TEXT_AGENT}.",
        final=True,
        of_tools=True,
    ),
    "unread": Kind(
        BadResponse,
        "{address} could not read what its model wrote ({how}): {said}",
        f"Resume the run; where it happens often, {TEXT_AGENT}.",
    ),
    "no_route": Kind(
        ModelError,
        "{url} finds nobody to ask for {model!r}: {said}",
        "Change the gateway's settings for providers and privacy, or choose another model.",
        final=True,
    ),
    "no_model": Kind(
        ModelError,
        "{url} has no model {model!r}: {said}",
        "Name one that it has; GET /models of the address lists them.",
        final=True,
    ),
    "bad_query": Kind(
        ModelError,
        "{url} wants more in its address: {said}",
        'Give it in josh.toml: query = {{ "api-version" = "2024-10-21" }} under [models.NAME].',
        final=True,
    ),
    "plain_http": Kind(
        ModelError,
        "{url} is to be spoken to by https: {said}",
        "Give the address with https:// in front.",
        final=True,
    ),
    "moderated": Kind(
        ModelError,
        "{address} refuses what this conversation holds ({how}): {said}",
        "Other scenarios play on; choose a model or a filter that takes this one.",
    ),
    "moved": Kind(
        ModelError,
        "{url} leads on to another address, {where}: nothing is sent there unasked.",
        "Give that address, without /chat/completions at its end.",
        final=True,
    ),
    "blocked": Kind(
        ModelError,
        "{url} lets nobody in from here ({how}): {said}",
        "Ask whoever keeps the server, its firewall or the proxy; a key may lack the right, a country may be shut out.",
        final=True,
    ),
    "wrong_address": Kind(
        ModelError,
        "There is no chat endpoint at {url} ({how}): {said}",
        "Give the base address; it usually ends in /v1. Azure also wants an api-version (query in josh.toml).",
        final=True,
    ),
    "trouble": Kind(ModelUnavailable, "{address} is in trouble ({how}): {said}", "Resume the run."),
    "refused": Kind(ModelError, "{address} refuses the request ({how}): {said}", ""),
}
