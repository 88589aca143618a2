"""What a model that plays the user wrote, read as speech; and the conversation written down for it. Pure.

Decided here, where arXiv 2409.04617 (tables 11 and 12) is silent:

- What was said before END_CONVERSATION is kept; what comes after it is not.
- A reasoning model's `<think>...</think>` in front is not said.
- A model that goes on to write the agent's lines is cut off there: what it makes up about the future is not said. Nor
  is what comes after a chat template's own marks. Where it begins with the agent's line, nothing of it is the user's.
- Marks around END_CONVERSATION (bold, brackets, quotation marks, another case) belong to it and are not said.
- Hanging up waits for completion. A customer who agrees to a booking and hangs up in the same breath leaves the agent
  no turn to make it. So END_CONVERSATION counts where the words around it only close the conversation; otherwise they
  are said, the agent answers, and the user is asked again (`MOST_WAITS` times in a row, since some models end every
  message with it).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from josh_engine.messages import without_thoughts
from josh_engine.values import Message, Scenario, Turn

HANG_UP = re.compile(r"(?:#+\s*)?[*_`~\"'“”\[({<]*(?:END[_ ]CONVERSATION|end_conversation|End_Conversation)")
MOST_WAITS = 3
FAREWELL = "Goodbye."  # what a hang-up without words says, for a turn must say something
NAMES = {"user": "CUSTOMER", "agent": "AGENT"}

_CUSTOMER = r"customer|user|human|guest|caller|client|shopper"
_AGENT = (
    r"(?:(?:customer|guest|sales)[ -](?:service|support|care)[ -]?)?"
    r"(?:agent|assistant|representative|rep|clerk|operator)|ai|bot|chatbot|system|receptionist|"
    r"(?:customer )?(?:service|support)"
)
_OPENS, _CLOSES = r"[*_#>\[(\"“\s]*", r"[*_\])\s]*:[*_\s]*"
_OWN_NAME = re.compile(rf"{_OPENS}(?:{_CUSTOMER}|you|me){_CLOSES}", re.I)
_AGENTS_NAME = re.compile(rf"{_OPENS}(?:{_AGENT}){_CLOSES}", re.I)
_NEXT_SPEAKER = re.compile(
    rf"\n{_OPENS}(?:{_CUSTOMER}|{_AGENT}){_CLOSES}|(?<=[.!?])[ \t]+\**(?:Agent|AGENT|Assistant|ASSISTANT)\**:", re.I
)
# Marks of chat templates that a server did not take out: ChatML, Llama 3, Llama 2 and Mistral, Gemma, Phi, DeepSeek.
_TEMPLATE = re.compile(r"<\|[\w ]{2,20}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|<｜[^｜>]{2,30}｜>")
_LEFT_OVER = re.compile(r"(?:\s*\n[\s*_`#~=-]*)?\s*\Z")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_CLOSING = re.compile(
    r"\b(?:thanks?|thx|cheers|bye|goodbye|farewell|see you|take care|appreciate\w*|never ?mind|nothing (?:else|more)|"
    r"no more|all set|have an? \w+|(?:that|this)(?:'s| is| was|'ll be| will be| would be) (?:all|everything|it)|"
    r"(?:all|everything|what) (?:that )?i (?:need|want)(?:ed)?|good (?:day|night|evening|afternoon))\b",
    re.I,
)
_SATISFIED = re.compile(r"\b(?:all|everything|what) (?:that )?i (?:need|want|asked)(?:ed)?\b", re.I)
_ASKING = re.compile(
    r"[?\d]|\b(?:yes|yeah|yep|sure|please|go ahead|book|reserve|i (?:\w+ )?(?:need|want)|i'll take|let's|"
    r"i(?:'d| would) (?:\w+ )?like|(?:can|could|will|would) you|that works|sounds good|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Speech:
    """`words` are empty only where it `hangs_up`: END_CONVERSATION was written."""

    words: str
    hangs_up: bool


def heard(content: str, hang_up: re.Pattern[str] = HANG_UP) -> Speech | None:
    """A model's text as one utterance of the customer; None: it holds nothing that the customer could say."""
    text = _TEMPLATE.split(without_thoughts(content).strip(), maxsplit=1)[0]
    if _AGENTS_NAME.match(text):
        return None
    if named := _OWN_NAME.match(text):
        text = text[named.end() :]
    if other := _NEXT_SPEAKER.search(text):
        text = text[: other.start()]
    marked = hang_up.search(text)
    words = _unquoted(_LEFT_OVER.sub("", text[: marked.start()] if marked else text))
    return Speech(words, marked is not None) if words or marked else None


def only_closes(words: str) -> bool:
    """Whether there is nothing in the words that an agent would have to answer: thanks and goodbyes, and remarks
    beside them."""
    plain = words.replace("’", "'")
    if _ASKING.search(_SATISFIED.sub("", plain)):
        return False
    return not plain.strip() or any(_CLOSING.search(sentence) for sentence in _SENTENCE.split(plain))


def spoken(speech: Speech, path: Sequence[Turn], notes: dict[str, str] | None = None) -> Turn:
    """The user's turn. Its notes say how often in a row its hang-up has waited."""
    waited = _waits(path)
    waits = speech.hangs_up and not _ends(speech.words, path, waited)
    kept: dict[str, str | int] = {**(notes or {}), **({"waits": waited + 1} if waits else {})}
    text = speech.words or FAREWELL
    stop = "ended" if speech.hangs_up and not waits else "spoke"
    return Turn("user", (Message("user", text),), reply=text, stop=stop, notes=kept)  # type: ignore[arg-type]


def written_down(path: Sequence[Turn]) -> str:
    """The conversation so far, a line per turn."""
    return "\n".join(f"{NAMES[turn.speaker]}: {turn.reply or ''}" for turn in path) or "(Nothing has been said yet.)"


def transcript(guide: Sequence[str]) -> str:
    """A scenario's human transcript, which begins with the user and alternates."""
    return "\n".join(f"{NAMES['agent' if place % 2 else 'user']}: {said}" for place, said in enumerate(guide))


def numbered(scenario: Scenario) -> str:
    """What the customer wants, a numbered line per sentence of the brief."""
    return "\n".join(f"{number}. {wish}" for number, wish in enumerate(scenario.brief, start=1))


def _ends(words: str, path: Sequence[Turn], waited: int) -> bool:
    if not words or waited >= MOST_WAITS:
        return True
    return bool(path) and only_closes(words)


def _waits(path: Sequence[Turn]) -> int:
    """How many of the user's last turns, without a break, wanted to hang up."""
    own = [turn for turn in path if turn.speaker == "user"]
    return int(own[-1].notes.get("waits", 0)) if own else 0


def _unquoted(words: str) -> str:
    """Without the white space and the pair of quotation marks that may stand around all of it."""
    text = words.strip()
    for left, right in ('""', "“”", "«»", "''"):
        inner = text[1:-1]
        if len(text) >= 2 and text[0] == left and text[-1] == right and left not in inner and right not in inner:
            return inner.strip()
    return text
