"""The drawing's data, on the sample search."""

from __future__ import annotations

from app.tree_view.picture import picture
from josh_engine.tree import EMPTY, fold, label_turns
from josh_engine.values import Verdict
from tests.app.sample_search import HOSTILE, sample_tree, search_events

TREE = sample_tree()
DRAWN = picture(TREE, label_turns(TREE), seq=17, selected="0.1")
NODES = {node["id"]: node for node in DRAWN["nodes"]}
EVENTS = list(enumerate(search_events()))


def test_every_turn_is_drawn_once_in_tree_order_parents_first():
    ids = [node["id"] for node in DRAWN["nodes"]]
    assert len(ids) == len(set(ids)) == len(TREE.nodes)
    assert all(node["parent"] is None or ids.index(node["parent"]) < ids.index(node["id"]) for node in DRAWN["nodes"])
    assert [each for each in ids if not each.endswith("u")] == sorted(each for each in ids if not each.endswith("u"))


def test_labels_are_those_of_the_rows_and_the_ideal_path_runs_through_both_speakers():
    assert {node: NODES[node]["label"] for node in label_turns(TREE)} == label_turns(TREE)
    assert [node["id"] for node in DRAWN["nodes"] if node["path"]] == ["u", "0", "0u", "0.1", "0.1u", "0.1.0"]


def test_a_star_is_what_the_search_booked_not_what_a_turn_reached():
    assert {node: drawn["won"] for node, drawn in NODES.items() if drawn["won"]} == {"0.1": [1], "0.1.0": [2]}
    assert NODES["1.0"]["reached"] == ["hotel.book"]


def test_rows_alternate_between_user_and_agent():
    assert [NODES[node]["level"] for node in ("u", "0", "0u", "0.1", "0.1u", "0.1.0")] == [1, 2, 3, 4, 5, 6]


def test_the_checklist_says_where_each_goal_was_reached():
    assert [(goal["number"], goal["name"], goal["node"], goal["exchange"]) for goal in DRAWN["goals"]] == [
        (1, "book_hotel", "0.1", 2),
        (2, "book_train", "0.1.0", 3),
    ]
    assert DRAWN["goals"][0]["arguments"] == "people=2"


def test_the_hover_card_has_three_lines_name_words_and_how_it_ended():
    name, words, rest = NODES["0.1"]["tip"]
    assert name == "Agent turn 0.1 · ideal"
    assert HOSTILE[5] in words
    assert rest.startswith("calls book_hotel · This turn reached book_hotel")
    assert all(len(node["tip"]) <= 3 for node in DRAWN["nodes"])


def test_lenses_and_filters_have_their_figures():
    drawn = {node["id"]: node for node in picture(TREE, label_turns(TREE), events=EVENTS)["nodes"]}
    assert [drawn[node]["progress"] for node in ("u", "0.0", "0.1", "1.0", "0.1u", "0.1.0")] == [0, 0, 1, 1, 1, 2]
    assert drawn["0.1.0"]["tools"] == ["book_train"]
    assert [node for node, each in drawn.items() if each["faults"]] == ["0.0", "1.1"]
    assert [drawn[node]["at"] for node in ("u", "0", "0.1.1")] == [1, 2, 14]
    assert all(len(each["cost"]) == 2 for each in drawn.values())


def test_only_the_explorer_carries_the_replay():
    assert DRAWN["replay"] is None
    assert len(picture(TREE, {}, events=EVENTS)["replay"]) == len(EVENTS)


def test_a_choice_that_is_not_in_the_tree_is_no_choice():
    assert DRAWN["selected"] == "0.1"
    assert picture(TREE, {}, selected="9.9")["selected"] is None


def test_a_running_search_is_drawn_as_far_as_it_is():
    running = fold(search_events()[:7])
    drawn = picture(running, label_turns(running), seq=6)
    assert [node["label"] for node in drawn["nodes"] if node["kind"] == "agent"] == ["open"] * 3
    assert [goal["node"] for goal in drawn["goals"]] == [None, None]
    assert picture(EMPTY, {})["nodes"] == []


def test_a_promotion_moves_the_ideal_path():
    promote = Verdict("v", "r", "1.0", "promote", "ann", "2026-01-01T00:00:00Z")
    drawn = picture(TREE, label_turns(TREE, [promote]), verdicts=[promote])
    assert [node["id"] for node in drawn["nodes"] if node["path"]] == ["u", "1", "1u", "1.0"]


def overridden(*verdicts: Verdict) -> dict[str, tuple[str, str | None]]:
    drawn = picture(TREE, label_turns(TREE, verdicts), verdicts=verdicts)
    return {node["id"]: (node["override"], node["was"]) for node in drawn["nodes"] if node["override"]}


def test_a_judged_turn_carries_its_judgement_and_the_label_it_had():
    bad = Verdict("v", "r", "0.1.0", "bad", "ann", "2026-01-01T00:00:00Z")
    assert overridden(bad) == {"0.1.0": ("bad", "ideal")}
    agrees = Verdict("w", "r", "0.1.1", "bad", "ann", "2026-01-01T00:00:00Z")
    assert overridden(agrees) == {"0.1.1": ("bad", None)}
    drawn = picture(TREE, label_turns(TREE, [bad]), verdicts=[bad])
    aria = next(node["aria"] for node in drawn["nodes"] if node["id"] == "0.1.0")
    assert aria.endswith("called bad by ann, was ideal")


def test_a_promotion_marks_the_turns_it_took_off_the_ideal_path():
    promote = Verdict("v", "r", "1.0", "promote", "ann", "2026-01-01T00:00:00Z")
    assert overridden(promote) == {
        "0": ("demoted_by_person", "ideal"),
        "0.1": ("demoted_by_person", "ideal"),
        "0.1.0": ("demoted_by_person", "ideal"),
        "1.0": ("promote", "off_path"),
    }


def test_what_was_withdrawn_marks_nothing():
    bad = Verdict("v", "r", "0.1.0", "bad", "ann", "2026-01-01T00:00:00Z")
    back = Verdict("w", "r", "0.1.0", "withdraw", "ann", "2026-01-01T00:00:00Z", supersedes="v")
    assert overridden(bad, back) == {}
