"""Whoever was shown a pair's label gives no blind verdict on it, whatever the mode says; and is told so before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import audit_words, auditing, seeing, services
from app.tree_view.judging_sheet import judging, pair_view
from josh_engine.audit import AuditPair, in_order, onwards, sides
from josh_engine.encoding import to_json
from josh_engine.errors import StorageError
from josh_engine.tree import lineage
from storage import seen
from tests.app.test_pages import ROOT, said

NOT_BLIND = "your verdict will not count as blind"


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of generated scenarios by the scripted agent, to be copied."""
    path = tmp_path_factory.mktemp("seeing") / "josh.db"
    with services.open_store(path) as store:
        for strategy in ("josh", "greedy"):
            asked = services.RunRequest(limit=12, agent="scripted", model=None, strategy=strategy)
            services.run_here(store, services.create_run(store, services.build_config(asked, path.parent)).id)
    return path


@pytest.fixture
def store(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "josh.db").write_bytes(searched.read_bytes())
    monkeypatch.setenv("JOSH_STORE", str(tmp_path / "josh.db"))
    monkeypatch.delenv("JOSH_DATA", raising=False)
    with services.open_store(tmp_path / "josh.db") as found:
        yield found


def run_of(store: services.Store, strategy: str = "josh") -> str:
    return next(each.run for each in services.list_runs(store) if each.strategy == strategy)


def pairs(store: services.Store) -> tuple[AuditPair, ...]:
    return onwards(in_order(auditing.audit_of(store, [run_of(store)]).pairs))


def judge(store: services.Store, pair: AuditPair, auditor: str = "Ada", judgement: str = "left", **more):
    left, _ = sides(pair, auditor)
    return auditing.judge_pair(store, pair, judgement, left=left, auditor=auditor, **({"blind": True} | more))


def visited(page: str, name: str, **params: str) -> AppTest:
    """A session past the entry point, whose sidebar would have asked for the name."""
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=20)
    test.session_state["_framed"], test.session_state["auditor"] = True, name
    return went_on(test, page, **params)


def tree_address(store: services.Store, pair: AuditPair) -> dict[str, str]:
    return {"run": run_of(store), "scenario": pair.scenario}


def audit_page(store: services.Store, pair: AuditPair, mode: str = "blind") -> dict[str, str]:
    return {"runs": run_of(store), "mode": mode, "pair": pair.id}


@pytest.fixture
def told_apart(store: services.Store) -> AuditPair:
    """A pair on which two people differ, one of them with the search."""
    pair = next(each for each in pairs(store) if each.rollout in exported(store))
    for name, judgement in (("Bo", "both_fine"), ("Cy", "both_bad")):
        judge(store, pair, name, judgement)
    assert pair in auditing.audit_of(store, [run_of(store)]).conflicts()
    return pair


def exported(store: services.Store) -> set[str]:
    return {each.rollout for each in services.preview_export(store, [run_of(store)], formats=["kto"]).samples}


def went_on(test: AppTest, page: str, **params: str) -> AppTest:
    """The same session on another page."""
    test.query_params.clear()
    for key, value in params.items():
        test.query_params[key] = value
    return test.switch_page(f"pages/{page}.py").run()


def last_word(store: services.Store, pair: AuditPair, name: str):
    return [each for each in auditing.audit_of(store, [run_of(store)]).judged if each.verdict.auditor == name][-1]


