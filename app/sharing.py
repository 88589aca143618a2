"""A rollout as one file for somebody without this app: our own drawing as a page, pyvis's network as a page, GraphML
and JSON by networkx. No file asks the network for anything; what models and users wrote is text in all of them. Pure.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

import networkx as nx

from app.results import OpenedRollout
from app.tree_view.picture import picture
from app.tree_view.transcript import all_turns, what_was_given
from app.words import LABEL_WORDS, exchange, goal_numbers, turn_name, won_by
from josh_engine.errors import ConfigError
from josh_engine.tree import ideal_path, tree_order
from josh_engine.values import Json, Node

FOLDER = Path(__file__).parent / "tree_view"
TREE_PARTS = ("tree", "shapes", "layout", "camera", "explore", "replay", "keys")
KINDS = {"html": "html", "pyvis": "pyvis.html", "graphml": "graphml", "json": "json"}
TYPES = {"html": "text/html", "pyvis": "text/html", "graphml": "application/xml", "json": "application/json"}
HEIGHT = 680
LABEL_LENGTH, TITLE_LENGTH = 28, 600
ACROSS, DOWN = 90, 80  # pixels between leaves, and between levels
NETWORK_COLOURS = {
    "ideal": "#00704F", "negative": "#C62828", "partial": "#B85C00", "off_path": "#80868F", "open": "#80868F",
    "user": "#2F55B0",
}  # fmt: skip
NETWORK_SHAPES = {"ideal": "dot", "negative": "diamond", "partial": "triangle", "user": "box"}
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_OUTSIDE = re.compile(r"<link\b[^>]*>|<script\b[^>]*\bsrc=[^>]*>\s*</script>", re.I | re.S)
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def shared(opened: OpenedRollout, kind: str) -> bytes:
    """The file. Raises ConfigError for an unknown kind."""
    makers = {"html": page, "pyvis": network_page, "graphml": graphml, "json": graph_json}
    if kind not in makers:
        raise ConfigError(f"Unknown kind of file {kind!r}.", remedy=f"Use one of: {', '.join(KINDS)}.")
    return makers[kind](opened)


def file_name(opened: OpenedRollout, kind: str) -> str:
    """Of letters, digits and dashes, whatever the scenario is called."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", opened.rollout.scenario_id).strip("-")[:60]
    return f"{opened.run.id}-{plain or 'scenario'}.{KINDS[kind]}"


def page(opened: OpenedRollout) -> bytes:
    """The explorer in one file: click, lenses, folding, finding and replay as on the Tree page."""
    tree, rollout = opened.tree, opened.rollout
    drawn = picture(
        tree, opened.labels, seq=opened.last_seq, height=HEIGHT, selected=_end(opened), verdicts=opened.verdicts,
        events=opened.events,
    )  # fmt: skip
    told: dict[str, Json] = {
        "tree": {**drawn, "tree": rollout.id, "version": rollout.id},
        "turns": all_turns(tree, opened.labels, opened.verdicts),
        "preamble": what_was_given(tree),
        "styles": {"tree": _styles("shapes", "tree"), "talk": _styles("conversation")},
    }
    script = "\n".join(
        [_component("drawTree", *TREE_PARTS), _component("drawTalk", "conversation"), _read("shared.js")]
    )
    config = opened.run.config
    subtitle = (
        f"{config.world} {config.split}, agent {config.agent}{f' ({config.model})' if config.model else ''}, user"
        f" {config.user}: {rollout.won} of {rollout.goals} goals, {len(tree.nodes)} turns. Run {opened.run.id}."
    )
    parts = {
        "TITLE": escape(rollout.scenario_id), "SUBTITLE": escape(subtitle), "SCRIPT": script, "DATA": _data(told),
    }  # fmt: skip
    made = re.sub("@@([A-Z]+)@@", lambda found: parts[found[1]], _read("shared.html"))
    return made.encode("utf-8", "replace")


def _end(opened: OpenedRollout) -> str | None:
    return next(reversed(ideal_path(opened.tree, opened.verdicts)), None)


def _data(told: Mapping[str, Json]) -> str:
    """JSON that no text can break out of."""
    return json.dumps(told).replace("<", "\\u003c")


def _component(name: str, *parts: str) -> str:
    """A component's script in a scope of its own."""
    body = "\n".join(_read(f"{part}.js") for part in parts)
    assert body.count("export default function (") == 1
    inside = body.replace("export default function (", "drawn = function (")
    return f"const {name} = (() => {{\nlet drawn;\n{inside}\nreturn drawn;\n}})();"


