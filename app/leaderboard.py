"""Models beside one another, and whether one is better than the other, in words and rows. Pure.

A model is judged by plain play (strategy `greedy`) on held-out scenarios. World, split, temperature, user simulator
and its model are part of a figure's identity: where they differ between two runs, their comparison says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.listings import NO_FIGURE, Listed, address, figure, joined, least, linked, switched
from app.reference_rows import KIND_WORDS, PAPER, PAPER_BEAMS, PAPER_KINDS
from app.results import Comparison, Evaluation, Interval, RunLine, RunResult
from josh_engine.config import Run, RunConfig
from josh_engine.metrics import FAULTS, Wrong
from josh_engine.rates import Rate
from josh_engine.values import Json

BOARD = ("Model", "Finished", "Average Reward", "Success", "Minus baseline", "Played", "T", "User")
KINDS = ("What went wrong", "This one", "Baseline", "Paper: base", "Paper: KTO")
BEAMS = (
    "Beam",
    "Search",
    "Finished",
    "Average Reward",
    "Success",
    "Outputs per scenario",
    "Trained on it",
    "Judged success",
)
FLIPS = ("Scenario", "Baseline", "This one", "What changed")
TURNS = ("Turn", "Scenario", "Call", "What was wrong")
CALLS = ("Tool", "Errors", "Of the baseline")
PARAMETERS = ("Tool", "Parameter", "What is wrong", "Count", "Share")
RESOLVED_AT_80 = 2.8  # standard errors: power 0.8 at two-sided 5 %


@dataclass(frozen=True, slots=True)
class Standing:
    """A judged run. `paired`: minus the baseline; None for the baseline itself, and where they share no scenario."""

    run: Run
    judged: Evaluation
    paired: Comparison | None = None


def comparable(lines: Iterable[RunLine]) -> tuple[RunLine, ...]:
    """Those of plain play with something finished, newest first, as they come."""
    return tuple(line for line in lines if line.strategy == "greedy" and line.finished)


def model_name(run: Run) -> str:
    """Model and adapter, short, and what of the world's switches changes its figures."""
    config = run.config
    model = config.model or config.agent
    base = Path(model).name if "/" in model and "@" not in model else model
    if config.adapter is not None:
        place = Path(config.adapter)
        base += f" + {place.parent.name if place.name == 'adapter' else place.name}"
    return ", ".join((base, *switched(config.options)))


def resolved(paired: Comparison) -> float:
    """The smallest difference that this many scenarios would mostly tell from none."""
    low, high = paired.decisive
    return RESOLVED_AT_80 * (high - low) / 2 / 1.96


def sentence(standing: Standing) -> str:
    """The verdict, first of all."""
    paired = standing.paired
    if paired is None:
        return f"{model_name(standing.run)}: no scenario that the baseline finished too."
    return (
        f"{paired.verdict.capitalize()}: {f'{paired.short}. ' if paired.short else ''}"
        f"{model_name(standing.run)}, Average Reward {signed(paired.difference)}"
        f" {bounds((paired.low, paired.high))}, success {signed(paired.success_difference)}"
        f" {bounds((paired.success_low, paired.success_high))}; {len(paired.fixed)} fixed, {len(paired.broken)} broken,"
        f" {paired.both} right in both, {paired.neither} in neither (McNemar p {paired.p:.2g}),"
        f" n {paired.n} of {paired.pairs} pairs.{against(paired)}"
        f" With so many, a difference of {resolved(paired):.3f} is resolved."
        + (" The world grades conversations itself, so success decides." if paired.graded else "")
    )


def against(paired: Comparison) -> str:
    """What the differences are at least; empty where nothing is missing."""
    whole = (paired.finished, paired.baseline_finished) == (paired.asked, paired.baseline_asked)
    if whole or paired.difference_low is None or paired.success_difference_low is None:
        return ""
    told = f"Average Reward {signed(paired.difference_low)}, success {signed(paired.success_difference_low)}"
    return f" Were all that did not finish against it: {told}."


def warnings(standing: Standing, baseline: Run) -> tuple[str, ...]:
    """Why the two may not be comparable."""
    mine, its = standing.run.config, baseline.config
    told = []
    for name, one, other in (
        ("world", mine.world, its.world), ("split", mine.split, its.split), ("user", mine.user, its.user),
        ("user's model", mine.user_model, its.user_model),
        ("temperature", mine.sampling.temperature, its.sampling.temperature),
        ("agent", mine.agent, its.agent), ("trials (counts of calls)", mine.trials, its.trials),
        ("test order", mine.options.get("order"), its.options.get("order")),
        ("goal rule", mine.options.get("goal_rule"), its.options.get("goal_rule")),
        ("strict arguments", mine.options.get("strict_arguments", "off"), its.options.get("strict_arguments", "off")),
    ):  # fmt: skip
        if one != other:
            told.append(f"{name} {one if one is not None else 'none'} against {other if other is not None else 'none'}")
    if standing.judged.result.state not in ("done", "failed"):
        told.append("not finished: figures are provisional")
    if failed := standing.judged.result.failed:
        told.append(f"{failed} conversations failed by a fault; figures are over {standing.judged.result.success.of}")
    return tuple(told)


