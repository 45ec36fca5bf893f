"""Where synapses are and whom they join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neurotome.core.errors import InputError, ShapeError
from neurotome.core.geometry import Int3
from neurotome.core.volumes import Image, Labels

__all__ = ["SITE_COLUMNS", "Structures", "SynapseSites", "SynapseVolume"]

Structures = Mapping[str, tuple[int, ...]]
"""Which label ids are what, in one volume: name -> ids. Two names may share an id; read from a file, never written in code."""

SITE_COLUMNS = ("id", "z_nm", "y_nm", "x_nm", "pre", "post")


@dataclass(frozen=True, eq=False)
class SynapseSites:
    """Synapses as points with partners.

    ids: (n,) uint64. points_nm: (n, 3) float64, centre of the cleft, z, y, x.
    pre, post: (n,) uint64, label ids of the presynaptic and the postsynaptic neuron; 0 = unknown.
    """

    ids: np.ndarray
    points_nm: np.ndarray
    pre: np.ndarray
    post: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.points_nm.shape != (n, 3) or self.pre.shape != (n,) or self.post.shape != (n,):
            raise ShapeError(
                f"Synapse arrays of shape {self.points_nm.shape}, {self.pre.shape}, {self.post.shape} for {n} ids",
                "(n, 3), (n,) and (n,)",
                "give one point, one pre and one post id per synapse",
            )

    def __len__(self) -> int:
        return len(self.ids)

    def to_rows(self) -> list[dict[str, float]]:
        """One mapping per synapse, keys in the order of SITE_COLUMNS."""
        table = zip(self.ids.tolist(), *self.points_nm.T.tolist(), self.pre.tolist(), self.post.tolist(), strict=True)
        return [dict(zip(SITE_COLUMNS, row, strict=True)) for row in table]


@dataclass(frozen=True, eq=False)
class SynapseVolume:
    """One volume of a study: grey values, neurons and labelled organelles on one grid, all lazy.

    structures: what the ids of `organelles` are. origin_vox: where the volume's corner lies in the whole data set, z, y, x.
    instances: ids of single vesicles, where there are any.
    """

    name: str
    image: Image
    neurons: Labels
    organelles: Labels
    structures: Structures
    origin_vox: Int3 = (0, 0, 0)
    instances: Labels | None = None

    def __post_init__(self) -> None:
        for what in ("neurons", "organelles", "instances"):
            other = getattr(self, what)
            if other is not None:
                self.image.grid.require_same(other.grid, f"the image of '{self.name}'", f"its {what}")
        if not self.structures:
            raise InputError(f"Volume '{self.name}' without a legend", "names and ids of its structures", "add it to the legend")
