"""What arXiv 2409.04617 says, claim by claim, on searches small enough to see."""

from __future__ import annotations

import pytest
from small import (
    FIND_HOTEL,
    FIND_TRAIN,
    HAND_OVER,
    HOTEL,
    MALFORMED,
    TRAIN,
    search,
    strategy,
)

from josh_engine.extract import RowPolicy, extract
from josh_engine.models.scripted import say
from josh_engine.tree import branches, ideal_path, label_turns
from josh_engine.values import Collapsed, Goal, GoalsWon, SearchEnded


def leaves_per_exchange(tree) -> list[int]:
    found: dict[int, int] = {}
    for node in tree.nodes.values():
        if node.turn.speaker == "agent":
            depth = len(branches(node.id))
            found[depth] = found.get(depth, 0) + 1
    return [found[depth] for depth in sorted(found)]


def reasons(tree) -> dict[str, tuple[str, str | None]]:
    return {node: (pruned.reason, pruned.link) for node, pruned in tree.reasons.items()}


# 2.1 and Algorithm 1 -------------------------------------------------------------------------------------------------


def test_2_1_the_frontier_doubles_until_the_beam_is_full_and_then_each_leaf_gets_one_answer():
    tree = search({}, config=strategy(depth=6)).tree
    assert leaves_per_exchange(tree) == [2, 4, 8, 8, 8, 8]


@pytest.mark.parametrize(
    ("beam", "branching", "expected"),
    [(1, 2, [1, 1, 1]), (3, 2, [2, 2, 2]), (4, 2, [2, 4, 4]), (16, 2, [2, 4, 8]), (9, 3, [3, 9, 9]), (8, 3, [3, 3, 3])],
)
def test_2_1_line_13_branches_only_where_the_product_fits_the_beam(beam, branching, expected):
    assert leaves_per_exchange(search({}, config=strategy(beam=beam, branching=branching, depth=3)).tree) == expected


def test_2_1_the_user_simulator_opens_and_the_root_branches_too():
    tree = search({}, config=strategy(depth=1)).tree
    assert tree.nodes["u"].parent is None
    assert {node.parent for node in tree.nodes.values() if node.turn.speaker == "agent"} == {"u"}
    assert sorted(tree.nodes) == ["0", "1", "u"]


def test_2_1_line_7_plays_max_depth_exchanges_and_not_one_more():
    searched = search({}, config=strategy(depth=3))
    assert searched.tree.depth == 3
    assert searched.tree.ended == "depth_exhausted"
    assert not any(node.endswith("u") and len(branches(node)) == 3 for node in searched.tree.nodes)


def test_2_1_line_18_a_leaf_that_reached_a_goal_becomes_the_only_leaf():
    searched = search({"1": [FIND_HOTEL, say("Found one.")]}, [HOTEL, TRAIN], strategy(depth=2))
    assert leaves_per_exchange(searched.tree) == [2, 2]
    assert set(searched.tree.nodes) == {"u", "0", "1", "1u", "1.0", "1.1"}
    assert reasons(searched.tree)["0"] == ("lost_race", "1")


def test_2_1_the_first_leaf_in_tree_order_wins_and_the_other_gets_partial_credit():
    searched = search({"0": [FIND_HOTEL, say("a")], "1": [FIND_HOTEL, say("b")]})
    assert searched.tree.won == {"hotel": "0"}
    assert reasons(searched.tree)["1"] == ("partial_credit", "hotel")
    assert label_turns(searched.tree) == {"0": "ideal", "1": "partial"}


def test_2_1_ours_a_leaf_that_reached_another_open_goal_in_the_same_exchange_is_partial_credit():
    searched = search(
        {"0": [FIND_HOTEL, say("a")], "1": [FIND_TRAIN, say("b")], "0.1": [FIND_TRAIN, say("c")]}, [HOTEL, TRAIN]
    )
    assert searched.tree.won == {"hotel": "0", "train": "0.1"}
    assert reasons(searched.tree)["1"] == ("partial_credit", "train")
    assert label_turns(searched.tree)["1"] == "partial"


def test_2_1_ours_all_goals_reached_in_the_winning_turn_are_won_at_once():
    searched = search({"1": [FIND_HOTEL, FIND_TRAIN, say("both")]}, [HOTEL, TRAIN])
    assert searched.tree.won == {"hotel": "1", "train": "1"}
    assert searched.tree.ended == "all_goals_won"
    assert searched.tree.depth == 1


