"""What chat templates of seven families do to rows: what survives, what is left out or refused and in which words, and
what exactly is trained. The table in docs/training.md is made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_templates import FAMILIES, QWEN_2_5, QWEN_3
from tiny_model import tiny_tokenizer

from josh_engine.errors import TrainingError
from josh_engine.models.local.habits import HABITS
from josh_engine.training.packing import Packing, pack
from josh_engine.training.rendering import Renderer, renderer
from josh_engine.training.row_files import Row

SYSTEM = "Sell what there is. Be kind."
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {
    "size": {"type": "integer"}, "day": {"type": "string"}}}}}]  # fmt: skip


def told(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def calls(*arguments: dict[str, Any], content: str = "", first: int = 1) -> dict[str, Any]:
    made = [
        {"type": "function", "id": f"call{first + place:05}", "function": {"name": "find", "arguments": each}}
        for place, each in enumerate(arguments)
    ]
    return told("assistant", content, tool_calls=made)


def result(content: str, number: int = 1) -> dict[str, Any]:
    return told("tool", content, tool_call_id=f"call{number:05}")


def row(*messages: dict[str, Any], tools: Any = (), label: bool | None = None, name: str = "r") -> Row:
    return Row(messages[:-1], messages[-1:], tools, label, name)


START = (told("system", SYSTEM), told("user", "A coat, please."))
FOUND = (*START, calls({"size": 4, "day": "2026-11-02", "colour": None}), result('{"left": "2"}'))
ROWS = {
    "ReACT": row(*START, told("assistant", "PLAN Look.\nAPICALL {\"size\": 4}")),
    "call": row(*START, calls({"size": 4, "day": "2026-11-02", "colour": None}), tools=TOOLS),
    "answer": row(*FOUND, told("assistant", "Two are left."), tools=TOOLS),
    "two calls": row(*START, calls({"size": 4}, {"size": "4"}), tools=TOOLS),
    "no policy": row(*START[1:], told("assistant", "Which size?")),
    "thought": row(*START, told("assistant", "<think>\nA coat.\n</think>\n\nWhich size?")),
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny_tokenizer([json.dumps([each.prompt, each.completion]) for each in ROWS.values()])


def rendered(tokenizer: Any, template: str) -> Renderer:
    tokenizer.chat_template = template
    return renderer(tokenizer)


def outcome(render: Renderer, given: Row) -> str:
    """The decoded span, or the habits by which the row is left out or its job refused."""
    try:
        packing = pack([given], render, 1000)
    except TrainingError as error:
        refused = [each.name for each in HABITS if each.words in error.message]
        return f"refused: {', '.join(refused)}"
    (packed,) = packing.sequences
    (span,) = packed.spans
    return repr(render.template.tokenizer.decode(packed.tokens[span.start : span.stop]))


def table(tokenizer: Any) -> str:
    lines: list[str] = []
    for family, template in FAMILIES.items():
        render = rendered(tokenizer, template)
        notes = [each.name for each in render.habits if each.weight == "note"]
        lines += [f"{family}: {', '.join(notes) or 'no more habits'}"]
        lines += [f"  {kind:<10}{outcome(render, given)}" for kind, given in ROWS.items()]
    shown = " ".join(lines)
    return "\n".join([*lines, *(f"{each.name}: {each.words}" for each in HABITS if each.name in shown)])


def test_the_table_in_the_docs_is_what_happens(tokenizer):
    page = (Path(__file__).parent.parent.parent / "docs/training.md").read_text(encoding="utf-8")
    assert table(tokenizer) in page


def test_every_habit_in_the_docs_has_its_words_and_remedy():
    assert len({each.name for each in HABITS}) == len(HABITS)
    for each in HABITS:
        assert each.weight in ("job", "rows", "note") and each.play in ("", "told", "refused")
        assert each.words and each.remedy and each.seen and each.source


def path_rows() -> list[Row]:
    """An ideal path of two exchanges as nested rows, and a bad turn that leaves it."""
    after = (*FOUND, told("assistant", "Two are left."), told("user", "Good."))
    again = (*after, calls({"size": 4}, first=2), result('{"left": "1"}', 2))
    good = [row(*START, FOUND[2]), row(*after[:5]), row(*again[:7]), row(*again, told("assistant", "Here it is."))]
    bad = row(*after, told("assistant", "What?"))
    return [Row(e.prompt, e.completion, TOOLS, e is not bad, f"r{n}") for n, e in enumerate((*good, bad))]


def spans(packing: Packing, tokenizer: Any) -> list[list[str]]:
    return [[tokenizer.decode(each.tokens[s.start : s.stop]) for s in each.spans] for each in packing.sequences]


def test_rows_of_qwen_3_are_packed_as_those_of_qwen_2_5_and_none_holds_an_empty_thought(tokenizer):
    packed = [pack(path_rows(), rendered(tokenizer, each), 1000) for each in (QWEN_2_5, QWEN_3)]
    older, newer = ([len(each.sequences) for each in packed], [spans(each, tokenizer) for each in packed])
    assert older == [2, 2]
    assert newer[0] == newer[1] and newer[1][0][1] == "Two are left.<|im_end|>\n"
    assert not any("think" in span for each in newer[1] for span in each)


def test_a_sampled_empty_thought_is_trained_as_it_was_sampled(tokenizer):
    given = row(*START, told("assistant", "<think>\n\n</think>\n\nWhich size?"))
    assert outcome(rendered(tokenizer, QWEN_3), given) == repr("<think>\n\n</think>\n\nWhich size?<|im_end|>\n")


@pytest.mark.parametrize("arguments", ['{"size": 4', '{"size" = "4"}'])
def test_a_call_that_is_no_json_is_trained_as_it_was_sampled_or_not_at_all(tokenizer, arguments):
    made = {"type": "function", "id": "call00001", "function": {"name": "find", "arguments": arguments}}
    given = row(*START, told("assistant", "", tool_calls=[made]), tools=TOOLS, label=False)
    assert arguments in outcome(rendered(tokenizer, QWEN_3), given)
    assert outcome(rendered(tokenizer, QWEN_2_5), given) == "refused: broken_calls"


# Two more templates of each habit, told apart from the same template without it.
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}"
    "<call>{{ c.function.name }} {{ c.function.arguments | tojson }}</call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if tools %}{{ tools | tojson }}{% endif %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOLS_FIRST = "{% if tools %}{{ tools | tojson }}{% endif %}" + CHATML.replace(
    "{% if tools %}{{ tools | tojson }}{% endif %}", ""
)
OFFERED = "{% for c in m.tool_calls or [] %}"
RAISE = "{{ raise_exception('no') }}{% endif %}"
EACH = "{% for k, v in c.function.arguments.items() %}"
BROKEN = {
    "refuses_system": [
        ("{% for m in", "{% if messages[0].role == 'system' %}" + RAISE + "{% for m in"),
        ("{% for m in", "{% for m in messages if m.role == 'system' %}{{ m.nothing.at_all }}{% endfor %}{% for m in"),
    ],
    "drops_system": [
        ("in messages %}", "in messages if m.role != 'system' %}"),
        ("in messages %}", "in (messages[1:] if messages[0].role == 'system' else messages) %}"),
    ],
    "ignores_tools": [("{{ tools | tojson }}", ""), ("{{ tools | tojson }}", "{{ tools | length }} tools")],
    "refuses_calls": [
        ("{{ m.role }}", "{{ {'system': 's', 'user': 'u', 'assistant': 'a'}[m.role] + '' }}"),
        ("{{ m.role }}", "{% if m.tool_calls %}" + RAISE + "{{ m.role }}"),
    ],
    "drops_calls": [("{{ c.function.name }}", ""), (" {{ c.function.arguments | tojson }}", "")],
    "drops_results": [
        ("in messages %}", "in messages if m.role != 'tool' %}"),
        ("{{ m.content }}", "{{ m.content if m.role != 'tool' else 'done' }}"),
    ],
    "disorders": [
        ("{{ m.content }}", "{{ m.content }}{% if m.role == 'tool' %}{{ m.content }}{% endif %}"),
        ("in messages %}", "in messages | sort(attribute='role') %}"),
    ],
    "one_call": [
        ("{% for c", "{% if m.tool_calls and m.tool_calls[1] is defined %}" + RAISE + "{% for c"),
        ("{% for c", "{{ '' if (m.tool_calls or []) | length < 2 else m.tool_calls + 1 }}{% for c"),
    ],
    "drops_second_call": [
        ("in m.tool_calls or []", "in (m.tool_calls or [])[:1]"),
        ("in m.tool_calls or [] %}", "in m.tool_calls or [] if loop.first is not defined or loop.first %}"),
    ],
    "drops_words_beside_calls": [
        ("{{ m.content }}", "{{ '' if m.tool_calls else m.content }}"),
        ("{{ m.content }}", "{% if not m.tool_calls %}{{ m.content }}{% endif %}"),
    ],
    "nine_ids": [
        ("{{ m.role }}", "{{ m.role }}{% if (m.tool_call_id or '123456789') | length != 9 %}" + RAISE),
        (OFFERED, OFFERED + "{% if c.id | length != 9 %}" + RAISE),
    ],
    "double_encoded": [
        ("arguments | tojson", "arguments | tojson | tojson"),
        ("arguments | tojson", "arguments | tojson | tojson | trim"),
    ],
    "no_json": [
        ("arguments | tojson", "arguments | string | replace('\"', \"'\")"),
        ("arguments | tojson", "arguments.items() | list"),
    ],
    "text_arguments": [(" | tojson }}</call>", " + '' }}</call>"), ("arguments | tojson", "arguments")],
    "untyped": [
        ("{{ c.function.arguments | tojson }}", EACH + "{{ k }}={{ v }};{% endfor %}"),
        ("{{ c.function.arguments | tojson }}", EACH + "<{{ k }}>{{ v | string }}</{{ k }}>{% endfor %}"),
    ],
    "drops_thoughts": [
        ("{{ m.content }}", "{{ m.content.split('</think>')[-1] }}"),
        ("{{ m.content }}", "{{ m.content if '<think>' not in m.content else m.content.split('</think>')[1] }}"),
    ],
    "no_end": [("<|im_end|>\n", ""), ("<|im_end|>\n", "\n")],
    "edges": [("{{ m.content }}", "{{ m.content | trim }}"), ("{{ m.content }}", " {{ m.content }}")],
    "alternating": [
        ("{{ m.role }}", "{{ m.role }}{% if loop.previtem and loop.previtem.role == m.role %}" + RAISE),
        ("{{ m.role }}", "{{ m.role }}{% if loop.changed(m.role) %}{% else %}" + RAISE),
    ],
    "default_system": [
        ("{% for m in", "{% if messages[0].role != 'system' %}Always be careful.{% endif %}{% for m in"),
        ("{% for m in", "{% if messages[0].role == 'user' %}system: Made by nobody{% endif %}{% for m in"),
    ],
    "today": [
        ("{% for m in", "{{ strftime_now('%Y-%m-%d') }}{% for m in"),
        ("{% for m in", "{% set day = strftime_now('%d %b') %}{{ day }}{% for m in"),
    ],
    "no_cut": [
        ("<|im_start|>assistant\n{%", "<|im_start|>assistant\n<think>\n{%"),
        ("{% for m in", "{{ messages | length }}{% for m in"),
    ],
    "system_late": [
        ("{{ m.content }}", "{{ m.content if m.role != 'system' or messages[-1].role == 'user' else '' }}"),
        ("in messages %}", "in messages if m.role != 'system' or messages | length < 3 %}"),
    ],
    "policy_mark": [
        ("{{ m.content }}", "{{ '<policy>' if m.role == 'system' else m.content }}"),
        ("{{ m.content }}", "{% if m.role != 'system' %}{{ m.content }}{% endif %}"),
    ],
}  # fmt: skip


def names(tokenizer: Any, template: str) -> list[str]:
    return [each.name for each in rendered(tokenizer, template).habits]


def test_a_template_that_keeps_all_has_no_habit(tokenizer):
    assert names(tokenizer, TOOLS_FIRST) == []


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_each_habit_is_seen_in_two_templates_and_named(tokenizer, name):
    for place, (old, new) in enumerate(BROKEN[name]):
        assert old in TOOLS_FIRST
        assert name in names(tokenizer, TOOLS_FIRST.replace(old, new, 1)), f"the template of place {place}"


def test_every_habit_has_templates_here():
    families = {name for each in FAMILIES.values() for name in names(tiny_tokenizer(["a"]), each)}
    assert {each.name for each in HABITS} - set(BROKEN) - families == {"broken_calls", "changes", "refuses"}


@pytest.mark.parametrize(
    "answer", ["[]", "{}", '"ok"', "null", '[{"name": "inn"}]', '{"status": "FAILURE", "reason": "-"}']
)
def test_a_template_with_a_mark_for_a_word_keeps_what_stands_behind_it_however_short(answer):
    """The embedded model's writes APIRETURN as a token of its own; "APIRETURN []" holds no other word."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(Path(__file__).parents[2] / "embedded" / "model")
    call = 'PLAN Look.<COMMAND_END>APICALL {"name": "search_hotel", "parameters": {"area": "north"}}<COMMAND_END>'
    prompt = [
        {"role": "system", "content": "Help the guest."},
        {"role": "user", "content": "A hotel in the north."},
        {"role": "assistant", "content": call},
        {"role": "user", "content": f"APIRETURN {answer}"},
    ]
    said = {"role": "assistant", "content": "PLAN None.<COMMAND_END>SPEAK There is none.<COMMAND_END>"}
    tokens, begins = renderer(tokenizer).cut(Row(prompt, [said], (), True, "r"))
    assert tokenizer.decode(tokens[begins:]).strip().startswith(said["content"])
