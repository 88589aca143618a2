"""Scenarios by filter or by pasted ids."""

from __future__ import annotations

from pathlib import Path

from app import choices, services
from app.choosing import ScenarioFilter, ScenarioLine, domains_of, filtered, line_of, pasted
from josh_engine.values import Goal, Scenario

LINES = (
    ScenarioLine("S1", 1, ("hotel",), "A hotel, please."),
    ScenarioLine("S2", 3, ("hotel", "train"), "A train on Monday."),
    ScenarioLine("odd, id", 2, ("train",), "Anything."),
)


def ids(**wanted: object) -> list[str]:
    return [line.id for line in filtered(LINES, ScenarioFilter(**wanted))]  # type: ignore[arg-type]


def test_a_line_names_the_domains_its_goals_are_of() -> None:
    goals = (Goal("hotel.search", "search_hotel", {}), Goal("hotel.book", "book_hotel", {}), Goal("find", "find", {}))
    line = line_of(Scenario("a", "w", "s", ("One.", "Two."), goals))
    assert line == ScenarioLine("a", 3, ("hotel", "find"), "One. Two.")
    assert domains_of(LINES) == ("hotel", "train")


def test_a_filter_keeps_what_meets_all_of_it_in_order() -> None:
    assert ids() == ["S1", "S2", "odd, id"]
    assert ids(domains=("train",)) == ["S2", "odd, id"]
    assert ids(domains=("train", "hotel")) == ["S2"]
    assert ids(least=2, most=2) == ["odd, id"]
    assert ids(text="MONDAY") == ["S2"] and ids(text="odd") == ["odd, id"]
    assert ids(text="no such") == []


def test_pasted_ids_stand_one_a_line_or_apart_by_commas() -> None:
    known = [line.id for line in LINES]
    assert pasted("S2\n\n S1 \nS2\n", known) == ("S2", "S1")
    assert pasted("S1, S2;nope", known) == ("S1", "S2", "nope")
    assert pasted("odd, id", known) == ("odd, id",)


def test_each_way_of_picking_asks_for_just_those_scenarios() -> None:
    first = choices.request({**choices.DEFAULTS, "limit": 2}, LINES)
    assert (first.scenarios, first.limit) == (None, 2)
    by_filter = choices.request({**choices.DEFAULTS, "pick": choices.FILTER, "domains": ("hotel",), "limit": 1}, LINES)
    assert (by_filter.scenarios, by_filter.limit) == (("S1", "S2"), 1)
    by_id = choices.request({**choices.DEFAULTS, "pick": choices.IDS, "ids": "odd, id\nS1"}, LINES)
    assert (by_id.scenarios, by_id.limit) == (("odd, id", "S1"), None)


def test_a_cloned_run_asks_for_the_same_configuration(tmp_path: Path) -> None:
    known = services.scenario_ids("toolwoz-generated", "train", tmp_path)
    lines = services.scenario_lines("toolwoz-generated", "train", tmp_path)
    asked = services.RunRequest(
        scenarios=known[3:7], seed=5, trials=2, preset="paper", options={"goal_rule": "authors"}, beam=4
    )
    with services.open_store(tmp_path / "josh.db") as store:
        for request in (asked, services.RunRequest(limit=4)):
            run = services.create_run(store, services.build_config(request, tmp_path))
            form = choices.cloned(run, known)
            assert form.keys() == choices.DEFAULTS.keys()
            assert services.build_config(choices.request(form, lines), tmp_path) == run.config
            assert choices.limits(form) == run.limits
            assert form["pick"] == (choices.IDS if request is asked else choices.FIRST)


def test_parts_named_by_module_are_not_offered_by_a_form() -> None:
    offered = {"world": ("toolwoz",), "agent": ("scripted",), "model": (None, "mine")}
    chosen = {"world": "toolwoz", "agent": "os:system", "model": None}
    assert choices.beyond_the_form(chosen, offered) == ("agent os:system",)
