"""The frame all pages share: the way in, the store, headings, boxes for errors and notices, tables with links.

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

import streamlit as st

from app import services
from app.listings import Listed, runs_listed
from josh_engine.config import Run
from josh_engine.errors import JoshError, NotFound

P = ParamSpec("P")
HERE = Path(__file__).parent
ENTRY = "streamlit_app.py"
PAGES: Mapping[str, str] = {"overview": "pages/overview.py", "run": "pages/run.py", "tree": "pages/tree.py"}
log = logging.getLogger("josh.app")


def frame() -> None:
    """What the entry point draws before any page."""
    st.set_page_config(page_title="JOSH Studio", page_icon=HERE / "favicon.svg", layout="wide")
    st.logo(HERE / "logo.svg", size="large")
    st.html(HERE / "shell.css")


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
    with st.container(key=f"problem-{key}"):
        st.text(f"⚠ {error.message}")
        if error.remedy:
            st.text(error.remedy)


def unforeseen(error: Exception, *, key: str) -> None:
    place = _log_file()
    log.error("a page failed", exc_info=error)
    with st.container(key=f"problem-{key}"):
        st.text("⚠ This page could not be drawn.")
        st.text("That is a mistake in JOSH Studio. Reload the page; if it comes back, report it with this:")
        st.code(f"{type(error).__name__}: {error}\nin full in {place}", language=None, wrap_lines=True)


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
    return services.open_store(Path(path))


def heading(title: str, *crumbs: str, run_id: str | None = None) -> None:
    """The page's title, which is ours, over its crumbs, which are shown as text; `run_id` leads to that run."""
    with st.container(key="heading"):
        st.title(title, anchor=False)
        with st.container(key="crumbs", horizontal=True, vertical_alignment="center", gap="small"):
            if run_id:
                st.page_link(PAGES["run"], label=f"Run {run_id}", query_params={"run": run_id})
                crumbs = ("", *crumbs)
            st.text("  ▸  ".join(crumbs).strip())


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
    with st.container(key="problem-run"):
        st.text(f"⚠ Run `{run_id}` is not in this store.")
        st.text(f"Choose one of those below, or start a new one. The store is {services.store_path()}.")
    page = title.lower()
    listing(runs_listed(services.list_runs(store()), page=page), key="known-runs", height=480)
    return None


def listing(listed: Listed, *, key: str, height: int | None = None) -> None:
    """A table whose rows lead somewhere."""
    component(HERE, "listing")(key=key, data=listed.drawn(height))


@cache
def component(folder: Path, name: str, *parts: str) -> Any:
    """One of our own components: `name.js`, with the parts it is written in, and `name.css` in `folder`. Registered
    once per process, on first use."""
    scripts = [(folder / f"{part}.js").read_text(encoding="utf-8") for part in (name, *parts)]
    return st.components.v2.component(
        f"josh_{name}", js="\n".join(scripts), css=(folder / f"{name}.css").read_text(encoding="utf-8")
    )
