"""What servers answer instead of a completion, and what it means: one table, read from the top.

A row holds for refusals with one of its statuses whose words it finds; the first that holds decides. Each has words as
a server writes them and where they were reported. `kind` is one of `kinds.KINDS` (an error for a person) or of
`habits.HABITS` (the same request, asked otherwise). Order matters: an empty account is told by status 429 too, a
limit a minute speaks of requests that are too large, and a bound of the window mentions `max_tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from josh_engine.models.refusal import UNSAID, Refusal, is_page
from josh_engine.models.windows import WINDOWS

ANY = range(1000)
ASKED_WRONGLY = frozenset({400, 404, 405, 406, 409, 413, 415, 422, 424, 500, 501, UNSAID})  # templates fail with 500
MOVED = frozenset({301, 302, 303, 307, 308})
FAULTS = frozenset({408, 409, 424, 425, *range(500, 600), UNSAID})

# How servers say that a field of the request is not theirs, or takes one value only.
STRANGE_FIELD = (
    r"unsupported|unrecogni[sz]ed|unknown|not support|n't support|not (yet )?permitted|not allowed|extra|unexpected"
    r"|deprecated|cannot be (both )?(specified|used|set)|cannot both|may only be|must be unset|or unset"
    r"|only .{1,16}(allowed|supported)|not available|not accept|incompatible|invalid (parameter|field|argument|key)"
)
OUT_OF_RANGE = r"too (large|small|high|low)|at (most|least)|must be (less|greater|between|strictly|<|>)|out of range"


@dataclass(frozen=True, slots=True)
class Row:
    """`words`: a regular expression; empty: any. `field`: a field of the request that must be complained of.
    `waits`: only where the endpoint says how long to wait; `page`: only web pages. `remedy`: instead of the kind's."""

    kind: str
    statuses: Container[int]
    words: str
    example: str
    source: str
    field: str = ""
    waits: bool = False
    page: bool = False
    remedy: str = ""

    def holds(self, refusal: Refusal, words: str) -> bool:
        if refusal.status not in self.statuses or (self.waits and refusal.wait is None):
            return False
        if self.page and not is_page(refusal.text):
            return False
        if self.field and not complains_of(refusal, words, self.field):
            return False
        return not self.words or re.search(self.words, words, re.IGNORECASE) is not None


def complains_of(refusal: Refusal, words: str, field: str) -> bool:
    """Whether the endpoint does not take this field at all, or one value of it only; not where its value is out of
    range."""
    named, strange = refusal.parameters, re.search(STRANGE_FIELD, words, re.IGNORECASE)
    if field in named:
        return strange is not None or not re.search(OUT_OF_RANGE, words, re.IGNORECASE)
    mentioned = re.search(rf"(?<![\w.]){field}(?!\w)", words) is not None
    return mentioned and strange is not None and (not named or not any(_is_field(each) for each in named))


def _is_field(name: str) -> bool:
    return name in {row.field for row in TABLE if row.field}


GH = "https://github.com/"
OPENAI = "https://platform.openai.com/docs/guides/error-codes"
TO_LIMIT = "Resume later, or lower max_concurrency or requests_per_minute in josh.toml."

