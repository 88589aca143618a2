"""What the command line shows a person: plain text, and a progress bar where standard error is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from app.checking import Checked
from app.endpoints import EXAMPLE as ENDPOINT_EXAMPLE
from app.improving import Improved, Judged
from app.leaderboard import against, in_words
from app.listings import joined, least, switched
from app.results import (
    Comparison,
    EndpointLine,
    Evaluation,
    ExportResult,
    Interval,
    OpenedRollout,
    Progress,
    RunLine,
    RunResult,
    SideUsage,
)
from josh_engine.config import RunNotice
from josh_engine.encoding import to_json
from josh_engine.metrics import FAULTS, Wrong
from josh_engine.models.notices import Notice
from josh_engine.models.probe import Probe
from josh_engine.rates import Rate
from josh_engine.training.config import Progress as Step
from josh_engine.training.preflight import Preflight
from josh_engine.tree import branches, tree_order
from josh_engine.values import Json, Node, ToolCall

BAR_CELLS = 30


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    """None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        yield lambda progress: print(f"\r\x1b[K{bar(progress)}", end="", file=sys.stderr, flush=True)
    finally:
        print(file=sys.stderr)


def bar(progress: Progress) -> str:
    full = BAR_CELLS * progress.finished // max(progress.total, 1)
    failed = f"  {progress.failed} failed" if progress.failed else ""
    return (
        f"[{'#' * full}{'.' * (BAR_CELLS - full)}] {progress.finished}/{progress.total}"
        f"  reward {_rate(progress.reward)}  {progress.calls:,} calls  {progress.seconds:.0f} s{failed}"
    )


def tell_step(step: Step) -> None:
    """A line on standard error for every step."""
    told = "".join(f"  {name} {value:.3f}" for name, value in step.metrics.items())
    share = f"step {step.step} of {step.steps}"
    print(f"{share}  loss {step.loss:.4f}{told}  {step.seconds:.0f} s", file=sys.stderr, flush=True)


def tell(said: str) -> None:
    """A line on standard error."""
    print(said, file=sys.stderr, flush=True)


def improved(given: Improved) -> str:
    lines = [
        f"search {given.search}: success {_rate(given.searched.success, given.searched.interval)};"
        f" {given.rows:,} rows,"
        f" {given.positives:,} good and {given.negatives:,} bad",
        _columns([("model", "T", "seed", "success", "minus base"), *map(_judged, given.judged)]),
    ]
    return "\n".join(lines)


def _judged(given: Judged) -> tuple[str, ...]:
    gain = "" if given.paired is None else _gain(given.paired)
    return given.model, f"{given.temperature:g}", str(given.seed), _rate(given.success, given.interval), gain


def _gain(paired: Comparison) -> str:
    """The verdict, and what it rests on."""
    interval = f"[{paired.success_low:+.3f}, {paired.success_high:+.3f}]"
    return (
        f"{paired.told}; {paired.success_difference:+.3f} {interval} on {paired.n} of {paired.pairs} pairs,"
        f" {len(paired.fixed)} fixed, {len(paired.broken)} broken"
    )


def result(given: RunResult) -> str:
    lines = {
        "run": f"{given.run} ({given.name})",
        "state": given.state + _stopped_by(given.paused_by),
        "scenarios": f"{given.scenarios} ({given.finished} of {given.rollouts} rollouts finished,"
        f" {given.failed} failed, {given.skipped} without goals)",
        "average reward": _rate(given.reward, given.average_reward_interval),
        "success rate": _rate(given.success, given.success_rate_interval),
        "calls": f"{given.calls:,} ({given.tokens:,} tokens, {_price(given.usd)})",
        "agent's model": _usage(given.agent_usage),
        "user's model": _usage(given.user_usage),
        "seconds": f"{given.seconds:.1f} (critical path {given.critical_path_seconds:.1f})",
    }
    if given.options:
        lines["options"] = ", ".join(f"{name} {value}" for name, value in given.options.items())
    if given.several:
        told = zip(given.pass_rates, given.pass_k_intervals, strict=True)
        lines["pass^k"] = "  ".join(f"{k}: {_rate(*each)}" for k, each in enumerate(told, start=1))
    if given.error:
        lines["error"] = given.error
    return fields(lines) + "".join(f"\n{line}" for line in noticed(given.notices))


