"""500 strings that would run, load, break out, overflow or mislead where text is not kept text; a store full of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, islice, product
from pathlib import Path

from app import services
from josh_engine.config import RunConfig, RunLimits, StrategyConfig
from josh_engine.values import (
    Collapsed,
    Event,
    Goal,
    GoalsWon,
    Message,
    Node,
    NodeAdded,
    Preamble,
    Pruned,
    Rollout,
    Scenario,
    SearchEnded,
    SearchStarted,
    Tool,
    ToolCall,
    Turn,
)
from storage import runs
from storage.writer import RunWriter

RUNS = "window.pwned=1"
PAYLOADS = (
    f"<script>{RUNS}</script>", f"<img src=x onerror={RUNS}>", f"<svg/onload={RUNS}>", f"<body onload={RUNS}>",
    f'<iframe srcdoc="<script>parent.{RUNS}</script>">', f'<a href="javascript:{RUNS}">x</a>',
    f"<details open ontoggle={RUNS}>", f"<input autofocus onfocus={RUNS}>", f"<math><mtext><script>{RUNS}</script>",
    '<img src="http://192.0.2.1/a.png">', '<link rel=stylesheet href="http://192.0.2.1/a.css">',
    '<style>*{background:url(http://192.0.2.1/b)}</style>', '<base href="http://192.0.2.1/">',
    '<meta http-equiv=refresh content="0;url=http://192.0.2.1/">', '<object data="http://192.0.2.1/o"></object>',
    "![i](http://192.0.2.1/c.png)", f"[l](javascript:{RUNS})", "[l](data:text/html,<script>top.pwned=1</script>)",
    "http://192.0.2.1/auto", "$\\href{javascript:window.pwned=1}{x}$", ":red[x] :material/home: :smile:",
    f"</textarea><script>{RUNS}</script>", f"</script><script>{RUNS}</script>", f"--></style><script>{RUNS}</script>",
    f"';{RUNS};'", f'"+{RUNS}+"', f"${{{RUNS}}}", f"{{{{constructor.constructor('{RUNS}')()}}}}", "%3Cscript%3E",
    "\\u003cscript\\u003e", "\u202eevil\u202c txt.exe", "\u2066\u2067a\u2069", "\x1b[2J\x1b]0;owned\x07",
    "a\u0300" * 60,
    "\u200b\ufeff\u00ad", "W" * 3000, "=cmd|' /C calc'!A0", "@SUM(1+1)", "'; DROP TABLE runs; --", "../../etc/passwd",
    "\u2028\u2029", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 50, "NaN", "null", "{}", "0",
    "<!--", "]]>", "&lt;script&gt;", "&#60;img src=x&#62;",
)  # fmt: skip
WRAPPERS = ("{}", '"{}"', "`{}`", "**{}**", "# {}", "- {}", "> {}", "| {} |", "```\n{}\n```", "<b>{}", "a\n\n{}\n\nb")
LONG = "x" * 5_000_000
PER_ROLLOUT = 25


def strings() -> list[str]:
    """500, all different."""
    made = dict.fromkeys(
        wrapper.format(payload) if "{}" in wrapper else payload for wrapper, payload in product(WRAPPERS, PAYLOADS)
    )
    return list(islice(made, 500))


def hostile_store(path: Path) -> tuple[str, str]:
    """A search and a plain play whose every text is one of them, in the store at `path`; the runs' ids."""
    texts = strings()
    made = []
    with services.open_store(path) as store:
        for strategy in ("josh", "greedy"):
            ids = tuple(dict.fromkeys(f"{number} {texts[number]}"[:200] for number in range(0, 500, PER_ROLLOUT)))
            config = RunConfig(
                texts[1][:80], texts[2][:80], ids, agent=texts[3][:80], user=texts[4][:80], model=texts[5][:80],
                strategy=StrategyConfig(name=strategy), options={texts[6][:40]: texts[7][:80]},
            )  # fmt: skip
            run = runs.create_run(store, config, limits=RunLimits(), name=texts[0], code_version=texts[8])
            rollouts = runs.list_rollouts(store, run.id)
            with ThreadPoolExecutor(1) as apart:  # a browser's driver keeps an event loop in the test's own thread
                apart.submit(asyncio.run, _play(store, rollouts, texts)).result()
            runs.end(store, run.id, "done")
            made.append(run.id)
    return made[0], made[1]


async def _play(store: services.Store, rollouts: tuple[Rollout, ...], texts: list[str]) -> None:
    writer = RunWriter(store, rollouts)
    for number, rollout in enumerate(rollouts):
        some = texts[number * PER_ROLLOUT : (number + 1) * PER_ROLLOUT]
        events = list(_events(rollout.scenario_id, some, LONG if number == 0 else ""))
        writer.stored(rollout.id)
        await writer.record(events, replace(rollout, state="done", goals=2, won=2, nodes=9, events=len(events)))


def _events(scenario: str, texts: list[str], long: str) -> Iterator[Event]:
    words = (texts[each % len(texts)] for each in count())

    def user(node: str, parent: str | None) -> NodeAdded:
        said = next(words)
        return NodeAdded(Node(node, parent, Turn("user", (Message("user", said),), reply=said)))

    def agent(node: str, parent: str, *won: str, more: str = "") -> NodeAdded:
        call = ToolCall("c1", next(words)[:60], {next(words)[:60]: next(words)}, raw=next(words), result=next(words))
        wrong = ToolCall("c2", next(words)[:60], {}, error=next(words), fault="unknown_tool")
        said = next(words) + more
        messages = (
            Message("assistant", said, (call, wrong), sampled=True), Message("tool", call.answer, tool_call_id="c1"),
            Message("tool", wrong.answer, tool_call_id="c2"), Message("assistant", next(words), sampled=True),
        )  # fmt: skip
        return NodeAdded(Node(node, parent, Turn("agent", messages, (call, wrong), next(words)), frozenset(won)))

    goals = (Goal("g1", next(words)[:60], {next(words)[:40]: next(words)}), Goal("g2", next(words)[:60], {}))
    preamble = Preamble(
        (Message("system", next(words)),), (Tool(next(words)[:60], next(words), {"type": "object", "properties": {}}),)
    )
    yield SearchStarted(Scenario(scenario, "w", "s", (next(words), next(words)), goals), preamble)
    yield user("u", None)
    yield agent("0", "u", "g1", more=long)
    yield agent("1", "u")
    yield GoalsWon("0", ("g1",))
    yield Collapsed("0", (Pruned("1", "lost_race", "0"),))
    yield user("0u", "0")
    yield agent("0.0", "0u", "g2")
    yield agent("0.1", "0u")
    yield GoalsWon("0.0", ("g2",))
    yield Collapsed("0.0", (Pruned("0.1", "lost_race", "0.0"),))
    yield SearchEnded("all_goals_won")