def test_2_1_goals_may_be_reached_in_any_order_and_count_once():
    twice = [FIND_TRAIN, FIND_TRAIN, say("x")]
    searched = search({"0": twice, "0.1": twice, "0.1.0": [FIND_HOTEL, say("y")]}, [HOTEL, TRAIN], strategy(depth=4))
    assert searched.tree.won["train"] == "0"
    assert next(event for event in searched.events if isinstance(event, GoalsWon)).goals == ("train",)
    assert searched.tree.average_reward is not None
    assert "0.1" not in searched.tree.won.values()


def test_2_1_equal_goals_need_as_many_calls():
    same = [Goal("a", "say_hello"), Goal("b", "say_hello"), Goal("c", "say_hello")]
    hello = say("x")
    from josh_engine.models.scripted import use

    once, twice = [use("say_hello"), hello], [use("say_hello"), use("say_hello"), hello]
    assert len(search({"0": once}, same, strategy(depth=1)).tree.won) == 1
    assert len(search({"0": twice}, same, strategy(depth=1)).tree.won) == 2
    assert search({"0": once, "0.0": twice}, same, strategy(depth=2)).tree.average_reward == 1.0


def test_2_1_average_reward_is_goals_won_over_goals_at_the_start():
    four = [HOTEL, TRAIN, Goal("c", "find_cinema"), Goal("d", "find_dinner")]
    searched = search({"0": [FIND_HOTEL, FIND_TRAIN, say("x")]}, four, strategy(depth=2))
    assert searched.tree.average_reward == 0.5
    assert searched.rollout.average_reward == 0.5
    assert not searched.rollout.success


def test_a_scenario_without_goals_is_not_searched_but_greedy_plays_it():
    josh = search({}, [])
    assert (josh.rollout.state, josh.rollout.average_reward, josh.rollout.nodes) == ("done", None, 0)
    greedy = search({}, [], strategy("greedy", depth=3))
    assert (greedy.rollout.state, greedy.rollout.nodes) == ("done", 6)


# Leaves that end ------------------------------------------------------------------------------------------------------


def test_a_failed_turn_cannot_win_even_if_a_call_in_it_reached_a_goal():
    searched = search({"0": [FIND_HOTEL] * 4}, config=strategy(depth=2), max_generations=4)
    assert searched.tree.won == {}
    assert searched.tree.nodes["0"].turn.stop == "failed"
    assert searched.tree.nodes["0"].goals == {"hotel"}
    assert reasons(searched.tree)["0"] == ("turn_failed", None)


def test_a_failed_turn_that_reached_a_goal_is_never_trained_against():
    searched = search({"0": [FIND_HOTEL] * 4, "1": [FIND_HOTEL, say("a")]}, max_generations=4)
    assert searched.tree.won == {"hotel": "1"}
    assert label_turns(searched.tree)["0"] == "partial"
    assert reasons(searched.tree)["0"] == ("turn_failed", None)


def test_a_failed_turn_keeps_its_malformed_generations_as_messages_and_is_a_legitimate_negative():
    searched = search({"0": [MALFORMED] * 4, "1": [FIND_HOTEL, say("a")]}, max_generations=4)
    failed = searched.tree.nodes["0"].turn
    assert [message.sampled for message in failed.messages] == [True, False] * 4
    assert {call.fault for call in failed.calls} == {"format"}
    assert label_turns(searched.tree)["0"] == "negative"


def test_ended_leaves_free_their_slots_in_the_beam():
    full = {"0": [HAND_OVER]}
    assert leaves_per_exchange(search(full, config=strategy(beam=2, depth=2)).tree) == [2, 2]
    assert leaves_per_exchange(search({}, config=strategy(beam=2, depth=2)).tree) == [2, 2]
    four = search({"0": [HAND_OVER], "1.0": [HAND_OVER]}, config=strategy(beam=4, depth=4)).tree
    assert leaves_per_exchange(four) == [2, 2, 2, 4]


def test_an_agent_that_hands_over_can_still_win_and_the_frontier_is_then_empty():
    ending = HAND_OVER
    searched = search({"1": [FIND_HOTEL, ending]}, [HOTEL, TRAIN])
    assert searched.tree.won == {"hotel": "1"}
    assert searched.tree.ended == "no_live_leaf"
    assert searched.rollout.average_reward == 0.5


def test_when_the_user_hangs_up_what_they_said_is_kept_and_the_agent_does_not_answer():
    searched = search({}, lines=1, config=strategy(depth=5))
    assert searched.tree.nodes["0u"].turn.stop == "ended"
    assert searched.tree.nodes["0u"].turn.reply == "Goodbye."
    assert searched.tree.ended == "no_live_leaf"
    assert reasons(searched.tree) == {"0": ("conversation_ended", None), "1": ("conversation_ended", None)}


# Reasons: the closed list, first match --------------------------------------------------------------------------------


