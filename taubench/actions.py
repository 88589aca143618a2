"""What each tool does: the checks in their order, the exact answers, the effect. A check that fails changes nothing.

Source: τ-bench's retail domain, https://github.com/sierra-research/tau-bench at 59a200c; facts, in our own code. Sums
of prices are not rounded where they are not there: rounding breaks the equality of databases.

Arguments are of any JSON type, since nothing there checks them: a number as zip code is stored as a number, a text as
`item_ids` is taken letter by letter, an object by its keys. What cannot be done with a type raises TypeError or
AttributeError, and always before anything is written. Pure.
"""

from __future__ import annotations

import ast
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taubench.records import Overlay, Record, told
from taubench.schema import ADDRESS_ORDER, REASONS

NO_ORDER, NO_USER, NO_PRODUCT = "Error: order not found", "Error: user not found", "Error: product not found"
NO_METHOD = "Error: payment method not found"
NOT_PENDING = "Error: non-pending order cannot be modified"
ARITHMETIC = "0123456789+-*/(). "
LONGEST_EXPRESSION, LARGEST_POWER = 500, 1_000


class Refused(Exception):
    """The tool says no, in the words that the agent reads."""


def _order(shop: Overlay, order_id: str) -> Record:
    found = shop.order(order_id)
    if found is None:
        raise Refused(NO_ORDER)
    return found


def find_user_id_by_email(shop: Overlay, email: str) -> str:
    wanted = email.lower()
    for key in shop.base.users:
        if shop.user(key)["email"].lower() == wanted:  # type: ignore[index]
            return key
    raise Refused(NO_USER)


def find_user_id_by_name_zip(shop: Overlay, first_name: str, last_name: str, zip: str) -> str:  # noqa: A002
    for key in shop.base.users:
        user = shop.user(key) or {}
        name = user["name"]
        if (  # a last name is looked at only where the first one fits
            name["first_name"].lower() == first_name.lower()
            and name["last_name"].lower() == last_name.lower()
            and user["address"]["zip"] == zip
        ):
            return key
    raise Refused(NO_USER)


def get_user_details(shop: Overlay, user_id: str) -> str:
    found = shop.user(user_id)
    if found is None:
        raise Refused(NO_USER)
    return told(found)


def get_order_details(shop: Overlay, order_id: str) -> str:
    return told(_order(shop, order_id))


def get_product_details(shop: Overlay, product_id: str) -> str:
    found = shop.base.products.get(product_id)
    if found is None:
        raise Refused(NO_PRODUCT)
    return told(found)


def list_all_product_types(shop: Overlay) -> str:
    return json.dumps(dict(sorted((each["name"], each["product_id"]) for each in shop.base.products.values())))


def think(shop: Overlay, thought: str) -> str:
    return ""


def transfer_to_human_agents(shop: Overlay, summary: str) -> str:
    return "Transfer successful"


_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Pow: operator.pow,
}  # fmt: skip


def calculate(shop: Overlay, expression: str) -> str:
    """Python's arithmetic, worked out without `eval`."""
    if not all(part in ARITHMETIC for part in expression):
        raise Refused("Error: invalid characters in expression")
    if not isinstance(expression, str):
        raise TypeError("only a text can be worked out")
    if len(expression) > LONGEST_EXPRESSION:
        raise Refused("Error: the expression is too long")
    try:
        return str(round(float(_value(ast.parse(expression.strip(), mode="eval").body)), 2))
    except ZeroDivisionError:
        raise Refused("Error: division by zero") from None
    except (SyntaxError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        raise Refused("Error: the expression cannot be worked out") from None


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else +value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow) and (abs(right) > LARGEST_POWER or abs(left) > 10**6):
            raise OverflowError
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError


