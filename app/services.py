"""One function per thing a person can do. Pages and the command line call these and nothing below them.

They take a `Store` and hand back frozen values (`app.results`); nothing here prints or draws. Failures are
`JoshError`s with a message and a remedy. A `Store` may be shared between threads. `data` is the folder that worlds
read; None: `data_path` of the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app import catalog, declaring, demands, figures, jobs, launching, parts, viewing
from app.browsing import first_split, open_scenario, split_note
from app.bundles import bundle_run, pack_run, unbundle_run
from app.catalog import suited
from app.checking import check_part
from app.choosing import ScenarioLine, line_of
from app.curating import active_runs, delete_run, describe_run, remember_person, typed_tags
from app.declaring import own_parts
from app.estimate import Estimate
from app.estimating import estimate_run, keep_estimate, kept_estimate
from app.export_preview import ExportPreview, preview_export
from app.exporting import write_export
from app.importing import NAMES as IMPORTED
from app.importing import data_stamp, import_data, import_state, imported, keep_upload, start_import
from app.kept import kept_where
from app.places import below, imports_path
from app.probing import endpoint_address, list_endpoints, probe_endpoint, test_endpoint, tested_endpoints
from app.results import EndpointLine, Evaluation, ExportResult, OpenedRollout, Progress, RunLine, RunResult
from app.settings import RunRequest, build_config, data_path, store_path
from app.validating import validate_files
from josh_engine import prompting
from josh_engine.config import Run, RunConfig, RunLimits
from josh_engine.values import Event, Rollout, Verdict
from storage import exports, runs
from storage.activity import Activity
from storage.curation import DeletedRun
from storage.curation import list_deleted as list_deleted_runs
from storage.database import Store, open_store
from storage.exports import list_exports
from storage.people import Person, list_people
from storage.search import search_messages
from storage.sizes import StoreSize, make_backup, store_size

if TYPE_CHECKING:
    from app.node_rows import NodeRows
    from app.relabelling import Preview, TurnJudgement
    from josh_engine.extract import RowPolicy
    from josh_engine.splitting import Split

SAMPLE_SCENARIOS = 12
EMBEDDED_MODEL = catalog.EMBEDDED_MODEL

__all__ = [
    "EMBEDDED_MODEL",
    "IMPORTED",
    "Activity",
    "DeletedRun",
    "EndpointLine",
    "Estimate",
    "ExportPreview",
    "Person",
    "RunRequest",
    "ScenarioLine",
    "Store",
    "StoreSize",
    "active_runs",
    "below",
    "build_config",
    "bundle_run",
    "cancel_run",
    "check_part",
    "count_exports",
    "create_run",
    "data_path",
    "data_stamp",
    "delete_run",
    "describe_run",
    "endpoint_address",
    "estimate_run",
    "evaluate_run",
    "export_files",
    "export_rows",
    "first_split",
    "give_verdict",
    "import_data",
    "import_state",
    "imported",
    "imports_path",
    "is_imported",
    "keep_estimate",
    "keep_upload",
    "kept_estimate",
    "kept_where",
    "launch_run",
    "list_agents",
    "list_deleted_runs",
    "list_endpoints",
    "list_exports",
    "list_models",
    "list_people",
    "list_rollouts",
    "list_runs",
    "list_users",
    "list_worlds",
    "load_run",
    "load_sample",
    "make_backup",
    "node_rows",
    "open_rollout",
    "open_scenario",
    "open_store",
    "own_parts",
    "pack_run",
    "preview_export",
    "preview_promotion",
    "preview_verdict",
    "probe_endpoint",
    "remember_person",
    "resume_run",
    "rollout_stamp",
    "run_events",
    "run_here",
    "run_progress",
    "run_result",
    "runs_with_scenario",
    "scenario_ids",
    "scenario_lines",
    "search_messages",
    "shipped_prompts",
    "shown_state",
    "split_note",
    "start_import",
    "stop_run",
    "store_path",
    "store_size",
    "suited",
    "test_endpoint",
    "tested_endpoints",
    "typed_tags",
    "unbundle_run",
    "undo_verdict",
    "validate_files",
    "version",
    "world_splits",
    "write_export",
]


def version() -> str:
    """The product's version, and a digest of the sources that decide how a run goes."""
    return f"JOSH Studio {parts.code_version()}"


# What there is to choose from


def list_worlds() -> tuple[str, ...]:
    """Short names, the embedded default first, those of `josh.toml` last."""
    return catalog.names("world", declaring.own_parts())


def list_agents() -> tuple[str, ...]:
    return catalog.names("agent", declaring.own_parts())


def list_users() -> tuple[str, ...]:
    return catalog.names("user", declaring.own_parts())


