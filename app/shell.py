"""The frame all pages share: the way in, the store, what is going on and who is looking, headings with their keys,
boxes for errors and notices, tables with links.

A page file starts with `shell.enter(__file__)`. Until some session has run the entry point since the server started,
Streamlit runs the page of a deep link *alone*, without navigation and frame; `enter` then sends the session through
the entry point and `opened` brings it back, query and all.

Whatever a person typed, a model wrote or a file holds is shown by `st.text` or `st.code`, never as Markdown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec
from urllib.parse import unquote

import streamlit as st

from app import demo, services, trainings
from app.keys import keys_of
from app.listings import Listed, duration, keys_listed, progress_in_words, runs_listed
from app.panels import looks
from app.trainings_listed import in_words, share
from josh_engine.config import Run
from josh_engine.errors import JoshError, NotFound, StorageError

P = ParamSpec("P")
HERE = Path(__file__).parent
ENTRY = "streamlit_app.py"
PAGES: Mapping[str, str] = {
    "overview": "pages/overview.py",
    "run": "pages/run.py",
    "talk": "pages/talk.py",
    "tree": "pages/tree.py",
    "audit": "pages/audit.py",
    "export": "pages/export.py",
    "train": "pages/train.py",
    "evaluate": "pages/evaluate.py",
    "data": "pages/data.py",
}
COOKIE = "josh_auditor"
MOST_JOBS = 3  # listed in the sidebar; the others are counted
log = logging.getLogger("josh.app")


def frame() -> None:
    """What the entry point draws before any page."""
    st.set_page_config(page_title="JOSH Studio", page_icon=HERE / "favicon.svg", layout="wide")
    st.logo(HERE / "logo.svg", size="large")
    st.html(HERE / "shell.css")


def sidebar() -> None:
    """What the entry point draws under the navigation: what is going on, and who is looking."""
    with st.sidebar:
        component(HERE, "scheme")(key="scheme")
        try:
            going = bool(services.active_runs(store()) or trainings.active_trainings(store()))
        except StorageError:
            return  # the page says so, with what to do; there is nobody to ask and nothing to show
        st.fragment(_jobs, run_every="1s" if going else None)(going)
        _whoami()


def _jobs(going: bool) -> None:
    """The job strip: what is being played or trained. The whole page is drawn anew when the last one ends."""
    runs, jobs = services.active_runs(store()), trainings.active_trainings(store())
    if not runs and not jobs and going:
        st.rerun()
    if not runs and not jobs:
        return
    with st.container(key="jobs"):
        for run in runs[:MOST_JOBS]:
            st.text(run.name)
            st.progress(run.finished / max(1, run.total), text=progress_in_words(run))
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.text(duration(run.seconds))
                st.page_link(PAGES["run"], label="Open", query_params={"run": run.id})
        if len(runs) > MOST_JOBS:
            st.text(f"and {len(runs) - MOST_JOBS} more")
        for job in jobs[:MOST_JOBS]:
            st.text(job.name)
            st.progress(share(job, job.state), text=in_words(job, job.state))
            st.page_link(PAGES["train"], label="Open", query_params={"job": job.id})


def _whoami() -> None:
    """Asked once: kept in this browser, and with the people in the store."""
    if demo.wanted():
        return  # nobody judges in a demonstration, and nobody's name is kept
    kept = unquote(st.context.cookies.get(COOKIE, ""))
    if "auditor" not in st.session_state:
        st.session_state["auditor"] = services.remember_person(store(), kept)
    with st.container(key="whoami"):
        st.text_input(
            "Who are you?",
            key="auditor",
            max_chars=40,
            placeholder="Your name",
            on_change=_introduce,
            help="Stands on the verdicts you give. Kept in this browser and in the store.",
        )
    if kept != st.session_state["auditor"]:
        component(HERE, "whoami")(key="keep-whoami", data={"cookie": COOKIE, "name": st.session_state["auditor"]})


def _introduce() -> None:
    st.session_state["auditor"] = services.remember_person(store(), st.session_state["auditor"])
    looks.named(store(), st.session_state["auditor"])


def auditor() -> str:
    """The name of whoever looks at this page; empty while nobody has said."""
    name: str = st.session_state.get("auditor", "")
    return name


def enter(page_file: str) -> None:
    """Sends a session that came past the entry point through it."""
    if st.session_state.get("_framed"):
        return
    name = next(name for name, path in PAGES.items() if Path(path).name == Path(page_file).name)
    st.session_state["_wanted"] = (name, st.query_params.to_dict())
    st.switch_page(ENTRY)


def opened() -> None:
    """Called by the entry point after `st.navigation`: goes on to the page that `enter` kept."""
    st.session_state["_framed"] = True
    wanted = st.session_state.pop("_wanted", None)
    if wanted is not None:
        go(*wanted)


def go(page: str, params: Mapping[str, str]) -> None:
    st.switch_page(PAGES[page], query_params=dict(params))


def guarded(draw: Callable[P, None]) -> Callable[P, None]:
    """A page or a fragment whose failures become a box: what, and what to do. A raw traceback goes to the log only."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except JoshError as error:
            problem(error, key=draw.__name__.strip("_"))
        except Exception as error:  # noqa: BLE001  (the last line: what is caught here is logged and shown)
            unforeseen(error, key=draw.__name__.strip("_"))

    return drawn