def board_listed(standings: Sequence[Standing], base: str, *, official: bool) -> Listed:
    """The baseline first, then by Average Reward; below them, unranked, those of which too little is finished; the
    paper's rows last and faint, where its scenarios were played."""
    ordered = sorted(standings, key=lambda each: (each.run.id != base, _ranked_by(each), each.run.id))
    rows = [_row(each, is_base=each.run.id == base) for each in ordered]
    if official:
        rows += [
            linked(
                name, "", ("faint", name), ("faint", "450"), ("faint", f"{reward:.2f}"), ("faint", f"{success:.2f}"),
                ("faint", NO_FIGURE), ("faint", "ToolWOZ test"), ("faint", NO_FIGURE),
                ("faint", "GPT-4o"),
            )
            for name, reward, success in PAPER
        ]  # fmt: skip
    for floor, played_on in {(each.judged.floor, played(each.run.config)) for each in standings}:
        if floor is not None:
            rows.append(
                linked(
                    f"floor-{floor}-{played_on}", "", ("faint", "floor: doing nothing"),
                    *[("faint", NO_FIGURE)] * 2, ("faint", f"{floor:.3f}"), ("faint", NO_FIGURE), ("faint", played_on),
                    *[("faint", NO_FIGURE)] * 2,
                )
            )  # fmt: skip
    told = dict.fromkeys(each.judged.caveat for each in standings if each.judged.caveat)
    return Listed(BOARD, rows, " ".join(told) if standings else "Nothing is judged yet.")


def _row(standing: Standing, *, is_base: bool) -> dict[str, Json]:
    result, paired, config = standing.judged.result, standing.paired, standing.run.config
    minus = "baseline" if is_base else NO_FIGURE
    if paired is not None:
        difference = paired.success_difference if paired.graded else paired.difference
        minus = f"{signed(difference)} {bounds(paired.decisive)}" + (f", {paired.verdict}" if paired.short else "")
    unranked = "" if result.success.enough or is_base else ", not ranked"
    return linked(
        result.run,
        address("run", run=result.run),
        ("link", f"{model_name(standing.run)} · {result.run}"),
        ("number", f"{result.success.of}{unranked}"),
        ("number", with_interval(result.reward, result.average_reward_interval)),
        ("number", with_interval(result.success, result.success_rate_interval)),
        ("number", minus),
        ("text", played(config)),
        ("number", f"{config.sampling.temperature:g}"),
        ("text", config.user + (f" ({config.user_model})" if config.user_model else "")),
    )


def _ranked_by(standing: Standing) -> tuple[bool, float]:
    """Success where the world grades conversations itself, else Average Reward; the highest first, and after all those
    of which enough is finished."""
    result = standing.judged.result
    rate = result.reward if standing.judged.floor is None else result.success
    return not rate.enough, -(rate.value or 0.0)


def played(config: RunConfig) -> str:
    """World and split; of MultiWOZ's test split its order too, which decides what kind of scenarios are among them."""
    if config.world != "toolwoz":
        return f"{config.world} {config.split}"
    orders = {"list": "list order", "sorted": "sorted ids"}
    return f"{config.world} {config.split}, {orders[str(config.options.get('order', 'sorted'))]}"


def kinds_listed(standing: Standing, baseline: Standing, here: Mapping[str, str]) -> Listed:
    """Shares of finished conversations with at least one such error: Table 4a's, then the model's others. Each row
    leads to its turns."""
    mine, its = standing.judged.error_kinds, baseline.judged.error_kinds
    rows = [
        linked(
            kind, address("evaluate", **here, table=kind),
            ("link", in_words(Wrong(table=kind))), ("number", share(mine.get(kind))), ("number", share(its.get(kind))),
            *[("faint", f"{each:.0%}") for each in PAPER_KINDS.get(kind, ())] or [("faint", NO_FIGURE)] * 2,
        )
        for kind in FAULTS
    ]  # fmt: skip
    here_of, there_of = standing.judged.result.success.of, baseline.judged.result.success.of
    return Listed(KINDS, rows, f"Of the conversations that finished: {here_of}, of the baseline's {there_of}.")


@dataclass(frozen=True, slots=True)
class BeamLine:
    """A search. `adapters`: folder -> name of those trained on its rows."""

    run: Run
    result: RunResult
    adapters: Mapping[str, str]


