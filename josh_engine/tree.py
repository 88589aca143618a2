"""The conversation tree: a fold of events, and the questions asked of it.

A node's id is its address. Agent turns are numbered by branch from the start (`0`, `0.1`, `0.1.0`); the user's turn
after one is its id + `u`; the first user turn is `u`. So an id is known before the turn is played, tree order is
address order, and `josh` at any beam shares ids, and with them seeds, with `greedy`.

Labels are derived here, once, for the picture and for the rows, so the two cannot disagree (section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from josh_engine.errors import SimulationError
from josh_engine.values import (
    Collapsed,
    Event,
    GoalsWon,
    Label,
    Node,
    NodeAdded,
    Preamble,
    Pruned,
    Scenario,
    SearchEnded,
    SearchStarted,
    Turn,
    Verdict,
    Why,
)
from josh_engine.verdicts import standing

EMPTY_CONVERSATION = ""  # the frontier before the first turn: one conversation in which nothing was said
FIRST_USER_TURN = "u"


@dataclass(frozen=True, slots=True)
class Tree:
    """All that is known of one search. `frontier` holds the live leaves in tree order; `won` maps a goal to the node
    that won it, in order of winning; `root` is the last winner (None: no reward yet); `depth` counts exchanges."""

    scenario: Scenario | None = None
    preamble: Preamble = Preamble()
    nodes: Mapping[str, Node] = field(default_factory=dict)
    frontier: tuple[str, ...] = ()
    won: Mapping[str, str] = field(default_factory=dict)
    root: str | None = None
    depth: int = 0
    reasons: Mapping[str, Pruned] = field(default_factory=dict)
    ended: Why | None = None

    @property
    def average_reward(self) -> float | None:
        """Goals won / goals at the start; None for a scenario without goals."""
        goals = self.scenario.goals if self.scenario else ()
        return len(self.won) / len(goals) if goals else None

    @property
    def open_goals(self) -> tuple[str, ...]:
        return tuple(goal.id for goal in (self.scenario.goals if self.scenario else ()) if goal.id not in self.won)


EMPTY = Tree()


def graded_end(tree: Tree) -> str | None:
    """The turn up to which a world grades a search: the last of the only conversation, or of the ideal path. None:
    there is no such turn."""
    parents = {node.parent for node in tree.nodes.values()}
    leaves = [node for node in tree.nodes if node not in parents]
    return leaves[0] if len(leaves) == 1 else tree.root


def fold(events: Iterable[Event], onto: Tree = EMPTY) -> Tree:
    """The tree after `events`. A prefix of a search's events is the tree at that moment, which makes replay free.

    The mappings are copied once per call, not per event. Raises SimulationError for events out of order.
    """
    nodes, won, reasons = dict(onto.nodes), dict(onto.won), dict(onto.reasons)
    tree = onto
    frontier, depth, root, ended = onto.frontier, onto.depth, onto.root, onto.ended
    for event in events:
        match event:
            case SearchStarted(scenario, preamble):
                tree = replace(tree, scenario=scenario, preamble=preamble)
                frontier = (EMPTY_CONVERSATION,)
            case NodeAdded(node):
                if node.id in nodes or (node.parent is not None and node.parent not in nodes):
                    raise SimulationError(f"event out of order: node {node.id} after {node.parent}")
                nodes[node.id] = node
                kept = tuple(leaf for leaf in frontier if leaf != (node.parent or EMPTY_CONVERSATION))
                frontier = (*kept, node.id) if node.turn.stop == "spoke" else kept
                depth = max(depth, len(branches(node.id)))
            case GoalsWon(winner, goals):
                won.update(dict.fromkeys(goals, winner))
                root = winner
            case Collapsed(kept_root, pruned):
                frontier = (kept_root,) if nodes[kept_root].turn.stop == "spoke" else ()
                reasons.update({each.node: each for each in pruned})
            case SearchEnded(why, pruned):
                frontier, ended = (), why
                reasons.update({each.node: each for each in pruned})
    return replace(tree, nodes=nodes, won=won, reasons=reasons, frontier=frontier, depth=depth, root=root, ended=ended)


def branches(node_id: str) -> tuple[int, ...]:
    """The branch numbers in an address; empty for the first user turn and the empty conversation."""
    agent = node_id.removesuffix("u")
    return tuple(map(int, agent.split("."))) if agent else ()


def tree_order(node_id: str) -> tuple[int, ...]:
    """A sort key: address order, a user's turn right after the agent's turn it answers."""
    return (*branches(node_id), -1) if node_id.endswith("u") else branches(node_id)


def user_address(agent_id: str) -> str:
    """The user's turn after an agent's turn (or after the empty conversation)."""
    return agent_id + "u"


def agent_address(user_id: str, branch: int) -> str:
    before = user_id.removesuffix("u")
    return f"{before}.{branch}" if before else str(branch)


def lineage(tree: Tree, node_id: str) -> tuple[Node, ...]:
    """The nodes from the first user turn to `node_id`."""
    found: list[Node] = []
    current: str | None = node_id or None
    while current is not None:
        node = tree.nodes[current]
        found.append(node)
        current = node.parent
    return tuple(reversed(found))


def path(tree: Tree, node_id: str) -> tuple[Turn, ...]:
    """The conversation up to and including `node_id`; empty for the empty conversation."""
    return tuple(node.turn for node in lineage(tree, node_id))


def children(tree: Tree) -> Mapping[str | None, Sequence[Node]]:
    """Each node's children in tree order; None holds the first user turn."""
    found: dict[str | None, list[Node]] = {}
    for node in sorted(tree.nodes.values(), key=lambda node: tree_order(node.id)):
        found.setdefault(node.parent, []).append(node)
    return found


