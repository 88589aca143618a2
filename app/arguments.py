"""The command line's words, as `argparse` takes them. Every choice is None unless given, so that presets and defaults
are decided in one place (`app.settings`)."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from app import catalog
from app.improving import Plan
from josh_engine.config import STRATEGIES
from josh_engine.training.config import PRECISIONS, PRESETS, SETTINGS, TRAINERS

SHARED = ("html", "pyvis", "graphml", "json")
FORMATS = ("sft", "kto", "dpo", "openai")


class UsageError(Exception):
    """The command line cannot be read; the message says why in one line."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help)")

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(name for name in self._option_string_actions if name.startswith("--"))

    @property
    def commands(self) -> Mapping[str, Parser]:
        """Its subcommands, by name."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                return dict(action.choices)
        return {}


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Raises UsageError; `--help` prints and exits."""
    parser = _parser()
    chosen = _chosen(parser, words)
    _check_options(parser, chosen, words)
    known, strange = parser.parse_known_args(words)
    if strange:
        chosen.error(f"{chosen.prog.split()[-1]} takes no further {strange[0]!r}")
    return known


def _chosen(parser: Parser, words: Sequence[str]) -> Parser:
    """The parser of the subcommand that the words name, as deep as they go."""
    if not words or words[0] not in parser.commands:
        return parser
    return _chosen(parser.commands[words[0]], words[1:])


def _check_options(parser: Parser, chosen: Parser, words: Sequence[str]) -> None:
    """Before anything else is missed: an option of another command, or misspelt. argparse would tell of it last, and
    send to the help of all commands."""
    for word in words:
        name = word.partition("=")[0]
        if name == "--":
            return
        if not name.startswith("--") or any(option.startswith(name) for option in chosen.options):
            continue
        near = difflib.get_close_matches(name[2:], [option[2:] for option in chosen.options], n=1)
        others = [command for command, other in parser.commands.items() if name in other.options]
        hints = [f"did you mean --{near[0]}?"] if near else []
        hints += [f"it is one of {', '.join(others)}"] if others else []
        chosen.error("; ".join([f"{chosen.prog.split()[-1]} has no option {name}", *hints]))


