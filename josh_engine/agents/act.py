"""The ACT agent: the ReACT agent without the thought line. A generation is one APICALL or one SPEAK.

Everything else, and why, stands in `josh_engine.agents.react`; the prompt is its own.
"""

from __future__ import annotations

from josh_engine.agents.react import ReactAgent


class ActAgent(ReactAgent):
    prompt = "act"
    planned = False
