"""A shop of τ-bench's shape, with invented contents, small enough to see: what the world and its import are tested on
where τ-bench's own files are not at hand."""

from __future__ import annotations

import json
import pprint
import zipfile
from pathlib import Path
from typing import Any

from taubench.files import SPLITS, TABLES
from taubench.tasks import import_retail

LAMP, KETTLE = "1000000001", "1000000002"
RED, BLUE, SOLD_OUT, STEEL, GLASS = "2000000001", "2000000002", "2000000003", "2000000011", "2000000012"
CARD, GIFT, PAYPAL = "credit_card_3000001", "gift_card_3000002", "paypal_3000003"
ADA, BEN, CLEO = "ada_byron_1001", "ben_stone_1002", "cleo_park_1003"
PENDING, DELIVERED, BENS, PROCESSED, SECOND = "#W0000001", "#W0000002", "#W0000003", "#W0000004", "#W0000005"
HOME = {"address1": "1 Mill Lane", "address2": "", "city": "Ashford", "country": "USA", "state": "NY", "zip": "10001"}
AWAY = {
    "address1": "9 Hill Road",
    "address2": "Flat 2",
    "city": "Barton",
    "state": "CA",
    "country": "USA",
    "zip": "94000",
}


def variant(item: str, price: float, *, available: bool = True, **options: str) -> dict[str, Any]:
    return {"item_id": item, "options": options, "available": available, "price": price}


PRODUCTS: dict[str, Any] = {
    LAMP: {"name": "Lamp", "product_id": LAMP, "variants": {
        RED: variant(RED, 40.5, colour="red"), BLUE: variant(BLUE, 45.2, colour="blue"),
        SOLD_OUT: variant(SOLD_OUT, 99.0, available=False, colour="gold"),
    }},
    KETTLE: {"name": "Kettle", "product_id": KETTLE, "variants": {
        STEEL: variant(STEEL, 20.1, body="steel"), GLASS: variant(GLASS, 31.3, body="glass"),
    }},
}  # fmt: skip


def item(product: str, item_id: str) -> dict[str, Any]:
    found = PRODUCTS[product]["variants"][item_id]
    return {"name": PRODUCTS[product]["name"], "product_id": product, "item_id": item_id, "price": found["price"],
            "options": found["options"]}  # fmt: skip


def order(key: str, user: str, status: str, method: str, *items: dict[str, Any]) -> dict[str, Any]:
    paid = {"transaction_type": "payment", "amount": sum(each["price"] for each in items), "payment_method_id": method}
    return {"order_id": key, "user_id": user, "address": HOME, "items": list(items), "fulfillments": [],
            "status": status, "payment_history": [paid]}  # fmt: skip


ORDERS: dict[str, Any] = {
    each["order_id"]: each
    for each in (
        order(PENDING, ADA, "pending", CARD, item(LAMP, RED), item(KETTLE, STEEL)),
        order(DELIVERED, ADA, "delivered", GIFT, item(LAMP, RED), item(LAMP, BLUE), item(LAMP, RED)),
        order(BENS, BEN, "delivered", PAYPAL, item(KETTLE, STEEL)),
        order(PROCESSED, BEN, "processed", PAYPAL, item(LAMP, BLUE)),
        order(SECOND, ADA, "pending", GIFT, item(KETTLE, GLASS)),
    )
}


def user(first: str, last: str, zip_code: str, methods: list[dict[str, Any]], orders: list[str]) -> dict[str, Any]:
    email = f"{first}.{last}@example.com".lower()
    return {"name": {"first_name": first, "last_name": last}, "address": {**HOME, "zip": zip_code}, "email": email,
            "payment_methods": {each["id"]: each for each in methods}, "orders": orders}  # fmt: skip


USERS: dict[str, Any] = {
    ADA: user("Ada", "Byron", "10001", [
        {"source": "credit_card", "brand": "visa", "last_four": "1111", "id": CARD},
        {"source": "gift_card", "balance": 5, "id": GIFT},
    ], [PENDING, DELIVERED, SECOND]),
    BEN: user("Ben", "Stone", "10002", [{"source": "paypal", "id": PAYPAL}], [BENS, PROCESSED]),
    CLEO: user("Cleo", "Park", "10003", [], []),
}  # fmt: skip


def task(index: int, split: str, user_id: str, instruction: str, *actions: tuple[str, dict[str, Any]], **more: Any):
    return {"id": index, "split": split, "annotator": "", "user_id": user_id, "instruction": instruction,
            "actions": [{"name": name, "kwargs": kwargs} for name, kwargs in actions],
            "outputs": more.get("outputs", [])}  # fmt: skip


