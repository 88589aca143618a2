"""The 16 tools as they are offered to an agent: names, parameters and order as in τ-bench's retail domain
(https://github.com/sierra-research/tau-bench), descriptions in our own words."""

from __future__ import annotations

from collections.abc import Mapping

from josh_engine.values import Json, Tool

ORDER_ID = "The order's id, with the '#' before it, such as '#W0000000'."
METHOD = "A payment method of the user's, such as 'gift_card_0000000' or 'credit_card_0000000'."
ITEMS = "Ids of items of the order, each as often as it is meant."
NEW_ITEMS = "Ids of the items to get instead, in the same order; each must be a variant of the same product."
ADDRESS = {
    "address1": "The first line of the address.", "address2": "The second line of the address.",
    "city": "The city.", "state": "The state, such as 'CA'.", "country": "The country, such as 'USA'.",
    "zip": "The zip code, such as '12345'.",
}  # fmt: skip
ADDRESS_ORDER = ("address1", "address2", "city", "state", "country", "zip")
REASONS = ("no longer needed", "ordered by mistake")
LISTS = ("item_ids", "new_item_ids")
CONFIRMED = " Ask the user for an explicit yes first."

_DESCRIBED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "calculate": (
        "Works out an arithmetic expression.",
        {"expression": "Digits, + - * / ( ) . and blanks, such as '2 * (3 + 4)'."},
    ),
    "cancel_pending_order": (
        "Cancels a pending order and refunds what was paid: to a gift card at once, else within a week." + CONFIRMED,
        {"order_id": ORDER_ID, "reason": "One of the two reasons for which an order may be cancelled."},
    ),
    "exchange_delivered_order_items": (
        "Asks for items of a delivered order to be exchanged for others of the same products; once per order."
        + CONFIRMED,
        {"order_id": ORDER_ID, "item_ids": ITEMS, "new_item_ids": NEW_ITEMS,
         "payment_method_id": f"Pays or gets back the difference. {METHOD}"},
    ),
    "find_user_id_by_email": ("Finds a user by email.", {"email": "The user's email."}),
    "find_user_id_by_name_zip": (
        "Finds a user by name and zip code, where there is no email.",
        {"first_name": "The first name.", "last_name": "The last name.", "zip": ADDRESS["zip"]},
    ),
    "get_order_details": ("Reads an order: status, items, payments, address.", {"order_id": ORDER_ID}),
    "get_product_details": (
        "Reads a product with all its variants, their prices and whether they are available.",
        {"product_id": "The product's id, which is not an item's id."},
    ),
    "get_user_details": ("Reads a user: address, payment methods, orders.", {"user_id": "The user's id."}),
    "list_all_product_types": ("Lists the products' names with their ids.", {}),
    "modify_pending_order_address": (
        "Changes the address a pending order goes to." + CONFIRMED, {"order_id": ORDER_ID, **ADDRESS}
    ),
    "modify_pending_order_items": (
        "Changes items of a pending order for others of the same products; once per order, and nothing else of it can"
        " be changed after that." + CONFIRMED,
        {"order_id": ORDER_ID, "item_ids": ITEMS, "new_item_ids": NEW_ITEMS,
         "payment_method_id": f"Pays or gets back the difference. {METHOD}"},
    ),
    "modify_pending_order_payment": (
        "Changes how a pending order is paid." + CONFIRMED, {"order_id": ORDER_ID, "payment_method_id": METHOD}
    ),
    "modify_user_address": (
        "Changes the address kept with a user." + CONFIRMED, {"user_id": "The user's id.", **ADDRESS}
    ),
    "return_delivered_order_items": (
        "Asks for items of a delivered order to be taken back; once per order." + CONFIRMED,
        {"order_id": ORDER_ID, "item_ids": ITEMS,
         "payment_method_id": f"Gets the refund: the one paid with, or a gift card. {METHOD}"},
    ),
    "think": ("Notes a thought. Nothing is read and nothing changes.", {"thought": "The thought."}),
    "transfer_to_human_agents": (
        "Hands the user over to a person, where the tools cannot help. The conversation ends with it.",
        {"summary": "What the user wants, in short."},
    ),
}  # fmt: skip


def _property(name: str, meaning: str) -> dict[str, Json]:
    if name in LISTS:
        return {"type": "array", "items": {"type": "string"}, "description": meaning}
    told: dict[str, Json] = {"type": "string", "description": meaning}
    return told | {"enum": list(REASONS)} if name == "reason" else told


def _tool(name: str, description: str, parameters: Mapping[str, str]) -> Tool:
    properties = {each: _property(each, meaning) for each, meaning in parameters.items()}
    return Tool(name, description, {"type": "object", "properties": properties, "required": list(parameters)})


TOOLS = tuple(_tool(name, *told) for name, told in _DESCRIBED.items())
PARAMETERS: Mapping[str, tuple[str, ...]] = {name: tuple(parameters) for name, (_, parameters) in _DESCRIBED.items()}
WRITES = (
    "cancel_pending_order", "exchange_delivered_order_items", "modify_pending_order_address",
    "modify_pending_order_items", "modify_pending_order_payment", "modify_user_address",
    "return_delivered_order_items",
)  # fmt: skip
TRANSFER = "transfer_to_human_agents"
