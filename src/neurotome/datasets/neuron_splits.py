"""Which neurons are for training, for choosing and for judging: a file that says so, or a hash of the neuron's name.

    neuron_id,split        split is train, val or test

Pieces of one neuron stay together: MICrONS ids such as 864691135581551213_0 share the part of their segment.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from neurotome.core import FormatError, InputError
from neurotome.io.label_table import listed
from neurotome.io.open import require_exists
from neurotome.io.table import write_csv

__all__ = ["SHARES", "SPLITS", "checked_split", "group_of", "read_split", "split_of", "write_split"]

SPLITS = ("train", "val", "test")
SHARES = (0.8, 0.1, 0.1)
COLUMNS = ("neuron_id", "split")
_PIECE = re.compile(r"(\d{10,})_\d+")


def group_of(name: str) -> str:
    """What must not be torn apart: the segment of a piece, else the neuron itself.

    >>> group_of("864691135581551213_0"), group_of("VD_1")
    ('864691135581551213', 'VD_1')
    """
    match = _PIECE.fullmatch(name)
    return match[1] if match else name


def split_of(
    names: Iterable[str], shares: Sequence[float] = SHARES, seed: int = 0, *, groups: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The part of every neuron, from a hash of its group: the same in any order, and the same when others are added.

    shares: of train, val and test, sum 1. groups: what belongs together, by name, such as the animal (default: `group_of`).

    Raises InputError for names that repeat or lack a group, for shares that are none, and where a part that should have some
    neurons has none.

    >>> parts = split_of([f"n{i}" for i in range(1000)])
    >>> [list(parts.values()).count(part) for part in SPLITS], parts["n7"] == split_of(["n8", "n7"], (1, 0, 0))["n7"]
    ([812, 100, 88], True)
    """
    if len(shares) != len(SPLITS) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"Shares {tuple(shares)}", "three of 0 and more whose sum is 1", "give train, val and test")
    every = list(names)
    _require_unique(every, "given")
    if groups is not None and (without := [name for name in every if name not in groups]):
        raise InputError(f"No group for {listed(without)}", "one for each neuron", "complete the groups")
    parts = {name: _part(group_of(name) if groups is None else groups[name], shares, seed) for name in every}
    for part, share in zip(SPLITS, shares, strict=True):
        if share > 0 and every and part not in parts.values():
            raise InputError(
                f"No neuron of {len(every)} is in {part} at a share of {share:g}",
                "one at least",
                "another seed, or larger shares",
            )
    return parts


def write_split(path: Path | str, parts: Mapping[str, str]) -> None:
    """Write the part of each neuron, sorted by name; whole or not at all. Raises InputError for an unknown part."""
    wrong = {part for part in parts.values() if part not in SPLITS}
    if wrong:
        raise InputError(f"Parts {listed(sorted(wrong))}", f"parts of {', '.join(SPLITS)}", "rename them")
    write_csv(Path(path), ({"neuron_id": name, "split": parts[name]} for name in sorted(parts)), COLUMNS)


def read_split(path: Path | str, names: Iterable[str] | None = None) -> dict[str, str]:
    """The part of every neuron in a file; with `names`, of exactly these.

    Raises FormatError for another table, and what `checked_split` raises.
    """
    path = require_exists(Path(path))
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise FormatError(f"'{path}' has the columns {listed(reader.fieldnames or ())}", ", ".join(COLUMNS), "rename them")
        rows = [(row["neuron_id"], row["split"]) for row in reader]
    wrong = next(((line, part) for line, (_, part) in enumerate(rows, start=2) if part not in SPLITS), None)
    if wrong:
        raise FormatError(f"'{path}', line {wrong[0]} has the split '{wrong[1]}'", ", ".join(SPLITS), "correct that line")
    members: dict[str, list[str]] = {part: [name for name, p in rows if p == part] for part in SPLITS}
    return checked_split(members, names, str(path))


def checked_split(members: Mapping[str, Sequence[str]], names: Iterable[str] | None, source: str) -> dict[str, str]:
    """The part of each neuron of lists of neurons by part, or only of `names`, once it is sure that every one is in one part.

    Raises InputError that lists neurons in two parts or twice in one, pieces of one neuron in two parts, and those of `names`
    that are in none.
    """
    found: dict[str, str] = {}
    part_of_group: dict[str, str] = {}
    for part, names_of_part in members.items():
        _require_unique(names_of_part, f"in {part} of '{source}'")
        if both := [name for name in names_of_part if name in found]:
            other = found[both[0]]
            raise InputError(f"'{source}' has {listed(both)} in {other} and in {part}", "each neuron in one part", "choose one")
        torn = [name for name in names_of_part if part_of_group.setdefault(group_of(name), part) != part]
        if torn:
            raise InputError(
                f"'{source}' has pieces of one neuron in two parts: {listed(torn)}",
                "all of them in one",
                "move the pieces together",
            )
        found |= dict.fromkeys(names_of_part, part)
    if names is None:
        return found
    wanted = list(names)
    if missing := [name for name in wanted if name not in found]:
        raise InputError(
            f"'{source}' has no part for {listed(missing)}", "one for each neuron", "complete the file, or write it anew"
        )
    return {name: found[name] for name in wanted}


def _part(group: str, shares: Sequence[float], seed: int) -> str:
    share = int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode()).digest()[:8], "big") / 2**64
    if share < shares[0] or shares[1] + shares[2] == 0:
        return SPLITS[0]
    return SPLITS[1] if share < shares[0] + shares[1] or shares[2] == 0 else SPLITS[2]


def _require_unique(names: Sequence[str], where: str) -> None:
    seen: set[str] = set()
    repeated = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if repeated:
        raise InputError(f"Neurons {where} twice: {listed(dict.fromkeys(repeated))}", "each once", "remove the repeated ones")