def problem(error: JoshError, *, key: str) -> None:
    """A box: what happened, and what to do; with the details to copy."""
    complaint(error.message, error.remedy, key=key, details=f"{type(error).__name__}: {error}")


def complaint(what: str, remedy: str, *, key: str, details: str = "") -> None:
    with st.container(key=f"problem-{key}"):
        st.text(f"⚠ {what}")
        if remedy:
            st.text(remedy)
        copy_button("Copy details", key=f"copy-{key}", text=f"{details or what}\n{services.version()}")


def unforeseen(error: Exception, *, key: str) -> None:
    place = _log_file()
    log.error("a page failed", exc_info=error)
    told = f"{type(error).__name__}: {error}\nin full in {place}"
    with st.container(key=f"problem-{key}"):
        st.text("⚠ This page could not be drawn.")
        st.text("That is a mistake in JOSH Studio. Reload the page; if it comes back, report it with this:")
        st.code(told, language=None, wrap_lines=True)
        copy_button("Copy details", key=f"copy-{key}", text=f"{told}\n{services.version()}")


def tried(act: Callable[[], object]) -> None:
    """For the callback of a button: what refuses it is kept, for `refused` to show. A callback is run before anything
    is drawn, so no press is lost when the page is drawn anew meanwhile."""
    try:
        act()
    except JoshError as error:
        st.session_state["refused"] = error


def refused(*, key: str) -> None:
    """In a box why the last press was refused, if it was."""
    if error := st.session_state.pop("refused", None):
        problem(error, key=key)


def keep(key: str, default: object) -> None:
    """A field's value, `default` at first, told to the browser in every run. What is told in one run only is lost where
    another interrupts that one: the browser then says, and the field holds, what an empty field of its kind holds."""
    st.session_state[key] = st.session_state.get(key, default)


def attempted(act: Callable[[], object], *, key: str, then: tuple[str, Mapping[str, str]] | None = None) -> None:
    """Does what a dialog asked for. It may be refused: then in a box why; else the dialog is done, and the page is
    drawn anew, or another one opened."""
    try:
        act()
    except JoshError as error:
        problem(error, key=key)
        return
    dialog_done()
    if then is not None:
        go(*then)
    st.rerun()


def nothing_yet(sentence: str, button: str, *, key: str, icon: str = ":material/play_arrow:") -> bool:
    """An empty state: one sentence and one button; whether that was pressed."""
    with st.container(key=f"notice-{key}"):
        st.text(sentence)
        return st.button(button, type="primary", icon=icon, key=f"do-{key}")


def copy_button(label: str, *, key: str, text: str | None = None) -> None:
    """Copies `text`; None: the address of the page as it is when the button is pressed."""
    component(HERE, "copying", "button")(key=key, data={"label": label, "text": text}, width="content")


@cache
def _log_file() -> Path:
    """Where failures of pages are written in full, beside the store; opened on the first one."""
    store_file = services.store_path()
    place = store_file.with_name(f"{store_file.name}.logs") / "app.log"
    place.parent.mkdir(parents=True, exist_ok=True)
    log.addHandler(logging.FileHandler(place, encoding="utf-8"))
    return place


