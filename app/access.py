"""Who may see the pages: everybody who reaches the server, unless JOSH_PASSWORD is set, or an OpenID provider is
configured as Streamlit has it (`[auth]` in `.streamlit/secrets.toml`).
"""

from __future__ import annotations

import hmac
import os
import time

import streamlit as st

VARIABLE = "JOSH_PASSWORD"
WRONG_SECONDS = 1.0  # what a wrong guess costs
ALLOWED = "_allowed"


def granted() -> bool:
    """Whether this session may see the pages; else what it must do for that is drawn."""
    return _by_password() and _by_provider()


def _by_password() -> bool:
    wanted = os.environ.get(VARIABLE, "")
    if not wanted or st.session_state.get(ALLOWED):
        return True
    st.title("JOSH Studio", anchor=False)
    with st.form("password"):
        given = st.text_input("Password", type="password", key="password")
        pressed = st.form_submit_button("Open", type="primary")
    if pressed and hmac.compare_digest(given.encode(), wanted.encode()):
        st.session_state[ALLOWED] = True
        st.rerun()
    if pressed:
        time.sleep(WRONG_SECONDS)
        st.text("⚠ That is not the password.")
    return False


def _by_provider() -> bool:
    if not _configured() or st.user.is_logged_in:
        return True
    st.title("JOSH Studio", anchor=False)
    st.text("Sign in to see the pages.")
    st.button("Sign in", type="primary", on_click=st.login, key="sign-in")
    return False


def _configured() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False
