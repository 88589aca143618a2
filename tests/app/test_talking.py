"""A person at the table: either side, through a real process; nothing said is lost, and nothing is said twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import services, talking
from app.talking import Talk, TalkRequest
from josh_engine.errors import ConfigError
from josh_engine.values import Completion
from storage.table import Answered, give_answer

WORLD = "toolwoz-generated"
GUEST = TalkRequest("user", WORLD, "train", "gen-train-00001", "scripted")
AGENT = TalkRequest("agent", WORLD, "train", "gen-train-00001", "agenda")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[services.Store]:
    with services.open_store(tmp_path / "talk.db") as opened:
        yield opened
        for run in talking.list_talks(opened):
            services.cancel_run(opened, run.id, wait=5.0)


def when(store: services.Store, run_id: str, done: Callable[[Talk], bool], seconds: float = 120.0) -> Talk:
    deadline = time.monotonic() + seconds
    while not done(talk := talking.open_talk(store, run_id)):
        assert time.monotonic() < deadline, (talk.state, talk.rollout.error, talk.lines)
        time.sleep(0.05)
    return talk


def asked(talk: Talk) -> bool:
    return talk.question is not None


def question(talk: Talk) -> str:
    assert talk.question is not None
    return talk.question.id


def test_a_guest_talks_to_the_agent_until_they_hang_up_and_it_is_a_rollout_like_any_other(store):
    run = talking.start_talk(store, GUEST)
    talk = when(store, run.id, asked)
    assert talk.side == "user" and talk.scenario.brief and not talk.lines
    talking.say(store, run.id, question(talk), "I need a cheap place to stay in the north.", person="Ann")
    talk = when(store, run.id, lambda talk: asked(talk) and len(talk.lines) == 2)
    assert [line.who for line in talk.lines] == ["user", "agent"]
    talking.say(store, run.id, question(talk), "", person="Ann", hangs_up=True)
    talk = when(store, run.id, lambda talk: talk.over)
    assert (talk.state, talk.lines[-1].text, talk.rollout.state) == ("done", "Goodbye.", "done")
    opened = services.open_rollout(store, talk.rollout.id)
    assert set(opened.labels) == {node.id for node in opened.tree.nodes.values() if node.turn.speaker == "agent"}
    assert talking.list_talks(store)[0].id == run.id and services.run_result(store, run.id).finished == 1


def test_a_person_as_the_agent_wins_goals_with_tools_and_their_turns_are_exported(store, tmp_path):
    run = talking.start_talk(store, AGENT)
    talk = when(store, run.id, asked)
    goals = iter(talk.scenario.goals)
    goal = next(goals)
    while not talk.over:
        before = talk.stamp
        assert talk.question is not None and {tool.name for tool in talk.question.tools} >= {goal.name}
        last = talk.lines[-1]
        if last.who != "answer":
            talking.call(store, run.id, question(talk), goal.name, {**goal.arguments, "unused": " "})
        elif last.text == "[]" or '"success": false' in last.text:
            talking.say(store, run.id, question(talk), "There is nothing like that, I'm afraid.")
        else:
            goal = next(goals, goal)
            found = json.loads(last.text)
            name = found[0].get("name") or found[0]["trainID"] if isinstance(found, list) else "It"
            done = (
                f"{name} it is."
                if isinstance(found, list)
                else f"It is booked, reference {found['return']['reference']}."
            )
            talking.say(store, run.id, question(talk), done)
        talk = when(store, run.id, lambda talk, before=before: talk.stamp != before and (asked(talk) or talk.over))
    assert talk.state == "done" and len(talk.tree.won) == len(talk.scenario.goals)
    assert {line.who for line in talk.lines} == {"user", "agent", "call", "answer"}
    result = services.export_rows(store, [run.id], formats=["sft"], out=tmp_path / "rows")
    rows = [json.loads(line) for line in (tmp_path / "rows" / "sft.jsonl").read_text().splitlines()]
    assert rows and result.rows == len(rows)
    assert goal.name in json.dumps(rows)


def test_killed_while_it_waits_it_goes_on_with_the_answer_and_asks_nothing_again(store):
    run = talking.start_talk(store, GUEST)
    talk = when(store, run.id, asked)
    talking.say(store, run.id, question(talk), "I need a cheap place to stay in the north.")
    talk = when(store, run.id, lambda talk: asked(talk) and len(talk.lines) == 2)
    os.killpg(process_of(run.id), signal.SIGKILL)
    waiting = question(talk)
    when(store, run.id, lambda talk: talk.state == "interrupted")
    assert question(talking.open_talk(store, run.id)) == waiting
    talking.say(store, run.id, waiting, "Any area will do after all.")
    talk = when(store, run.id, lambda talk: asked(talk) and len(talk.lines) == 4)
    assert talk.lines[2].text == "Any area will do after all."
    said = store.read("SELECT count(*) AS n FROM questions WHERE run = ?", (run.id,))[0]["n"]
    assert said == 3


def process_of(run_id: str) -> int:
    found = subprocess.run(["pgrep", "-f", f"app resume {run_id} "], capture_output=True, text=True, check=True)
    return int(found.stdout.split()[0])


def test_a_talk_that_is_stopped_is_paused_not_failed_and_goes_on(store):
    run = talking.start_talk(store, GUEST)
    talk = when(store, run.id, asked)
    services.stop_run(store, run.id, wait=10.0)
    stopped = talking.open_talk(store, run.id)
    assert (stopped.state, stopped.rollout.state, stopped.rollout.error) == ("paused", "paused", None)
    talking.say(store, run.id, question(talk), "Hello there.")
    assert len(when(store, run.id, lambda talk: len(talk.lines) == 2).lines) == 2


def test_of_two_windows_the_second_is_told_and_changes_nothing(store):
    run = talking.start_talk(store, GUEST)
    waiting = question(when(store, run.id, asked))
    talking.say(store, run.id, waiting, "First.")
    with pytest.raises(Answered, match="answered already"):
        talking.say(store, run.id, waiting, "Second.")
    with pytest.raises(Answered):
        give_answer(store, run.id, "no-such-question", Completion("?"), person="")
    assert when(store, run.id, lambda talk: len(talk.lines) >= 2).lines[0].text == "First."


def test_what_cannot_be_said_is_refused_before_anything_is_kept(store):
    run = talking.start_talk(store, GUEST)
    waiting = question(when(store, run.id, asked))
    for words, why in (("   ", "Nothing was said"), ("x" * 5_000, "4,000 are the most")):
        with pytest.raises(ConfigError, match=why):
            talking.say(store, run.id, waiting, words)
    assert question(talking.open_talk(store, run.id)) == waiting


def test_a_person_cannot_be_asked_in_a_search_nor_outside_of_the_app(store):
    request = services.RunRequest(limit=1, agent="function_calling", model="person")
    with pytest.raises(ConfigError, match="not a search"):
        services.build_config(request, services.data_path(store.path))
    other = services.create_run(
        store, services.build_config(services.RunRequest(limit=1, agent="scripted"), store.path)
    )
    with pytest.raises(ConfigError, match="No person plays"):
        talking.open_talk(store, other.id)


def test_a_deleted_talk_takes_its_questions_along(store):
    run = talking.start_talk(store, GUEST)
    when(store, run.id, asked)
    services.cancel_run(store, run.id, wait=10.0)
    services.delete_run(store, run.id)
    assert store.read("SELECT count(*) AS n FROM questions")[0]["n"] == 0
