"""What a ReACT or ACT model writes, read as commands: the contract, the damage it survives, and all text there is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.agents.commands import ApiCall, Malformed, Speak, parse

CALL = '{"name": "find_hotel", "parameters": {"area": "north"}}'


def react(content: str):
    return parse(content, planned=True)


def act(content: str):
    return parse(content, planned=False)


@pytest.mark.parametrize(
    "layout",
    [
        "PLAN I look. <COMMAND_END>APICALL {call} <COMMAND_END>",
        "PLAN I look. <COMMAND_END>\nAPICALL {call}\n<COMMAND_END>",
        "\n\n  PLAN\tI look.<COMMAND_END>\r\n\r\nAPICALL\n{call}<COMMAND_END>\n",
        "PLAN: I look.\n<COMMAND_END>\nAPICALL: {call} < COMMAND_END>",
        "PLAN I look. <COMMAND_END> APICALL{call}<COMMAND_END>",
        "PLAN I look. <COMMAND_END>\nAPICALL ```json\n{call}\n``` <COMMAND_END>",
        "PLAN I look. <COMMAND_END>\nAPICALL\n```\n{call}\n```\n<COMMAND_END>",
        "```\nPLAN I look. <COMMAND_END>\nAPICALL {call} <COMMAND_END>\n```",
        "<think>\nSPEAK or APICALL?\n</think>\n\nPLAN I look. <COMMAND_END>\nAPICALL {call} <COMMAND_END>",
        "I should look.</think> PLAN I look. <COMMAND_END>\nAPICALL {call} <COMMAND_END>",
    ],
)
def test_a_plan_and_a_call_are_well_formed_whatever_the_layout(layout):
    command = react(layout.replace("{call}", CALL))
    assert isinstance(command, ApiCall)
    assert (command.plan, command.name, command.parameters) == ("I look.", "find_hotel", {"area": "north"})


def test_the_layout_of_the_papers_table_10_is_well_formed():
    content = "PLAN No trains. <COMMAND_END>SPEAK\nSorry, there are none.\nAnother day? <COMMAND_END>"
    assert react(content) == Speak("Sorry, there are none.\nAnother day?", "No trains.")


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines\n\nand a third",
        r"C:\new\table is \"quoted\" \\ here",
        '{"name": "not a call"} and } or {',
        "I PLAN to SPEAK of an APICALL",
        "```python\nprint(1)\n``` as code",
        "APICALL",
        ":-) 100 % naïve – 日本",
        "a <b> c </COMMAND_END> d",
    ],
)
def test_what_is_said_survives_as_it_was_written(text):
    assert react(f"PLAN {text} <COMMAND_END>\nSPEAK {text} <COMMAND_END>") == Speak(text, text)
    assert act(f"SPEAK {text} <COMMAND_END>") == Speak(text)


def test_text_inside_a_calls_json_survives_line_breaks_braces_and_backslashes():
    said = 'a "b" {c} \\ \n d'
    written = json.dumps({"name": "find_hotel", "parameters": {"area": said}})
    assert act(f"APICALL {written} <COMMAND_END>").parameters == {"area": said}
    bare = '{"name": "find_hotel", "parameters": {"area": "line one\nline two"}}'
    assert act(f"APICALL {bare} <COMMAND_END>").parameters == {"area": "line one\nline two"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("  \n ", "empty"),
        ("```\n```", "empty"),
        ("<think>PLAN and never an end", "empty"),
        ("Hello, how can I help?", "closed"),
        ("PLAN think <COMMAND_END> SPEAK hello", "closed"),
        (f"PLAN think <COMMAND_END> APICALL {CALL} <COMMAND_END> APIRETURN []", "nothing may follow"),
        ("Sure! PLAN think <COMMAND_END> SPEAK hello <COMMAND_END>", "begin with PLAN, APICALL or SPEAK"),
        ("PLANNING <COMMAND_END> SPEAK hello <COMMAND_END>", "begin with PLAN, APICALL or SPEAK"),
        ("<COMMAND_END>", "begin with PLAN, APICALL or SPEAK"),
        ("SPEAK hello <COMMAND_END>", "must begin with PLAN"),
        (f"APICALL {CALL} <COMMAND_END>", "must begin with PLAN"),
        ("PLAN think <COMMAND_END>", "there was: none"),
        ("PLAN a <COMMAND_END> PLAN b <COMMAND_END>", "there was: PLAN"),
        ("PLAN a <COMMAND_END> SPEAK <COMMAND_END>", "SPEAK was empty"),
        (f"PLAN a <COMMAND_END> APICALL {CALL} <COMMAND_END> APICALL {CALL} <COMMAND_END>", "APICALL, APICALL"),
        (f"PLAN a <COMMAND_END> APICALL {CALL} <COMMAND_END> SPEAK b <COMMAND_END>", "APICALL, SPEAK"),
        ("PLAN a <COMMAND_END> APICALL {'name': 1} <COMMAND_END>", "cannot be read"),
        ("PLAN a <COMMAND_END> APICALL <COMMAND_END>", "cannot be read"),
        (f"PLAN a <COMMAND_END> APICALL {CALL} {CALL} <COMMAND_END>", "cannot be read"),
        (f"PLAN a <COMMAND_END> APICALL search {CALL} <COMMAND_END>", "cannot be read"),
        (f"PLAN a <COMMAND_END> APICALL [{CALL}] <COMMAND_END>", "must be followed by a JSON object"),
        ("PLAN a <COMMAND_END> APICALL null <COMMAND_END>", "must be followed by a JSON object"),
        ('PLAN a <COMMAND_END> APICALL {"name": "x"} <COMMAND_END>', "must have the keys"),
        ('PLAN a <COMMAND_END> APICALL {"name": "x", "arguments": {}} <COMMAND_END>', "must have the keys"),
        ('PLAN a <COMMAND_END> APICALL {"name": 3, "parameters": {}} <COMMAND_END>', '"name" must be a string'),
        ('PLAN a <COMMAND_END> APICALL {"name": "", "parameters": {}} <COMMAND_END>', '"name" must be a string'),
        ('PLAN a <COMMAND_END> APICALL {"name": "x", "parameters": []} <COMMAND_END>', '"parameters" must be'),
        ('PLAN a <COMMAND_END> APICALL {"name": "x", "parameters": "y"} <COMMAND_END>', '"parameters" must be'),
        ('PLAN a <COMMAND_END> APICALL {"name": "x", "parameters": {"n": NaN}} <COMMAND_END>', "NaN is not JSON"),
        ('PLAN a <COMMAND_END> APICALL {"name": "x", "parameters": {"n": 1e999}} <COMMAND_END>', "too large"),
    ],
)
def test_anything_else_is_malformed_with_a_reason_for_the_model(content, reason):
    command = react(content)
    assert isinstance(command, Malformed)
    assert reason in command.reason


def test_a_malformed_call_still_tells_which_api_was_meant():
    assert react('PLAN a <COMMAND_END> APICALL {"name": "x", "parameters": []} <COMMAND_END>').name == "x"


def test_act_has_no_thought_line():
    assert act(f"APICALL {CALL} <COMMAND_END>") == ApiCall("find_hotel", {"area": "north"}, CALL)
    assert act("PLAN a <COMMAND_END> SPEAK b <COMMAND_END>").reason == "PLAN is not a command here."
    assert "There must be exactly one" in act("SPEAK a <COMMAND_END> SPEAK b <COMMAND_END>").reason


PIECES = st.sampled_from(
    ["PLAN", "APICALL", "SPEAK", "<COMMAND_END>", "< COMMAND_END >", "```", "```json\n", "\n", " ", ":", "{", "}", '"',
     CALL, '{"name": "a", "parameters": ', "NaN", "[" * 3000, '{"a":' * 60, "1" * 5000, "\\", "\ud800", "APIRETURN []"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=12), max_size=14).map("".join), st.booleans())
def test_reading_never_raises(content, planned):
    assert isinstance(parse(content, planned=planned), ApiCall | Speak | Malformed)


SPACE = st.text(" \t\r\n", max_size=4)
PLAIN = st.text(max_size=60).filter(lambda text: "COMMAND_END" not in text)
ARGUMENTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def written(plan: str | None, word: str, body: str, space: str) -> str:
    thought = "" if plan is None else f"{space}PLAN {plan} {space}<COMMAND_END>"
    return f"{thought}{space}{word} {space}{body}{space}<COMMAND_END>{space}"


@given(st.none() | PLAIN, PLAIN.filter(str.strip), SPACE)
def test_what_was_said_is_read_back(plan, text, space):
    command = parse(written(plan, "SPEAK", text, space), planned=plan is not None)
    assert command == Speak(text.strip(), (plan or "").strip())


@given(st.none() | PLAIN, PLAIN.filter(bool), ARGUMENTS, SPACE, st.booleans())
def test_what_was_called_is_read_back(plan, name, arguments, space, ascii_only):
    body = json.dumps({"name": name, "parameters": arguments}, ensure_ascii=ascii_only)
    command = parse(written(plan, "APICALL", body, space), planned=plan is not None)
    assert isinstance(command, ApiCall), command
    assert replace(command, raw="") == ApiCall(name, arguments, "", (plan or "").strip())
