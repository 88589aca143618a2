"""A tokenizer's chat template as a function from messages to text, and what the self-test says of it.

Play and training share it, so what a model is trained on is what it is asked: the same messages in the same form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from josh_engine.models.local.habits import Messages
from josh_engine.models.local.selftest import Refused, Selftest, Speak, in_form, selftest
from josh_engine.values import Json


@dataclass(frozen=True, slots=True)
class Template:
    """`test`: found once, when the tokenizer was opened."""

    tokenizer: Any
    test: Selftest

    def text(self, messages: Messages, tools: Sequence[Mapping[str, Json]], asks: bool) -> str:
        """`asks`: up to where the model is to go on. Raises Refused with the template's own words."""
        return speaking(self.tokenizer)(in_form(messages, self.test.as_text), tools, asks)

    def tokens(self, text: str) -> tuple[int, ...]:
        whole = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text to a tokenizer
        return tuple(self.tokenizer(whole, add_special_tokens=False)["input_ids"])


def template_of(tokenizer: Any) -> Template:
    return Template(tokenizer, selftest(speaking(tokenizer), str(tokenizer.chat_template or "")))


def speaking(tokenizer: Any) -> Speak:
    def speak(messages: Messages, tools: Sequence[Mapping[str, Json]], asks: bool) -> str:
        try:
            return str(
                tokenizer.apply_chat_template(
                    list(messages), tools=list(tools) or None, add_generation_prompt=asks, tokenize=False
                )
            )
        except Exception as error:
            raise Refused(" ".join(str(error).split())[:300]) from error

    return speak
