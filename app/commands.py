"""The commands: from parsed words to what is printed. Each returns an `Answer`; `app.__main__` prints it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app import foreign, improving, rendering, services, shares, trainings
from app.arguments import FORMATS
from app.pretraining import pretrain_model
from app.results import Evaluation, RunResult
from josh_engine.config import RunLimits
from josh_engine.errors import ConfigError, JoshError
from josh_engine.models.local.adapter import unknown_base
from josh_engine.training.config import PRECISIONS, SETTINGS
from josh_engine.training.team import announced
from josh_engine.values import Json
from storage.locks import RunHeld

DONE, FAILED, WRONG_INPUT, CANCELLED = 0, 1, 2, 130
CANCEL_SECONDS = 5.0  # how long `cancel` waits for the turns in flight


@dataclass(frozen=True, slots=True)
class Answer:
    """`fields`: the JSON object. `text`: the same for a person; empty where all was said already. `note`: one line
    for standard error. `notices`: lines for standard error beside the JSON object; the text holds them itself."""

    fields: Mapping[str, Json]
    text: str
    code: int = DONE
    note: str = ""
    notices: Sequence[str] = ()


def run(words: argparse.Namespace) -> Answer:
    result, note = _play_new(words, "train", words.strategy)
    return _run_answer(result, note)


def evaluate(words: argparse.Namespace) -> Answer:
    if words.against:
        with _store(words, create=False) as store:
            services.load_run(store, words.against)
    result, note = _play_new(words, "test", "greedy")
    with _store(words, create=False) as store:
        try:
            judged = services.evaluate_run(store, result.run, against=words.against, data=_data(words))
        except ConfigError as error:  # nothing to compare is no reason to keep what was played to oneself
            judged, note = services.evaluate_run(store, result.run, data=_data(words)), note or str(error)
    return _evaluation_answer(judged, note)


def resume(words: argparse.Namespace) -> Answer:
    with _store(words, create=False) as store:
        limits = _limits(words, services.load_run(store, words.run).limits)
        if words.launched:
            result = services.run_here(store, words.run, data=_data(words), failed_only=words.failed_only)
            return _run_answer(result, "")
        return _run_answer(*_play(words, store, words.run, limits, failed_only=words.failed_only))


def cancel(words: argparse.Namespace) -> Answer:
    with _store(words, create=False) as store:
        run = services.cancel_run(store, words.run, wait=CANCEL_SECONDS)
    said = " It ends after the turns in flight." if run.cancel_requested else ""
    return Answer({"run": run.id, "state": run.state}, f"run {run.id}: {run.state}.{said}")


def list_(words: argparse.Namespace) -> Answer:
    path = _store_path(words)
    if not path.exists():
        return Answer({"runs": []}, f"No runs yet: there is no store at {path}.")
    with _store(words, create=False) as store:
        lines = services.list_runs(store)
    return Answer({"runs": [asdict(each) for each in lines]}, rendering.runs(lines))


def tree(words: argparse.Namespace) -> Answer:
    with _store(words, create=False) as store:
        opened = services.open_rollout(store, words.rollout)
    return Answer(rendering.tree_fields(opened), rendering.tree(opened))


def export(words: argparse.Namespace) -> Answer:
    from josh_engine.extract import RowPolicy
    from josh_engine.splitting import Split

    formats = [each for given in words.format or ["sft,kto"] for each in given.split(",")]
    if strange := [each for each in formats if each not in FORMATS]:
        raise ConfigError(f"Unknown row format {strange[0]!r}.", remedy=f"Use one of: {', '.join(FORMATS)}.")
    policy = RowPolicy(rows=words.rows, audit=words.audit, filtered=not words.unfiltered)
    split = Split(words.validation, words.split_seed)
    with _store(words, create=False) as store:
        result = services.export_rows(
            store, words.runs, formats=formats, out=words.out, policy=policy, split=split, data=_data(words)
        )
    return Answer(asdict(result), rendering.export(result, words.out))


def share(words: argparse.Namespace) -> Answer:
    with _store(words, create=False) as store:
        made = asdict(shares.share_rollout(store, words.rollout, words.kind, words.out))
    return Answer(made, rendering.fields(made))


def import_results(words: argparse.Namespace) -> Answer:
    with _store(words, create=True) as store:
        made = asdict(foreign.import_results(store, words.file, _data(words), name=words.name))
    return Answer(made, rendering.fields(made))


def bundle(words: argparse.Namespace) -> Answer:
    with _store(words, create=False) as store:
        made = services.bundle_run(store, words.run, words.out)
    return Answer(asdict(made), rendering.fields(asdict(made)))


def unbundle(words: argparse.Namespace) -> Answer:
    with _store(words, create=True) as store:
        added = services.unbundle_run(store, words.file)
    return Answer(asdict(added), rendering.fields(asdict(added)))


def check(words: argparse.Namespace) -> Answer:
    if words.kind and not words.name:
        raise ConfigError(f"Name the {words.kind} to check.", remedy="Without words, all of josh.toml is checked.")
    own = services.own_parts()
    chosen = (
        [(words.kind, words.name)] if words.kind else [(kind, name) for kind in own.parts for name in own.named(kind)]
    )
    checked = [services.check_part(kind, name, _data(words)) for kind, name in chosen]
    fields = {"file": own.file, "parts": [asdict(each) | {"ok": each.ok} for each in checked]}
    return Answer(fields, rendering.checked(checked), DONE if all(each.ok for each in checked) else FAILED)


def probe(words: argparse.Namespace) -> Answer:
    if words.endpoint is None:
        lines = services.list_endpoints()
        return Answer({"endpoints": [asdict(each) for each in lines]}, rendering.endpoints(lines))
    address = services.endpoint_address(words.endpoint)
    found = services.probe_endpoint(words.endpoint)
    fields = {"endpoint": address, **asdict(found), "parse_rate": found.parse_rate}
    code, told = FAILED if found.error else DONE, rendering.noticed(found.notices)
    return Answer(fields, rendering.probe(found, address), code, found.error, told)


def serve_model(words: argparse.Namespace) -> Answer:
    """Says where it listens as soon as it does; so there is nothing left to say at the end."""
    from app.serving import Served, serve

    def announce(served: Served) -> None:
        said = f"{served.url}  model {served.model} on {served.device}; Ctrl-C ends it"
        print(json.dumps(asdict(served)) if words.json else said, flush=True)

    _tell_unknown_base(words.adapter)
    serve(words.path, words.adapter, port=words.port, announce=announce)
    return Answer({}, "")


def train(words: argparse.Namespace) -> Answer:
    settings = ("schedule", "four_bit", "rows_of_others", *SETTINGS)
    if words.launched:
        with _store(words, create=False) as store:
            job = trainings.run_training(store, words.launched, waits=True)
        return _training_answer(job)
    if words.rows is None or (words.out is None and not words.dry_run):
        raise ConfigError("Name the rows and --out.", remedy="For example: train rows/sft.jsonl --out adapters/one")
    request = trainings.TrainingRequest(
        words.rows, words.model, words.trainer, words.preset,
        {name: getattr(words, name) for name in settings} | {"bfloat16": PRECISIONS[words.precision]}, words.out,
        words.name,
    )  # fmt: skip
    request.config()  # what is wrong with the words is said before the store is touched
    if words.dry_run:
        found = trainings.dry_run(request)
        return Answer(asdict(found), rendering.preflight(found))
    if not announced().leads:
        trainings.follow_training(request)
        return Answer({}, "")
    with _store(words, create=True) as store:
        made = trainings.create_training(store, request, data=_data(words))
        return _training_answer(trainings.run_training(store, made.id, report=rendering.tell_step))


def merge(words: argparse.Namespace) -> Answer:
    made = asdict(trainings.merge_adapter(words.adapter, words.out, model=words.model))
    _tell_unknown_base(words.adapter)
    return Answer(made, rendering.fields(made))


def _tell_unknown_base(adapter: Path | str | None) -> None:
    if adapter is not None and (said := unknown_base(Path(adapter))):
        rendering.tell(said)


def _training_answer(job: trainings.Training) -> Answer:
    names = ("name", "state", "adapter", "steps", "loss", "seconds", "tokens", "error")
    fields = {"training": job.id, **{name: getattr(job, name) for name in names}, **(job.found or {})}
    fields |= trainings.job_facts(job)
    return Answer(fields, rendering.fields(fields), CANCELLED if job.state == "cancelled" else DONE)


def improve(words: argparse.Namespace) -> Answer:
    plan = improving.Plan(
        words.world, words.split, words.judged_split, words.limit, words.judged, words.agent, words.user, words.model,
        words.user_model, words.beam, words.temperature, words.also_at, words.trainers, words.preset,
        tuple(range(words.seeds)),
    ).checked()  # fmt: skip
    with _store(words, create=True) as store:
        done = improving.improve(store, plan, words.out, data=_data(words), tell=rendering.tell)
    return Answer(asdict(done), rendering.improved(done))


def data(words: argparse.Namespace) -> Answer:
    if words.source == "pretrain":
        made = pretrain_model(words.out or _data(words) / "pretrained", words.tokens, words.threads, words.compiled)
        return Answer(asdict(made), rendering.fields(asdict(made)))
    if (words.path is None) is not words.download:
        raise ConfigError("Name one source.", remedy="Either PATH, a folder or zip of the data set, or --download.")
    world = {"multiwoz": "toolwoz", "taubench": "tau-retail"}[words.source]
    report = asdict(services.import_data(world, words.path, _data(words)))
    return Answer(report, rendering.fields(report))


def _play_new(words: argparse.Namespace, split: str, strategy: str | None) -> tuple[RunResult, str]:
    """Everything that can be wrong is found before the store is touched."""
    config = services.build_config(_request(words, split, strategy), _data(words))
    _tell_unknown_base(config.adapter)
    limits = _limits(words, RunLimits())
    with _store(words, create=True) as store:
        run_id = services.create_run(store, config, limits=limits, name=words.name).id
        return _play(words, store, run_id, limits)


def _play(
    words: argparse.Namespace, store: services.Store, run_id: str, limits: RunLimits, *, failed_only: bool = False
) -> tuple[RunResult, str]:
    """The result, and why the run as a whole failed, if it did."""
    with rendering.progress_bar() as progress:
        try:
            result = services.resume_run(
                store, run_id, data=_data(words), limits=limits, failed_only=failed_only, progress=progress
            )
        except RunHeld:
            raise
        except JoshError as error:
            return services.run_result(store, run_id), str(error)
    return result, ""


def _request(words: argparse.Namespace, split: str, strategy: str | None) -> services.RunRequest:
    options = {name: getattr(words, name) for name in ("goal_rule", "order", "strict_arguments")}
    return services.RunRequest(
        world=words.world,
        split=words.split or split,
        scenarios=_listed(words.scenarios),
        limit=words.limit,
        agent=words.agent,
        user=words.user,
        model=words.model,
        user_model=words.user_model,
        adapter=words.adapter,
        strategy=strategy,
        beam=words.beam,
        branching=words.branching,
        depth=words.depth,
        temperature=words.temperature,
        top_p=words.top_p,
        top_k=words.top_k,
        max_tokens=words.max_tokens,
        user_temperature=words.user_temperature,
        user_top_p=words.user_top_p,
        user_top_k=words.user_top_k,
        user_max_tokens=words.user_max_tokens,
        max_generations=words.max_generations,
        seed=words.seed,
        trials=words.trials,
        preset=words.preset,
        options={name: value for name, value in options.items() if value is not None},
        prompts=dict(_prompt(each) for each in words.prompt),
        extras=words.extras,
        user_extras=words.user_extras,
    )


def _prompt(given: str) -> tuple[str, str]:
    """Name and text of one `--prompt NAME=FILE`."""
    name, _, file = given.partition("=")
    if not name or not file:
        raise ConfigError(f"--prompt {given!r} is not NAME=FILE.", remedy="For example: --prompt react=my-react.md")
    try:
        return name, Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The prompt {file} cannot be read: {error}.") from error


def _listed(file: Path | None) -> Sequence[str] | None:
    if file is None:
        return None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The list of scenarios {file} cannot be read: {error}.") from error
    return [line.strip() for line in lines if line.strip()]


def _limits(words: argparse.Namespace, before: RunLimits) -> RunLimits:
    named = ("concurrency", "budget_calls", "budget_usd")
    given = {name: getattr(words, name) for name in named if getattr(words, name) is not None}
    return replace(before, **given).checked()


def _run_answer(result: RunResult, note: str) -> Answer:
    fields, told = _without_empty_pass(asdict(result)), rendering.noticed(result.notices)
    return Answer(fields, rendering.result(result), _code(result.state, note), note, told)


def _evaluation_answer(judged: Evaluation, note: str) -> Answer:
    given = asdict(judged)
    paired = given.pop("paired")
    given = _without_empty_pass(given.pop("result")) | given
    if judged.paired is not None:
        given["paired"] = paired | {"verdict": judged.paired.verdict, "not_decisive": judged.paired.short}
    told = rendering.noticed(judged.result.notices)
    return Answer(given, rendering.evaluation(judged), _code(judged.result.state, note), note, told)


def _without_empty_pass(given: dict[str, Json]) -> dict[str, Json]:
    """Pass^k says something only where there were several trials."""
    several = given["rollouts"] > given["scenarios"]
    return {name: each for name, each in given.items() if several or not name.startswith("pass_k")}


def _code(state: str, note: str) -> int:
    """A run whose failure could not even be written down has a note, and whatever state it had."""
    return FAILED if note else {"failed": FAILED, "cancelled": CANCELLED}.get(state, DONE)


def _store_path(words: argparse.Namespace) -> Path:
    chosen: Path | None = words.store
    return chosen.absolute() if chosen else services.store_path()


def _store(words: argparse.Namespace, *, create: bool) -> services.Store:
    return services.open_store(_store_path(words), create=create)


def _data(words: argparse.Namespace) -> Path:
    chosen: Path | None = words.data
    return chosen.absolute() if chosen else services.data_path(_store_path(words))
