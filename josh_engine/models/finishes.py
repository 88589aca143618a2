"""Whether a model's answer is a move. The one place that judges it, for agents and for users. Pure.

An answer that stopped by itself and holds words or a call is a move, whatever it is worth. One that was cut off (by a
token limit, a filter, an error on the way, inside its own thoughts) is not what the model would have said, and one
without words and calls says nothing. Neither may become a turn of the conversation, a label or a row. What is done
about it is decided in `models/journal.py`: it is asked for again, and then `NoMove` is raised.
"""

from __future__ import annotations

from collections.abc import Mapping

from josh_engine.errors import BadResponse
from josh_engine.messages import without_thoughts
from josh_engine.values import Completion, Fault

HUNG_UP = "hung_up"  # how a completion of a person who ends the conversation finishes; its words may be empty

# What servers call an end that was not the model's own, in lower case. All other names ("stop", "tool_calls",
# "function_call", "eos_token", "stop_sequence", "end_turn", "complete", none at all) are ends of its own.
CUT_SHORT: Mapping[str, str] = {
    # https://platform.openai.com/docs/api-reference/chat/object
    "length": "it reached the token limit",
    "content_filter": "a content filter cut it off",
    # Anthropic: https://docs.anthropic.com/en/api/handling-stop-reasons
    "max_tokens": "it reached the token limit",
    "model_context_window_exceeded": "it reached the end of the model's window",
    "pause_turn": "the server paused it",
    "refusal": "a content filter cut it off",
    # Mistral: https://docs.mistral.ai/api (finish_reason)
    "model_length": "it reached the end of the model's window",
    "error": "the server failed while it was written",  # OpenRouter and Cohere too
    # Gemini: https://ai.google.dev/api/generate-content#FinishReason
    "safety": "a content filter cut it off",
    "recitation": "a content filter cut it off",
    "blocklist": "a content filter cut it off",
    "prohibited_content": "a content filter cut it off",
    "spii": "a content filter cut it off",
    "malformed_function_call": "the server could not read its call",
    # Cohere: https://docs.cohere.com/reference/chat
    "error_toxic": "a content filter cut it off",
    "error_limit": "it reached the end of the model's window",
    "timeout": "the server gave it no more time",
    "user_cancel": "it was called off",
    # vLLM and SGLang: a request that was called off, or whose worker ended (vllm-project/vllm: FinishReason)
    "abort": "it was called off",
    "aborted": "it was called off",
    "cancelled": "it was called off",
    # DeepSeek: https://api-docs.deepseek.com/api/create-chat-completion
    "insufficient_system_resource": "the server had no resources left",
    # Zhipu: https://docs.bigmodel.cn (finish_reason)
    "sensitive": "a content filter cut it off",
    "network_error": "the server failed while it was written",
}
UNENDED = "it ended inside its own thoughts"
NOTHING = "it holds no words and no call"


class NoMove(BadResponse):
    """The model's answer is no move, also when it was asked again. `fault`: `cut` or `empty`; `why` in words."""

    def __init__(self, completion: Completion, fault: Fault, why: str) -> None:
        said = "The model's answer is empty" if fault == "empty" else f"The model's answer was cut short: {why}"
        super().__init__(f"{said}, and so were the others when it was asked again.", remedy=_remedy(why))
        self.completion, self.fault, self.why = completion, fault, why


def moved(completion: Completion) -> Completion:
    """The answer, if it is a move. Raises NoMove."""
    if fault := no_move(completion):
        raise fault
    return completion


def no_move(completion: Completion) -> NoMove | None:
    """None: it is a move."""
    if completion.finish == HUNG_UP:
        return None
    if why := CUT_SHORT.get(completion.finish.lower()):
        return NoMove(completion, "cut", why)
    if completion.tool_calls or without_thoughts(completion.content).strip():
        return None
    if completion.content.strip() and "</think" not in completion.content:
        return NoMove(completion, "cut", UNENDED)
    return NoMove(completion, "empty", NOTHING)


def _remedy(why: str) -> str:
    if "token limit" in why or why == UNENDED:
        return "Raise --max-tokens (--user-max-tokens for the user's model), or the server's own limit."
    return ""
