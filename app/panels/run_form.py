"""The form of a new run, what the run will take, and its start.

Nothing is used that the form does not show; the paper's preset and a cloned run write into its fields. What cannot be
is told by the engine's own checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import choices, choosing, listings, services, shell
from app.estimate import certainty
from app.extras import EXAMPLE as EXTRAS_EXAMPLE
from josh_engine.config import RunConfig, RunLimits
from josh_engine.encoding import to_json
from josh_engine.errors import ConfigError, DatasetError

NONE = "none given"
EXTRAS_HELP = "extra_body, headers, query and omit as in josh.toml, as JSON; kept with the run. Keys by their variable."


def fill_from(run_id: str | None) -> None:
    """Writes a former run's settings into the form, once. None: there is none. Raises NotFound."""
    if run_id is None or st.session_state.get("cloned") == run_id:
        return
    store = shell.store()
    run = services.load_run(store, run_id)
    data = services.data_path(store.path)
    filled = choices.cloned(run, services.scenario_ids(run.config.world, run.config.split, data))
    missing = choices.beyond_the_form(filled, offered := _offered())
    filled |= {name: choices.DEFAULTS[name] for name in offered if filled[name] not in offered[name]}
    st.session_state.update({_key(name): value for name, value in filled.items()})
    st.session_state.update({f"prompt-{name}": text for name, text in filled["prompts"].items()})
    st.session_state.update({"cloned": run_id, "not-cloned": missing})


def _offered() -> dict[str, tuple[str | None, ...]]:
    models = (None, *services.list_models())
    return {
        "world": services.list_worlds(),
        "agent": services.list_agents(),
        "user": services.list_users(),
        "model": models,
        "user_model": _users_models(),
    }


@shell.guarded
def draw_form() -> None:
    """The fields of a new run, and Start."""
    for name, value in choices.DEFAULTS.items():
        shell.keep(_key(name), value)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("New run", anchor=False, width="content")
        paper = choices.PAPER_MEANINGS
        st.button("Paper's preset", icon=":material/menu_book:", on_click=_apply_paper, key="paper", help=paper)
    if missing := st.session_state.get("not-cloned"):
        told = ", ".join(missing)
        shell.faint(f"Not taken over: {told}. A page offers only parts with a short name; see josh.toml.", key="cloned")
    _what()
    _which()
    _how()
    st.button(
        "Start",
        type="primary",
        icon=":material/play_arrow:",
        shortcut="S",
        key="start",
        width="stretch",
        on_click=shell.tried,
        args=(_start,),
    )
    shell.refused(key="start")


def _what() -> None:
    world, split, agent, user = st.columns([5, 3, 4, 4])
    chosen = world.selectbox("World", services.list_worlds(), key=_key("world"), on_change=_suit_the_world)
    splits = services.world_splits(chosen, services.data_path(shell.store().path))
    if st.session_state[_key("split")] not in splits:
        st.session_state[_key("split")] = splits[0]
    split.selectbox("Split", splits, key=_key("split"))
    agent.selectbox("Agent", services.list_agents(), key=_key("agent"))
    user.selectbox("User", services.list_users(), key=_key("user"))
    if note := services.split_note(chosen, st.session_state[_key("split")], services.data_path(shell.store().path)):
        shell.faint(note, key="split-note")
    left, right = st.columns(2)
    left.selectbox(
        "Agent's model", (None, *services.list_models()), key=_key("model"), format_func=_or_none, placeholder=NONE
    )
    right.selectbox("User's model", _users_models(), key=_key("user_model"), format_func=_or_none, placeholder=NONE)


def _suit_the_world() -> None:
    """Another world's usual players and bounds; what is chosen of them afterwards stays."""
    world = st.session_state[_key("world")]
    st.session_state.update({_key(name): value for name, value in choices.suited_fields(world).items()})


