"""A session of editing: the tree as it is now, its past and its future, and the log that replays it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from neurotome.core import InputError, NeurotomeError, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.tracing.edit.bench import Bench
from neurotome.tracing.edit.change import Change
from neurotome.tracing.edit.log import Entry, tree_hash
from neurotome.tracing.edit.operations import OPERATIONS, plain_arguments
from neurotome.tracing.sparse.bricks import Bricks

__all__ = ["Editor", "now"]


def now() -> str:
    """The time of an operation: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Editor:
    """Edits one skeleton (which may hold several trees). An operation that is refused changes nothing.

    probability: the volume that `bridge` and `retrace_from` look in, 255 is probability 1. origin_nm: where its voxel 0 lies.
    user, clock: what the log says of each operation.

    >>> line = Skeleton.of([-1, 0, 1], [[0, 0, 0], [0, 0, 30], [0, 0, 60]])
    >>> editor = Editor(line)
    >>> editor.do("move_node", node=2, point_nm=(0, 10, 30)).points_nm[1].tolist()
    [0.0, 10.0, 30.0]
    >>> editor.undo().points_nm[1].tolist(), [entry.operation for entry in editor.log]
    ([0.0, 0.0, 30.0], ['move_node', 'undo'])
    """

    def __init__(
        self,
        tree: Skeleton,
        *,
        probability: Bricks | None = None,
        origin_nm: Nm3 = (0.0, 0.0, 0.0),
        user: str = "",
        clock: Callable[[], str] = now,
    ) -> None:
        first_new = int(tree.ids.max()) + 1 if len(tree) else 1
        self._bench = Bench(tree, first_new, probability, origin_nm)
        self._user, self._clock = user, clock
        self._past: list[Change] = []
        self._future: list[Change] = []
        self._log: list[Entry] = []
        self._hash = tree_hash(tree)

    @property
    def tree(self) -> Skeleton:
        """The tree as it is now."""
        return self._bench.tree

    @property
    def log(self) -> tuple[Entry, ...]:
        """All operations of this session, undo and redo included."""
        return tuple(self._log)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def do(self, operation: str, **arguments: Any) -> Skeleton:
        """Do one operation of `OPERATIONS`, or "undo" or "redo". Returns the new tree.

        Raises UnknownNameError for an unknown operation or argument, InputError for what cannot be done.
        """
        return self._run(Entry(operation, plain_arguments(operation, arguments)))

    def undo(self) -> Skeleton:
        """The tree before the last operation, bit by bit. Raises InputError when there is none."""
        return self.do("undo")

    def redo(self) -> Skeleton:
        """The tree after the operation that was undone last. Raises InputError when there is none."""
        return self.do("redo")

    def replay(self, entries: Iterable[Entry]) -> Skeleton:
        """Do the operations of a log or script, in order; time and user are taken over where an entry has them.

        Raises InputError, naming the place of the entry, for what cannot be done and for a hash that differs. What was done
        before it stays done.
        """
        for number, entry in enumerate(entries, start=1):
            place = entry.place or f"entry {number}"
            try:
                self._run(entry)
            except NeurotomeError as error:
                raise InputError(f"{place} ({entry.operation}): {error.given}", error.expected, error.remedy) from error
        return self.tree

    def _run(self, entry: Entry) -> Skeleton:
        if entry.hash_before and entry.hash_before != self._hash:
            raise InputError(
                f"This log was written for a tree of hash {entry.hash_before[:12]}, here it is {self._hash[:12]}",
                "the tree that the log began with",
                "give the SWC file, with its .nodes.csv, that the log was written for",
            )
        tree, step = self._next(entry)
        found = tree_hash(tree)
        if entry.hash_after and entry.hash_after != found:
            raise InputError(
                f"The result has hash {found[:12]}, the log says {entry.hash_after[:12]}",
                "the tree that the log ended this operation with",
                "give the volume that the log was written with, and check that nobody has changed the log",
            )
        step()
        newest = int(tree.ids.max()) + 1 if len(tree) else 0
        self._bench = replace(self._bench, tree=tree, next_id=max(self._bench.next_id, newest))
        self._log.append(
            replace(
                entry, time=entry.time or self._clock(), user=entry.user or self._user, hash_before=self._hash, hash_after=found
            )
        )
        self._hash = found
        return tree

    def _next(self, entry: Entry) -> tuple[Skeleton, Callable[[], None]]:
        """The tree after an operation, and what then has to be done to past and future."""
        if entry.operation == "undo":
            change = _last(self._past, "undo")
            return change.undone(self.tree), lambda: self._future.append(self._past.pop())
        if entry.operation == "redo":
            change = _last(self._future, "redo")
            return change.redone(self.tree), lambda: self._past.append(self._future.pop())
        tree = OPERATIONS[entry.operation].run(self._bench, **entry.arguments)
        change = Change.between(self.tree, tree)

        def remember() -> None:
            self._past.append(change)
            self._future.clear()

        return tree, remember


def _last(changes: list[Change], purpose: str) -> Change:
    if not changes:
        expected = "an operation before it" if purpose == "undo" else "an undo right before it"
        raise InputError(f"There is nothing to {purpose}", expected, f"leave out the {purpose}")
    return changes[-1]