def agent_turns(tree: Tree) -> Iterator[Node]:
    return (node for node in tree.nodes.values() if node.turn.speaker == "agent")


def ideal_path(tree: Tree, verdicts: Sequence[Verdict] = ()) -> tuple[str, ...]:
    """Ids from the first user turn to the last rewarded agent turn (section 2.2), or to the node a person promoted.

    Empty where nothing was won and nothing promoted.
    """
    end = tree.root
    for verdict in standing(verdicts):
        if verdict.verdict == "promote" and verdict.node in tree.nodes:
            end = verdict.node
    return tuple(node.id for node in lineage(tree, end)) if end else ()


def label_turns(tree: Tree, verdicts: Sequence[Verdict] = ()) -> dict[str, Label]:
    """One label per agent turn, in tree order (josh.md section 2; the paper's section 2.2).

    `ideal`: on the ideal path. `negative`: an alternative from a user turn on the ideal path, "unless it led to a
    reward": then `partial`, also when only a descendant reached a goal, or a failed turn reached one that it could
    not win (we never train against a right call). `off_path`: every other settled turn, one with a generation that was
    no move (`Turn.cut`: it ended by a fault, not by what the model said), and an alternative whose generations all
    equal the ideal turn's, which would be upvoted and downvoted at once. `open`: not settled yet.
    A verdict on a turn overrides its label: good -> ideal, bad -> negative, partial, exclude -> off_path.
    """
    derived, ideal = set(ideal_path(tree)), ideal_path(tree, verdicts)
    on_path = set(ideal)
    ideal_turn_after = {tree.nodes[each].parent: tree.nodes[each].turn for each in ideal}
    rewarded = _led_to_reward(tree)
    labels: dict[str, Label] = {}
    for node in sorted(agent_turns(tree), key=lambda node: tree_order(node.id)):
        rival = ideal_turn_after.get(node.parent)
        if node.id in on_path:
            labels[node.id] = "ideal"
        elif node.id not in tree.reasons and node.id not in derived:
            labels[node.id] = "open"
        elif rival is None:
            labels[node.id] = "off_path"
        elif node.id in rewarded:
            labels[node.id] = "partial"
        elif node.turn.cut or sampled(node.turn) == sampled(rival):
            labels[node.id] = "off_path"
        else:
            labels[node.id] = "negative"
    return labels | _judged(tree, verdicts)


def sampled(turn: Turn) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """What the model wrote in this turn: the content and the raw calls of each generation."""
    return tuple(
        (message.content, tuple((call.name, call.raw) for call in message.tool_calls))
        for message in turn.messages
        if message.sampled
    )


def _led_to_reward(tree: Tree) -> set[str]:
    """Agent turns that reached a goal open at the time, and all turns above them."""
    found: set[str] = set()
    for node in agent_turns(tree):
        if node.goals:
            found.update(each.id for each in lineage(tree, node.id))
    return found


_VERDICT_LABELS: dict[str, Label] = {
    "good": "ideal",
    "bad": "negative",
    "partial": "partial",
    "exclude": "off_path",
}


def _judged(tree: Tree, verdicts: Sequence[Verdict]) -> dict[str, Label]:
    return {
        verdict.node: _VERDICT_LABELS[verdict.verdict]
        for verdict in standing(verdicts)
        if verdict.rival is None and verdict.verdict in _VERDICT_LABELS and verdict.node in tree.nodes
    }