def list_models() -> tuple[str, ...]:
    """The embedded one, then those of `josh.toml`."""
    return catalog.names("model", declaring.own_parts())


def world_splits(world: str, data: Path) -> tuple[str, ...]:
    """Raises ConfigError for an unknown world."""
    return tuple(parts.open_world(world, data, {}).splits)


def scenario_ids(world: str, split: str, data: Path) -> tuple[str, ...]:
    """In playing order. Raises ConfigError for an unknown split, DatasetError where the data was not imported yet."""
    return tuple(scenario.id for scenario in parts.scenarios(parts.open_world(world, data, {}), split))


def scenario_lines(world: str, split: str, data: Path) -> tuple[ScenarioLine, ...]:
    """What there is to choose from, in playing order. Raises as `scenario_ids`."""
    return tuple(line_of(scenario) for scenario in parts.scenarios(parts.open_world(world, data, {}), split))


def shipped_prompts(agent: str, user: str) -> dict[str, str]:
    """The texts that come with the product, by name, of the prompts that these players use."""
    return {name: prompting.prompt_text(name) for name in demands.prompts_used(agent, user)}


def is_imported(run: Run) -> bool:
    """Whether others played it: there is nothing to resume or to clone."""
    return run.config.agent == catalog.FOREIGN_AGENT


# Runs


def load_sample(store: Store) -> Run:
    """A small search of the embedded world by the embedded players, really played, in a child process."""
    data = data_path(store.path)
    run = create_run(store, build_config(RunRequest(limit=SAMPLE_SCENARIOS), data), name="Sample")
    return launch_run(store, run.id, data=data)


def create_run(store: Store, config: RunConfig, *, limits: RunLimits | None = None, name: str = "") -> Run:
    """A queued run with all its rollouts, in one transaction. `name` empty: one is made of the choices."""
    limits = (limits or RunLimits()).checked()
    parts.check_budget(config, limits)
    return runs.create_run(
        store,
        config.checked(),
        limits=limits,
        name=name or f"{config.strategy.name} on {config.world}/{config.split}",
        code_version=parts.code_version(),
    )


def launch_run(
    store: Store,
    run_id: str,
    *,
    data: Path | None = None,
    limits: RunLimits | None = None,
    failed_only: bool = False,
) -> Run:
    """Starts, or resumes, the run in a child process that outlives this one; returns at once.

    `limits`: new ones, for instance a higher cap after the budget was reached. Raises StorageError when another
    process works on the run. Its log is `<store>.logs/<run>.log`.
    """
    run = jobs.reopen(store, run_id, limits=limits)
    words = ["resume", run.id, "--launched", *(["--failed-only"] if failed_only else [])]
    not_taken_up = partial(jobs.fail_queued, run_id=run.id)
    launching.launch(store.path, run.id, words, data=data or data_path(store.path), failed=not_taken_up)
    runs.beat(store, run.id, seconds=0.0)  # so that it counts as taken up, until its process says so itself
    return run