def noticed(given: Iterable[RunNotice | Notice]) -> list[str]:
    """A line for each, without the characters that a terminal obeys: servers' words stand in them."""
    return ["notice: " + "".join(each if each.isprintable() else " " for each in str(notice)) for notice in given]


def _stopped_by(who: str | None) -> str:
    """A person, the budget, or a signal by its name."""
    return "" if who is None else f" by {who}" if who.isupper() else f" by the {who}"


def _usage(given: SideUsage) -> str:
    if not given.calls:
        return "not asked"
    tokens = f"{given.prompt_tokens:,} + {given.completion_tokens:,} tokens"
    return f"{given.calls:,} calls, {tokens}, {_price(given.usd)}, {given.seconds_per_call or 0.0:.2f} s a call"


def endpoints(lines: Sequence[EndpointLine]) -> str:
    if not lines:
        return "No endpoints yet. josh.toml may name them:\n" + ENDPOINT_EXAMPLE
    head = ("name", "model", "url", "key", "usd per million in/out", "also asked")
    body = [(each.name, each.model, each.url, _key(each), _prices(each), each.extras or "nothing") for each in lines]
    return _columns([head, *body])


def _key(given: EndpointLine) -> str:
    if given.key_set is None:
        return "none"
    return f"{given.key_env}: {'set' if given.key_set else 'not set'}"


def _prices(given: EndpointLine) -> str:
    both = (given.price_prompt, given.price_completion)
    return " / ".join("unknown" if each is None else f"{each:g}" for each in both)


def probe(given: Probe, address: str) -> str:
    if given.error:
        return fields({"endpoint": address, "status": given.error})
    words = {True: "yes", False: "no", None: "cannot be told"}
    return fields(
        {
            "endpoint": address,
            "status": "answers",
            "seconds per answer": _figure(given.seconds),
            "tool calls": f"{words[given.tools]} ({given.parsed} of {given.asked} test calls as asked)",
            "several answers (n)": words[given.n],
            "seeds": words[given.seed],
            "logprobs": words[given.logprobs],
            "system prompt alone": words[given.system_only],
            "models": ", ".join(given.models) or "not listed",
        }
    ) + "".join(f"\n{line}" for line in noticed(given.notices))


def evaluation(given: Evaluation) -> str:
    of = given.result.success.of
    lines: dict[str, Json] = {
        **{_kind(kind): f"{_figure(given.error_kinds.get(kind))}, {of} finished" for kind in FAULTS},
        "errors by API": ", ".join(f"{name} {count}" for name, count in given.errors_by_api.items()) or "none",
    }
    if given.floor is not None:
        lines["doing nothing"] = f"{_figure(given.floor)} success on the same scenarios"
    if given.caveat:
        lines["read with care"] = given.caveat
    if given.trials:
        flips = sum(True in each and False in each for each in given.trials.values())
        lines["flips"] = f"{flips} of {len(given.trials)} scenarios succeed in some of their trials only"
    if given.paired:
        paired = given.paired
        lines[f"minus {paired.baseline}"] = (
            f"{paired.told}; {paired.difference:+.3f} [{paired.low:+.3f}, {paired.high:+.3f}]"
            f" on {paired.n} of {paired.pairs} pairs, {len(paired.fixed)} fixed, {len(paired.broken)} broken,"
            f" p {paired.p:.3g}.{against(paired)}"
        )
    return result(given.result) + "\n" + fields(lines)


def _kind(kind: str) -> str:
    words = in_words(Wrong(table=kind))
    return f"{words[:1].lower()}{words[1:]}"


def runs(lines: Sequence[RunLine]) -> str:
    if not lines:
        return "No runs yet. Start one: python -m app run"
    head = ("run", "state", "strategy", "world/split", "finished", "reward", "success", "created", "name")
    body = [
        (
            each.run, _state(each), each.strategy,
            ", ".join((f"{each.world}/{each.split}", *switched(each.options))), each.success.of,
            joined(_figure(each.reward.value), least(each.reward)),
            joined(_figure(each.success.value), least(each.success)), each.created[:16].replace("T", " "), each.name,
        )
        for each in lines
    ]  # fmt: skip
    return _columns([head, *body])


def _state(line: RunLine) -> str:
    count = len(line.notices)
    return line.state + (f", {count} notice{'s' if count > 1 else ''}" if count else "")