MONEY_AND_LIMITS = (
    Row(
        "no_money", ANY,
        r"insufficient_quota|billing_hard_limit|credit balance is too low",
        '{"error": {"message": "You exceeded your current quota, please check your plan and billing details.",'
        ' "type": "insufficient_quota", "code": "insufficient_quota"}}',
        OPENAI,
    ),
    Row(
        "limit", {402, 429}, "",
        '{"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing'
        ' details. Please retry in 34.07s.", "status": "RESOURCE_EXHAUSTED"}}',
        "https://ai.google.dev/gemini-api/docs/rate-limits", waits=True,
        remedy=f"{TO_LIMIT} Where an allowance is used up, add credit.",
    ),
    Row(
        "limit", ANY, r"resource.?exhausted",
        '{"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing'
        ' details.", "status": "RESOURCE_EXHAUSTED"}}',
        GH + "google-gemini/gemini-cli/issues/8437",
        remedy=f"{TO_LIMIT} Where an allowance is used up, add credit.",
    ),
    Row(
        "no_money", ANY,
        r"insufficient.{0,3}(balance|credits?|funds)|out of credits|(no|not enough) credits|requires more credits"
        r"|(key|spend\w*|monthly|included).{0,12}(limit|credits?).{0,12}(exceeded|reached)"
        r"|exceeded your (current quota|monthly)|in arrears|arrearage|余额不足|欠费",
        "Insufficient Balance",
        GH + "continuedev/continue/issues/11387",
    ),
    Row(
        "no_money", {402}, "",
        "Payment required: you requested up to 4096 tokens, but can only afford 222.",
        GH + "continuedev/continue/issues/11154",
    ),
    Row(
        "limit", ANY,
        r"tokens? per (minute|day)|requests? per (minute|day|second)|\b(TPM|TPD|RPM|RPD)\b",
        "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7012, please reduce your"
        " message size and try again.",
        GH + "continuedev/continue/issues/10218",
        remedy=f"{TO_LIMIT} A request larger than the limit a minute needs a higher limit at the provider.",
    ),
    Row(
        "limit", ANY,
        r"\brate.?limit|too many requests|throttl|quota.{0,40}exceeded|concurrency limit",
        "ThrottlingException: Too many tokens, please wait before trying again.",
        GH + "jin-bo/agentao/pull/88",
    ),
    Row("limit", {429}, "", "slow down", "https://www.rfc-editor.org/rfc/rfc6585#section-4"),
)  # fmt: skip

PAGES = (  # whatever their words are: a firewall's page speaks of policies, limits and keys
    Row(
        "blocked", {403, 451}, "",
        "<!DOCTYPE html><html><head><title>Attention Required!</title></head><body>You have been blocked</body></html>",
        GH + "openai/codex/issues/6252", page=True,
    ),
    Row(
        "wrong_address", {404, 405, 410}, "", "<html><head><title>404 Not Found</title></head></html>",
        GH + "FoundationAgents/OpenManus/issues/55", page=True,
    ),
)  # fmt: skip

KEYS = (
    Row(
        "no_key", {400, 403, UNSAID},
        r"\b(in(valid|correct)|missing|no|expired)\b.{0,12}(api|access).?(key|token)"
        r"|(api|access).?(key|token).{0,12}(not valid|invalid|expired|missing|required)"
        r"|unauthenticated|unauthori[sz]ed|invalid_api_key|authentication_error|no auth credentials",
        '[{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.",'
        ' "status": "INVALID_ARGUMENT"}}]',
        "https://ai.google.dev/gemini-api/docs/troubleshooting",
    ),
    Row("no_key", {401}, "", "Incorrect API key provided: sk-***.", OPENAI),
)  # fmt: skip