def _styles(*parts: str) -> str:
    return "\n".join(_read(f"{part}.css") for part in parts)


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def graph(opened: OpenedRollout) -> nx.DiGraph:
    """A node per turn with `speaker`, `label`, `word`, `level`, `path` (on the ideal one), `goals` (those it won),
    `reason` (why its branch ended) and `text`; an edge from each turn to those that follow it."""
    tree = opened.tree
    on_path = set(ideal_path(tree, opened.verdicts))
    numbers = goal_numbers(tree)
    made: nx.DiGraph = nx.DiGraph(
        run=opened.run.id, scenario=opened.rollout.scenario_id, goals=opened.rollout.goals, won=opened.rollout.won
    )
    for node in sorted(tree.nodes.values(), key=lambda each: tree_order(each.id)):
        label = opened.labels.get(node.id)
        pruned = tree.reasons.get(node.id)
        made.add_node(
            node.id, speaker=node.turn.speaker, label=label or "", word=LABEL_WORDS[label] if label else "",
            level=_level(node), path=node.id in on_path, reason=pruned.reason if pruned else "", text=_said(node),
            goals=", ".join(f"goal {numbers[goal]}" for goal in won_by(tree, node.id)), name=turn_name(node),
        )  # fmt: skip
        if node.parent is not None:
            made.add_edge(node.parent, node.id)
    return made


def _level(node: Node) -> int:
    """As the drawing has it: a user's turn, then the agent's answer, exchange by exchange."""
    return 2 * exchange(node.id) - (node.turn.speaker == "user")


def _said(node: Node) -> str:
    calls = [
        f"{call.name} {json.dumps(dict(call.arguments), ensure_ascii=False, default=dict)}" for call in node.turn.calls
    ]
    said = [message.content for message in node.turn.messages if message.content]
    return "\n".join([*said, *calls])


def graph_json(opened: OpenedRollout) -> bytes:
    """networkx's node-link form; `networkx.node_link_graph(data, edges="edges")` reads it."""
    return json.dumps(nx.node_link_data(graph(opened), edges="edges"), ensure_ascii=False).encode("utf-8", "replace")


def graphml(opened: OpenedRollout) -> bytes:
    """GraphML; characters that XML 1.0 does not have are shown as the replacement character."""
    made = graph(opened)
    for _, attributes in made.nodes(data=True):
        attributes.update({name: _xml(value) for name, value in attributes.items()})
    made.graph.update({name: _xml(value) for name, value in made.graph.items()})
    file = io.BytesIO()
    nx.write_graphml(made, file)
    return file.getvalue()


def _xml(value: Json) -> Json:
    return _NO_XML.sub("\ufffd", value) if isinstance(value, str) else value


def network_page(opened: OpenedRollout) -> bytes:
    """pyvis's interactive network: levels as in the tree, no physics, its script within the file."""
    from pyvis.network import Network

    made = graph(opened)
    across = _places(made)
    network = Network(height="92vh", width="100%", directed=True, cdn_resources="in_line")
    for node, told in made.nodes(data=True):
        kind = "user" if told["speaker"] == "user" else told["label"] or ("ideal" if told["path"] else "off_path")
        name = "U" if kind == "user" else f"★ {told['goals']}" if told["goals"] else " "
        about = f"{told['name']} {told['word']} {told['goals']} {told['reason']}\n{told['text']}"
        network.add_node(
            node, label=_short(name, LABEL_LENGTH), title=_short(about, TITLE_LENGTH), level=told["level"], size=14,
            x=ACROSS * across[node], y=DOWN * told["level"], shape=NETWORK_SHAPES.get(kind, "square"),
            color=NETWORK_COLOURS[kind], font={"color": "#ffffff"} if kind == "user" else {},
        )  # fmt: skip
    for one, other in made.edges:
        on_path = made.nodes[other]["path"]
        network.add_edge(one, other, width=4 if on_path else 1, color="#00704F" if on_path else "#80868F")
    still = {"physics": {"enabled": False}, "layout": {"hierarchical": {"enabled": False}}}
    network.set_options(
        json.dumps(still | {"edges": {"smooth": False}, "interaction": {"keyboard": True, "hover": True}})
    )
    text = _OUTSIDE.sub("", network.generate_html(notebook=False))
    head = f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return text.replace("<head>", head, 1).encode("utf-8", "replace")


def _places(made: nx.DiGraph) -> dict[str, float]:
    """Each turn's place across: leaves stand side by side in tree order, a parent over the middle of its children."""
    places: dict[str, float] = {}
    leaves = 0
    for node in nx.dfs_postorder_nodes(made):
        children = [places[each] for each in made.successors(node)]
        places[node] = sum(children) / len(children) if children else float(leaves)
        leaves += not children
    return places


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