def beams_listed(lines: Sequence[BeamLine], standings: Iterable[Standing]) -> Listed:
    """Table 1: what a wider beam finds, what it costs, and what was learnt from it, with the paper's rows."""
    judged = {each.run.config.adapter: each for each in standings if each.run.config.adapter}
    rows = []
    for line in lines:
        known = [judged[folder].judged.result.success for folder in line.adapters if folder in judged]
        told = ", ".join(f"{with_interval(rate, None)} ({rate.of})" for rate in known)
        each = line.result
        rows.append(
            linked(
                line.run.id, address("run", run=line.run.id),
                ("number", str(line.run.config.strategy.max_beam)), ("link", f"{line.run.name} · {line.run.id}"),
                ("number", each.success.of),
                ("number", with_interval(each.reward, each.average_reward_interval)),
                ("number", with_interval(each.success, each.success_rate_interval)),
                ("number", f"{each.calls / max(1, each.finished):.1f}"),
                ("text", ", ".join(line.adapters.values()) or NO_FIGURE), ("number", told or NO_FIGURE),
            )
        )  # fmt: skip
    rows += [
        linked(
            f"paper-{beam}", "", ("faint", str(beam)), ("faint", "paper: gpt-4o-mini, ReACT"), ("faint", "450"),
            *[("faint", NO_FIGURE)] * 3, ("faint", "SFT"), ("faint", f"{success:.2f}"),
        )
        for beam, _, success in PAPER_BEAMS
    ]  # fmt: skip
    return Listed(BEAMS, rows, "" if lines else "No search of this world is in the store.")


def flips_listed(standing: Standing, which: str = "Both") -> Listed:
    """The scenarios that only one of the two succeeds in, each leading to both trees side by side."""
    paired = standing.paired
    if paired is None:
        return Listed(FLIPS, [], "There is nothing to compare.")
    told = [("fixed", "failed", "succeeded", each) for each in paired.fixed]
    told += [("broken", "succeeded", "failed", each) for each in paired.broken]
    told = [each for each in told if which in ("Both", each[0].capitalize())]
    rows = [
        linked(
            f"{kind}-{scenario}",
            address("tree", run=standing.run.id, scenario=scenario, compare=paired.baseline),
            ("link", scenario), ("text", before), ("text", after), ("text", kind),
        )
        for kind, before, after, scenario in told
    ]  # fmt: skip
    none = "" if rows else "No scenario was fixed or broken."
    left = f"{paired.n} of {paired.pairs} pairs: the others did not finish on both sides."
    return Listed(FLIPS, rows, joined(none, left if paired.n < paired.pairs else ""))


def calls_listed(standing: Standing, baseline: Standing, here: Mapping[str, str]) -> Listed:
    """Figure 4c: failed calls by tool. Each row leads to its turns: the same page with `api`."""
    mine, its = standing.judged.errors_by_api, baseline.judged.errors_by_api
    names = sorted(mine.keys() | its.keys(), key=lambda name: (-mine.get(name, 0), -its.get(name, 0), name))
    rows = [
        linked(
            name, address("evaluate", **here, api=name),
            ("link", name), ("number", str(mine.get(name, 0))), ("number", str(its.get(name, 0))),
        )
        for name in names
    ]  # fmt: skip
    return Listed(CALLS, rows, "" if rows else "No call went wrong.")


def parameters_listed(standing: Standing, here: Mapping[str, str]) -> Listed:
    """Figure 5: the ten most frequent errors in parameters of tries at missed goals. Each row leads to its turns."""
    rows = [
        linked(
            str(place),
            address(
                "evaluate", **here, api=str(each["api"]), parameter=str(each["parameter"]), kind=str(each["kind"])
            ),
            ("text", str(each["api"])), ("link", str(each["parameter"])), ("text", str(each["kind"])),
            ("number", str(each["count"])), ("number", f"{float(str(each['share'])):.0%}"),
        )
        for place, each in enumerate(standing.judged.parameter_errors)
    ]  # fmt: skip
    return Listed(PARAMETERS, rows, "" if rows else "No missed goal was tried with wrong parameters.")


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call that went wrong, and where. `text`: as the model wrote it."""

    rollout: str
    scenario: str
    node: str
    text: str
    error: str


def in_words(wanted: Wrong) -> str:
    """Which wrong calls are meant."""
    if wanted.table is not None:
        return KIND_WORDS.get(wanted.table, wanted.table.replace("_", " ").capitalize())
    if wanted.parameter is not None:
        return f"{wanted.api}, {wanted.parameter}: {wanted.kind or 'wrong'}"
    return wanted.api or "any tool"


def turns_listed(run_id: str, found: Sequence[FailedCall]) -> Listed:
    rows = [
        linked(
            f"{each.rollout}-{each.node}-{place}",
            address("tree", run=run_id, scenario=each.scenario, node=each.node),
            ("link", each.node), ("text", each.scenario), ("text", each.text), ("text", each.error),
        )
        for place, each in enumerate(found)
    ]  # fmt: skip
    return Listed(TURNS, rows, "" if rows else "No such call went wrong here.")


def with_interval(rate: Rate, interval: Interval | None) -> str:
    """With the least it can be, where something did not finish."""
    return joined(figure(rate.value), bounds(interval) if interval else "", least(rate))


def bounds(interval: Interval) -> str:
    return f"[{interval[0]:.3f}, {interval[1]:.3f}]"


def signed(value: float) -> str:
    return f"{value:+.3f}"


def share(value: float | None) -> str:
    return NO_FIGURE if value is None else f"{value:.1%}"
