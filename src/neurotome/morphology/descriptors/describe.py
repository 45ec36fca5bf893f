"""describe: the hand-made descriptors of a collection, one table each, rows in the order of names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd

from neurotome.core import InputError, Skeleton, UnknownNameError
from neurotome.morphology.descriptors.body import Body
from neurotome.morphology.descriptors.density import DensitySettings, density, density_columns
from neurotome.morphology.descriptors.morphometrics import MORPHOMETRICS, SKEWED, morphometrics
from neurotome.morphology.descriptors.persistence import PersistenceSettings, persistence, persistence_columns
from neurotome.morphology.descriptors.sholl_profile import sholl_columns, sholl_profile
from neurotome.morphology.occupancy.matter import Shape

__all__ = ["DESCRIPTORS", "Descriptor", "DescriptorSettings", "describe"]


@dataclass(frozen=True)
class DescriptorSettings:
    """log_morphometrics: ln(1 + value) of the measures that grow with size (`SKEWED`). spheres: of the Sholl profile."""

    log_morphometrics: bool = True
    spheres: int = 20
    persistence: PersistenceSettings = field(default_factory=PersistenceSettings)
    density: DensitySettings = field(default_factory=DensitySettings)


@dataclass(frozen=True)
class Descriptor:
    """values: body, settings -> (p,) finite float64. columns: settings -> the p names. needs_tree: only skeletons have it."""

    values: Callable[[Body, DescriptorSettings], np.ndarray]
    columns: Callable[[DescriptorSettings], tuple[str, ...]]
    needs_tree: bool = True


def describe(
    shapes: Iterable[Shape],
    which: Sequence[str] | None = None,
    *,
    settings: DescriptorSettings | None = None,
    progress: Callable[[int], object] | None = None,
) -> dict[str, pd.DataFrame]:
    """A table for each descriptor: index "name", ascending, one row per shape; finite float64 columns.

    which: names of `DESCRIPTORS`; None for all that every shape can have: point clouds, meshes and voxels have no tree, so only
    their density. What has nothing to be measured on is 0, see the descriptors. progress: is told how many shapes are done.

    Raises InputError for two shapes of one name, skeletons without nodes, and descriptors that need a tree where there is none;
    UnknownNameError.
    """
    settings = settings or DescriptorSettings()
    ordered = _by_name(shapes)
    chosen = _choice(ordered, which)
    rows: dict[str, list[np.ndarray]] = {name: [] for name in chosen}
    for done, shape in enumerate(ordered, 1):
        body = Body(shape)
        for name in chosen:
            rows[name].append(DESCRIPTORS[name].values(body, settings))
        if progress:
            progress(done)
    index = pd.Index([shape.name for shape in ordered], name="name", dtype=object)
    return {name: _table(rows[name], index, DESCRIPTORS[name].columns(settings)) for name in chosen}


def _table(rows: list[np.ndarray], index: pd.Index, columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(np.array(rows).reshape(len(index), len(columns)), index=index, columns=list(columns))


def _by_name(shapes: Iterable[Shape]) -> list[Shape]:
    ordered = sorted(shapes, key=lambda shape: shape.name)
    for one, other in pairwise(ordered):
        if one.name == other.name:
            raise InputError(f"Two shapes are named '{one.name}'", "each name once", "rename one of them")
    for shape in ordered:
        if isinstance(shape, Skeleton) and not len(shape):
            raise InputError(f"'{shape.name}' has no node", "a skeleton of at least one node", "leave it out")
    return ordered


def _choice(shapes: list[Shape], which: Sequence[str] | None) -> tuple[str, ...]:
    treeless = next((shape for shape in shapes if not isinstance(shape, Skeleton)), None)
    if which is None:
        return tuple(name for name, descriptor in DESCRIPTORS.items() if treeless is None or not descriptor.needs_tree)
    for name in which:
        if name not in DESCRIPTORS:
            raise UnknownNameError("descriptor", name, DESCRIPTORS)
        if treeless is not None and DESCRIPTORS[name].needs_tree:
            able = ", ".join(known for known, descriptor in DESCRIPTORS.items() if not descriptor.needs_tree)
            raise InputError(
                f"Descriptor '{name}' of '{treeless.name}', a {type(treeless).__name__}",
                "a skeleton: it measures a tree",
                f"ask for {able}, or make a skeleton of it first",
            )
    return tuple(dict.fromkeys(which))


def _morphometrics(body: Body, settings: DescriptorSettings) -> np.ndarray:
    measured = morphometrics(body)
    logged = SKEWED if settings.log_morphometrics else ()
    return np.array([np.log1p(value) if name in logged else value for name, value in measured.items()])


def _morphometric_columns(settings: DescriptorSettings) -> tuple[str, ...]:
    return tuple(f"log_{name}" if settings.log_morphometrics and name in SKEWED else name for name in MORPHOMETRICS)


DESCRIPTORS: Mapping[str, Descriptor] = MappingProxyType(
    {
        "morphometrics": Descriptor(_morphometrics, _morphometric_columns),
        "persistence": Descriptor(
            lambda body, settings: persistence(body, settings.persistence),
            lambda settings: persistence_columns(settings.persistence),
        ),
        "sholl": Descriptor(
            lambda body, settings: sholl_profile(body, settings.spheres), lambda settings: sholl_columns(settings.spheres)
        ),
        "density": Descriptor(
            lambda body, settings: density(body, settings.density),
            lambda settings: density_columns(settings.density),
            needs_tree=False,
        ),
    }
)
"""What `describe` knows, by name."""
