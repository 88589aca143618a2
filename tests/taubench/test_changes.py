"""What a turn changed, in lines: of the records it touched and of nothing else."""

from __future__ import annotations

from app import services
from app.world_changes import changes_of
from josh_engine.values import ToolCall, Turn
from taubench.changes import changes


def pending(base):
    return next(
        key for key, order in base.orders.items()
        if order["status"] == "pending" and "gift_card" in order["payment_history"][0]["payment_method_id"]
    )  # fmt: skip


def test_a_cancelled_order_changes_its_status_its_payments_and_the_card(base):
    order = pending(base)
    asked = ToolCall("call_1", "cancel_pending_order", {"order_id": order, "reason": "no longer needed"})
    read = ToolCall("call_2", "get_order_details", {"order_id": order})
    again = ToolCall("call_3", "cancel_pending_order", {"order_id": order, "reason": "no longer needed"})
    turns = [Turn("user", ()), Turn("agent", (), (asked,), "x"), Turn("agent", (), (read, again), "y")]
    nothing, done, later = changes(base, turns)
    assert nothing == later == ()
    assert f"order {order}: status: pending → cancelled" in done
    assert f"order {order}: cancel_reason: no longer needed (new)" in done
    assert any(line.startswith(f"order {order}: payment_history: + ") for line in done)
    owner = base.orders[order]["user_id"]
    (card,) = [line for line in done if line.startswith(f"user {owner}: payment_methods.gift_card")]
    assert "balance: " in card and " → " in card and len(done) == 4


def test_the_tree_s_turns_are_told_where_the_world_is_there(files, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "taubench").symlink_to(files)
    with services.open_store(tmp_path / "josh.db") as store:
        asked = services.RunRequest(
            world="taubench", split="train", limit=3, agent="gold_follower", user="gold_reader", model=None
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