CANCEL = ("cancel_pending_order", {"order_id": PENDING, "reason": "no longer needed"})
RETURN = (
    "return_delivered_order_items",
    {"order_id": DELIVERED, "item_ids": [BLUE, RED], "payment_method_id": GIFT},
)
TOO_DEAR = (
    "modify_pending_order_items",
    {"order_id": SECOND, "item_ids": [GLASS], "new_item_ids": [STEEL], "payment_method_id": "gift_card_0000000"},
)
TASKS: dict[str, list[dict[str, Any]]] = {
    "train": [
        task(0, "train", ADA, "You are Ada Byron in 10001. Return a blue and a red lamp to your gift card.", RETURN),
        task(1, "train", ADA, "You are Ada Byron in 10001. Cancel #W0000001, and return a blue and a red lamp.",
             CANCEL, RETURN),
        task(2, "train", ADA, "You are Ada Byron. Change the kettle of #W0000005; pay by a card you lost.", TOO_DEAR),
        task(3, "train", ADA, "You are Ada Byron. Send #W0000001 to your other home, and make its lamp blue.",
             ("modify_pending_order_address", {"order_id": PENDING, **AWAY}),
             ("modify_pending_order_items",
              {"order_id": PENDING, "item_ids": [RED], "new_item_ids": [BLUE], "payment_method_id": CARD})),
    ],
    "dev": [
        task(0, "dev", ADA, "You are Ada Byron. Pay #W0000005 by credit card instead.",
             ("modify_pending_order_payment", {"order_id": SECOND, "payment_method_id": CARD})),
    ],
    "test": [
        task(0, "test", BEN, "You are Ben Stone in 10002. Return the kettle, and ask how many lamps there are.",
             ("find_user_id_by_name_zip", {"first_name": "Ben", "last_name": "Stone", "zip": "10002"}),
             ("get_product_details", {"product_id": LAMP}),
             ("return_delivered_order_items",
              {"order_id": BENS, "item_ids": [STEEL], "payment_method_id": PAYPAL}), outputs=["1102"]),
        task(1, "test", ADA, "You are Ada Byron. Cancel #W0000001, you moved: 9 Hill Road.",
             CANCEL, ("modify_user_address", {"user_id": ADA, **AWAY})),
        task(2, "test", CLEO, "You are Cleo Park and want a discount; ask for a person.",
             ("transfer_to_human_agents", {"summary": "Wants a discount."})),
        task(3, "test", BEN, "You are Ben Stone. You first say the wrong zip code. Return the kettle.",
             ("find_user_id_by_name_zip", {"first_name": "Ben", "last_name": "Stone", "zip": "99999"}),
             ("return_delivered_order_items",
              {"order_id": BENS, "item_ids": [STEEL], "payment_method_id": PAYPAL})),
    ],
}  # fmt: skip
POLICY = "You help the customers of a shop.\n"
COUNTED = {"USERS": USERS, "ORDERS": ORDERS, "PRODUCTS": PRODUCTS}


def plain_files() -> dict[str, str]:
    """As this product keeps them."""
    tables = dict(zip(TABLES, COUNTED.values(), strict=True))
    told = {f"{name}.json": json.dumps(table) for name, table in tables.items()}
    told |= {f"tasks_{split}.json": json.dumps(TASKS[split]) for split in SPLITS}
    return told | {"wiki.md": POLICY, "LICENSE": "MIT"}


def repository_files() -> dict[str, str]:
    """As τ-bench's repository has them: tasks in Python, a second domain beside retail."""
    plain, retail = plain_files(), "tau_bench/envs/retail"
    told = {f"{retail}/data/{name}.json": plain[f"{name}.json"] for name in TABLES}
    told |= {f"{retail}/tasks_{split}.py": python_tasks(split) for split in SPLITS}
    airline = {f"tau_bench/envs/airline/{name}": "x" for name in ("wiki.md", "tasks_test.py", "data/users.json")}
    return told | airline | {f"{retail}/wiki.md": POLICY, "LICENSE": "MIT", "README.md": "x", "setup.py": "x"}


def python_tasks(split: str) -> str:
    """A file of τ-bench's form."""

    def action(each: dict[str, Any]) -> str:
        return f"            Action(name={each['name']!r}, kwargs={pprint.pformat(each['kwargs'])}),\n"

    def one(each: dict[str, Any]) -> str:
        fields = "".join(f"        {name}={each[name]!r},\n" for name in ("annotator", "user_id", "instruction"))
        actions = "".join(map(action, each["actions"]))
        return (
            f"    Task(\n{fields}        actions=[\n{actions}        ],\n        outputs={each['outputs']!r},\n    ),\n"
        )

    tasks = "".join(map(one, TASKS[split]))
    return f"from tau_bench.types import Action, Task\n\nTASKS_{split.upper()} = [\n{tasks}]\n"


def write_folder(folder: Path, files: dict[str, str] | None = None) -> Path:
    for name, text in (files or plain_files()).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def write_zip(place: Path, files: dict[str, str] | None = None) -> Path:
    """Of the repository, in a folder named after a commit, as it is published."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (files or repository_files()).items():
            archive.writestr(f"tau-bench-59a200c/{name}", text)
    return place


def imported_shop(data: Path) -> Path:
    """`data` with the small shop in it."""
    source = write_folder(data.parent / f"{data.name}-source")
    import_retail(source, data)
    return data
