"""What an agent or a user declares that it needs, asked before anything is played: a model, prompt texts, a human
transcript.

A part says so by attributes of its class: `needs_model = True`, `prompt = "react"` (a text of `josh_engine.prompting`),
`needs_guide = True`. A part that says nothing needs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app import parts
from josh_engine import prompting
from josh_engine.config import RunConfig
from josh_engine.errors import ConfigError
from josh_engine.users.guide import no_transcript
from josh_engine.values import Scenario


def check_models(config: RunConfig) -> None:
    """Raises ConfigError for a player that cannot play without a model and has none."""
    agent = ("agent", config.agent, config.model, "--model")
    user = ("user", config.user, config.user_model, "--user-model")
    for kind, name, model, option in (agent, user):
        if model is None and parts.declares(kind, name, "needs_model"):  # type: ignore[arg-type]
            raise ConfigError(
                f"The {kind} {name!r} needs a model, and the run names none.", remedy=f"Give one with {option}."
            )


def check_guides(config: RunConfig, scenarios: Iterable[Scenario]) -> None:
    """Raises ConfigError for a user that follows human transcripts, at the first scenario without one."""
    if parts.declares("user", config.user, "needs_guide"):
        for scenario in scenarios:
            if not scenario.guide:
                raise no_transcript(scenario.id)


def prompts_used(agent: str, user: str) -> tuple[str, ...]:
    """The names of the prompt texts that these players use. Raises ConfigError for a player that cannot be found."""
    declared = (parts.declares("agent", agent, "prompt"), parts.declares("user", user, "prompt"))
    return tuple(sorted(name for name in declared if name in prompting.PLACES))


def prompts(config: RunConfig, edited: Mapping[str, str]) -> dict[str, str]:
    """The texts that the run's players use, by name: edited ones where given, else the shipped ones.

    Raises ConfigError for an edited text that no player uses, and for one that cannot be filled.
    """
    used = prompts_used(config.agent, config.user)
    if strange := sorted(edited.keys() - set(used)):
        raise ConfigError(
            f"No player of this run uses a prompt {strange[0]!r}.",
            remedy=f"Prompts in use: {', '.join(used)}." if used else "These players use none.",
        )
    return {name: prompting.prompt_text(name, edited) for name in used}
