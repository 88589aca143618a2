"""Every failure the product knows by name. What the *model* got wrong is data (`ToolCall.error`, `Turn.stop`);
what the *world* got wrong is one of these.

An error says what happened (`message`), to whom it may concern, and what to do about it (`remedy`).
"""

from __future__ import annotations


class JoshError(Exception):
    """A failure with a message for the person: what happened, and what to do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigError(JoshError):
    """The person asked for something that cannot be: unknown names, values out of range."""


class DatasetError(JoshError):
    """A data file is absent, broken or incomplete; names file, record and field."""


class StorageError(JoshError):
    """The store cannot be read or written."""


class NotFound(StorageError):
    """No such run, rollout or verdict in this store."""


class NewerSchema(StorageError):
    """A newer version of the product wrote this store."""


class SimulationError(JoshError):
    """A replay met another world than the one recorded, or a part broke its contract."""


class ModelError(JoshError):
    """A model could not answer. `retry`: the same call may succeed later. `final`: no call to this model can succeed
    until a person has done something, so none need be made."""

    retry = False
    final = False


class RateLimited(ModelError):
    """`wait`: seconds the endpoint asks for before the next call; None: it did not say."""

    retry = True

    def __init__(self, message: str, *, remedy: str = "", wait: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.wait = wait


class ModelUnavailable(ModelError):
    retry = True


class ContextOverflow(ModelError):
    """The conversation no longer fits the model's window."""


class MissingKey(ModelError):
    """The endpoint wants a key; the message names the environment variable, never its value."""


class BadResponse(ModelError):
    """The endpoint answered something that is not a completion: cut short on its way, perhaps."""

    retry = True


class Away(JoshError):
    """Who plays a side is not there, a person or a local model that was stopped: the rollout pauses where it is, and
    can be resumed."""


class TrainingError(JoshError):
    """A training job cannot start or go on."""


class MissingDependency(TrainingError):
    """An optional package is needed; the remedy is the command that installs it."""


class OutOfMemory(TrainingError):
    """The job does not fit; the remedy names the two settings to lower."""


class BudgetReached(JoshError):
    """The run's cap on calls or money is used up: it stops cleanly and can be resumed with a higher one."""