def _users_models() -> tuple[str | None, ...]:
    """The embedded model plays agents only."""
    return (None, *(name for name in services.list_models() if name != services.EMBEDDED_MODEL))


def _which() -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.segmented_control("Scenarios", choices.PICKS, key=_key("pick"), required=True)
    pick = st.session_state[_key("pick")]
    if pick == choices.IDS:
        st.text_area("Scenario ids", key=_key("ids"), height=110, placeholder="One a line, or apart by commas")
        return
    right.number_input("How many", 0, key=_key("limit"), help="The first so many, in the split's order.")
    if pick == choices.FILTER:
        _filter()


def _filter() -> None:
    lines = _lines()
    domains = choosing.domains_of(lines)
    st.session_state[_key("domains")] = [each for each in st.session_state[_key("domains")] if each in domains]
    left, middle, right = st.columns([5, 2, 2])
    left.multiselect("Domains", domains, key=_key("domains"), placeholder="Any", help="All of these.")
    middle.number_input("Goals from", 0, key=_key("least"))
    right.number_input("to", 0, key=_key("most"), placeholder="any")
    st.text_input("Text", key=_key("text"), placeholder="In the id, or in what the user wants")
    found = choosing.filtered(lines, choices.scenario_filter(_filled()))
    shell.faint(f"{len(found):,} of {len(lines):,} scenarios match.", key="matching")


def _how() -> None:
    columns: Sequence[DeltaGenerator] = st.columns(4)
    columns[0].selectbox("Strategy", choices.STRATEGY_NAMES, key=_key("strategy"), help=choices.STRATEGY_MEANINGS)
    columns[1].number_input("Beam", 0, key=_key("beam"), help="Live conversations at most.")
    columns[2].number_input("Branching", 0, key=_key("branching"), help="Agent turns tried after one user turn.")
    columns[3].number_input("Depth", 0, key=_key("depth"), help="Exchanges at most.")
    columns = st.columns(4)
    columns[0].number_input("Temperature", 0.0, step=0.1, format="%.2f", key=_key("temperature"))
    columns[1].number_input("Seed", 0, key=_key("seed"))
    columns[2].number_input("Concurrency", 0, key=_key("concurrency"), help="Scenarios at once.")
    columns[3].number_input("Cap", 0, key=_key("budget_calls"), placeholder="none", help="Model outputs at most.")
    with st.expander("More"):
        columns = st.columns(3)
        columns[0].number_input("Top-p", 0.0, 1.0, step=0.05, key=_key("top_p"), placeholder="endpoint's own")
        columns[1].number_input("Top-k", 0, key=_key("top_k"), placeholder="endpoint's own")
        columns[2].number_input("Generations per turn", 0, key=_key("max_generations"))
        columns[0].number_input("Trials", 0, key=_key("trials"), help="How often each scenario is played.")
        columns[0].number_input("Tokens per output", 0, key=_key("max_tokens"), placeholder="endpoint's own")
        columns[1].number_input("User's temperature", 0.0, step=0.1, format="%.2f", key=_key("user_temperature"))
        columns[2].number_input("Cap in usd", 0.0, key=_key("budget_usd"), placeholder="none", help="Of both sides.")
        for column, (name, values) in zip((*columns[1:], columns[0]), choices.OPTIONS.items(), strict=True):
            label = name.replace("_", " ").capitalize()
            column.selectbox(
                label,
                (None, *values),
                key=_key(name),
                format_func=_or_none,
                placeholder=NONE,
                help=choices.OPTION_MEANINGS[name],
            )
        for side, name in (("Agent", "extras"), ("User", "user_extras")):
            st.text_input(f"{side}'s endpoint also gets", key=_key(name), placeholder=EXTRAS_EXAMPLE, help=EXTRAS_HELP)
        _prompts()


