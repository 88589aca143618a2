"""What a turn changed, in lines: of the records it touched and of nothing else."""

from __future__ import annotations

from app import services
from app.world_changes import changes_of
from josh_engine.values import ToolCall, Turn
from taubench.changes import changes
from taubench.environment import RetailEnvironment
from taubench.world import open_world
from tests.taubench.small_shop import ADA, GIFT, HOME, SECOND


def test_a_cancelled_order_changes_its_status_its_payments_and_the_card(data):
    desk = RetailEnvironment(open_world(data).reward.base)
    asked = ToolCall("call_1", "cancel_pending_order", {"order_id": SECOND, "reason": "no longer needed"})
    read = ToolCall("call_2", "get_order_details", {"order_id": SECOND})
    again = ToolCall("call_3", "cancel_pending_order", {"order_id": SECOND, "reason": "no longer needed"})
    turns = [Turn("user", ()), Turn("agent", (), (asked,), "x"), Turn("agent", (), (read, again), "y")]
    nothing, done, later = changes(desk, turns)
    assert nothing == later == ()
    refund = '{"transaction_type": "refund", "amount": 31.3, "payment_method_id": "gift_card_3000002"}'
    assert done == (
        f"order {SECOND}: status: pending → cancelled",
        f"order {SECOND}: payment_history: + {refund}",
        f"order {SECOND}: cancel_reason: no longer needed (new)",
        f"user {ADA}: payment_methods.{GIFT}.balance: 5 → 36.3",
    )


def test_a_number_that_takes_a_text_s_place_is_told(data):
    desk = RetailEnvironment(open_world(data).reward.base)
    home = {**HOME, "zip": 10001, "address2": None}
    turn = Turn("agent", (), (ToolCall("call_1", "modify_user_address", {"user_id": ADA, **home}),), "x")
    assert changes(desk, [turn]) == [
        (f'user {ADA}: address.address2: "" → null', f'user {ADA}: address.zip: "10001" → 10001')
    ]


def test_the_tree_s_turns_are_told_where_the_world_is_there(data, tmp_path):
    with services.open_store(tmp_path / "josh.db") as store:
        asked = services.RunRequest(
            world="tau-retail", split="train", limit=3, agent="gold_follower", user="gold_reader", model=None
        )
        run = services.create_run(store, services.build_config(asked, tmp_path / "data")).id
        services.run_here(store, run, data=tmp_path / "data")
        told = 0
        for rollout in services.list_rollouts(store, run):
            opened = services.open_rollout(store, rollout.id)
            for node in opened.tree.nodes.values():
                found = changes_of(opened, node.id, tmp_path / "data")
                assert (found is None) == (node.turn.speaker == "user")
                wrote = any(call.error is None for call in node.turn.calls)
                assert bool(found) == wrote
                told += bool(found)
                assert changes_of(opened, node.id, tmp_path / "nowhere") is None
        assert told > 3