def test_each_settled_turn_off_the_ideal_path_has_exactly_one_reason():
    searched = search(
        {
            "1.0": [MALFORMED] * 4,
            "1.1": [HAND_OVER],
            "0.0.0": [FIND_HOTEL, say("won")],
            "0.1.1": [FIND_HOTEL, say("too")],
        },
        config=strategy(depth=5),
        max_generations=4,
    )
    assert searched.tree.won == {"hotel": "0.0.0"}
    assert reasons(searched.tree) == {
        "0.0.1": ("lost_race", "0.0.0"),
        "0.1": ("not_continued", None),
        "0.1.0": ("lost_race", "0.0.0"),
        "0.1.1": ("partial_credit", "hotel"),
        "1": ("not_continued", None),
        "1.0": ("turn_failed", None),
        "1.1": ("conversation_ended", None),
    }
    assert label_turns(searched.tree) == {
        "0": "ideal",
        "0.0": "ideal",
        "0.0.0": "ideal",
        "0.0.1": "negative",
        "0.1": "partial",  # a descendant reached a goal
        "0.1.0": "off_path",
        "0.1.1": "off_path",  # its user turn is not on the ideal path
        "1": "negative",
        "1.0": "off_path",
        "1.1": "off_path",
    }


def test_turns_after_the_last_reward_are_kept_and_have_a_reason_but_are_no_rows():
    searched = search({"0": [FIND_HOTEL, say("a")]}, [HOTEL, TRAIN], strategy(depth=3, beam=2))
    assert ideal_path(searched.tree) == ("u", "0")
    assert reasons(searched.tree)["0.0"] == ("not_continued", None)
    assert reasons(searched.tree)["0.0.0"] == ("depth_exhausted", None)
    assert label_turns(searched.tree)["0.0"] == "off_path"
    assert len(searched.rows("sft", RowPolicy(filtered=False))) == 2


def test_a_search_without_reward_keeps_everything_and_gives_no_rows():
    searched = search({}, config=strategy(depth=2))
    assert len(searched.tree.nodes) == 1 + 2 + 2 + 4
    assert set(label_turns(searched.tree).values()) == {"off_path"}
    assert {reason for reason, _ in reasons(searched.tree).values()} == {"not_continued", "depth_exhausted"}
    assert all(searched.rows(each, RowPolicy(filtered=False)) == [] for each in ("sft", "kto", "dpo", "openai"))


def test_while_a_search_runs_unsettled_turns_are_open():
    searched = search({"0": [FIND_HOTEL, say("a")]}, [HOTEL, TRAIN], strategy(depth=3))
    from josh_engine.tree import fold

    upto = next(index for index, event in enumerate(searched.events) if isinstance(event, Collapsed))
    assert label_turns(fold(searched.events[: upto - 1])) == {"0": "open", "1": "open"}
    assert label_turns(fold(searched.events[: upto + 1])) == {"0": "ideal", "1": "negative"}


# 2.2: rows ------------------------------------------------------------------------------------------------------------


def test_2_2_the_ideal_path_runs_from_the_last_rewarded_turn_back_to_the_first_user_utterance():
    searched = search({"0": [FIND_HOTEL, say("a")], "0.1.0": [FIND_TRAIN, say("b")]}, [HOTEL, TRAIN])
    assert ideal_path(searched.tree) == ("u", "0", "0u", "0.1", "0.1u", "0.1.0")


def test_2_2_sft_trains_each_generation_on_the_ideal_path_on_exactly_what_the_model_was_sent():
    searched = search({"1": [FIND_HOTEL, say("Found one.")]})
    call, reply = sorted(searched.rows("sft"), key=lambda row: len(row["prompt"]))
    assert [message["role"] for message in call["prompt"]] == ["system", "user"]
    assert call["completion"][0]["tool_calls"][0]["function"] == {"name": "find_hotel", "arguments": {"area": "north"}}
    assert [message["role"] for message in reply["prompt"]] == ["system", "user", "assistant", "tool"]
    assert reply["completion"] == [{"role": "assistant", "content": "Found one."}]
    assert '"find_hotel"' in call["tools"]


def test_2_2_kto_upvotes_all_generations_of_good_turns_and_downvotes_all_of_the_alternative():
    wrong = [FIND_TRAIN, say("a train?")]
    searched = search({"0": wrong, "1": [FIND_HOTEL, say("Found one.")]}, [HOTEL], world=None)
    labels = [row["label"] for row in searched.rows("kto")]
    assert sorted(labels) == [False, False, True, True]


