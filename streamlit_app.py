"""The entry point: the frame, the navigation over `pages/`, and nothing else."""

import streamlit as st

from app import access, shell

shell.frame()
may_enter = access.granted()
page = st.navigation(
    [
        st.Page(shell.PAGES["overview"], title="Overview", icon=":material/home:", default=True),
        st.Page(shell.PAGES["run"], title="Run", icon=":material/play_circle:", url_path="run"),
        st.Page(shell.PAGES["talk"], title="Talk", icon=":material/forum:", url_path="talk"),
        st.Page(shell.PAGES["tree"], title="Tree", icon=":material/account_tree:", url_path="tree"),
        st.Page(shell.PAGES["audit"], title="Audit", icon=":material/gavel:", url_path="audit"),
        st.Page(shell.PAGES["export"], title="Export", icon=":material/output:", url_path="export"),
        st.Page(shell.PAGES["train"], title="Train", icon=":material/model_training:", url_path="train"),
        st.Page(shell.PAGES["evaluate"], title="Evaluate", icon=":material/leaderboard:", url_path="evaluate"),
        st.Page(shell.PAGES["data"], title="Data & settings", icon=":material/database:", url_path="data"),
    ],
    position="sidebar" if may_enter else "hidden",
)
if not may_enter:
    st.stop()
shell.opened()
shell.sidebar()
page.run()
