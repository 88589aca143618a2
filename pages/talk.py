"""Talk: sit at the table. Play the guest against an agent, or the agent against a guest, turn by turn.

What is said is a run with one conversation: it can be stopped and gone on with, looked at as a tree, labelled and
exported. The address says which talk it is; nothing of it lives in this session.
"""

from pathlib import Path

import streamlit as st

from app import listings, services, shell, talking
from app.talking import Talk, TalkRequest
from josh_engine.values import Tool

shell.enter(__file__)

SIDE_NAMES = {"user": "The guest", "agent": "The agent"}
OTHERS = {"user": "Agent on the other side", "agent": "Guest on the other side"}
WHO = {
    "user": ("user", ":material/person:"),
    "agent": ("assistant", ":material/support_agent:"),
    "call": ("tool", ":material/build:"),
    "answer": ("tool", ":material/database:"),
}
WAITING = {"user": "The agent is thinking …", "agent": "The guest is thinking …"}
HEIGHT = 560


@shell.guarded
def page() -> None:
    store = shell.store()
    run_id = st.query_params.get("run")
    if not run_id:
        _choosing()
        return
    run = shell.find_run(run_id, title="Talk")
    if run is not None:
        _talking(talking.open_talk(store, run.id))


# A new talk


def _choosing() -> None:
    shell.heading("Talk", "Play one side of a conversation yourself. It is kept like any other search.")
    left, right = st.columns([45, 55], gap="large")
    with left:
        _form()
    with right:
        _talks_so_far()


@shell.guarded
def _form() -> None:
    data = services.data_path(shell.store().path)
    st.subheader("New talk", anchor=False)
    st.segmented_control(
        "You are", talking.SIDES, default="user", format_func=SIDE_NAMES.__getitem__, key="talk-side", required=True
    )
    left, right = st.columns([3, 2])
    world = left.selectbox("World", services.list_worlds(), key="talk-world")
    split = right.selectbox("Split", services.world_splits(world, data), key="talk-split")
    wishes: dict[str, str] = {
        line.id: f"{line.id} · {', '.join(line.domains)}" for line in _listed(world, split, str(data))
    }
    st.selectbox("Scenario", list(wishes), format_func=wishes.__getitem__, key="talk-scenario")
    left, right = st.columns(2)
    side = _side()
    others = services.list_agents() if side == "user" else services.list_users()
    left.selectbox(OTHERS[side], others, key=f"talk-other-{side}")
    models = (None, *services.list_models())
    right.selectbox("Its model", models, format_func=lambda name: name or "none given", key="talk-model")
    st.button(
        "Start talking", type="primary", icon=":material/forum:", key="start-talk", width="stretch",
        on_click=shell.tried, args=(_start,),
    )  # fmt: skip
    shell.refused(key="start-talk")


def _side() -> talking.Side:
    return "agent" if st.session_state.get("talk-side") == "agent" else "user"


@st.cache_data(show_spinner=False, max_entries=16, ttl=300)
def _listed(world: str, split: str, data: str) -> tuple[services.ScenarioLine, ...]:
    return services.scenario_lines(world, split, Path(data))


def _start() -> None:
    """From what the form holds when the button is pressed, drawn anew or not."""
    chosen, side = st.session_state, _side()
    others = services.list_agents() if side == "user" else services.list_users()
    wanted = TalkRequest(
        side,
        chosen["talk-world"],
        chosen["talk-split"],
        chosen["talk-scenario"],
        chosen.get(f"talk-other-{side}", others[0]),
        chosen["talk-model"],
    )
    st.query_params.from_dict({"run": talking.start_talk(shell.store(), wanted).id})


def _talks_so_far() -> None:
    talks = {run.id for run in talking.list_talks(shell.store())}
    lines = [line for line in services.list_runs(shell.store()) if line.run in talks]
    if lines:
        st.subheader("Talks so far", anchor=False)
        shell.listing(listings.runs_listed(lines, page="talk"), key="talks", height=430)
        return
    with st.container(key="notice-no-talks"):
        st.text("Nobody has talked here yet. The form holds what needs no key and no model: press Start talking.")


# A talk on its way, or over


def _talking(talk: Talk) -> None:
    shell.heading("Talk", f"Run {talk.run.id}", talk.scenario.id, f"you are {SIDE_NAMES[talk.side].lower()}")
    left, right = st.columns([62, 38], gap="large")
    with left:
        with st.container(height=HEIGHT, key="conversation", autoscroll=True):
            _said(talk)
        _act(talk)
        shell.refused(key="answer")
    with right:
        _known(talk)
    if talk.question is None and not talk.over and talk.state != "failed":
        st.fragment(_wait, run_every="1s")(talk.run.id, talk.stamp)


@shell.guarded
def _wait(run_id: str, stamp: tuple[str, str, int]) -> None:
    """Draws the page anew once the other side has spoken, or something else has happened."""
    if talking.open_talk(shell.store(), run_id).stamp != stamp:
        st.rerun()