def cancel_pending_order(shop: Overlay, order_id: str, reason: str) -> str:
    if _order(shop, order_id)["status"] != "pending":
        raise Refused("Error: non-pending order cannot be cancelled")
    if reason not in REASONS:
        raise Refused("Error: invalid reason")
    order = shop.own_order(order_id)
    user: Record | None = None
    refunds = []
    for paid in order["payment_history"]:
        method, amount = paid["payment_method_id"], paid["amount"]
        refunds.append({"transaction_type": "refund", "amount": amount, "payment_method_id": method})
        if "gift_card" in method:
            user = user or shop.own_user(order["user_id"])
            _credit(user, method, amount)
    order["status"] = "cancelled"
    order["cancel_reason"] = reason
    order["payment_history"].extend(refunds)
    return _kept(shop, order, user)


def modify_pending_order_address(shop: Overlay, order_id: str, **address: str) -> str:
    if _order(shop, order_id)["status"] != "pending":
        raise Refused(NOT_PENDING)
    order = shop.own_order(order_id)
    order["address"] = _address(address)
    return _kept(shop, order)


def modify_user_address(shop: Overlay, user_id: str, **address: str) -> str:
    if shop.user(user_id) is None:
        raise Refused(NO_USER)
    user = shop.own_user(user_id)
    user["address"] = _address(address)
    shop.users[user_id] = user
    return told(user)


def modify_pending_order_payment(shop: Overlay, order_id: str, payment_method_id: str) -> str:
    order = _order(shop, order_id)
    if order["status"] != "pending":
        raise Refused(NOT_PENDING)
    methods = _methods(shop, order)
    if payment_method_id not in methods:
        raise Refused(NO_METHOD)
    history = order["payment_history"]
    if len(history) > 1 or history[0]["transaction_type"] != "payment":
        raise Refused("Error: there should be exactly one payment for a pending order")
    old, amount = history[0]["payment_method_id"], history[0]["amount"]
    if old == payment_method_id:
        raise Refused("Error: the new payment method should be different from the current one")
    to_card, from_card = _is_card(methods[payment_method_id]), "gift_card" in old
    if to_card and methods[payment_method_id]["balance"] < amount:
        raise Refused("Error: insufficient gift card balance to pay for the order")
    order = shop.own_order(order_id)
    order["payment_history"] += [
        {"transaction_type": "payment", "amount": amount, "payment_method_id": payment_method_id},
        {"transaction_type": "refund", "amount": amount, "payment_method_id": old},
    ]
    user: Record | None = None
    if to_card or from_card:
        user = shop.own_user(order["user_id"])
        if to_card:
            _credit(user, payment_method_id, -amount)
        if from_card:
            _credit(user, old, amount)
    return _kept(shop, order, user)


def modify_pending_order_items(
    shop: Overlay, order_id: str, item_ids: Sequence[str], new_item_ids: Sequence[str], payment_method_id: str
) -> str:
    order = _order(shop, order_id)
    if order["status"] != "pending":
        raise Refused(NOT_PENDING)
    difference, variants = _exchanged(shop, order, item_ids, new_item_ids)
    methods = _methods(shop, order)
    if payment_method_id not in methods:
        raise Refused(NO_METHOD)
    card = _is_card(methods[payment_method_id])
    if card and methods[payment_method_id]["balance"] < difference:
        raise Refused("Error: insufficient gift card balance to pay for the new item")
    order = shop.own_order(order_id)
    order["payment_history"].append(
        {
            "transaction_type": "payment" if difference > 0 else "refund",
            "amount": abs(difference),
            "payment_method_id": payment_method_id,
        }
    )
    user: Record | None = None
    if card:
        user = shop.own_user(order["user_id"])
        _credit(user, payment_method_id, -difference)
    for old, variant in zip(item_ids, variants, strict=True):
        item = next(each for each in order["items"] if each["item_id"] == old)
        item["item_id"], item["price"] = variant["item_id"], variant["price"]
        item["options"] = dict(variant["options"])
    order["status"] = "pending (item modified)"
    return _kept(shop, order, user)


