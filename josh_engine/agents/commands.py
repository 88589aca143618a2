"""What a ReACT or ACT model wrote, read as commands. Pure, and it never raises: what cannot be read is a `Malformed`.

The format is the paper's (arXiv 2409.04617, appendix E, tables 8-10): PLAN, APICALL and SPEAK, each closed by
`<COMMAND_END>`; a generation is one PLAN and then one APICALL or one SPEAK. ACT's is the same without the PLAN.

Decided here, where the source is silent:

- Layout is free: white space and line breaks anywhere between the parts, a colon right after a command's word, a code
  fence around the JSON or around the whole. The regular expression of appendix C rejects the paper's own table 10.
- Structure is strict: anything else is malformed as a whole, and nothing of it is done. What a model gets away with it
  keeps doing, and a row that trains on a text must not depend on our having mended it.
- A reasoning model's `<think>...</think>` in front is passed over.
- Text is kept as written, backslashes, braces and line breaks included; only white space around it goes.
- An APICALL's JSON has exactly the keys `name` and `parameters`. Line breaks inside its strings are taken as meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from josh_engine.messages import read_json, without_thoughts
from josh_engine.values import Json

END = "<COMMAND_END>"
_END = re.compile(r"<\s*COMMAND_END\s*>")
_COMMAND = re.compile(r"(PLAN|APICALL|SPEAK)(?::|(?=[\s{]|\Z))\s*(.*)", re.S)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)\n?[ \t]*```", re.S)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """`raw` is the JSON text as emitted."""

    name: str
    parameters: Mapping[str, Json]
    raw: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Speak:
    text: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """`reason` says to the model what is wrong. `name`: the API's, where that much could be read."""

    reason: str
    raw: str
    name: str = ""


Command = ApiCall | Speak | Malformed


def parse(content: str, *, planned: bool) -> Command:
    """The one command of a generation. `planned`: it must begin with a PLAN (ReACT), else it must not (ACT)."""
    text = _unfenced(without_thoughts(content))
    if not text:
        return Malformed("The message was empty.", content)
    *closed, rest = _END.split(text)
    if rest.strip():
        return Malformed(f"Every command must be closed by {END}, and nothing may follow the last one.", content)
    commands = [_COMMAND.fullmatch(segment.strip()) for segment in closed]
    read = [(found[1], found[2]) for found in commands if found is not None]
    if len(read) < len(commands):
        known = "PLAN, APICALL or SPEAK" if planned else "APICALL or SPEAK"
        return Malformed(f"Every command must begin with {known}, and stand outside of any other text.", content)
    return _one(read, content, planned=planned)


def _one(commands: Sequence[tuple[str, str]], content: str, *, planned: bool) -> Command:
    words = [word for word, _ in commands]
    if planned and words[0] != "PLAN":
        return Malformed("The message must begin with PLAN.", content)
    if not planned and "PLAN" in words:
        return Malformed("PLAN is not a command here.", content)
    acts = commands[1:] if planned else commands
    if len(acts) != 1 or acts[0][0] == "PLAN":
        wanted = "After PLAN there must be" if planned else "There must be"
        return Malformed(f"{wanted} exactly one APICALL or one SPEAK, but there was: {_listed(acts)}.", content)
    plan = commands[0][1] if planned else ""
    ((word, body),) = acts
    if word == "APICALL":
        return _api_call(body, plan)
    return Speak(body, plan) if body else Malformed("SPEAK was empty.", content)


def _api_call(body: str, plan: str) -> ApiCall | Malformed:
    try:
        parsed = read_json(_unfenced(body), strict=False)
    except ValueError as error:
        return Malformed(f"APICALL must be followed by one JSON object, but this cannot be read: {error}.", body)
    if not isinstance(parsed, dict):
        return Malformed("APICALL must be followed by a JSON object.", body)
    name, parameters = parsed.get("name"), parsed.get("parameters")
    known = name if isinstance(name, str) else ""
    if parsed.keys() != {"name", "parameters"}:
        return Malformed('The JSON object must have the keys "name" and "parameters", and no others.', body, known)
    if not isinstance(name, str) or not name:
        return Malformed('"name" must be a string.', body)
    if not isinstance(parameters, dict):
        return Malformed('"parameters" must be a JSON object.', body, known)
    return ApiCall(name, parameters, body, plan)


def _unfenced(text: str) -> str:
    """Without the white space and the one code fence that may stand around it."""
    stripped = text.strip()
    fenced = _FENCE.fullmatch(stripped)
    return fenced[1].strip() if fenced else stripped


def _listed(commands: Sequence[tuple[str, str]]) -> str:
    return ", ".join(word for word, _ in commands[:5]) + (", ..." if len(commands) > 5 else "") or "none"