def _said(talk: Talk) -> None:
    if not talk.lines:
        shell.faint("Nothing has been said yet.", key="silence")
    for line in talk.lines:
        name, icon = WHO[line.who]
        with st.chat_message(name, avatar=icon):
            if line.who in ("call", "answer"):
                st.code(line.text, language=None, wrap_lines=True)
            else:
                st.text(line.text)


def _act(talk: Talk) -> None:
    if talk.over:
        _over(talk)
    elif talk.question is not None:
        _answer(talk, talk.question.id, talk.question.tools)
    elif talk.state == "failed":
        problem = talk.rollout.error or talk.run.error or "The conversation failed."
        shell.complaint(problem, "What was said is kept; go on with it below.", key="talk")
    else:
        shell.faint(WAITING[talk.side] if talk.state in ("queued", "running") else "It has stopped.", key="waiting")
    if not talk.over:
        _stop_or_go(talk)


def _answer(talk: Talk, question: str, tools: tuple[Tool, ...]) -> None:
    """Keys hold the question, so what was typed for one is never sent for another."""
    run_id = talk.run.id
    words = st.chat_input("Your words", key=f"say-{question}", max_chars=talking.LONGEST)
    if words:
        _sent(lambda: talking.say(shell.store(), run_id, question, words, person=shell.auditor()))
    if tools:
        with st.expander("Use a tool", icon=":material/build:", expanded=True):
            _tool(run_id, question, tools)
    if talk.side == "user" and talk.lines:
        st.button(
            "Hang up", icon=":material/call_end:", key="hang-up", help="Say goodbye and end the conversation.",
            on_click=shell.tried, args=(lambda: _hang_up(run_id, question),),
        )  # fmt: skip


def _sent(act: object) -> None:
    shell.tried(act)  # type: ignore[arg-type]
    st.rerun()


def _hang_up(run_id: str, question: str) -> None:
    talking.say(shell.store(), run_id, question, "", person=shell.auditor(), hangs_up=True)


def _tool(run_id: str, question: str, tools: tuple[Tool, ...]) -> None:
    names = {tool.name: tool for tool in tools}
    tool = names[st.selectbox("Tool", list(names), key=f"tool-{question}")]
    st.text(tool.description)
    with st.form(f"call-{question}-{tool.name}", border=False):
        arguments = {}
        columns = st.columns(2)
        for place, (name, schema) in enumerate(tool.parameters.get("properties", {}).items()):
            column, key = columns[place % 2], f"argument-{question}-{tool.name}-{name}"
            meaning = str(schema.get("description", ""))
            if values := schema.get("enum"):
                arguments[name] = column.selectbox(name, ["", *map(str, values)], key=key, help=meaning)
            else:
                arguments[name] = column.text_input(name, key=key, help=meaning)
        if st.form_submit_button("Call", icon=":material/play_arrow:", key="call"):
            _sent(lambda: talking.call(shell.store(), run_id, question, tool.name, arguments, person=shell.auditor()))


def _stop_or_go(talk: Talk) -> None:
    run_id = talk.run.id
    with st.container(horizontal=True):
        if talk.state in ("queued", "running"):
            stop = lambda: services.stop_run(shell.store(), run_id, wait=2.0)  # noqa: E731
            st.button("Stop here", icon=":material/pause:", key="stop", on_click=shell.tried, args=(stop,))
        else:
            go_on = lambda: talking.wake(shell.store(), run_id)  # noqa: E731
            st.button("Go on", icon=":material/play_arrow:", key="go-on", on_click=shell.tried, args=(go_on,))


def _over(talk: Talk) -> None:
    won, goals = len(talk.tree.won), len(talk.scenario.goals)
    with st.container(key="notice-over"):
        ended = "The conversation is over" if talk.state == "done" else "The conversation was cancelled"
        st.text(f"{ended}: {won} of {goals} goals reached.")
        for goal in talk.scenario.goals:
            st.text(f"{'★' if goal.id in talk.tree.won else '–'} {goal.name}  {dict(goal.arguments)}")
        with st.container(horizontal=True):
            st.page_link(
                shell.PAGES["tree"], label="Open the tree", icon=":material/account_tree:",
                query_params={"run": talk.run.id, "scenario": talk.scenario.id},
            )  # fmt: skip
            st.page_link(
                shell.PAGES["export"], label="Export its rows", icon=":material/output:",
                query_params={"runs": talk.run.id},
            )  # fmt: skip
            if st.button("Talk again", icon=":material/add:", key="again"):
                shell.go("talk", {})


def _known(talk: Talk) -> None:
    """What this side knows: the guest its wishes, the agent its policy. Goals are shown when it is over."""
    if talk.side == "user":
        st.subheader("What you want", anchor=False)
        for number, wish in enumerate(talk.scenario.brief, start=1):
            st.text(f"{number}. {wish}")
        shell.faint("Tell it in your own words; you need not tell it all at once.", key="advice")
        return
    st.subheader("Your job", anchor=False)
    preamble = talk.tree.preamble
    st.text("\n\n".join(message.content for message in preamble.messages) if preamble else "")


page()