def export(given: ExportResult, out: Path) -> str:
    lines = {"files": f"{', '.join(given.files)} in {out}", "rows": given.rows}
    lines["trees"] = f"{given.funnel['finished_with_reward']:,} of {given.funnel['rollouts']:,} finished with reward"
    lines |= {"positives": given.positives, "negatives": given.negatives, "scenarios": given.scenarios}
    for name, gate in given.gates.items():
        lines[f"gate {name}"] = f"{'ok' if gate.ok else 'NOT OK'} ({gate.count})"
    return fields(lines)


def checked(given: Sequence[Checked]) -> str:
    if not given:
        return "No parts of your own: there is no josh.toml, or it declares none."
    lines = []
    for each in given:
        lines.append(f"{'ok' if each.ok else 'NOT OK'}  {each.kind} {each.name} ({each.address})")
        lines += [f"        {finding}" for finding in each.findings]
    return "\n".join(lines)


def fields(given: Mapping[str, Json]) -> str:
    width = max(map(len, given), default=0)
    return "\n".join(f"{name:<{width}}  {_plain(value)}" for name, value in given.items())


def preflight(found: Preflight) -> str:
    """A dry run's figures, then what is left out and what else the chat template does."""
    told = {name: value for name, value in asdict(found).items() if name not in ("first", "omitted", "habits")}
    return "\n".join((fields(told), *map(str, found.omitted), *found.habits))


def tree_fields(opened: OpenedRollout) -> dict[str, Json]:
    """The `tree` command's JSON; nodes in tree order, `label` and `reason` None for a user's turn."""
    tree = opened.tree
    goals = tree.scenario.goals if tree.scenario else ()
    return {
        "rollout": opened.rollout.id,
        "scenario": opened.rollout.scenario_id,
        "state": opened.rollout.state,
        "average_reward": tree.average_reward,
        "goals": [
            {
                "id": goal.id,
                "name": goal.name,
                "arguments": to_json(goal.arguments),
                "reached_by": tree.won.get(goal.id),
            }
            for goal in goals
        ],
        "nodes": [_node_fields(opened, node) for node in _in_order(opened)],
        "run": opened.run.id,
        "trial": opened.rollout.trial,
        "error": opened.rollout.error,
        "ended": tree.ended,
        "notices": to_json(opened.run.notices),
    }


def tree(opened: OpenedRollout) -> str:
    """The tree as indented text, one turn a line: address, label, goals, what was called and said."""
    reward = _figure(opened.tree.average_reward)
    lines = [f"{opened.rollout.id}  {opened.rollout.scenario_id}  {opened.rollout.state}  reward {reward}"]
    for node in _in_order(opened):
        label = opened.labels.get(node.id, "user")
        won = "".join(f" *{goal}" for goal in sorted(node.goals))
        calls = "".join(f" {call.name}({_arguments(call)})" for call in node.turn.calls)
        said = " ".join((node.turn.reply or f"({node.turn.stop})").split())
        lines.append(f"{'  ' * len(branches(node.id))}{node.id} [{label}]{won}{calls} {said}")
    return "\n".join([*lines, *noticed(opened.run.notices)])


def _node_fields(opened: OpenedRollout, node: Node) -> dict[str, Json]:
    pruned = opened.tree.reasons.get(node.id)
    return {
        "id": node.id,
        "parent": node.parent,
        "speaker": node.turn.speaker,
        "label": opened.labels.get(node.id),
        "goals": sorted(node.goals),
        "reason": pruned.reason if pruned else None,
        "reply": node.turn.reply,
        "stop": node.turn.stop,
        "calls": [
            {"name": call.name, "arguments": to_json(call.arguments), "result": call.result, "error": call.error}
            for call in node.turn.calls
        ],
    }


def _in_order(opened: OpenedRollout) -> list[Node]:
    return sorted(opened.tree.nodes.values(), key=lambda node: tree_order(node.id))


def _arguments(call: ToolCall) -> str:
    return ", ".join(f"{name}={value}" for name, value in call.arguments.items())


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _price(usd: float | None) -> str:
    return "price unknown" if usd is None else f"${usd:.2f}"


def _rate(given: Rate, interval: Interval | None = None) -> str:
    """`0.750 [0.700, 0.800] (≥0.678), 271 of 300 finished`."""
    bounds = f"[{interval[0]:.3f}, {interval[1]:.3f}]" if interval else ""
    return f"{joined(_figure(given.value), bounds, least(given))}, {given.of} finished"


def _plain(value: Json) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)
