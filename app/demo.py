"""The demonstration: `JOSH_DEMO=1` makes a server in which nothing can be changed and nothing is started. Whatever
would write, start a process or ask another machine is refused by name. `app.demo_store` makes the store to show.
"""

from __future__ import annotations

import os

from storage.database import ReadOnlyStore

VARIABLE = "JOSH_DEMO"


def wanted() -> bool:
    return os.environ.get(VARIABLE, "") not in ("", "0")


def refuse(what: str) -> None:
    """Raises ReadOnlyStore in a demonstration; else nothing. `what`: the beginning of a sentence."""
    if wanted():
        raise ReadOnlyStore(
            f"{what} is not part of this demonstration.", remedy="In an app of your own it is: make run."
        )
