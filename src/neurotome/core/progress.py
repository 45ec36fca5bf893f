"""How long work says where it is, without knowing who listens."""

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Called as often as the worker likes; `done` and `total` count the same unit, `what` names the step ("fragments")."""

    def __call__(self, what: str, done: int, total: int) -> None: ...


def silent(what: str, done: int, total: int) -> None:
    """The listener that is not there."""
