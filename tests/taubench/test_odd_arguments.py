"""Arguments of odd types, answered as τ-bench's own tools answer them: Python functions that check no types. What they
write is written, what raises there is an error that changes nothing. On the small shop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from josh_engine.values import ToolCall, Turn
from taubench.environment import RetailEnvironment
from taubench.records import Overlay
from taubench.schema import WRITES
from taubench.tasks import read_base
from taubench.world import open_world
from tests.taubench.small_shop import (
    ADA,
    AWAY,
    BLUE,
    CARD,
    DELIVERED,
    GIFT,
    LAMP,
    PENDING,
    RED,
    SECOND,
    STEEL,
    plain_files,
    write_folder,
)  # fmt: skip

RAISES = object()  # the words after "Error: " are Python's there and ours here
DONE = object()  # a record comes back
FIND, EMAIL = "find_user_id_by_name_zip", "find_user_id_by_email"
ADDRESS, HOME, PAYMENT = "modify_pending_order_address", "modify_user_address", "modify_pending_order_payment"
CANCEL, ITEMS = "cancel_pending_order", "modify_pending_order_items"
RETURN, EXCHANGE = "return_delivered_order_items", "exchange_delivered_order_items"
NAMED = {"first_name": "Ada", "last_name": "Byron", "zip": "10001"}
SENT, LIVES = {"order_id": PENDING, **AWAY}, {"user_id": ADA, **AWAY}
CHANGED = {"order_id": PENDING, "item_ids": [RED], "new_item_ids": [BLUE], "payment_method_id": CARD}
BACK = {"order_id": DELIVERED, "item_ids": [RED], "payment_method_id": GIFT}
OTHER = {"order_id": DELIVERED, "item_ids": [BLUE], "new_item_ids": [RED], "payment_method_id": GIFT}
NO_ORDER, NO_USER, NO_PRODUCT = "Error: order not found", "Error: user not found", "Error: product not found"
NO_METHOD, REASON = "Error: payment method not found", "Error: invalid reason"
LENGTHS = "Error: the number of items to be exchanged should match"

# (tool, arguments, the answer; DONE and what is stored where the tool writes)
ODD: list[tuple[str, dict[str, Any], object]] = [
    # what is never looked at may be anything
    ("think", {"thought": None}, ""), ("think", {"thought": {"plan": ["a", 1]}}, ""), ("think", {"thought": 3.5}, ""),
    ("transfer_to_human_agents", {"summary": None}, "Transfer successful"),
    ("transfer_to_human_agents", {"summary": ["x"]}, "Transfer successful"),
    ("transfer_to_human_agents", {}, RAISES), ("think", {}, RAISES), ("think", {"thought": "x", "data": {}}, RAISES),
    ("list_all_product_types", {"query": None}, RAISES),
    # an id is looked up as a key: of another type it is not there, and a list or an object is no key
    ("get_order_details", {"order_id": 1}, NO_ORDER), ("get_order_details", {"order_id": None}, NO_ORDER),
    ("get_order_details", {"order_id": [PENDING]}, RAISES), ("get_order_details", {"order_id": {}}, RAISES),
    ("get_user_details", {"user_id": True}, NO_USER), ("get_user_details", {"user_id": [ADA]}, RAISES),
    ("get_product_details", {"product_id": int(LAMP)}, NO_PRODUCT),
    ("get_product_details", {"product_id": float(LAMP)}, NO_PRODUCT),
    ("get_product_details", {"product_id": {"id": LAMP}}, RAISES),
    # a name is lowered as a text, the last one only where the first fits; a zip code is only compared
    (EMAIL, {"email": None}, RAISES), (EMAIL, {"email": 5}, RAISES), (EMAIL, {"email": ["a@example.com"]}, RAISES),
    (FIND, {**NAMED, "zip": 10001}, NO_USER), (FIND, {**NAMED, "zip": None}, NO_USER),
    (FIND, {**NAMED, "zip": ["10001"]}, NO_USER), (FIND, {**NAMED, "first_name": None}, RAISES),
    (FIND, {**NAMED, "last_name": 7}, RAISES), (FIND, {**NAMED, "first_name": "Zoe", "last_name": 7}, NO_USER),
    # a sum is taken part by part, so a list of texts is looked through before it cannot be worked out
    ("calculate", {"expression": 4}, RAISES), ("calculate", {"expression": None}, RAISES),
    ("calculate", {"expression": ["2 + 2"]}, "Error: invalid characters in expression"),
    ("calculate", {"expression": ["2", "+"]}, RAISES), ("calculate", {"expression": [2]}, RAISES),
    ("calculate", {"expression": {"sum": "2"}}, "Error: invalid characters in expression"),
    ("calculate", {"expression": []}, RAISES),
    # a reason is compared with the two that there are
    (CANCEL, {"order_id": PENDING, "reason": None}, REASON), (CANCEL, {"order_id": PENDING, "reason": []}, REASON),
    (CANCEL, {"order_id": 5, "reason": None}, NO_ORDER), (CANCEL, {"order_id": {}, "reason": None}, RAISES),
    # an address is stored as it is given
    (ADDRESS, {**SENT, "zip": 94000}, DONE), (ADDRESS, {**SENT, "address2": None}, DONE),
    (ADDRESS, {**SENT, "city": None, "state": False}, DONE), (ADDRESS, {**SENT, "address1": ["9", {"at": 1.5}]}, DONE),
    (ADDRESS, {**SENT, "order_id": 1, "zip": 1}, NO_ORDER), (ADDRESS, {**SENT, "order_id": [PENDING]}, RAISES),
    (ADDRESS, {"order_id": PENDING, "zip": 1}, RAISES), (HOME, {**LIVES, "zip": 94000.5}, DONE),
    (HOME, {**LIVES, "country": {"code": "US"}}, DONE), (HOME, {**LIVES, "user_id": None}, NO_USER),
    # a payment method is looked up as a key, where it is come to
    (PAYMENT, {"order_id": SECOND, "payment_method_id": None}, NO_METHOD),
    (PAYMENT, {"order_id": SECOND, "payment_method_id": 3000001}, NO_METHOD),
    (PAYMENT, {"order_id": SECOND, "payment_method_id": [CARD]}, RAISES),
    (PAYMENT, {"order_id": DELIVERED, "payment_method_id": [CARD]}, "Error: non-pending order cannot be modified"),
    # items are counted one by one: a text letter by letter, an object has no count, no items at all are fine
    (RETURN, {**BACK, "item_ids": RED}, "Error: some item not found"), (RETURN, {**BACK, "item_ids": ""}, DONE),
    (RETURN, {**BACK, "item_ids": {}}, DONE), (RETURN, {**BACK, "item_ids": {RED: 1}}, RAISES),
    (RETURN, {**BACK, "item_ids": None}, RAISES), (RETURN, {**BACK, "item_ids": 1}, RAISES),
    (RETURN, {**BACK, "item_ids": [int(RED)]}, "Error: some item not found"),
    (RETURN, {**BACK, "item_ids": [[RED]]}, "Error: some item not found"),
    (RETURN, {**BACK, "item_ids": None, "payment_method_id": None}, NO_METHOD),
    (RETURN, {**BACK, "payment_method_id": {}}, RAISES),
    (EXCHANGE, {**OTHER, "item_ids": BLUE}, "Error: 2 not found"),
    (EXCHANGE, {**OTHER, "item_ids": [None]}, "Error: None not found"),
    (EXCHANGE, {**OTHER, "item_ids": [{"id": RED}]}, f"Error: {{'id': '{RED}'}} not found"),
    (EXCHANGE, {**OTHER, "new_item_ids": None}, RAISES), (EXCHANGE, {**OTHER, "new_item_ids": RED}, LENGTHS),
    (EXCHANGE, {**OTHER, "new_item_ids": "2"}, "Error: new item 2 not found or available"),
    (EXCHANGE, {**OTHER, "new_item_ids": [int(RED)]}, f"Error: new item {RED} not found or available"),
    (EXCHANGE, {**OTHER, "new_item_ids": [[RED]]}, RAISES), (EXCHANGE, {**OTHER, "new_item_ids": {RED: None}}, DONE),
    (EXCHANGE, {**OTHER, "item_ids": "", "new_item_ids": {}}, DONE),
    (ITEMS, {**CHANGED, "item_ids": f"{RED}"}, "Error: 2 not found"), (ITEMS, {**CHANGED, "item_ids": True}, RAISES),
    (ITEMS, {**CHANGED, "new_item_ids": {BLUE: "x"}}, DONE), (ITEMS, {**CHANGED, "new_item_ids": 1.5}, RAISES),
    (ITEMS, {**CHANGED, "payment_method_id": None}, NO_METHOD), (ITEMS, {**CHANGED, "payment_method_id": []}, RAISES),
    (ITEMS, {**CHANGED, "new_item_ids": [STEEL], "payment_method_id": []},
     f"Error: new item {STEEL} not found or available"),
    (ITEMS, {**CHANGED, "item_ids": {}, "new_item_ids": ""}, DONE),
]  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return read_base(write_folder(tmp_path_factory.mktemp("shop"), plain_files()))


def made(desk: RetailEnvironment, name: str, arguments: dict[str, Any]) -> ToolCall:
    return desk.call(ToolCall("call_1", name, arguments))


@pytest.mark.parametrize(("name", "arguments", "answer"), ODD)
def test_arguments_of_odd_types_are_answered_as_by_functions_that_check_none(base, name, arguments, answer):
    desk = RetailEnvironment(base)
    answered = made(desk, name, arguments)
    wrote = desk.shop.digest() != Overlay(base).digest()
    if answer is DONE:
        assert answered.error is None and wrote and name in WRITES
        table, key = ("users", "user_id") if name == HOME else ("orders", "order_id")
        assert json.loads(answered.result or "") == getattr(desk.shop, table)[arguments[key]]
    elif answer is RAISES:
        assert answered.fault == "bad_argument" and (answered.error or "").startswith("Error: ") and not wrote
    elif str(answer).startswith("Error: "):
        assert (answered.error, answered.fault, wrote) == (answer, "refused", False)
    else:
        assert (answered.result, answered.error, wrote) == (answer, None, False)
    assert desk.over == (name == "transfer_to_human_agents"), "a handover ends it even where it failed"


def test_what_is_stored_is_what_was_given_types_and_all(base):
    desk = RetailEnvironment(base)
    given = {**AWAY, "zip": 94000, "address2": None, "city": ["Barton"], "state": True}
    order = json.loads(made(desk, ADDRESS, {"order_id": PENDING, **given}).result or "")
    assert order["address"] == given and list(order["address"])[-1] == "zip"
    made(desk, HOME, {"user_id": ADA, **AWAY, "zip": 94000})
    assert made(desk, FIND, {**NAMED, "zip": "94000"}).error == NO_USER
    assert made(desk, FIND, {**NAMED, "zip": 94000}).result == ADA, "stored as a number, it is found as one"
    nothing = json.loads(made(desk, RETURN, {**BACK, "item_ids": ""}).result or "")
    assert (nothing["return_items"], nothing["status"]) == ([], "return requested")


def test_a_text_and_a_number_make_two_databases_by_either_hash(base):
    ends = []
    for zip_code in ("94000", 94000, 94000.0):
        desk = RetailEnvironment(base)
        made(desk, HOME, {**LIVES, "zip": zip_code})
        ends.append((desk.shop.digest(), desk.shop.official_hash()))
    assert len({own for own, _ in ends}) == len({official for _, official in ends}) == 3


def test_what_was_given_cannot_be_changed_from_outside_afterwards(base):
    desk, lines = RetailEnvironment(base), ["9", "Hill Road"]
    made(desk, ADDRESS, {**SENT, "address1": lines})
    before = desk.shop.digest()
    lines.append("x")
    assert desk.shop.digest() == before


def test_a_write_of_another_type_pays_no_goal_and_no_grade(data):
    world = open_world(data)
    scenario = next(each for each in world.scenarios("train") if each.id == "train-003")
    for zip_code, paid in (("94000", 1), (94000, 0)):
        desk = world.environment(scenario)
        call = made(desk, ADDRESS, {**SENT, "zip": zip_code})
        assert call.error is None
        assert len(world.reward.reached(scenario.goals, Turn("agent", (), (call,)), desk)) == paid
        rest = made(desk, ITEMS, CHANGED)
        assert rest.error is None and world.reward.graded(scenario, (), desk).reward == paid


def test_the_schema_is_checked_where_a_person_asks_for_it(data, base):
    world = open_world(data, {"strict_arguments": "on"})
    desk = world.environment(world.scenarios("train")[0])
    for name, arguments, _ in ODD:
        before = desk.fingerprint()
        answered = made(desk, name, arguments)
        assert (answered.fault, desk.fingerprint(), desk.over) == ("bad_argument", before, False), (name, arguments)
    assert made(desk.fork(), "think", {"thought": None}).fault == "bad_argument", "a fork is as strict"
    turn = Turn("agent", (), (ToolCall("call_1", ADDRESS, {**SENT, "zip": 1}),))
    assert world.changes([turn]) == [()] and open_world(data).changes([turn]) != [()]


def test_odd_arguments_on_the_real_shop_leave_what_the_official_tools_leave(files):
    """`think` with null and a zip code as a number, on τ-bench's own records, by its own hash."""
    real = read_base(files)
    order = next(key for key, each in real.orders.items() if each["status"] == "pending")
    desk = RetailEnvironment(real)
    assert made(desk, "think", {"thought": None}).result == ""
    home = {**AWAY, "zip": 94000, "address2": None, "city": None}
    assert made(desk, ADDRESS, {"order_id": order, **home}).error is None
    expected = Overlay(real)
    expected.orders[order] = {**real.orders[order], "address": home}
    assert desk.shop.official_hash() == expected.official_hash()