TOOLS = (
    Row(
        "parallel_tool_calls", ASKED_WRONGLY, "",
        "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.",
        GH + "evalstate/fast-agent/issues/279", field="parallel_tool_calls",
    ),
    Row(
        "one_call", ASKED_WRONGLY,
        r"(single|one) (tool|function).?calls?"
        r"|(multiple|parallel|several|more than one).{0,12}(tool|function).?calls?.{0,30}(n't|not|un|only)"
        r"|(n't|not|un|only).{0,24}(multiple|parallel|several|more than one).{0,12}(tool|function).?calls?(?!_)"
        r"|number of function response parts",
        "This model only supports single tool-calls at once!",
        GH + "vllm-project/vllm/issues/9451",
    ),
    Row(
        "server_lacks_tools", ASKED_WRONGLY,
        r"enable-auto-tool-choice|tool-call-parser|--jinja|tools? .{0,24}(param|parser).{0,24}requires?",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        GH + "vllm-project/vllm/issues/9986",
    ),
    Row(
        "server_lacks_tools", ASKED_WRONGLY, r"tools param requires",
        "tools param requires --jinja flag",
        GH + "defilantech/LLMKube/issues/126",
        remedy="Start llama.cpp's server with --jinja, or play with an agent whose calls are text, such as react.",
    ),
    Row(
        "model_lacks_tools", ASKED_WRONGLY,
        r"(not|n't|un)\W{0,3}(currently )?support\w* .{0,24}(tool|function)"
        r"|(tool|function).{0,12}(call\w*|use).{0,24}(not|n't|un)\W{0,3}(support|enabled|available)"
        r"|(unexpected|unknown|unsupported|invalid) role.{0,3}(tool|function)|(tool|function) role.{0,20}not support"
        r"|(tool|function)s?\W{0,2} (is|are)( currently)? not (support|enabled|available|allowed)|support tool use",
        '{"error": {"message": "registry.ollama.ai/library/gemma:2b does not support tools", "type": "api_error"}}',
        GH + "FoundationAgents/OpenManus/issues/220",
    ),
    Row(
        "model_lacks_tools", {404, UNSAID}, r"no endpoints.{0,30}(tool|function)",
        "No endpoints found that support tool use. To learn more about provider routing, visit:"
        " https://openrouter.ai/docs/provider-routing",
        GH + "evalstate/fast-agent/issues/122",
    ),
    Row(
        "bad_tools", ASKED_WRONGLY,
        r"invalid_function_parameters|invalid schema for (function|tool)|tools?\b.{0,30}input_schema"
        r"|function_declarations",
        "Invalid schema for function 'book': In context=(), object schema missing properties.",
        GH + "evalstate/fast-agent/issues/143",
    ),
    Row(
        "unread", ASKED_WRONGLY,
        r"tool_use_failed|failed to call a function|failed to parse (input|tool|function)|error parsing tool call",
        '{"error": {"message": "Failed to call a function. Please adjust your prompt.", "code": "tool_use_failed",'
        ' "failed_generation": "<function=book{}</function>"}}',
        GH + "groq/groq-typescript/issues/28",
    ),
)  # fmt: skip