def _parser() -> Parser:
    description = "JOSH Studio: searches, trees, rows and figures from the command line."
    parser = Parser(prog="python -m app", description=description)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser, metavar="COMMAND")
    everywhere = _everywhere()

    run = commands.add_parser("run", parents=[everywhere], help="search, and keep the trees")
    _run_arguments(run)
    run.add_argument("--strategy", metavar="|".join(STRATEGIES), help="default: josh")

    evaluate = commands.add_parser("evaluate", parents=[everywhere], help="play greedily, and judge")
    _run_arguments(evaluate)
    evaluate.add_argument("--against", metavar="RUN", help="compare with this run, scenario by scenario")

    resume = commands.add_parser("resume", parents=[everywhere], help="play on a run that stopped")
    resume.add_argument("run")
    resume.add_argument("--failed-only", action="store_true", help="only the rollouts that failed")
    resume.add_argument("--launched", action="store_true", help=argparse.SUPPRESS)
    _limit_arguments(resume)

    cancel = commands.add_parser("cancel", parents=[everywhere], help="end a run after the turns in flight")
    cancel.add_argument("run")

    commands.add_parser("list", parents=[everywhere], help="the runs in the store, newest first")

    tree = commands.add_parser("tree", parents=[everywhere], help="one rollout's conversation tree")
    tree.add_argument("rollout", help="its id, or RUN/SCENARIO[/TRIAL]")

    export = commands.add_parser("export", parents=[everywhere], help="training rows of finished runs")
    export.add_argument("runs", nargs="+", metavar="RUN")
    export.add_argument("--format", action="append", metavar="|".join(FORMATS), help="more than one: comma, or again")
    export.add_argument("--out", type=Path, required=True, metavar="DIR")
    export.add_argument("--rows", choices=("whole_turn", "first_divergence"), default="whole_turn")
    export.add_argument("--audit", choices=("any", "audited", "agreed"), default="any")
    export.add_argument("--unfiltered", action="store_true", help="keep scenarios that did not end in full success")

    export.add_argument(
        "--validation", type=float, default=0.0, metavar="SHARE", help="this share of the scenarios apart"
    )
    export.add_argument("--split-seed", type=int, default=0, metavar="N", help="another choice of those scenarios")

    share = commands.add_parser("share", parents=[everywhere], help="a tree as one file for somebody without this app")
    share.add_argument("rollout", help="its id, or RUN/SCENARIO[/TRIAL]")
    share.add_argument("--as", dest="kind", choices=SHARED, default="html", help="default: html, our own drawing")
    share.add_argument("--out", type=Path, required=True, metavar="FILE")

    foreign = commands.add_parser("import", parents=[everywhere], help="results of τ-bench or τ²-bench as a run")
    foreign.add_argument("file", type=Path, help="a results JSON, or τ²-bench's folder of them")
    foreign.add_argument("--name", default="", help="what to call the run")

    bundle = commands.add_parser("bundle", parents=[everywhere], help="a run as one file")
    bundle.add_argument("run")
    bundle.add_argument("--out", type=Path, required=True, metavar="FILE")
    unbundle = commands.add_parser("unbundle", parents=[everywhere], help="add the run that a file holds")
    unbundle.add_argument("file", type=Path)

    check = commands.add_parser("check", parents=[everywhere], help="whether your own parts keep their contracts")
    check.add_argument(
        "kind", nargs="?", choices=catalog.KINDS, help="with NAME: this part only; else all of josh.toml"
    )
    check.add_argument("name", nargs="?", metavar="NAME", help="a short name, or module:attribute")

    probe = commands.add_parser("probe", parents=[everywhere], help="ask an endpoint what it can do")
    probe.add_argument("endpoint", nargs="?", help="NAME@URL, or a name from josh.toml; without: list those")

    serve = commands.add_parser("serve-model", parents=[everywhere], help="an OpenAI-compatible port for a local model")
    serve.add_argument("path", type=Path, metavar="PATH", help="the folder of a Hugging Face model")
    serve.add_argument("--adapter", type=Path, metavar="DIR", help="a LoRA on it")
    serve.add_argument("--port", type=int, default=8000, metavar="P", help="default: 8000; 0: any that is free")

    _train_arguments(commands.add_parser("train", parents=[everywhere], help="a LoRA on an export's rows"))

    merge = commands.add_parser("merge", parents=[everywhere], help="an adapter and its base as one model")
    merge.add_argument("adapter", type=Path, metavar="ADAPTER", help="the adapter's folder")
    merge.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the whole model is written")
    merge.add_argument("--model", help="the base's folder; default: the one the adapter was trained on")

    _improve_arguments(
        commands.add_parser("improve", parents=[everywhere], help="search, export, train and judge in one go")
    )

    data = commands.add_parser("data", help="get a world's data, or make the embedded model again")
    sources = data.add_subparsers(dest="source", required=True, parser_class=Parser, metavar="WORLD")
    multiwoz = sources.add_parser("multiwoz", parents=[everywhere], help="MultiWOZ 2.1, for ToolWOZ")
    multiwoz.add_argument("path", nargs="?", type=Path, help="its folder or zip")
    multiwoz.add_argument("--download", action="store_true", help="fetch it from its public repository")
    retail = sources.add_parser("taubench", parents=[everywhere], help="τ-bench retail")
    retail.add_argument("path", nargs="?", type=Path, help="its repository (folder or zip), or a folder of plain JSON")
    retail.add_argument("--download", action="store_true", help="fetch it from its public repository")
    pretrain = sources.add_parser("pretrain", parents=[everywhere], help="make the embedded model again, from nothing")
    pretrain.add_argument("--out", type=Path, metavar="DIR", help="default: pretrained in the data folder")
    pretrain.add_argument("--tokens", type=int, metavar="N", help="how long; the same command goes on after a stop")
    pretrain.add_argument("--threads", type=int, metavar="N", help="default: 2")
    pretrain.add_argument("--compiled", action="store_true", help="by torch.compile; needs a C++ compiler")
    return parser


def _train_arguments(train: Parser) -> None:
    train.add_argument("rows", type=Path, nargs="?", help="sft.jsonl or kto.jsonl of an export")
    train.add_argument("--out", type=Path, metavar="DIR", help="the same again goes on after a stop")
    train.add_argument("--name", default="", help="what to call the job")
    train.add_argument("--dry-run", action="store_true", help="tell what it would do, and train nothing")
    train.add_argument("--launched", metavar="ID", help=argparse.SUPPRESS)
    train.add_argument("--model", default=catalog.EMBEDDED_MODEL, help="a model's folder; default: the embedded one")
    train.add_argument("--trainer", default="sft", metavar="|".join(TRAINERS), help="default: sft")
    train.add_argument("--preset", default="tiny", metavar="|".join(PRESETS), help="default: tiny")
    train.add_argument("--schedule", metavar="cosine|linear|constant")
    train.add_argument(
        "--four-bit", action=argparse.BooleanOptionalAction, help="the base in 4 bits; needs bitsandbytes"
    )
    train.add_argument("--precision", default="auto", choices=tuple(PRECISIONS), help="default: as suits the machine")
    train.add_argument(
        "--rows-of-others", action=argparse.BooleanOptionalAction, help="also rows of another model or agent"
    )
    for name, kind in SETTINGS.items():
        train.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar="N" if kind is int else "X")