def test_2_2_first_divergence_keeps_only_the_first_generation_that_differs():
    script = {
        "0": [FIND_TRAIN, say("shared call, then this")],
        "1": [FIND_TRAIN, FIND_HOTEL, say("then a hotel")],
    }
    searched = search(script, [HOTEL])
    down = [row for row in searched.rows("kto") if not row["label"]]
    first = [row for row in searched.rows("kto", RowPolicy(rows="first_divergence")) if not row["label"]]
    assert len(down) == 1, "the shared call is also a positive in the same context"
    assert first == down


def test_2_2_dpo_pairs_share_their_context_and_differ_in_one_generation():
    script = {"0": [FIND_TRAIN, say("no")], "1": [FIND_TRAIN, FIND_HOTEL, say("yes")]}
    (pair,) = search(script, [HOTEL]).rows("dpo")
    assert [message["role"] for message in pair["prompt"]] == ["system", "user", "assistant", "tool"]
    assert pair["chosen"][0]["tool_calls"][0]["function"]["name"] == "find_hotel"
    assert pair["rejected"][0]["content"] == "no"


def test_2_2_an_untaken_turn_that_led_to_a_reward_is_no_downvote():
    searched = search({"0": [FIND_HOTEL, say("a")], "1": [FIND_HOTEL, say("b")]})
    assert [row["label"] for row in searched.rows("kto")] == [True, True]


def test_ours_what_an_ideal_or_partial_turn_said_in_the_same_context_is_never_a_downvote():
    script = {
        "0": [FIND_HOTEL, say("won")],
        "1": [FIND_TRAIN, FIND_HOTEL, say("reached it too")],
        "2": [FIND_TRAIN, say("and no hotel")],
    }
    searched = search(script, config=strategy(branching=3))
    assert label_turns(searched.tree) == {"0": "ideal", "1": "partial", "2": "negative"}
    down = [row["completion"][0] for row in searched.rows("kto") if not row["label"]]
    assert down == [{"role": "assistant", "content": "and no hotel"}]


def test_2_2_turns_that_do_not_stem_from_a_user_turn_on_the_ideal_path_are_not_in_the_data():
    searched = search({"0.0": [FIND_HOTEL, say("a")]})
    nodes = {line["node"] for line in _provenance(searched)}
    assert nodes == {"0", "0.0", "0.1", "1"}  # not 1.0 and 1.1


def test_an_alternative_that_says_the_same_as_the_ideal_turn_is_off_path():
    same = [say("May I help?")]
    searched = search({"0": same, "1": same, "0.1": [FIND_HOTEL, say("a")]})
    assert label_turns(searched.tree)["1"] == "off_path"
    assert search({"0": same, "0.1": [FIND_HOTEL, say("a")]}).tree and label_turns(searched.tree)["0"] == "ideal"


def test_appendix_b_keeps_only_full_reward_without_errors_on_the_ideal_path():
    half = search({"0": [FIND_HOTEL, say("a")]}, [HOTEL, TRAIN], strategy(depth=2))
    slip = search({"0": [MALFORMED, FIND_HOTEL, say("a")]})
    clean = search({"0": [FIND_HOTEL, say("a")], "1": [MALFORMED, say("b")]})
    assert half.rows("sft") == [] and half.rows("sft", RowPolicy(filtered=False)) != []
    assert slip.rows("sft") == [] and slip.rows("sft", RowPolicy(filtered=False)) != []
    assert len(clean.rows("sft")) == 2


def test_rollouts_that_failed_or_were_cancelled_are_never_exported():
    from dataclasses import replace

    searched = search({"0": [FIND_HOTEL, say("a")]})
    for state in ("failed", "cancelled", "paused", "running"):
        source = replace(searched.source(), rollout=replace(searched.rollout, state=state))
        assert extract([source], RowPolicy(filtered=False)).positives == 0


def test_greedy_plays_on_after_the_last_goal_and_never_collapses():
    searched = search({"0": [FIND_HOTEL, say("a")]}, config=strategy("greedy", depth=4))
    assert searched.tree.depth == 4
    assert leaves_per_exchange(searched.tree) == [1, 1, 1, 1]
    assert not any(isinstance(event, Collapsed) for event in searched.events)
    assert searched.events[-1] == SearchEnded("depth_exhausted", searched.events[-1].pruned)
    hung_up = search({}, lines=2, config=strategy("greedy"))
    assert hung_up.tree.ended == "ended"


def test_greedy_and_josh_share_the_seeds_of_their_first_branches():
    josh, greedy = search({}, config=strategy(depth=2)), search({}, config=strategy("greedy", depth=2))
    assert greedy.tree.nodes["0.0"].turn == josh.tree.nodes["0.0"].turn
    assert josh.tree.nodes["0"].turn != josh.tree.nodes["1"].turn


def _provenance(searched):
    from josh_engine.rows import provenance

    return provenance(extract([searched.source()]))