ADDRESSES = (
    Row(
        "no_route", {400, 403, 404, UNSAID},
        r"no (endpoints|allowed providers|providers?).{0,40}(found|available|match)|data policy|guardrail restrictions",
        "No endpoints found matching your data policy. Enable prompt training here: https://openrouter.ai/settings/privacy",
        GH + "ShamanicArts/Flow.Launcher.Plugin.AI-Assistant/issues/2",
    ),
    Row(
        "no_model", {400, 403, 404, 410, 422, 500, UNSAID},
        r"model_not_found|deploymentnotfound|(no such|unknown|invalid|unable to access) model|not a valid model"
        r"|(model|deployment).{0,100}(not (found|exist)|n't exist|not a valid|is invalid|decommissioned|has been re)"
        r"|no models? (is |are )?(currently )?loaded",
        "The model `m` does not exist or you do not have access to it.",
        "https://console.groq.com/docs/errors",
    ),
    Row("no_model", {404, 410}, r"(?-i:[Mm]odel)", "Unable to serve model m", OPENAI),
    Row(
        "bad_query", {400, 404, UNSAID},
        r"missing.{0,30}api.?version|api.?version.{0,24}(not supported|missing|required|invalid)",
        "Missing required query parameter: api-version",
        "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    ),
    Row(
        "plain_http", {400, 426}, r"plain HTTP request was sent to HTTPS|upgrade required|HTTPS? required",
        "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        "https://nginx.org/en/docs/http/configuring_https_servers.html",
    ),
    Row(
        "moderated", {400, 403, 422, UNSAID},
        r"content.{0,3}(management|policy|filter)|moderation|flagged|safety system|responsible ?ai",
        '{"error": {"message": "The response was filtered due to the prompt triggering the content management policy.",'
        ' "code": "content_filter"}}',
        "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter",
    ),
)  # fmt: skip

HABITS = (
    *(
        Row(field, ASKED_WRONGLY, "", example, source, field=field)
        for field, example, source in (
            (
                "seed",
                '{"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],'
                ' "msg": "Extra inputs are not permitted", "input": 1}]}',
                GH + "mistralai/platform-docs-public/issues/7",
            ),
            (
                "max_tokens",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'"
                " instead.",
                GH + "crewAIInc/crewAI/issues/60",
            ),
            (
                "top_p",
                "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
                GH + "Vali-98/ChatterUI/issues/564",
            ),
            ("top_k", "property 'top_k' is unsupported", "https://console.groq.com/docs/openai"),
            (
                "temperature",
                '{"error": {"message": "Unsupported value: \'temperature\' does not support 0.7 with this model.'
                ' Only the default (1) value is supported.", "param": "temperature", "code": "unsupported_value"}}',
                GH + "griptape-ai/ComfyUI-Griptape/issues/312",
            ),
        )
    ),
    Row(
        "temperature_zero", ASKED_WRONGLY,
        r"temperature.{0,60}(strictly positive|greater than 0|above 0|> ?0|positive float|not be 0)",
        '{"error": "Input validation error: `temperature` must be strictly positive", "error_type": "validation"}',
        GH + "huggingface/text-generation-inference/issues/1236",
    ),
    Row(
        "alternate", ASKED_WRONGLY, r"must alternate|consecutive|same role|roles? .{0,24}alternat|unexpected role",
        "After the optional system message, conversation roles must alternate user/assistant/user/assistant/...",
        GH + "browser-use/browser-use/issues/1237",
    ),
    Row(
        "no_system", ASKED_WRONGLY,
        r"system.{0,3}(role|message|prompt|instruction)s?.{0,40}(not|n't|un|only|must|first|beginning)"
        r"|(not|n't|un\w*|invalid).{0,40}\bsystem\b.{0,12}(role|message|prompt|instruction)"
        r"|(role|not support).{0,12}\bsystem\b|only user(,| and) (assistant|model)"
        r"|developer instruction|must alternate",
        "System role not supported",
        GH + "EricLBuehler/mistral.rs/issues/506",
    ),
    Row(
        "system_only", frozenset({400, 422, 500, UNSAID}), "",
        "No user query found in messages.",
        GH + "UKGovernmentBEIS/inspect_ai/pull/1342",
    ),
)  # fmt: skip

BY_STATUS = (
    Row("moved", MOVED, "", "<html><head><title>301 Moved Permanently</title></head></html>", "RFC 9110, 15.4"),
    Row("too_large", {413}, "", "<html><title>413 Request Entity Too Large</title></html>", "RFC 9110, 15.5.14"),
    Row(
        "blocked", {403, 451}, "", "Country, region, or territory not supported",
        "https://platform.openai.com/docs/supported-countries",
    ),
    Row("wrong_address", {404, 405, 410}, "", '{"detail": "Not Found"}', GH + "FoundationAgents/OpenManus/issues/55"),
    Row(
        "limit", FAULTS, "",
        '{"error": "Model m is currently loading", "estimated_time": 20.0}',
        GH + "earendil-works/pi/issues/1887", waits=True,
    ),
    Row("trouble", FAULTS, "", "upstream connect error or disconnect/reset before headers", "RFC 9110, 15.6"),
    Row("refused", ANY, "", "messages.0.content: unreadable", "RFC 9110, 15.5.1"),
)  # fmt: skip

WINDOW_ROWS = tuple(Row("window", ASKED_WRONGLY, words, example, source) for words, example, source in WINDOWS)

TABLE = (*PAGES, *MONEY_AND_LIMITS, *KEYS, *WINDOW_ROWS, *TOOLS, *ADDRESSES, *HABITS, *BY_STATUS)
