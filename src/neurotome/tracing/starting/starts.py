"""Where trees begin: at somata, at the user's start points, or where a piece is thickest; and what of a piece is whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from neurotome.core.geometry import Int3
from neurotome.tracing.starting.foreground import Foreground
from neurotome.tracing.starting.seeds import Seed
from neurotome.tracing.starting.separate import contested_contacts, territories
from neurotome.tracing.starting.soma import find_somata

__all__ = ["Start", "StartSettings", "Starts", "find_starts"]


class StartSettings(Protocol):
    """What of the settings decides about starts, see TraceSettings."""

    @property
    def somata(self) -> bool: ...
    @property
    def soma_radius_nm(self) -> float: ...
    @property
    def soma_ratio(self) -> float: ...
    @property
    def min_component_voxels(self) -> int: ...
    @property
    def min_bridged_voxels(self) -> int: ...
    @property
    def bridges(self) -> str: ...


@dataclass(frozen=True)
class Start:
    """Where a tree begins: the object voxel and its number, its component, and whether it is a soma or the user's point."""

    number: int
    voxel: Int3
    component: int
    is_soma: bool = False
    is_seeded: bool = False
    radius_nm: float = 0.0


@dataclass(frozen=True, eq=False)
class Starts:
    """of: all starts, those of larger components first. owner: (n,) int32 of each voxel of a divided component the number of its
    start, -1 for others; None where nothing is divided. contested: tree, other_tree (starts), z, y, x, voxels, path_nm.
    """

    of: tuple[Start, ...]
    owner: np.ndarray | None
    contested: pd.DataFrame
    notes: tuple[str, ...]

    def is_divided(self, start: Start) -> bool:
        """Whether its component has other starts too."""
        return self.owner is not None and bool(self.owner[start.number] >= 0)

    def parts(self, found: Foreground) -> np.ndarray:
        """(n,) of each object voxel the number of its start, -1 for those of none."""
        part = np.full(len(found.sizes), -1, np.int64)
        for number, start in enumerate(self.of):
            part[start.component] = number
        whole = part[found.component]
        return whole if self.owner is None else np.where(self.owner >= 0, self.owner, whole)


def find_starts(found: Foreground, depth: np.ndarray, settings: StartSettings, seeds: Sequence[Seed] | None) -> Starts:
    """Every soma is a start. A component without one has the user's start points in it, or else the voxel where it is thickest.

    A start point in a component with somata means the soma in whose territory it lies, and a note says so. Left out are
    components with fewer voxels than the settings ask for, except those with a soma or start point; and without bridges, where
    start points were given, those without any.
    """
    starts = _somata(found, depth, settings)
    with_somata = {start.component for start in starts}
    own = [seed for seed in seeds or () if int(found.component[seed.number]) not in with_somata]
    starts += [_at(found, number, is_seeded=True) for number in dict.fromkeys(seed.number for seed in own)]
    least = settings.min_component_voxels
    if settings.bridges != "none":
        least = min(least, settings.min_bridged_voxels)
    if seeds is None or settings.bridges != "none":
        begun = {start.component for start in starts}
        starts += [
            _at(found, n) for c, n in enumerate(found.starts(depth).tolist()) if c not in begun and found.sizes[c] >= least
        ]
    starts.sort(key=lambda start: start.component)
    owner, contested = _divided(found, starts)
    starts, notes = _claimed(found, starts, owner, [s for s in seeds or () if s not in own])
    return Starts(tuple(starts), owner, contested, notes)


def _somata(found: Foreground, depth: np.ndarray, settings: StartSettings) -> list[Start]:
    if not settings.somata:
        return []
    somata = find_somata(found, depth, least_radius_nm=settings.soma_radius_nm, least_ratio=settings.soma_ratio)
    return [Start(found.voxels.at(s.voxel), s.voxel, s.component, is_soma=True, radius_nm=s.radius_nm) for s in somata]


def _at(found: Foreground, number: int, *, is_seeded: bool = False) -> Start:
    z, y, x = found.voxels.positions[number].tolist()
    return Start(number, (z, y, x), int(found.component[number]), is_seeded=is_seeded)


def _divided(found: Foreground, starts: Sequence[Start]) -> tuple[np.ndarray | None, pd.DataFrame]:
    """Of components with several starts, whose each voxel is, and where that is contested."""
    several = {component for component, count in Counter(start.component for start in starts).items() if count > 1}
    names = {"first": "tree", "second": "other_tree"}
    sources = np.array([i for i, start in enumerate(starts) if start.component in several], np.int64)
    division = territories(found.voxels, [starts[i].number for i in sources], [starts[i].radius_nm for i in sources])
    contested = contested_contacts(found.voxels, division).rename(columns=names)
    if not several:
        return None, contested
    contested = contested.assign(tree=sources[contested["tree"]], other_tree=sources[contested["other_tree"]])
    return np.append(sources, -1)[division.owner].astype(np.int32), contested


def _claimed(
    found: Foreground, starts: list[Start], owner: np.ndarray | None, seeds: Sequence[Seed]
) -> tuple[list[Start], tuple[str, ...]]:
    """The starts with the somata marked that start points mean."""
    notes = []
    for seed in seeds:
        component = int(found.component[seed.number])
        whole = next(i for i, start in enumerate(starts) if start.component == component)
        meant = whole if owner is None or owner[seed.number] < 0 else int(owner[seed.number])
        starts[meant] = replace(starts[meant], is_seeded=True)
        notes.append(f"Start point {seed.given} lies in the neuron of the soma at {starts[meant].voxel}; that is its root")
    return starts, tuple(notes)
