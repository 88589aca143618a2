"""What chat templates are known to do to a conversation, as data: how it is seen, what it means, what to do. Pure.

`selftest` finds out which of these a template has, by sentinels. `weight` says what follows in training: "job", nothing
is trained where the rows hold what the habit touches (a model would learn answers that it could not know); "rows", the
rows that it touches are left out and counted; "note", it is told. In play a habit with `play` is told before the first
request with tools, and those of `play` "refused" end it.

Rows are told by what they hold, so that a remedy fits their agent: only one who calls tools is sent to the ReACT agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from josh_engine.values import Json

Messages = Sequence[Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Habit:
    """`seen`: what the self-test saw. `words` go on from "The model's chat template". `touches`: the part of a row that
    it needs in order to matter (`parts_of`); empty: every row. `play`: "", "told" or "refused"."""

    name: str
    seen: str
    words: str
    remedy: str
    weight: str
    touches: str = ""
    play: str = ""
    source: str = ""


ANOTHER = "Use another model, or a chat_template.jinja in its folder that keeps them."
REACT = "Use a model whose template carries tool calls, or search with the ReACT agent, whose calls are text."
FOLD = (
    "Use another model, or give this one a template that writes the policy into the first user message, "
    "as Gemma 3's does."
)

HABITS: Sequence[Habit] = (
    Habit(
        "refuses_system", "a conversation is taken without its system message, and refused with it",
        "refuses the system role, and the policy stands in it", FOLD, "rows", "system", "refused",
        "https://github.com/sgl-project/sglang/issues/892",
    ),
    Habit(
        "drops_system", "the system text is not in the prompt",
        "leaves the system text out, and the policy with it", FOLD, "job", "system", "refused",
        "https://github.com/oobabooga/textgen/issues/5356",
    ),
    Habit(
        "system_late", "the system text is there where a user's message is last, and gone after a tool's answer or "
        "an answer of the agent",
        "writes the system text only where a user's message is last: the policy vanishes after a call, and what is "
        "trained would not begin as it is asked", FOLD, "job", "system", "told",
        "https://github.com/axolotl-ai-cloud/axolotl/pull/3736",
    ),
    Habit(
        "policy_mark", "the system text is not in the prompt, and something stands in its place",
        "writes a mark in the place of the system text: its model knows one policy by heart",
        "Nothing need be done where the rows' policy is that one.", "note", "system", "",
        "embedded/model/chat_template.jinja, whose policy is one token",
    ),
    Habit(
        "ignores_tools", "neither names nor parameters of the tools are in the prompt",
        "ignores the tools that are offered: the model cannot know what it may call", REACT, "job", "tools", "refused",
        "https://github.com/ollama/ollama/issues/5885",
    ),
    Habit(
        "refuses_calls", "a conversation is taken without a call and its answer, and refused with them",
        "refuses tool calls and their answers", REACT, "rows", "calls", "refused",
        "https://github.com/meta-llama/llama-cookbook/issues/442",
    ),
    Habit(
        "drops_calls", "a call's name or one of its values is not in the prompt",
        "leaves calls or their arguments out", REACT, "job", "calls", "refused",
        "https://github.com/vllm-project/vllm/issues/13125",
    ),
    Habit(
        "drops_results", "what a tool answered is not in the prompt",
        "leaves out what tools answered: the model would learn answers that it could not know", REACT, "job",
        "results", "refused", "https://github.com/vllm-project/vllm/pull/2964",
    ),
    Habit(
        "disorders", "what was said stands in another order in the prompt, or twice",
        "writes a conversation in another order than it was held, or parts of it twice", ANOTHER, "job", "calls",
        "told", "https://github.com/huggingface/trl/issues/6361",
    ),
    Habit(
        "one_call", "two calls in one message are refused, and one is taken",
        "takes one call a message, and refuses two calls at once",
        "Such rows are left out; for a whole set of them use another model.", "rows", "several", "told",
        "https://github.com/vllm-project/vllm/pull/12938",
    ),
    Habit(
        "drops_second_call", "of two calls in one message the second is not in the prompt",
        "leaves out the second of two calls at once",
        "Such rows are left out; for a whole set of them use another model.", "rows", "several", "told",
        "https://github.com/vllm-project/vllm/pull/12938",
    ),
    Habit(
        "drops_words_beside_calls", "what is said beside a call is not in the prompt",
        "leaves out what is said beside a call",
        "Answers that speak and call at once are left out; other rows are not touched.", "note", "beside", "told",
        "https://github.com/vllm-project/vllm/pull/8343",
    ),
    Habit(
        "alternating", "two messages of one role in a row are refused",
        "takes user and assistant by turns only, and refuses two messages of one role in a row",
        "Such rows are left out; for a whole set of them use another model.", "rows", "repeated_role", "told",
        "https://huggingface.co/google/gemma-2-9b-it/discussions",
    ),
    Habit(
        "nine_ids", "a call is taken with an id of nine letters and digits, and refused with another",
        "wants call ids of nine letters and digits",
        "Export the rows again: ids are written so now.", "rows", "other_ids", "",
        "https://github.com/vllm-project/vllm/issues/9019",
    ),
    Habit(
        "double_encoded", "arguments stand in the prompt as text within text, whatever form they are given in",
        "writes a call's arguments as text within text, which is not what a model writes", REACT, "rows", "calls",
        "told", "https://github.com/ggml-org/llama.cpp/pull/19553",
    ),
    Habit(
        "no_json", "arguments stand in the prompt as Python writes them",
        "writes a call's arguments as Python writes them (None, True, single quotes), not as JSON", REACT, "rows",
        "calls", "told", "https://github.com/mistralai/mistral-common/issues/311",
    ),
    Habit(
        "text_arguments", "a call is taken, or written as JSON, only where its arguments are given as text",
        "wants a call's arguments as text", "Nothing need be done: they are given so, in play as in training.",
        "note", "calls", "",
        "https://github.com/vllm-project/vllm/issues/13125",
    ),
    Habit(
        "untyped", 'the number 3 and the text "3" are written alike',
        'writes the number 3 and the text "3" alike', "Rows that differ in that alone are one and the same to the "
        "model: judge them again, or use another model.", "note", "calls", "told",
        "https://github.com/vortico/flama/issues/258",
    ),
    Habit(
        "drops_thoughts", "thoughts of the last answer are not in what is trained",
        "cuts the thoughts from the answer that is trained: what is trained would not be what was sampled",
        "Use a template that keeps the last answer's thoughts, or rows of a model that does not think.", "rows",
        "thoughts", "", "https://github.com/vllm-project/vllm/pull/13025",
    ),
    Habit(
        "drops_earlier_thoughts", "thoughts of an answer are gone once a user has spoken again",
        "cuts the thoughts of earlier answers, in play as in training: rows of one path with thoughts are read each by "
        "itself", "Nothing need be done; training reads more tokens.", "note", "earlier_thoughts", "",
        "https://github.com/raullenchai/Rapid-MLX/pull/3464",
    ),
    Habit(
        "adds_thought", "an empty thought stands before the last answer that has none, and is gone once it is not the "
        "last",
        "writes an empty thought before the last answer, which nobody sampled",
        "Nothing need be done: rows are trained as they stand in the history, without it.", "note", "", "",
        "https://github.com/unslothai/unsloth/pull/3110",
    ),
    Habit(
        "no_cut", "the prompt, ready for an answer, is not the beginning of the conversation with the answer",
        "cannot be cut where an answer begins: its generation prompt is no beginning of the whole conversation",
        "Use another model or template: what is trained must begin as it is asked.", "rows", "", "",
        "https://github.com/huggingface/trl/pull/5824",
    ),
    Habit(
        "no_end", "nothing stands after an answer",
        "writes nothing after an answer: a model trained on it would not learn to stop",
        "Use a template that ends an answer with its stop token.", "job", "", "",
        "https://github.com/huggingface/trl/pull/5824",
    ),
    Habit(
        "edges", "white space at the edges of a message is cut or added",
        "cuts or adds white space at the edges of a message",
        "Nothing need be done: it does so in play as in training.", "note",
        "", "", "https://github.com/mistralai/mistral-inference/issues/35",
    ),
    Habit(
        "default_system", "words nobody wrote stand in the prompt of a conversation without a system message",
        "writes a system text of its own where a conversation has none",
        "Nothing need be done where rows have a system message.", "note", "no_system", "",
        "https://github.com/hiyouga/LlamaFactory/pull/10773",
    ),
    Habit(
        "today", "the template asks for the time",
        "writes the date of today into the prompt: what is trained today is not what is asked tomorrow",
        "Write a fixed date into its chat_template.jinja, for play and training alike.", "note", "", "told",
        "https://github.com/sgl-project/sglang/issues/3296",
    ),
    Habit(
        "broken_calls", "a call whose arguments are no JSON stands otherwise in the text than it was sampled",
        "cannot write a call whose arguments are no JSON as the model wrote it",
        "Such rows are left out: nobody sampled what would be trained.", "rows", "", "",
        "https://github.com/vortico/flama/issues/258",
    ),
    Habit(
        "changes", "a row's own words are not in what the template made of it, or tokens join where an answer begins",
        "changes what a row says", ANOTHER, "rows", "", "", "https://github.com/huggingface/trl/issues/6361",
    ),
    Habit(
        "refuses", "the template raises an error that none of the others explains",
        "refuses a row", "Use another model or template.", "rows", "", "",
        "https://github.com/huggingface/trl/issues/6361",
    ),
)  # fmt: skip
BY_NAME: Mapping[str, Habit] = {each.name: each for each in HABITS}


def parts_of(prompt: Messages, completion: Messages, tools: Sequence[Mapping[str, Json]]) -> frozenset[str]:
    """What a row holds, in the words of `Habit.touches`."""
    whole = [*prompt, *completion]
    calls = [each.get("tool_calls") or [] for each in whole]
    roles = [each.get("role") for each in whole]
    held = {
        "system": "system" in roles,
        "no_system": "system" not in roles,
        "tools": bool(tools),
        "calls": any(calls) or "tool" in roles,
        "results": "tool" in roles,
        "several": any(len(made) > 1 for made in calls),
        "beside": any(made and str(each.get("content") or "").strip() for made, each in zip(calls, whole, strict=True)),
        "repeated_role": any(one == other != "tool" for one, other in pairwise(roles)),
        "other_ids": any(not _nine(call.get("id")) for made in calls for call in made),
        "thoughts": any(_thinks(each) for each in completion),
        "earlier_thoughts": any(_thinks(each) for each in prompt),
    }
    return frozenset(name for name, holds in held.items() if holds)


def _thinks(message: Mapping[str, Json]) -> bool:
    return message.get("role") == "assistant" and "</think" in str(message.get("content") or "")


def _nine(given: Json) -> bool:
    return isinstance(given, str) and len(given) == 9 and given.isascii() and given.isalnum()