def store() -> services.Store:
    """The store, opened once per server and path. Raises StorageError."""
    return _store(str(services.store_path()))


@st.cache_resource(show_spinner=False)
def _store(path: str) -> services.Store:
    return services.open_store(Path(path), create=not demo.wanted(), read_only=demo.wanted())


def heading(
    title: str,
    *crumbs: str,
    run_id: str | None = None,
    beside: Callable[[], None] | None = None,
) -> None:
    """The page's title, which is ours, over its crumbs, which are shown as text; `run_id` leads to that run.

    Beside the title: the page's address to copy, and its keys. `beside` draws what stands beside the crumbs.
    """
    with st.container(key="heading"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.title(title, anchor=False, width="content")
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="tools"):
                copy_button("Copy link", key="copy-link")
                asked, meaning = f"keys of {title}", "The keys of this page"
                if dialog_button("Keys", asked, icon=":material/keyboard:", shortcut="H", key="keys", meaning=meaning):
                    _keys_help(title)
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            if crumbs or run_id:
                crumbs_line(*crumbs, run_id=run_id)
            if beside is not None:
                with st.container(key="beside", horizontal=True, gap="small", width="content"):
                    beside()


def crumbs_line(*crumbs: str, run_id: str | None = None) -> None:
    """Where one is: run ▸ scenario ▸ turn. Apart from the heading where it changes more often than that."""
    with st.container(key="crumbs", horizontal=True, vertical_alignment="center", gap="small", width="stretch"):
        if run_id:
            st.page_link(PAGES["run"], label=f"Run {run_id}", query_params={"run": run_id})
            crumbs = ("", *crumbs)
        st.text("  ▸  ".join(crumbs).strip())


def dialog_button(
    label: str, asked: str, *, key: str, icon: str, meaning: str = "", shortcut: str | None = None
) -> bool:
    """A button, and whether the dialog it asks for is to be drawn: from then until `dialog_done`. So the dialog
    outlives the page being drawn anew under it, as when a run ends. `asked` names the dialog and what it is about."""

    def ask() -> None:
        st.session_state["dialog"] = asked

    st.button(label, icon=icon, shortcut=shortcut, key=key, help=meaning or None, on_click=ask)
    return bool(st.session_state.get("dialog") == asked)


def dialog_done() -> None:
    st.session_state.pop("dialog", None)


def _keys_help(title: str) -> None:
    @st.dialog(f"Keys on {title}", on_dismiss=dialog_done)
    def shown() -> None:
        listing(keys_listed(keys_of(title)), key="keys-listed")

    shown()


def faint(text: str, *, key: str) -> None:
    with st.container(key=f"faint-{key}"):
        st.text(text)


def find_run(run_id: str, *, title: str) -> Run | None:
    """The run; None where the address names one that is not in the store: then the page says so, and offers those
    that are."""
    try:
        return services.load_run(store(), run_id)
    except NotFound:
        heading(title)
    remedy = f"Choose one of those below, or start a new one. The store is {services.store_path()}."
    complaint(f"Run `{run_id}` is not in this store.", remedy, key="run")
    page = title.lower()
    listing(runs_listed(services.list_runs(store()), page=page), key="known-runs", height=480)
    return None


def listing(listed: Listed, *, key: str, height: int | None = None) -> None:
    """A table whose rows lead somewhere."""
    component(HERE, "listing")(key=key, data=listed.drawn(height))


@cache
def component(folder: Path, name: str, *parts: str) -> Any:
    """One of our own components: `name.js`, with the parts it is written in (scripts, styles or both), in `folder`.
    Registered once per process, on first use."""
    files = [folder / f"{part}.js" for part in (name, *parts)]
    scripts = [_slim(path.read_text(encoding="utf-8")) for path in files if path.exists()]
    styles = [path.read_text(encoding="utf-8") for part in (*parts, name) if (path := folder / f"{part}.css").exists()]
    return st.components.v2.component(f"josh_{name}", js="\n".join(scripts), css="\n".join(styles))


def _slim(script: str) -> str:
    """Without whole-line comments and indentation: Streamlit sends the script again with every change of its data."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
