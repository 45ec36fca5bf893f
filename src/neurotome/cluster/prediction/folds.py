"""Rows dealt into folds: every class in every fold as evenly as can be, groups never torn apart, small classes never silently."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.cluster.values import codes_of, labelled, same_length
from neurotome.core import InputError, UnknownNameError, ValueRangeError

__all__ = ["MERGED", "SMALL", "Task", "dealt", "task_of"]

SMALL = ("refuse", "spread", "drop", "merge")
MERGED = "other"


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be predicted: rows (m,) of the table that take part, codes (m,) of their labels, names of the classes.

    groups (m,) or None. left_out: class -> rows that do not take part; merged: classes that became `MERGED`.
    """

    rows: np.ndarray
    codes: np.ndarray
    names: tuple[str, ...]
    groups: np.ndarray | None
    left_out: dict[str, int]
    merged: tuple[str, ...] = ()

    @property
    def sizes(self) -> np.ndarray:
        return np.bincount(self.codes, minlength=len(self.names))


def task_of(labels: np.ndarray, folds: int = 10, *, small: str = "refuse", groups: np.ndarray | None = None) -> Task:
    """The rows with a label, and what becomes of classes with fewer members (groups, where given) than folds.

    small: "refuse" raises ValueRangeError with class, count and the largest legal number of folds. "spread" lets each of their
    members be in a fold of its own, so that some folds hold none (2 members at least). "drop" leaves these classes out. "merge"
    makes them one class. Raises InputError where fewer than two classes remain.
    """
    if small not in SMALL:
        raise UnknownNameError("treatment of small classes", small, SMALL)
    if folds < 2:
        raise ValueRangeError(f"{folds} folds", "2 at least")
    same_length(len(labels), groups=groups)
    rows = np.flatnonzero(labelled(labels))
    chosen = np.asarray(labels, object)[rows]
    grouped = None if groups is None else codes_of(np.asarray(groups, object)[rows], "groups")[0]
    left_out: dict[str, int] = {"": len(labels) - len(rows)} if len(rows) < len(labels) else {}
    codes, names = _classes(chosen)
    members = _members(codes, len(names), grouped)
    least = 2 if small == "spread" else folds
    few = [names[at] for at in np.flatnonzero(members < least)]
    merged: tuple[str, ...] = ()
    if few and small in ("refuse", "spread"):
        _refuse(few[0], int(members.min()), folds, small, "groups" if groups is not None else "members")
    if few:
        is_few = np.isin(np.array(names, object)[codes], few)
        if small == "merge" and _members(np.where(is_few, 0, 1), 2, grouped)[0] >= folds:
            chosen[is_few], merged = MERGED, tuple(few)
        else:
            left_out |= {name: int((np.array(names, object)[codes] == name).sum()) for name in few}
            rows, chosen = rows[~is_few], chosen[~is_few]
            grouped = None if grouped is None else grouped[~is_few]
        codes, names = _classes(chosen)
    if len(names) < 2:
        raise InputError(
            f"Labels of {len(names)} class{'' if len(names) == 1 else 'es'}: {', '.join(names) or 'none'}",
            "at least two to tell apart",
            "choose another column, or fewer folds",
        )
    return Task(rows, codes, tuple(names), grouped, left_out, merged)


def dealt(codes: np.ndarray, folds: int, *, seed: int, groups: np.ndarray | None = None) -> np.ndarray:
    """The fold (n,) of each row. Stratified: the folds' shares of a class differ by one row at most (with groups, by one group).

    >>> fold = dealt(np.repeat([0, 1], [6, 3]), 3, seed=0)
    >>> [np.bincount(np.repeat([0, 1], [6, 3])[fold == f]).tolist() for f in range(3)]
    [[2, 1], [2, 1], [2, 1]]
    """
    rng = np.random.default_rng(seed)
    if groups is not None:
        return _dealt_groups(codes, groups, folds, rng)
    fold = np.empty(len(codes), np.int64)
    # Dealt like cards, class after class without starting anew, so that fold sizes differ by one row at most.
    shuffled = rng.permutation(len(codes))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]
    fold[order] = np.arange(len(codes)) % folds
    return rng.permutation(folds)[fold]


def _dealt_groups(codes: np.ndarray, groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Groups from large to small, each into the fold that it leaves most even."""
    classes = int(codes.max()) + 1
    members = np.zeros((int(groups.max()) + 1, classes))
    np.add.at(members, (groups, codes), 1)
    share = np.maximum(members.sum(0), 1)
    held = np.zeros((folds, classes))
    fold_of_group = np.empty(len(members), np.int64)
    shuffled = rng.permutation(len(members))
    for group in shuffled[np.argsort(-members[shuffled].sum(1), kind="stable")]:
        grown = (held + members[group]) / share
        cost = (grown**2).sum(1) - ((held / share) ** 2).sum(1)
        best = np.flatnonzero(np.round(cost, 12) == np.round(cost.min(), 12))
        fold_of_group[group] = best[np.argmin(held[best].sum(1))]
        held[fold_of_group[group]] += members[group]
    return fold_of_group[groups]


def _classes(labels: np.ndarray) -> tuple[np.ndarray, list[str]]:
    return codes_of(np.array([str(value) for value in labels], object)) if len(labels) else (np.zeros(0, np.int64), [])


def _members(codes: np.ndarray, classes: int, groups: np.ndarray | None) -> np.ndarray:
    if groups is None:
        return np.bincount(codes, minlength=classes)
    return np.array([len(np.unique(groups[codes == name])) for name in range(classes)])


def _refuse(name: str, count: int, folds: int, small: str, unit: str) -> None:
    unit = unit.removesuffix("s") if count == 1 else unit
    if small == "spread" or count < 2:
        expected = f"at least 2, so that one can be learned from (and {folds} for one in each of {folds} folds)"
        raise ValueRangeError(f"Class '{name}' has {count} {unit}", expected, "small='drop' or small='merge'")
    raise ValueRangeError(
        f"Class '{name}' has {count} {unit} for {folds} folds",
        f"at least {folds} of each class",
        f"the largest legal number of folds is {count}; or small='spread', 'drop' or 'merge'",
    )
