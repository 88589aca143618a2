"""What a person does to runs as a whole, and who that person is: names, tags, notes, deleting, what is going on.

Text that a person types is kept as it is, but for surrounding blanks; tags are a set in the order they were typed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app import jobs, launching
from josh_engine.config import Run
from josh_engine.errors import ConfigError, StorageError
from storage import activity, curation, locks, people, runs
from storage.activity import Activity
from storage.database import Store

LONGEST_NAME, LONGEST_PERSON, LONGEST_TAG, LONGEST_NOTE = 120, 40, 30, 4000
TAKEN_UP_SECONDS = 10.0  # queued for longer: nobody took the run up


def describe_run(store: Store, run_id: str, *, name: str, tags: Sequence[str], note: str) -> Run:
    if not (name := " ".join(name.split())):
        raise ConfigError("A run needs a name.", remedy="Give it one; it may be short.")
    for what, text, longest in (("name", name, LONGEST_NAME), ("note", note, LONGEST_NOTE)):
        if len(text) > longest:
            raise ConfigError(f"The {what} has {len(text):,} characters, but {longest:,} are the most.")
    curation.describe(store, run_id, name=name, tags=_checked(tags), note=note.strip())
    return runs.load_run(store, run_id)


def typed_tags(text: str) -> tuple[str, ...]:
    """`paper, beam 16` -> two tags; each stands once."""
    tags = (" ".join(each.split()) for each in re.split(r"[,;\n]", text))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _checked(tags: Sequence[str]) -> Sequence[str]:
    if long := [tag for tag in tags if len(tag) > LONGEST_TAG]:
        raise ConfigError(f"The tag {long[0]!r} is longer than {LONGEST_TAG} characters.", remedy="Use the note.")
    return tags


def delete_run(store: Store, run_id: str, *, auditor: str = "") -> None:
    """Refused while somebody works on the run. Its log goes too."""
    try:
        with locks.holding(store.path, run_id):
            curation.delete(store, run_id, auditor=auditor)
    except locks.RunHeld as error:
        raise StorageError(
            f"Run {run_id} is being played, so it cannot be deleted.", remedy="Cancel it first, then delete it."
        ) from error
    launching.log_path(store.path, run_id).unlink(missing_ok=True)


def remember_person(store: Store, name: str) -> str:
    """The name as it is kept; empty where nothing is left of it."""
    kept = " ".join("".join(each for each in name if each.isprintable()).split())[:LONGEST_PERSON].strip()
    if kept:
        people.remember(store, kept)
    return kept


def active_runs(store: Store) -> tuple[Activity, ...]:
    """Newest first: those a process works on, or is about to take up."""
    return tuple(each for each in activity.active_runs(store) if _is_alive(store, each))


def _is_alive(store: Store, run: Activity) -> bool:
    if run.state == "queued" and not jobs.is_stale(run.heartbeat or run.created, after=TAKEN_UP_SECONDS):
        return True
    return not jobs.is_stale(run.heartbeat) or locks.is_held(store.path, run.id)