def _prompts() -> None:
    """The texts that the chosen players are told; an edited one goes with its run and leaves the shipped file alone."""
    chosen = st.session_state
    edited: dict[str, str] = chosen[_key("prompts")]
    for name, shipped in services.shipped_prompts(chosen[_key("agent")], chosen[_key("user")]).items():
        key = f"prompt-{name}"
        shell.keep(key, edited.get(name, shipped))
        st.text_area(f"Prompt: {name}", key=key, height=180, on_change=_edit_prompt, args=(name, shipped))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("As shipped", icon=":material/undo:", key=f"shipped-{name}", on_click=_unedit, args=(name,))
            told = "Edited: kept with the run, known by its hash." if name in edited else "The shipped text."
            shell.faint(told, key=f"prompt-{name}")


def _edit_prompt(name: str, shipped: str) -> None:
    edited = {**st.session_state[_key("prompts")], name: st.session_state[f"prompt-{name}"]}
    st.session_state[_key("prompts")] = {each: text for each, text in edited.items() if (each, text) != (name, shipped)}


def _unedit(name: str) -> None:
    edited: dict[str, str] = st.session_state[_key("prompts")]
    st.session_state[_key("prompts")] = {each: text for each, text in edited.items() if each != name}
    st.session_state.pop(f"prompt-{name}", None)


def _key(name: str) -> str:
    return f"form-{name}"


def _or_none(value: str | None) -> str:
    return value or NONE


def _filled() -> dict[str, Any]:
    filled = {name: st.session_state.get(_key(name), default) for name, default in choices.DEFAULTS.items()}
    used = services.shipped_prompts(filled["agent"], filled["user"])  # another player's stay typed, and are not sent
    return filled | {"prompts": {name: text for name, text in filled["prompts"].items() if name in used}}


def _apply_paper() -> None:
    st.session_state.update({_key(name): value for name, value in choices.PAPER.items()})


def _lines() -> tuple[services.ScenarioLine, ...]:
    chosen = _filled()
    return _listed(chosen["world"], chosen["split"], str(services.data_path(shell.store().path)))


@st.cache_data(show_spinner=False, max_entries=16, ttl=300)
def _listed(world: str, split: str, data: str) -> tuple[services.ScenarioLine, ...]:
    return services.scenario_lines(world, split, Path(data))


def _chosen() -> tuple[RunConfig, RunLimits, services.Estimate]:
    """What the form asks for, and what that will take. Raises JoshError for what cannot be."""
    store, lines, filled = shell.store(), _lines(), _filled()
    limits = choices.limits(filled)
    config = services.build_config(choices.request(filled, lines), services.data_path(store.path))
    wanted = set(config.scenarios)
    goals = [line.goals for line in lines if line.id in wanted]
    return config, limits, services.estimate_run(store, config, goals, limits=limits)


@shell.guarded
def draw_preview() -> None:
    """What the run will take, and the manifest it will keep; or why it cannot be."""
    config, _, found = _chosen()
    with st.container(key="notice-estimate"):
        columns = st.columns(3)
        columns[0].metric("Scenarios to play", f"{found.rollouts:,}")
        columns[1].metric("Model outputs, about", f"{found.calls:,}", help="Of the agent, and of a user with a model.")
        time = listings.NO_FIGURE if found.seconds is None else listings.duration(found.seconds)
        columns[2].metric("Time, about", time)
        shell.faint(f"{found.calls_low:,} to {found.calls_high:,} outputs. {certainty(found)}", key="certainty")
    with st.expander("Manifest: what the run keeps, and is reproduced by"):
        st.json(to_json(config), expanded=1)


def _start() -> None:
    """Makes the run, starts it, and opens it."""
    store = shell.store()
    try:
        config, limits, expected = _chosen()
    except (ConfigError, DatasetError):
        return  # said beside the form, as long as it is so
    run = services.create_run(store, config, limits=limits)
    services.keep_estimate(store, run.id, expected)
    services.launch_run(store, run.id, data=services.data_path(store.path))
    st.query_params.from_dict({"run": run.id})
