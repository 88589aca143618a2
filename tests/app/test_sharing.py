"""Trees handed out as files: whole, read back by the libraries that take them, and with nothing that runs or asks."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import networkx as nx
import pytest

from app import services, shares, sharing
from app.results import OpenedRollout
from josh_engine.config import Run, RunConfig, RunLimits
from josh_engine.errors import ConfigError, StorageError
from josh_engine.tree import ideal_path, label_turns
from josh_engine.values import Rollout
from tests.app.sample_search import HOSTILE, sample_tree, search_events


@pytest.fixture(scope="module")
def opened() -> OpenedRollout:
    """The sample search, with hostile words in every place."""
    tree = sample_tree()
    config = RunConfig(world="w " + HOSTILE[0], split="s", scenarios=("x",), agent="a")
    run = Run("abc123", HOSTILE[1], config, RunLimits(), "done", "2026-01-01T00:00:00Z", "v")
    rollout = Rollout("abc123.0", "abc123", tree.scenario.id, 0, "done", None, 2, 2)
    events = tuple(enumerate(search_events()))
    return OpenedRollout(run, rollout, tree, (), label_turns(tree), len(events) - 1, events)


@pytest.mark.parametrize("kind", ["html", "pyvis"])
def test_a_page_holds_no_address_to_load_and_no_text_that_could_run(opened, kind):
    made = sharing.shared(opened, kind).decode()
    assert not re.search(r"<(?:link|script|img|iframe)\b[^>]*\b(?:src|href)\s*=", made)
    assert "default-src 'none'" in made
    outside = re.sub(r"<script\b.*?</script>", "", made, flags=re.S)
    for word in ("onerror", "javascript:", "window.pwned"):
        assert f"<{word}" not in outside and f'="{word}' not in outside
    scripts = re.findall(r"<script\b[^>]*>(.*?)</script>", made, flags=re.S)
    assert len(scripts) == made.count("</script>"), "no text closes a script"
    assert "<img" not in made, "not even as text: < is written as its number, or escaped"


def test_the_page_s_data_is_the_tree_s(opened):
    made = sharing.page(opened).decode()
    found = re.search(r'<script type="application/json" id="shared">(.*?)</script>', made, re.S)
    told = json.loads(found[1])
    assert [node["id"] for node in told["tree"]["nodes"]] == [*nx.DiGraph(sharing.graph(opened)).nodes]
    assert told["turns"].keys() == opened.tree.nodes.keys()
    assert len(told["tree"]["replay"]) == len(opened.events)
    assert told["tree"]["selected"] == ideal_path(opened.tree)[-1]
    assert len(made) < 2_000_000


def test_graphml_and_json_are_read_back_by_networkx(opened):
    graph = sharing.graph(opened)
    by_xml = nx.read_graphml(io.BytesIO(sharing.graphml(opened)))
    by_json = nx.node_link_graph(json.loads(sharing.graph_json(opened)), edges="edges")
    for back in (by_xml, by_json):
        assert set(back.nodes) == set(opened.tree.nodes) and set(back.edges) == set(graph.edges)
        for node in opened.tree.nodes:
            assert back.nodes[node]["label"] == (opened.labels.get(node) or "")
    assert by_json.nodes["0.1"] == graph.nodes["0.1"]
    assert nx.is_arborescence(graph)
    assert {node for node, told in graph.nodes(data=True) if told["path"]} == set(ideal_path(opened.tree))


def test_characters_that_xml_does_not_have_are_shown_as_missing(opened):
    assert sharing._xml("a\x00b\x1b[31mc\ud800d\tå") == "a\ufffdb\ufffd[31mc\ufffdd\tå"


def test_a_file_s_name_is_plain_whatever_the_scenario_is_called(opened):
    assert re.fullmatch(r"abc123-SCN-1-[A-Za-z0-9-]+\.html", sharing.file_name(opened, "html"))
    with pytest.raises(ConfigError, match="Unknown kind"):
        sharing.shared(opened, "exe")


def test_a_tree_of_a_store_is_written_whole_or_not_at_all(store: services.Store, run: Run, tmp_path: Path):
    services.run_here(store, run.id)
    (first, *_) = services.list_rollouts(store, run.id)
    made = shares.share_rollout(store, f"{run.id}/{first.scenario_id}", "html", tmp_path / "new" / "tree.html")
    assert (tmp_path / "new" / "tree.html").stat().st_size == made.bytes
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(StorageError, match="cannot be written"):
        shares.share_rollout(store, first.id, "html", blocked / "tree.html")
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["tree.html"]