def run_here(
    store: Store,
    run_id: str,
    *,
    data: Path | None = None,
    failed_only: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> RunResult:
    """Plays what is left of the run in this process, until it is done, failed, paused or cancelled.

    Does nothing for a run that was cancelled or done meanwhile. SIGINT cancels, SIGTERM pauses (main thread only).
    """
    jobs.play(store, run_id, data=data or data_path(store.path), failed_only=failed_only, progress=progress)
    return run_result(store, run_id)


def resume_run(
    store: Store,
    run_id: str,
    *,
    data: Path | None = None,
    limits: RunLimits | None = None,
    failed_only: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> RunResult:
    """As `run_here`, for a run that stopped in any way; a done one is left as it is."""
    jobs.reopen(store, run_id, limits=limits)
    return run_here(store, run_id, data=data, failed_only=failed_only, progress=progress)


def stop_run(store: Store, run_id: str, *, wait: float = 0.0) -> Run:
    """Asks the run to pause after the turns in flight; it can be resumed. Waits up to `wait` seconds for it."""
    return jobs.ask_to_end(store, run_id, "paused", wait=wait)


def cancel_run(store: Store, run_id: str, *, wait: float = 0.0) -> Run:
    """Asks the run to end after the turns in flight; what was not finished is cancelled."""
    return jobs.ask_to_end(store, run_id, "cancelled", wait=wait)


def load_run(store: Store, run_id: str) -> Run:
    """Raises NotFound."""
    return runs.load_run(store, run_id)


def shown_state(store: Store, run: Run) -> str:
    """The run's state, or "interrupted": the store says running, its heartbeat is stale and nobody works on it."""
    return jobs.shown_state(store, run)


def list_runs(store: Store) -> tuple[RunLine, ...]:
    """Newest first."""
    return figures.lines(store)


def list_rollouts(store: Store, run_id: str) -> tuple[Rollout, ...]:
    """In playing order, each with its summary so far."""
    runs.load_run(store, run_id)
    return runs.list_rollouts(store, run_id)


def run_result(store: Store, run_id: str) -> RunResult:
    """The figures so far; also while the run is going."""
    return figures.run_result(store, runs.load_run(store, run_id))


def run_progress(store: Store, run_id: str) -> Progress:
    """How far the run is, cheaply: no intervals. For pages that ask every second."""
    return figures.progress(store, runs.load_run(store, run_id))


# Trees


def open_rollout(store: Store, ref: str) -> OpenedRollout:
    """`ref`: a rollout's id, or RUN/SCENARIO[/TRIAL] (trials count from 0). Raises NotFound naming what there is."""
    return viewing.open_rollout(store, ref)


def run_events(store: Store, rollout_id: str, *, after: int = -1) -> tuple[tuple[int, Event], ...]:
    """The events behind number `after`, with their numbers; fold them onto the tree at hand."""
    return runs.events_after(store, rollout_id, after)


def rollout_stamp(store: Store, rollout_id: str) -> viewing.Stamp:
    """Changes when the opened rollout would; far cheaper to ask for. Raises NotFound."""
    return viewing.rollout_stamp(store, rollout_id)


def runs_with_scenario(store: Store, rollout: Rollout) -> tuple[Run, ...]:
    """The other runs to compare this rollout with: they hold its scenario. Newest first."""
    return viewing.runs_with_scenario(store, rollout)


# Judging turns


def give_verdict(
    store: Store,
    rollout_id: str,
    node: str,
    judgement: TurnJudgement,
    *,
    auditor: str,
    seen: str | None,
    reason: str = "",
) -> Verdict:
    """A person's word on an agent turn: good, bad, partial, exclude; or promote: its lineage becomes the ideal path.

    `seen` is the id of the last word on it that the person saw (None: none). Raises `relabelling.Conflict` when
    somebody spoke meanwhile, ConfigError for a promotion that earns less reward and gives no reason.
    """
    from app import judging

    return judging.give_verdict(store, rollout_id, node, judgement, auditor=auditor, seen=seen, reason=reason)


def undo_verdict(store: Store, rollout_id: str, verdict_id: str, *, auditor: str) -> Verdict:
    """Takes a standing verdict back: rows and files are again as before it. Raises `relabelling.Conflict`."""
    from app import judging

    return judging.undo_verdict(store, rollout_id, verdict_id, auditor=auditor)


def preview_promotion(store: Store, rollout_id: str, node: str, *, filtered: bool = True) -> Preview:
    """What a promotion would change in an export of the rollout's run, to the row."""
    from app import judging

    return judging.preview_promotion(store, rollout_id, node, filtered=filtered)


def preview_verdict(store: Store, rollout_id: str, node: str, judgement: TurnJudgement) -> Preview:
    """As `preview_promotion`, for any judgement of an agent turn."""
    from app import judging

    return judging.preview_verdict(store, rollout_id, node, judgement)


def node_rows(store: Store, rollout_id: str, node: str) -> NodeRows:
    """The rows this turn yields in an export of its run, line for line; and why, where it yields none."""
    from app import judging

    return judging.rows_of_node(store, rollout_id, node)


# Rows


def export_files(
    store: Store,
    run_ids: Sequence[str],
    *,
    formats: Sequence[str],
    policy: RowPolicy | None = None,
    split: Split | None = None,
    data: Path | None = None,
) -> tuple[ExportResult, dict[str, bytes]]:
    """The files' contents, for a download; nothing is written or recorded. Formats: sft, kto, dpo, openai."""
    from app import exporting

    return exporting.export_files(store, run_ids, formats=formats, policy=policy, split=split, data=data)


def export_rows(
    store: Store,
    run_ids: Sequence[str],
    *,
    formats: Sequence[str],
    out: Path,
    policy: RowPolicy | None = None,
    split: Split | None = None,
    data: Path | None = None,
) -> ExportResult:
    """Writes the files into folder `out`, each whole or not at all, and records the export."""
    from app import exporting

    return exporting.export_rows(store, run_ids, formats=formats, out=out, policy=policy, split=split, data=data)


def evaluate_run(store: Store, run_id: str, *, against: str | None = None, data: Path | None = None) -> Evaluation:
    """The run's figures and errors; with `against`, compared to that run on the scenarios both finished."""
    from app import evaluating

    return evaluating.evaluate_run(store, run_id, against=against, data=data)


def count_exports(store: Store) -> int:
    """Those that were written and recorded."""
    return len(exports.list_exports(store))
