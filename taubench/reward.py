"""What is paid, and how a conversation is graded.

A goal is a gold write that succeeds; a call pays it if it succeeded and is equal up to the order of lists where the
order has no effect on the records. Rule `authors` pays as the public code of arXiv 2409.04617 does, for comparison:
every gold call is a goal, reads included, and a call with literally its name and arguments pays it, whether it
succeeded or not. In which order goals are reached matters under neither.

A conversation is graded as τ-bench grades it: 1 iff the database equals the gold one (that after the task's gold calls)
and every output was said in some reply; else 0, and 0 where it ran out of steps. Grading reads the leaf's world and
changes nothing in it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from josh_engine.values import Goal, Grade, Json, Scenario, Turn
from taubench.environment import MOST_STEPS, RetailEnvironment, played
from taubench.records import Base, nested
from taubench.schema import TRANSFER

GoalRule = Literal["paper", "authors"]
GOAL_RULES: tuple[GoalRule, ...] = ("paper", "authors")


class RetailReward:
    def __init__(self, base: Base, rule: GoalRule = "paper") -> None:
        self.base, self.rule = base, rule
        self._gold: dict[str, str] = {}

    def reached(self, open_goals: Iterable[Goal], turn: Turn, environment: RetailEnvironment) -> frozenset[str]:
        """One call pays at most one goal."""
        form = meant if self.rule == "paper" else literal
        left = [(goal, form(goal.name, goal.arguments)) for goal in open_goals]
        found = []
        for call in turn.calls:
            if not call.reached or (self.rule == "paper" and (call.error is not None or call.result is None)):
                continue
            paid = next((each for each in left if each[1] == form(call.name, call.arguments)), None)
            if paid is not None:
                left.remove(paid)
                found.append(paid[0].id)
        return frozenset(found)

    def graded(self, scenario: Scenario, path: Sequence[Turn], environment: RetailEnvironment) -> Grade:
        own = [turn for turn in path if turn.speaker == "agent"]
        steps = sum(len(turn.calls) + (turn.reply is not None and turn.stop == "spoke") for turn in own)
        if steps > MOST_STEPS or any(turn.stop == "failed" for turn in own):
            return Grade(0.0, f"Out of steps: {steps}, and {MOST_STEPS} are allowed.")
        right = environment.shop.digest() == self.gold(scenario)
        missing = [each for each in scenario.setup.get("outputs", ()) if not said(path, str(each))]
        beside = " Not all of the task's gold writes can succeed." if scenario.setup.get("unachievable") else ""
        if right and not missing:
            return Grade(1.0, f"The database is as it should be, and all was said.{beside}")
        told = [] if right else ["the database differs from what it should be"]
        told += [f"never said: {', '.join(missing)}"] if missing else []
        return Grade(0.0, f"{'; '.join(told).capitalize()}.{beside}")

    def gold(self, scenario: Scenario) -> str:
        """The digest of the database after the task's gold calls. Worked out once per task."""
        if scenario.id not in self._gold:
            actions = [each for each in scenario.setup["actions"] if each["name"] != TRANSFER]
            self._gold[scenario.id] = played(self.base, actions)[0].shop.digest()
        return self._gold[scenario.id]


def said(path: Sequence[Turn], output: str) -> bool:
    """Whether some reply of the agent's holds it, without regard to case and to commas in the reply."""
    wanted = output.lower()
    return any(wanted in (turn.reply or "").lower().replace(",", "") for turn in path if turn.speaker == "agent")


def meant(name: str, arguments: Mapping[str, Json]) -> tuple[object, ...]:
    """A call in the form in which equal effects are equal: returned and exchanged items are kept sorted, each list by
    itself; in a change of items each old one goes with its new one. Other values are equal only with their types: a zip
    code stored as a number makes another database."""
    given = dict(arguments)
    items, new = tuple(given.pop("item_ids", None) or ()), tuple(given.pop("new_item_ids", None) or ())
    together = name == "modify_pending_order_items" and len(items) == len(new)
    lists = tuple(sorted(zip(items, new, strict=True))) if together else (tuple(sorted(items)), tuple(sorted(new)))
    return (name, tuple(sorted((key, repr(nested(value))) for key, value in given.items())), lists)


def literal(name: str, arguments: Mapping[str, Json]) -> tuple[object, ...]:
    """A call as it stands, lists in their order."""
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()}
    return (name, sorted(plain.items(), key=lambda item: item[0]))