def return_delivered_order_items(shop: Overlay, order_id: str, item_ids: Sequence[str], payment_method_id: str) -> str:
    order = _order(shop, order_id)
    if order["status"] != "delivered":
        raise Refused("Error: non-delivered order cannot be returned")
    if payment_method_id not in _methods(shop, order):
        raise Refused(NO_METHOD)
    paid = order["payment_history"][0]["payment_method_id"]
    if "gift_card" not in payment_method_id and payment_method_id != paid:
        raise Refused("Error: payment method should be either the original payment method or a gift card")
    if _missing(order, item_ids):
        raise Refused("Error: some item not found")
    order = shop.own_order(order_id)
    order["status"] = "return requested"
    order["return_items"] = sorted(item_ids)
    order["return_payment_method_id"] = payment_method_id
    return _kept(shop, order)


def exchange_delivered_order_items(
    shop: Overlay, order_id: str, item_ids: Sequence[str], new_item_ids: Sequence[str], payment_method_id: str
) -> str:
    order = _order(shop, order_id)
    if order["status"] != "delivered":
        raise Refused("Error: non-delivered order cannot be exchanged")
    difference, _ = _exchanged(shop, order, item_ids, new_item_ids)
    difference = round(difference, 2)
    methods = _methods(shop, order)
    if payment_method_id not in methods:
        raise Refused(NO_METHOD)
    if _is_card(methods[payment_method_id]) and methods[payment_method_id]["balance"] < difference:
        raise Refused("Error: insufficient gift card balance to pay for the price difference")
    order = shop.own_order(order_id)
    order["status"] = "exchange requested"
    order["exchange_items"] = sorted(item_ids)
    order["exchange_new_items"] = sorted(new_item_ids)
    order["exchange_payment_method_id"] = payment_method_id
    order["exchange_price_difference"] = difference
    return _kept(shop, order)


def _exchanged(
    shop: Overlay, order: Record, item_ids: Sequence[str], new_item_ids: Sequence[str]
) -> tuple[Any, list[Record]]:
    """(price difference, summed in the list's order; the new variants)."""
    if missing := _missing(order, item_ids):
        raise Refused(f"Error: {missing[0]} not found")
    if len(item_ids) != len(new_item_ids):
        raise Refused("Error: the number of items to be exchanged should match")
    difference: Any = 0
    found = []
    for old, new in zip(item_ids, new_item_ids, strict=True):
        item = next(each for each in order["items"] if each["item_id"] == old)
        variant = shop.base.products[item["product_id"]]["variants"].get(new)
        if variant is None or not variant["available"]:
            raise Refused(f"Error: new item {new} not found or available")
        difference += variant["price"] - item["price"]
        found.append(variant)
    return difference, found


def _missing(order: Record, item_ids: Sequence[str]) -> list[Any]:
    """The first id that is listed more often than the order holds it; empty: there is none."""
    held = [item["item_id"] for item in order["items"]]
    return next(([each] for each in item_ids if item_ids.count(each) > held.count(each)), [])


def _methods(shop: Overlay, order: Record) -> Mapping[str, Record]:
    methods: Mapping[str, Record] = (shop.user(order["user_id"]) or {})["payment_methods"]
    return methods


def _is_card(method: Record) -> bool:
    return bool(method["source"] == "gift_card")


def _credit(user: Record, method: str, amount: float) -> None:
    card = user["payment_methods"][method]
    card["balance"] = round(card["balance"] + amount, 2)


def _address(given: Mapping[str, str]) -> Record:
    return {name: given[name] for name in ADDRESS_ORDER}


def _kept(shop: Overlay, order: Record, user: Record | None = None) -> str:
    shop.orders[order["order_id"]] = order
    if user is not None:
        shop.users[order["user_id"]] = user
    return told(order)


ACTIONS: Mapping[str, Callable[..., str]] = {
    each.__name__: each
    for each in (
        calculate, cancel_pending_order, exchange_delivered_order_items, find_user_id_by_email,
        find_user_id_by_name_zip, get_order_details, get_product_details, get_user_details, list_all_product_types,
        modify_pending_order_address, modify_pending_order_items, modify_pending_order_payment, modify_user_address,
        return_delivered_order_items, think, transfer_to_human_agents,
    )
}  # fmt: skip