DOORS = {
    "tree": lambda store, pair: ("tree", tree_address(store, pair)),
    "compare": lambda store, pair: ("tree", tree_address(store, pair) | {"compare": run_of(store, "greedy")}),
    "run": lambda store, pair: ("run", tree_address(store, pair)),
    "export": lambda store, pair: ("export", {"runs": run_of(store), "fmt": "kto"}),
    "open": lambda store, pair: ("audit", audit_page(store, pair, "open")),
    "conflicts": lambda store, pair: ("audit", audit_page(store, pair, "conflicts")),
    "surprises": lambda store, pair: ("audit", audit_page(store, pair, "surprises")),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_pair_seen_anywhere_is_judged_openly_in_blind_mode_and_said_so_before(store, told_apart, door):
    page, address = DOORS[door](store, told_apart)
    test = visited(page, "Ada", **address)
    assert not test.exception and door in {each.place for each in seen.list_looks(store, "Ada", told_apart.rollout)}
    test = went_on(test, "audit", **audit_page(store, told_apart))
    assert f"{seeing.PLACES[door]}; {NOT_BLIND}." in said(test)
    test.button(key="verdict-left").click().run()
    assert last_word(store, told_apart, "Ada").verdict.blind is False
    assert "Yours 1 of" in said(test) and "0 of yours blind" in said(test)
    stranger = visited("audit", "Eve", **audit_page(store, told_apart))
    assert NOT_BLIND not in said(stranger)
    stranger.button(key="verdict-left").click().run()
    assert last_word(store, told_apart, "Eve").verdict.blind is True


def a_look_beside_the_field_for_the_name() -> None:
    """A page's script."""
    import streamlit as st

    from app import seeing, shell
    from app.panels import looks

    looks.shown(shell.store(), seeing.at_tree(st.query_params["rollout"], "tree"))
    shell.sidebar()


def test_who_looked_without_a_name_and_gives_one_has_looked(store):
    pair = pairs(store)[0]
    nameless = visited("tree", "", **tree_address(store, pair))
    nameless = went_on(nameless, "audit", **audit_page(store, pair))
    assert f"{seeing.PLACES['tree']}; {NOT_BLIND}." in said(nameless), "even before the name is given"
    test = AppTest.from_function(a_look_beside_the_field_for_the_name, default_timeout=20)
    test.query_params["rollout"] = pair.rollout
    test.run()
    assert store.read("SELECT * FROM seen") == []
    for name in ("Ad", "Ada"):  # a slip of the finger is no other person
        test.text_input(key="auditor").set_value(name).run()
        assert not test.exception and seeing.place_seen(store, name, pair) == "tree"
    assert judge(store, pair).blind is False and judge(store, pair, "Bo").blind is True
    assert seeing.place_seen(store, "Ad", next(each for each in pairs(store) if each.rollout != pair.rollout)) is None


def test_a_growing_tree_is_looked_at_once_somebody_chooses_it(store):
    pair = pairs(store)[0]
    with store.write() as connection:
        connection.execute("UPDATE rollouts SET state = 'running'")
    said(visited("run", "Ada", run=run_of(store)))
    assert store.read("SELECT * FROM seen") == []
    said(visited("run", "Ada", **tree_address(store, pair)))
    assert [each.place for each in seen.list_looks(store, "Ada", pair.rollout)] == ["run"]


def test_what_is_seen_after_a_verdict_does_not_change_it_but_a_second_one_is_not_blind(store):
    first, second = pairs(store)[:2]
    test = visited("audit", "Ada", runs=run_of(store))
    test.toggle(key="learn").set_value(True).run()
    test.button(key="verdict-left").click().run()
    assert last_word(store, first, "Ada").verdict.blind is True
    test = went_on(test, "audit", **audit_page(store, first))
    assert f"{seeing.PLACES['learn']}; {NOT_BLIND}." in said(test)
    test.button(key="verdict-both_bad").click().run()
    assert last_word(store, first, "Ada").verdict.blind is False
    judge(store, second)
    seen.keep_looks(store, "Ada", [seeing.at_tree(second.rollout, "tree")])
    assert [each.verdict.blind for each in auditing.audit_of(store, [run_of(store)]).judged] == [False, True]


def test_a_label_seen_in_another_window_since_the_page_was_drawn_is_told_before_anything_is_kept(store):
    pair = pairs(store)[0]
    test = visited("audit", "Ada", **audit_page(store, pair))
    assert NOT_BLIND not in said(test)
    seen.keep_looks(store, "Ada", [seeing.at_tree(pair.rollout, "tree")])
    test.button(key="verdict-left").click().run()
    assert f"{seeing.PLACES['tree']} meanwhile; nothing was saved." in said(test)
    assert auditing.audit_of(store, [run_of(store)]).judged == ()
    test.button(key="verdict-left").click().run()
    assert last_word(store, pair, "Ada").verdict.blind is False


def test_a_later_pair_shows_how_the_conversation_went_on_so_it_comes_later(store):
    ordered = pairs(store)
    trees = {each.rollout: services.open_rollout(store, each.rollout).tree for each in ordered}
    shown: set[tuple[str, str]] = set()
    for pair in ordered:
        assert not {(pair.rollout, pair.good), (pair.rollout, pair.bad)} & shown
        shown |= {(look.rollout, look.node) for look in seeing.at_beginning(trees[pair.rollout], pair)}
    assert shown and sorted(ordered, key=str) == sorted(in_order(ordered), key=str)
    later = next(each for each in ordered if (each.rollout, each.good) in shown)
    deep = next(
        each for each in ordered
        if each.rollout == later.rollout and later.good in {n.id for n in lineage(trees[each.rollout], each.good)[:-1]}
    )  # fmt: skip
    test = visited("audit", "Ada", **audit_page(store, deep))
    assert NOT_BLIND not in said(test)
    assert f"{seeing.PLACES['later']}; {NOT_BLIND}." in said(went_on(test, "audit", **audit_page(store, later)))


def test_agreement_and_what_stands_beside_rows_count_blind_words_only(store):
    chosen = [each for each in pairs(store) if each.rollout in exported(store)][:3]
    for pair, blind in zip(chosen, (True, True, False), strict=True):
        judge(store, pair, "Ada", blind=blind)
        judge(store, pair, "Bo")
    found = auditing.audit_of(store, [run_of(store)])
    kappas, _ = found.agreement()
    assert kappas["Ada", "Bo"].n == 2 and len(found.votes()["Ada"]) == 3
    mine = {each.pair: each for each in found.judged if each.verdict.auditor == "Ada"}
    assert "2 of yours blind" in audit_words.progress(found, chosen, mine)
    (listed,) = [row for row in audit_words.last_listed(found, "Ada", {}).rows if "not blind" in json.dumps(row)]
    assert listed


def test_looks_are_appended_and_go_with_their_run(store):
    pair = pairs(store)[0]
    seen.keep_looks(store, "Ada", seeing.at_pair(pair, "open"))
    (first, _) = seen.list_looks(store, "Ada", pair.rollout)
    seen.keep_looks(store, "Ada", [replace(first, moment="2099")])
    assert seen.list_looks(store, "Ada", pair.rollout)[0] == first, "the first look is the one that counts"
    for change in ("UPDATE seen SET person = 'Bo'", "DELETE FROM seen"):
        with pytest.raises(StorageError, match="append-only"), store.write() as connection:
            connection.execute(change)
    seen.keep_looks(store, "Ada", [seeing.at_tree("gone.0", "tree")])
    services.delete_run(store, run_of(store))
    assert store.read("SELECT * FROM seen") == []


def test_what_a_blind_page_is_drawn_from_has_no_gold_call(store):
    """Neither names nor values, but for those that the brief has or that the conversation itself says."""
    hidden = 0
    for pair in pairs(store):
        tree = auditing.open_pair(store, pair).tree
        view = pair_view(tree, pair.good, pair.bad)
        turns = json.dumps([to_json(each) for each in (*view.before, view.left, view.right)], ensure_ascii=False)
        told = json.dumps(judging(tree, pair.good, pair.bad), ensure_ascii=False)
        assert view.wanted == () and view.brief == tree.scenario.brief
        for goal in tree.scenario.goals:
            words = [goal.id, goal.name, goal.record or "", *map(str, goal.arguments.values())]
            for word in (each for each in words if each and each not in " ".join((turns, *view.brief))):
                hidden += 1
                assert word not in told
            assert f"Wanted: {goal.name}" in json.dumps(judging(tree, pair.good, pair.bad, gold=True))
    assert hidden > 20