def _improve_arguments(improve: Parser) -> None:
    plan = Plan()
    improve.add_argument("--out", type=Path, required=True, metavar="DIR", help="the same again goes on after a stop")
    improve.add_argument("--world", default=plan.world, help=f"default: {plan.world}")
    improve.add_argument("--split", default=plan.split, help=f"to search; default: {plan.split}")
    improve.add_argument("--judged-split", default=plan.judged_split, help=f"default: {plan.judged_split}")
    improve.add_argument("--limit", type=int, default=plan.scenarios, metavar="N", help="scenarios to search")
    improve.add_argument("--judged", type=int, default=plan.judged, metavar="N", help="scenarios to judge on")
    improve.add_argument("--agent", default=plan.agent)
    improve.add_argument("--user", default=plan.user)
    improve.add_argument("--model", default=plan.model, help="a model's folder; default: the embedded one")
    improve.add_argument("--user-model", help="as --model, or an endpoint")
    improve.add_argument("--beam", type=int, default=plan.beam, metavar="N")
    improve.add_argument("--temperature", type=float, default=plan.temperature, metavar="X")
    improve.add_argument("--also-at", default=plan.also_at, type=_numbers, metavar="X,Y", help="judge at these too")
    improve.add_argument("--trainers", default=plan.trainers, type=_names, metavar="A,B", help="default: all")
    improve.add_argument("--preset", default=plan.preset, metavar="|".join(PRESETS), help=f"default: {plan.preset}")
    improve.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings and judgements of each")


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(each) for each in text.split(",") if each.strip())


def _names(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _everywhere() -> Parser:
    parser = Parser(add_help=False)
    parser.add_argument("--store", type=Path, metavar="PATH", help="default: JOSH_STORE, else josh.db")
    parser.add_argument("--data", type=Path, metavar="DIR", help="default: JOSH_DATA, else josh-data beside the store")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def _run_arguments(parser: Parser) -> None:
    parser.add_argument("--world", default=catalog.DEFAULT_WORLD, help=f"default: {catalog.DEFAULT_WORLD}")
    parser.add_argument("--split", help="default: train to search, test to evaluate")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--limit", type=int, metavar="N", help="the first N scenarios")
    chosen.add_argument("--scenarios", type=Path, metavar="FILE", help="these scenario ids, one a line")
    parser.add_argument("--agent", help=f"default: what suits the world, mostly {catalog.DEFAULT_AGENT}")
    parser.add_argument("--user", help=f"default: what suits the world, mostly {catalog.DEFAULT_USER}")
    what = "NAME@URL, a name from josh.toml, the folder of a local model, or module:attribute"
    parser.add_argument("--model", help=f"the agent's: {what}; default for {catalog.DEFAULT_AGENT}: the embedded one")
    parser.add_argument("--user-model", help="the user simulator's: as --model")
    parser.add_argument("--adapter", metavar="DIR", help="a LoRA on the agent's local model")
    parser.add_argument("--extras", metavar="JSON", help="extra_body, headers, query, omit of the agent's endpoint")
    parser.add_argument("--user-extras", metavar="JSON", help="the user simulator's")
    for name in ("beam", "branching", "depth", "top-k", "max-tokens", "max-generations"):
        parser.add_argument(f"--{name}", type=int, metavar="N")
    for name in ("temperature", "top-p"):
        parser.add_argument(f"--{name}", type=float, metavar="X")
        parser.add_argument(f"--user-{name}", type=float, metavar="X", help="the user simulator's")
    for name in ("top-k", "max-tokens"):
        parser.add_argument(f"--user-{name}", type=int, metavar="N", help="the user simulator's")
    parser.add_argument("--preset", help="paper: Appendix B's settings for llama-3-8B")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trials", type=int, metavar="K", help="default: 1; of plain play in tau-retail 10")
    parser.add_argument("--goal-rule", choices=("paper", "authors"), help="which calls pay a goal")
    parser.add_argument("--order", choices=("sorted", "list"), help="ToolWOZ: the test split's order")
    parser.add_argument(
        "--strict-arguments", action="store_const", const="on",
        help="tau-retail: refuse arguments of types that the tools' schema does not name; the benchmark takes them",
    )  # fmt: skip
    parser.add_argument(
        "--prompt", action="append", default=[], metavar="NAME=FILE", help="an edited copy of a prompt; repeatable"
    )
    parser.add_argument("--name", default="", help="what to call the run")
    _limit_arguments(parser)


def _limit_arguments(parser: Parser) -> None:
    parser.add_argument("--concurrency", type=int, metavar="N", help="scenarios at once; default 16")
    parser.add_argument("--budget-calls", type=int, metavar="N", help="pause when this many model calls are made")
    parser.add_argument("--budget-usd", type=float, metavar="X", help="pause when this much is spent")
