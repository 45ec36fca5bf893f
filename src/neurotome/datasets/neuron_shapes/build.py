"""Collections of grown neurons with a table of what they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neurotome.core import InputError, Skeleton, UnknownNameError, ValueRangeError
from neurotome.datasets.neuron_shapes.defects import merged, missing_branch, truncated
from neurotome.datasets.neuron_shapes.grow import grown
from neurotome.datasets.neuron_shapes.kinds import KINDS

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DEFECTS", "NeuronsSpec", "collection", "with_defect"]

DEFECTS = ("missing_branch", "merge", "truncation")
_TRUNCATED = 0.6


@dataclass(frozen=True)
class NeuronsSpec:
    """A collection with every kind in it. each: neurons of a kind."""

    seed: int = 0
    each: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.each <= 9999:
            raise ValueRangeError(f"{self.each} neurons of each kind", "1 to 9999", "choose another number")


def collection(
    n_per_class: int, seed: int, *, kinds: tuple[str, ...] = tuple(KINDS), defects: float = 0.0
) -> tuple[list[Skeleton], DataFrame]:
    """`n_per_class` neurons of each kind, and a table by neuron_id: cell_type, depth_nm (of the soma), defect ("none", or which).

    defects: the share of neurons that have one, each of `DEFECTS` as likely. Neurons are sorted by name.

    Raises InputError for less than one neuron or a share outside 0 to 1, UnknownNameError.

    >>> neurons, table = collection(2, seed=0, kinds=("bipolar", "granule"))
    >>> [n.name for n in neurons] == list(table.index), table["cell_type"].tolist()
    (True, ['bipolar', 'bipolar', 'granule', 'granule'])
    """
    import pandas as pd

    if n_per_class < 1 or not 0 <= defects <= 1:
        raise InputError(
            f"{n_per_class} neurons per class, defects {defects:g}", "1 or more, a share from 0 to 1", "choose others"
        )
    neurons, rows = [], []
    for kind in sorted(kinds):
        for number in range(n_per_class):
            sound = grown(kind, seed * 1_000_000 + number)
            rng = np.random.default_rng([seed, number, *kind.encode()])
            defect = str(rng.choice(DEFECTS)) if rng.random() < defects else "none"
            neuron = with_defect(sound, defect, rng) if defect != "none" else sound
            neurons.append(replace(neuron, name=f"{kind}-{number:04d}"))
            rows.append((neurons[-1].name, kind, float(sound.points_nm[0, 1]), defect))
    table = pd.DataFrame(rows, columns=["neuron_id", "cell_type", "depth_nm", "defect"])
    return neurons, table.set_index("neuron_id")


def with_defect(skeleton: Skeleton, defect: str, rng: np.random.Generator) -> Skeleton:
    """The neuron with one of `DEFECTS`, its extent drawn at random.

    A branch of 15 to 40 % of the cable is missing, another grown neuron is attached, or all is gone outside a box about the soma
    of 60 % of the neuron along each axis. Raises UnknownNameError.
    """
    if defect == "missing_branch":
        return missing_branch(skeleton, float(rng.uniform(0.15, 0.4)))
    if defect == "merge":
        other = grown(str(rng.choice(list(KINDS))), int(rng.integers(2**31)))
        return merged(skeleton, other, rng)
    if defect == "truncation":
        low, high = skeleton.points_nm.min(0), skeleton.points_nm.max(0)
        side, soma = _TRUNCATED * (high - low), skeleton.points_nm[0]
        start = np.clip(soma - side * rng.uniform(0.2, 0.8, 3), low, high - side)
        return truncated(skeleton, np.minimum(start, soma), np.maximum(start + side, soma))
    raise UnknownNameError("defect", defect, DEFECTS)
