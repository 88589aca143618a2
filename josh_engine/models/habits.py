"""What an endpoint will not take, and how it is asked instead: learned from a refusal, kept for all later requests.

Each habit is a pure change of the request that leaves what is asked as it was, but for those with a `notice`: they
change how answers are drawn, so a person is told once. Changing twice is changing once. The words by which an endpoint
teaches a habit stand in `refusals.TABLE`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from josh_engine.models.notices import Notice
from josh_engine.values import Json

ONE_CALL = "one_call"
NO_SYSTEM_ALONE = "system_only"
NEARLY_ZERO = 0.01

Body = dict[str, Json]
Chat = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Habit:
    """`found`: how a test of the endpoint says it. `changes`: what is drawn is no longer what was chosen."""

    does: Callable[[Body], Body]
    found: str
    changes: bool = False

    def notice(self, name: str, where: str, said: str) -> Notice:
        """`where`: the endpoint's address; `said`: its words."""
        remedy = "Choose another model where that matters." if self.changes else ""
        return Notice(f"habit:{name}", f'{where} {self.found} (it says: "{said}").', remedy)


def fitted(body: Mapping[str, Json], learned: Collection[str]) -> Body:
    """The request as an endpoint with these habits takes it."""
    sent = dict(body)
    for name, habit in HABITS.items():
        if name in learned:
            sent = habit.does(sent)
    return sent


def helps(name: str, body: Body) -> bool:
    """Whether there is such a habit, and this request would change by it."""
    return name in HABITS and HABITS[name].does(body) != body


def lacks_user(body: Mapping[str, Json]) -> bool:
    """Whether the request ends where some chat templates give up: nobody but the system has spoken."""
    return all(message["role"] == "system" for message in body["messages"])


def _without(field: str) -> Callable[[Body], Body]:
    return lambda body: {name: value for name, value in body.items() if name != field}


def _newer_max_tokens(body: Body) -> Body:
    return {"max_completion_tokens" if name == "max_tokens" else name: value for name, value in body.items()}


def _above_zero(body: Body) -> Body:
    return body | {"temperature": NEARLY_ZERO} if body.get("temperature") == 0 else body


def _one_call(body: Body) -> Body:
    """One call is asked for, and a message of several becomes several, each before its own answer."""
    body = body | {"messages": _calls_apart(body["messages"])}
    return body | {"parallel_tool_calls": False} if body.get("tools") else body


def _calls_apart(messages: Chat) -> Chat:
    apart: Chat = []
    rest = list(messages)
    while rest:
        message = rest.pop(0)
        calls = message.get("tool_calls") or []
        if len(calls) < 2:
            apart.append(message)
            continue
        answers = [rest.pop(0) for _ in calls if rest and rest[0]["role"] == "tool"]
        for place, call in enumerate(calls):
            apart.append(message | {"tool_calls": [call]} | ({"content": ""} if place else {}))
            apart += [each for each in answers if each.get("tool_call_id") == call.get("id")]
        known = {call.get("id") for call in calls}
        apart += [each for each in answers if each.get("tool_call_id") not in known]
    return apart


def _no_system(body: Body) -> Body:
    """What the system says becomes the beginning of the user's next words."""
    if all(message["role"] != "system" for message in body["messages"]):
        return body
    said = [each | {"role": "user"} if each["role"] == "system" else each for each in body["messages"]]
    return body | {"messages": _joined(said, roles=("user",))}


def _user_last(body: Body) -> Body:
    """A lone system prompt becomes the first thing the user says."""
    if not lacks_user(body):
        return body
    *before, last = body["messages"]
    return body | {"messages": [*before, last | {"role": "user"}]}


def _alternating(body: Body) -> Body:
    return body | {"messages": _joined(body["messages"], roles=("system", "user", "assistant"))}


def _joined(messages: Chat, roles: Collection[str]) -> Chat:
    """Neighbours of one role as one message; those with calls keep them, and two with calls stay apart."""
    joined: Chat = []
    for message in messages:
        before = joined[-1] if joined else {}
        if message["role"] in roles and message["role"] == before.get("role") and not before.get("tool_calls"):
            joined[-1] = _both(before, message)
        else:
            joined.append(message)
    return joined


def _both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    words = [each["content"] for each in (first, second) if each.get("content")]
    return first | second | {"content": "\n\n".join(words)}


# In the order in which they change a request: one call asks for a field that another habit may leave out again.
HABITS: Mapping[str, Habit] = {
    "seed": Habit(_without("seed"), "takes no seed: answers are drawn by its own"),
    "max_tokens": Habit(_newer_max_tokens, "takes max_completion_tokens instead of max_tokens"),
    "temperature": Habit(
        _without("temperature"), "takes no temperature: answers are drawn at its own, not the chosen one", changes=True
    ),
    "temperature_zero": Habit(
        _above_zero, f"takes no temperature of 0: it is asked at {NEARLY_ZERO:g} instead", changes=True
    ),
    "top_p": Habit(_without("top_p"), "takes no top_p: answers are drawn without the chosen one", changes=True),
    "top_k": Habit(_without("top_k"), "takes no top_k: answers are drawn without the chosen one", changes=True),
    ONE_CALL: Habit(_one_call, "takes one tool call a message: the first is made, further ones are not"),
    "parallel_tool_calls": Habit(_without("parallel_tool_calls"), "does not know parallel_tool_calls"),
    "no_system": Habit(_no_system, "takes no system message: its text goes in front of the user's first words"),
    NO_SYSTEM_ALONE: Habit(_user_last, "does not take a system message alone: it is sent as the user's words"),
    "alternate": Habit(_alternating, "wants roles to alternate: neighbouring messages of one role are joined"),
}
