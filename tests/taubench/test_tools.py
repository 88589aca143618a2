"""Each tool's checks, in their order and with their exact answers, and what it changes; on the small shop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from josh_engine.values import ToolCall
from taubench.environment import RetailEnvironment
from taubench.tasks import read_base
from tests.taubench.small_shop import (
    ADA,
    AWAY,
    BEN,
    BENS,
    BLUE,
    CARD,
    CLEO,
    DELIVERED,
    GIFT,
    GLASS,
    KETTLE,
    LAMP,
    PAYPAL,
    PENDING,
    PROCESSED,
    RED,
    SECOND,
    SOLD_OUT,
    STEEL,
    plain_files,
    write_folder,
)  # fmt: skip

NOBODY, NO_ORDER = "Error: user not found", "Error: order not found"
NO_METHOD = "Error: payment method not found"
CANCEL = ("cancel_pending_order", {"order_id": PENDING, "reason": "no longer needed"})
ITEMS = {"order_id": PENDING, "item_ids": [RED], "new_item_ids": [BLUE], "payment_method_id": CARD}
PAYMENT = ("modify_pending_order_payment", {"order_id": SECOND, "payment_method_id": CARD})
RETURN = {"order_id": DELIVERED, "item_ids": [RED], "payment_method_id": GIFT}
EXCHANGE = {"order_id": DELIVERED, "item_ids": [RED], "new_item_ids": [BLUE], "payment_method_id": GIFT}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("find_user_id_by_email", {"email": " ada.byron@example.com"}, NOBODY),
    ("find_user_id_by_name_zip", {"first_name": "Ada", "last_name": "Byron", "zip": "10002"}, NOBODY),
    ("get_user_details", {"user_id": "Ada_Byron_1001"}, NOBODY),
    ("get_order_details", {"order_id": "W0000001"}, NO_ORDER),
    ("get_product_details", {"product_id": RED}, "Error: product not found"),
    ("cancel_pending_order", {"order_id": "#W9", "reason": "x"}, NO_ORDER),
    ("cancel_pending_order", {"order_id": DELIVERED, "reason": "x"}, "Error: non-pending order cannot be cancelled"),
    ("cancel_pending_order", {"order_id": PENDING, "reason": "Ordered by mistake"}, "Error: invalid reason"),
    ("modify_pending_order_address", {"order_id": "#W9", **AWAY}, NO_ORDER),
    ("modify_pending_order_address", {"order_id": PROCESSED, **AWAY}, "Error: non-pending order cannot be modified"),
    ("modify_user_address", {"user_id": "nobody", **AWAY}, NOBODY),
    ("modify_pending_order_payment", {"order_id": BENS, "payment_method_id": "x"},
     "Error: non-pending order cannot be modified"),
    ("modify_pending_order_payment", {"order_id": PENDING, "payment_method_id": PAYPAL}, NO_METHOD),
    ("modify_pending_order_payment", {"order_id": PENDING, "payment_method_id": CARD},
     "Error: the new payment method should be different from the current one"),
    ("modify_pending_order_payment", {"order_id": PENDING, "payment_method_id": GIFT},
     "Error: insufficient gift card balance to pay for the order"),
    ("modify_pending_order_items", {**ITEMS, "order_id": DELIVERED}, "Error: non-pending order cannot be modified"),
    ("modify_pending_order_items", {**ITEMS, "item_ids": [RED, RED]}, f"Error: {RED} not found"),
    ("modify_pending_order_items", {**ITEMS, "new_item_ids": []},
     "Error: the number of items to be exchanged should match"),
    ("modify_pending_order_items", {**ITEMS, "new_item_ids": [STEEL]},
     f"Error: new item {STEEL} not found or available"),
    ("modify_pending_order_items", {**ITEMS, "new_item_ids": [SOLD_OUT]},
     f"Error: new item {SOLD_OUT} not found or available"),
    ("modify_pending_order_items", {**ITEMS, "payment_method_id": PAYPAL}, NO_METHOD),
    ("modify_pending_order_items",
     {"order_id": PENDING, "item_ids": [STEEL], "new_item_ids": [GLASS], "payment_method_id": GIFT},
     "Error: insufficient gift card balance to pay for the new item"),
    ("return_delivered_order_items", {**RETURN, "order_id": PENDING},
     "Error: non-delivered order cannot be returned"),
    ("return_delivered_order_items", {**RETURN, "payment_method_id": PAYPAL}, NO_METHOD),
    ("return_delivered_order_items", {**RETURN, "payment_method_id": CARD},
     "Error: payment method should be either the original payment method or a gift card"),
    ("return_delivered_order_items", {**RETURN, "item_ids": [RED, RED, RED]}, "Error: some item not found"),
    ("exchange_delivered_order_items", {**EXCHANGE, "order_id": PENDING},
     "Error: non-delivered order cannot be exchanged"),
    ("exchange_delivered_order_items", {**EXCHANGE, "item_ids": [STEEL]}, f"Error: {STEEL} not found"),
    ("exchange_delivered_order_items", {**EXCHANGE, "payment_method_id": PAYPAL}, NO_METHOD),
    ("exchange_delivered_order_items", {**EXCHANGE, "item_ids": [RED, RED], "new_item_ids": [BLUE, BLUE]},
     "Error: insufficient gift card balance to pay for the price difference"),
]  # fmt: skip


@pytest.fixture
def desk(tmp_path) -> RetailEnvironment:
    return RetailEnvironment(read_base(write_folder(tmp_path / "shop", plain_files())))


def call(desk: RetailEnvironment, name: str, arguments: dict[str, Any]) -> ToolCall:
    return desk.call(ToolCall("call_1", name, arguments))


def done(desk: RetailEnvironment, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answered = call(desk, name, arguments)
    assert answered.error is None, answered.error
    return json.loads(answered.result or "")


@pytest.mark.parametrize(("name", "arguments", "answer"), REFUSED)
def test_what_a_check_refuses_is_answered_exactly_and_changes_nothing(desk, name, arguments, answer):
    before = desk.fingerprint()
    answered = call(desk, name, arguments)
    assert (answered.error, answered.fault, desk.fingerprint()) == (answer, "refused", before)


def test_users_are_found_whatever_the_case(desk):
    assert call(desk, "find_user_id_by_email", {"email": "ADA.Byron@example.com"}).result == ADA
    name = {"first_name": "cleo", "last_name": "PARK", "zip": "10003"}
    assert call(desk, "find_user_id_by_name_zip", name).result == CLEO


def test_records_are_read_as_json_with_their_keys_in_order(desk):
    told = call(desk, "list_all_product_types", {}).result
    assert told == f'{{"Kettle": "{KETTLE}", "Lamp": "{LAMP}"}}'
    assert list(done(desk, "get_order_details", {"order_id": PENDING})) == list(desk.shop.base.orders[PENDING])
    assert call(desk, "get_user_details", {"user_id": BEN}).result == json.dumps(desk.shop.base.users[BEN])


def test_a_cancelled_order_is_refunded_and_nothing_more_is_done_to_it(desk):
    order = done(desk, *CANCEL)
    assert (order["status"], order["cancel_reason"]) == ("cancelled", "no longer needed")
    assert [(each["transaction_type"], each["amount"]) for each in order["payment_history"]] == [
        ("payment", 60.6), ("refund", 60.6),
    ]  # fmt: skip
    assert call(desk, *CANCEL).error == "Error: non-pending order cannot be cancelled"


def test_a_gift_card_gets_its_refund_at_once_and_rounded(desk):
    done(desk, "cancel_pending_order", {"order_id": SECOND, "reason": "ordered by mistake"})
    assert desk.shop.user(ADA)["payment_methods"][GIFT]["balance"] == 36.3


def test_payment_is_changed_once(desk):
    order = done(desk, *PAYMENT)
    assert [(each["transaction_type"], each["payment_method_id"]) for each in order["payment_history"]] == [
        ("payment", GIFT), ("payment", CARD), ("refund", GIFT),
    ]  # fmt: skip
    assert (order["status"], desk.shop.user(ADA)["payment_methods"][GIFT]["balance"]) == ("pending", 36.3)
    again = call(desk, *PAYMENT)
    assert again.error == "Error: there should be exactly one payment for a pending order"


def test_changed_items_cost_the_sum_of_the_differences_as_it_comes_and_end_all_changes(desk):
    order = done(desk, "modify_pending_order_items", ITEMS)
    assert order["status"] == "pending (item modified)"
    assert order["payment_history"][-1] == {
        "transaction_type": "payment", "amount": 45.2 - 40.5, "payment_method_id": CARD,
    }  # fmt: skip
    assert order["payment_history"][-1]["amount"] != 4.7, "rounding would make another database"
    assert (order["items"][0]["item_id"], order["items"][0]["options"]) == (BLUE, {"colour": "blue"})
    after = call(desk, "modify_pending_order_address", {"order_id": PENDING, **AWAY})
    assert after.error == "Error: non-pending order cannot be modified"


def test_a_cheaper_item_is_a_refund(desk):
    done(desk, "modify_pending_order_items", ITEMS)
    other = {"order_id": SECOND, "item_ids": [GLASS], "new_item_ids": [STEEL], "payment_method_id": GIFT}
    order = done(desk, "modify_pending_order_items", other)
    assert order["payment_history"][-1]["transaction_type"] == "refund"
    assert desk.shop.user(ADA)["payment_methods"][GIFT]["balance"] == 16.2


def test_addresses_are_replaced_with_their_parts_in_order(desk):
    order = done(desk, "modify_pending_order_address", {"order_id": PENDING, **AWAY})
    assert list(order["address"]) == ["address1", "address2", "city", "state", "country", "zip"]
    user = done(desk, "modify_user_address", {"user_id": ADA, **AWAY})
    assert user["address"] == order["address"] == {**AWAY}
    assert call(desk, "find_user_id_by_name_zip", {"first_name": "Ada", "last_name": "Byron", "zip": "94000"}).result


def test_returns_and_exchanges_move_no_money_and_exclude_each_other(desk):
    order = done(desk, "return_delivered_order_items", {**RETURN, "item_ids": [RED, BLUE, RED]})
    assert (order["status"], order["return_items"]) == ("return requested", [RED, RED, BLUE])
    assert order["payment_history"] == desk.shop.base.orders[DELIVERED]["payment_history"]
    assert call(desk, "exchange_delivered_order_items", EXCHANGE).error == (
        "Error: non-delivered order cannot be exchanged"
    )


def test_an_exchange_keeps_its_lists_sorted_and_its_difference_rounded(desk):
    order = done(desk, "exchange_delivered_order_items", {**EXCHANGE, "item_ids": [BLUE], "new_item_ids": [RED]})
    assert (order["exchange_items"], order["exchange_new_items"]) == ([BLUE], [RED])
    assert order["exchange_price_difference"] == -4.7
    assert order["items"] == desk.shop.base.orders[DELIVERED]["items"]


def test_after_30_calls_no_more_are_taken_whatever_fork_made_them(desk):
    for _ in range(29):
        call(desk, "think", {"thought": "Hm."})
    fork = desk.fork()
    assert not fork.spent and desk.fingerprint() == fork.fingerprint()
    call(fork, "fly", {})
    assert fork.spent and not desk.spent


def test_thinking_says_nothing_and_handing_over_ends_it(desk):
    assert call(desk, "think", {"thought": "Hm."}).result == ""
    assert not desk.over
    assert call(desk, "transfer_to_human_agents", {"summary": "Help."}).result == "Transfer successful"
    assert desk.over
