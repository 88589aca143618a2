"""What servers' refusals mean: every row of the table by its own example, and words of servers that no row quotes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from josh_engine.errors import BadResponse, ContextOverflow, ModelError, ModelUnavailable, RateLimited
from josh_engine.models.endpoint import Endpoint
from josh_engine.models.faults import fault, meaning, moved_to
from josh_engine.models.habits import HABITS
from josh_engine.models.kinds import KINDS
from josh_engine.models.refusal import UNSAID, Refusal, refusal_inside
from josh_engine.models.refusals import TABLE, Row

CALLS = [{"id": f"call0000{n}", "type": "function", "function": {"name": "f", "arguments": "{}"}} for n in (1, 2)]
FULL: dict[str, Any] = {  # a request in which every field and every role is there to be complained of
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello."},
        {"role": "user", "content": "Anyone?"},
        {"role": "assistant", "content": "", "tool_calls": CALLS},
        {"role": "tool", "content": "1", "tool_call_id": "call00001"},
        {"role": "tool", "content": "2", "tool_call_id": "call00002"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    "temperature": 0.0,
    "top_p": 0.9,
    "top_k": 50,
    "max_tokens": 300,
    "seed": 7,
    "parallel_tool_calls": True,
}
LONE = FULL | {"messages": FULL["messages"][:1]}
HERE = Endpoint("m", "http://127.0.0.1:8000/v1", "MY_KEY")


def body_of(words: str) -> str:
    """Words alone stand where OpenAI puts them; all else is as it came."""
    return words if words[:1] in "[{<" else json.dumps({"error": {"message": words}})


def kind_of(status: int, words: str, headers: Mapping[str, str] | None = None, body: Mapping[str, Any] = FULL) -> str:
    return meaning(Refusal(status, headers or {}, body_of(words)), body).kind


def status_of(row: Row) -> int:
    return next(status for status in (400, 429, 404, 403, 402, 503, 401, 413, 301, 426) if status in row.statuses)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.kind}-{row.source[-24:]}")
def test_every_row_is_found_by_its_own_example(row: Row) -> None:
    assert row.kind in KINDS or row.kind in HABITS
    assert row.source.startswith(("https://", "RFC"))
    headers = {"retry-after": "5"} if row.waits and "retry in" not in row.example else {}
    refused = LONE if row.kind == "system_only" else FULL
    assert kind_of(status_of(row), row.example, headers, refused) == row.kind


# Words that stand in no row


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("temperature", 400, "litellm.UnsupportedParamsError: gpt-5 models don't support temperature=0.84."),
        ("temperature", 400, "invalid temperature: only 1 is allowed for this model"),
        ("temperature", 400, "`temperature` is deprecated for this model."),
        ("temperature", 400, "`temperature` may only be set to 1 when thinking is enabled."),
        ("temperature", 422, '{"detail": [{"loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}]}'),
        ("top_p", 400, '{"error": {"message": "Unsupported parameter: \'top_p\' ...", "param": "top_p"}}'),
        ("top_k", 400, "Unrecognized request argument supplied: top_k"),
        ("top_k", 400, '[{"error": {"message": "Invalid JSON payload. Unknown name \\"top_k\\": Cannot find"}}]'),
        ("top_k", 422, '{"message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "no"}]}}'),
        ("seed", 400, "Additional properties are not allowed ('seed' was unexpected)"),
        ("seed", 400, "Malformed input request: #: extraneous key [seed] is not permitted, please reformat"),
        ("max_tokens", 400, '{"error": {"message": "Unknown parameter", "param": "max_tokens"}}'),
        ("temperature_zero", 422, '{"error": "temperature must be greater than 0.0"}'),
        ("no_system", 400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        ("no_system", 500, "Jinja Exception: System messages are not supported by this template"),
        ("no_system", 400, "Only user and assistant roles are supported!"),
        (
            "no_system",
            400,
            '{"error": {"message": "\'messages[0].role\' does not support \'system\' with this model.",'
            ' "param": "messages[0].role"}}',
        ),
        ("no_system", 400, "System message must be at the beginning."),
        ("alternate", 400, "Conversation roles must alternate user/assistant/user/assistant/..."),
        ("alternate", 400, "messages: roles must alternate between \"user\" and \"assistant\", but found multiple"),
        ("one_call", 400, "Only one tool call is supported per message"),
        ("one_call", 400, "This model does not support parallel tool calls"),
        ("one_call", 500, "Multiple tool calls are not supported by the chat template"),
        ("one_call", 400, "Please ensure that the number of function response parts is equal to the calls"),
        ("server_lacks_tools", 400, "tool_choice 'auto' requires --enable-auto-tool-choice"),
        ("server_lacks_tools", 500, "tools param requires --jinja flag"),
        ("model_lacks_tools", 404, "No endpoints found that support tool use. Try disabling \"question\"."),
        ("model_lacks_tools", 400, "Function calling is not enabled for models/gemma-3-1b-it"),
        ("model_lacks_tools", 400, "This model doesn't support tool use."),
        ("model_lacks_tools", 400, "`tool calling` is not supported with this model"),
        ("model_lacks_tools", 400, '{"error": {"message": "\'tools\' is not supported", "param": "tools"}}'),
        ("model_lacks_tools", 500, "Unknown role: tool"),
        ("unread", 500, "error parsing tool call: raw='{\"name\": ', err=unexpected end of JSON input"),
        ("no_route", 404, "No allowed providers are available for the selected model."),
        ("no_route", 404, "No endpoints available matching your guardrail restrictions and data policy."),
        ("no_model", 400, "m is not a valid model ID"),
        ("no_model", 404, 'model "m" not found, try pulling it first'),
        ("no_model", 404, "models/m is not found for API version v1beta, or is not supported for generateContent."),
        ("no_model", 400, "Invalid model: m"),
        ("no_model", 404, '{"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}'),
        ("wrong_address", 404, '{"error": {"code": "404", "message": "Resource not found"}}'),
        ("wrong_address", 405, '{"detail": "Method Not Allowed"}'),
        ("wrong_address", 404, "<html><body>The model of our new site</body></html>"),
        ("no_money", 402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
        ("no_money", 403, "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys"),
        ("no_money", 400, "Your credit balance is too low to access the Anthropic API."),
        ("no_key", 400, "API key expired. Please renew the API key."),
        ("no_key", 403, '{"message": "Unauthorized"}'),
        ("limit", 413, "Request too large on tokens per day (TPD): Limit 500000, Requested 600000."),
        ("limit", 400, "Rate limit exceeded: free-models-per-day"),
        ("limit", 403, "quota for aiplatform requests exceeded"),
        ("too_large", 413, "<html><head><title>413 Payload Too Large</title></head></html>"),
        ("window", 413, "prompt is too long: 250000 tokens > 200000 maximum"),
        ("window", 500, "the request exceeds the available context size. try increasing the context size"),
        ("window", 422, '{"error": "`inputs` must have less than 4096 tokens. Given: 5000"}'),
        ("window", 400, "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens."),
        ("window", 400, "Input length 131393 exceeds the maximum allowed input length of 131040 tokens."),
        ("window", 400, "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000."),
        ("window", 400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
        ("window", 400, "Input length 9000 exceeds maximum allowed token size 8192"),
        ("window", 400, "Requested tokens (9001) exceed context window of 8192"),
        ("window", 400, "The model's context length is only 8192. Please reduce the length of the input prompt."),
        ("window", 424, "ValidationException: Too many input tokens. Max input tokens: 8192, request: 9000"),
        ("blocked", 403, "<!doctype html><title>Just a moment...</title><p>policy, limits and keys: rate limit</p>"),
        ("blocked", 403, '{"error": {"code": "unsupported_country_region_territory", "message": "no"}}'),
        ("moderated", 403, "Your chosen model requires moderation and your input was flagged for violence."),
        ("plain_http", 400, "<html><center>The plain HTTP request was sent to HTTPS port</center></html>"),
        ("trouble", 529, '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'),
        ("trouble", 502, "<html><title>502 Bad Gateway</title></html>"),
        ("refused", 400, "max_tokens is too large: 5000. This model supports at most 4096 completion tokens."),
        ("refused", 400, "temperature must be less than or equal to 1"),
    ],
)  # fmt: skip
def test_other_words_for_the_same_are_understood(kind: str, status: int, words: str) -> None:
    assert kind_of(status, words) == kind


def test_a_server_that_quotes_the_request_does_not_speak_by_it() -> None:
    asked = {"messages": [{"role": "user", "content": "insufficient credits; rate limit; the model does not exist"}]}
    quoted = {"detail": [{"loc": ["body", "messages"], "msg": "is too short", "input": asked}]}
    assert kind_of(422, json.dumps(quoted)) == "refused"
    written = {
        "error": {"code": "tool_use_failed", "message": "Failed to call a function.", "failed_generation": "TPM"}
    }
    assert kind_of(400, json.dumps(written)) == "unread"


def test_another_servers_answer_inside_a_gateways_counts_and_is_shown() -> None:
    raw = json.dumps({"error": {"message": "This model's maximum context length is 9 tokens."}})
    body = json.dumps({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}})
    assert kind_of(400, body) == "window"
    assert "Provider returned error" in Refusal(400, {}, body).said and "9 tokens" in Refusal(400, {}, body).said


def test_what_is_about_tools_concerns_requests_with_tools_only() -> None:
    plain = {name: value for name, value in FULL.items() if name != "tools"}
    assert kind_of(400, "This model does not support tools", body=plain) == "refused"


def test_a_habit_is_learned_once_and_only_where_it_would_change_the_request() -> None:
    refusal = Refusal(400, {}, body_of("System role not supported"))
    assert meaning(refusal, FULL, {"no_system"}).kind == "refused"
    assert meaning(refusal, {"messages": [{"role": "user", "content": "Hi"}]}).kind == "refused"


# Waiting


@pytest.mark.parametrize(
    ("status", "headers", "words", "wait"),
    [
        (429, {"retry-after": "12"}, "slow down", 12.0),
        (402, {"retry-after": "30"}, "weekly allowance used up", 30.0),
        (503, {"retry-after": "7"}, "Loading model", 7.0),
        (502, {"retry-after": "2"}, "<html>bad gateway</html>", 2.0),
        (413, {"retry-after": "3"}, "tokens per minute", 3.0),
        (429, {}, "Rate limit reached. Please try again in 7m12.5s.", 432.5),
        (429, {}, "Rate limit reached. Please try again in 850ms.", 0.85),
        (429, {}, "Please wait 20 seconds", 20.0),
        (429, {}, '{"error": {"details": [{"retryDelay": "34s"}], "message": "RESOURCE_EXHAUSTED"}}', 34.0),
        (503, {}, '{"error": "Model m is currently loading", "estimated_time": 20.5}', 20.5),
        (429, {}, "Try again later.", None),
        (429, {}, '{"estimated_time": true, "error": "too many"}', None),
    ],
)
def test_a_limit_waits_as_long_as_the_server_asks(
    status: int, headers: Mapping[str, str], words: str, wait: float | None
) -> None:
    refusal = Refusal(status, headers, body_of(words))
    error = fault(meaning(refusal, FULL), refusal, HERE, FULL)
    assert isinstance(error, RateLimited) and error.retry and not error.final
    assert error.wait == wait


def test_an_empty_account_is_no_limit_though_a_proxy_asks_to_wait() -> None:
    assert (
        kind_of(429, '{"error": {"code": "insufficient_quota", "message": "no"}}', {"retry-after": "60"}) == "no_money"
    )


# Errors inside an answer of status 200


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        ({"error": {"message": "Rate limit exceeded", "code": 429}}, 429, "limit"),
        ({"error": {"message": "slow down", "code": "429"}, "choices": []}, 429, "limit"),
        ({"error": {"message": "Too many requests", "code": "rate_limit_exceeded"}}, UNSAID, "limit"),
        ({"error": "Rate limit reached", "choices": None}, UNSAID, "limit"),
        ({"error": {"message": "No auth credentials found", "code": 401}}, 401, "no_key"),
        ({"choices": [{"error": {"message": "failed", "code": 502}, "message": {"content": "I w"}}]}, 502, "trouble"),
        ({"choices": [{"error": "overloaded", "message": {"content": ""}}]}, UNSAID, "trouble"),
        ({"object": "error", "message": "maximum context length is 9 tokens", "code": 400}, 400, "window"),
        ({"error": {"message": "context_length_exceeded"}}, UNSAID, "window"),
        ({"status": "449", "msg": "You exceeded your current rate limit"}, 449, "limit"),
        ({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, UNSAID, "limit"),
        ({"detail": "Not Found"}, UNSAID, "trouble"),
        ({"error": {"message": "Something odd", "code": 7}}, UNSAID, "trouble"),
        ({"error": True, "message": "Insufficient balance"}, UNSAID, "no_money"),
        ({"errors": [{"message": "invalid api key"}], "success": False}, UNSAID, "no_key"),
    ],
)  # fmt: skip
def test_an_error_inside_an_answer_is_the_refusal_it_is(answer: Any, status: int, kind: str) -> None:
    refusal = refusal_inside(answer, {})
    assert refusal is not None and refusal.inside and refusal.status == status
    assert meaning(refusal, FULL).kind == kind
    assert "inside its answer" in refusal.how


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": [{"message": {"content": "Hello"}, "error": None}], "error": None},
        {"choices": [{"message": {"content": "error 429"}}], "message": "ok", "base_resp": {"status_code": 0}},
        {"choices": [{"message": {"content": ""}}], "error": {}},
        {"choices": []},
        {"object": "chat.completion", "choices": "none"},
    ],
)
def test_an_answer_without_an_error_is_none(answer: Any) -> None:
    assert refusal_inside(answer, {}) is None


# What a person reads


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.kind}-{row.source[-24:]}")
def test_every_message_holds_the_servers_words_in_one_line_without_markup(row: Row) -> None:
    refusal = Refusal(status_of(row), {"retry-after": "5", "location": "https://elsewhere/"}, body_of(row.example))
    if row.kind in HABITS:
        assert refusal.said
        return
    error = fault(row, refusal, HERE, FULL)
    assert "<html" not in str(error) and "<title" not in str(error) and "\n" not in str(error)
    assert row.kind == "moved" or refusal.said[:40] in error.message
    assert error.remedy or row.kind == "refused"


def test_words_are_shortened_and_move_no_cursor() -> None:
    said = Refusal(400, {}, json.dumps({"error": "a\x1b[2J\r\nb " + "x" * 5000})).said
    assert said.startswith("a [2J b xxx") and len(said) <= 240


def test_a_page_inside_an_error_has_no_markup_either() -> None:
    said = Refusal(500, {}, json.dumps({"error": {"message": "<html><h1>502 Bad Gateway</h1><hr></html>"}})).said
    assert said == "502 Bad Gateway"


def test_a_page_without_an_end_is_read_in_no_time() -> None:
    for page in ("<html>" + "<" * 200_000, "<html><script>" * 20_000, "<html>" + "<!--" * 50_000):
        assert len(Refusal(403, {}, page).said) <= 240
    assert kind_of(400, '{"a":' * 5_000) == "refused"


def test_errors_of_each_kind_are_their_own() -> None:
    kinds = {"window": ContextOverflow, "trouble": ModelUnavailable, "unread": BadResponse, "refused": ModelError}
    for name, kind in kinds.items():
        row = next(row for row in TABLE if row.kind == name)
        assert type(fault(row, Refusal(400, {}, body_of(row.example)), HERE, FULL)) is kind


def test_a_refused_field_is_told_with_how_to_choose_it_otherwise() -> None:
    refusal = Refusal(400, {}, body_of("temperature must be less than or equal to 1"))
    remedy = fault(meaning(refusal, FULL), refusal, HERE, FULL).remedy
    assert "--temperature" in remedy and "--user-temperature" in remedy and 'omit = ["temperature"]' in remedy


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/v2/chat/completions", "http://here:80/v2/chat/completions"),
        ("https://here/v1/chat/completions", None),
        ("http://elsewhere/v1/chat/completions", None),
        ("http://here:81/v1", None),
        ("http://[", None),
    ],
)
def test_a_redirect_is_followed_on_the_same_server_only(location: str, target: str | None) -> None:
    refusal = Refusal(307, {"location": location}, "")
    assert moved_to(refusal, "http://here:80/v1/chat/completions") == target
