"""What neurons contain: vesicles and a mitochondrion at each synapse, and all that lies elsewhere to mislead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurotome.core import Grid
from neurotome.core.geometry import Nm3
from neurotome.datasets.synapse_phantoms.anatomy import POST, PRE, bent
from neurotome.datasets.synapse_phantoms.kinds import SynapseKind
from neurotome.datasets.synapse_phantoms.neuropil import Neuropil
from neurotome.datasets.synapse_phantoms.spec import BLOCK
from neurotome.datasets.synapse_phantoms.tubes import MITOCHONDRION, RETICULUM, draw_tube, fit_tube
from neurotome.datasets.synapse_phantoms.vesicles import candidates, draw_vesicles, settle

__all__ = ["Canvas", "fill_neighbours", "fill_synapse"]

_MITOCHONDRION_NM, _RETICULUM_NM = 62.0, 24.0
_TRIES = 150
# Shares of neurites' points that carry a mitochondrion, a piece of reticulum, a few vesicles; of shafts with a mitochondrion.
_MITOCHONDRIA, _RETICULA, _PATCHES, _IN_SHAFT = 0.16, 0.3, 0.03, 0.5
_PATCH = (5, 12)


@dataclass(eq=False)
class Canvas:
    """The arrays that everything is drawn on. marks: name of a structure -> its id. next_vesicle: number of the next instance."""

    image: np.ndarray
    neurons: np.ndarray
    organelles: np.ndarray
    instances: np.ndarray
    marks: Mapping[str, int]
    voxel_nm: Nm3
    pil: Neuropil
    bend: np.ndarray
    next_vesicle: int = 1

    @property
    def grid(self) -> Grid:
        return Grid(self.image.shape, self.voxel_nm)  # type: ignore[arg-type]

    def tube(self, owner: int, ends_nm: np.ndarray, radius_nm: float, look: int, phase: float) -> bool:
        """Draw the first of some capsules (m, 2, 3) that fits into a neuron; whether one did."""
        fitting = fit_tube(self.neurons, owner, ends_nm, radius_nm, self.voxel_nm)
        if fitting is None:
            return False
        ends, radius = fitting
        mark = self.marks["mitochondria"] if look == MITOCHONDRION else 0
        voxel = np.array(self.voxel_nm)
        draw_tube(self.image, self.organelles, self.neurons, owner, ends, radius, voxel, look, mark, phase)
        return True

    def vesicles(self, owner: int, places: np.ndarray, wanted: int, diameter: float, dense: float, seed: int) -> tuple[int, int]:
        """Draw up to `wanted` vesicles at the first places that are free; how many there are, and how many are dense."""
        voxel = np.array(self.voxel_nm)
        places = places[settle(self.neurons, self.organelles, owner, places, wanted, diameter, voxel)]
        filled = np.random.default_rng(seed).random(len(places)) < dense
        into = (self.image, self.organelles, self.instances, self.neurons)
        draw_vesicles(*into, owner, places, filled, diameter, self.next_vesicle, voxel, self.marks["vesicles"])
        self.next_vesicle += len(places)
        return len(places), int(filled.sum())


def fill_synapse(canvas: Canvas, shape: np.ndarray, kind: SynapseKind, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a synapse's own organelles; what of it found room (vesicles, dense_vesicles, mitochondrion)."""
    pre = int(shape["ids"][PRE])
    has = kind.mitochondrion and canvas.tube(pre, _near_cleft(shape, rng), _around(rng), MITOCHONDRION, rng.uniform(0, 6.3))
    places = candidates(shape, kind.vesicles, kind.vesicle_diameter_nm, rng)
    seed = int(rng.integers(2**31))
    count, dense = canvas.vesicles(pre, places, kind.vesicles, kind.vesicle_diameter_nm, kind.dense_cores, seed)
    return {"vesicles": count, "dense_vesicles": dense, "mitochondrion": has}


def fill_neighbours(canvas: Canvas, shapes: np.ndarray, rng: np.random.Generator) -> None:
    """Mitochondria, reticulum and a few vesicles in neurites that have no part in a synapse, and mitochondria in dendrites."""
    for shape in shapes:
        thick = float(shape["tube_radius"][POST]) > 120
        if thick and rng.random() < _IN_SHAFT:
            canvas.tube(int(shape["ids"][POST]), _in_shaft(shape, rng), _around(rng), MITOCHONDRION, rng.uniform(0, 6.3))
        for _ in range(3 if thick else 1):
            canvas.tube(int(shape["ids"][POST]), _in_shaft(shape, rng), _RETICULUM_NM, RETICULUM, 0.0)
    pil = canvas.pil
    owners, chance = pil.owners.ravel(), rng.random(pil.owners.size)
    places = _unbent(canvas, pil.points.reshape(-1, 3))
    inside = ((places >= 0) & (places < np.array(canvas.image.shape) * canvas.voxel_nm)).all(axis=1)
    chosen = (chance < _MITOCHONDRIA + _RETICULA + _PATCHES) & (owners > shapes["ids"].max()) & inside
    for i in np.flatnonzero(chosen):
        _fill_neurite(canvas, int(owners[i]), places[i], places[pil.parents[i]], float(chance[i]), rng)


def _fill_neurite(
    canvas: Canvas, owner: int, here: np.ndarray, before: np.ndarray, chance: float, rng: np.random.Generator
) -> None:
    """Put one thing into a neurite at a place; chance decides what, before is the neurite's last place."""
    if chance < _PATCHES:
        wanted = int(rng.integers(*_PATCH))
        canvas.vesicles(owner, here + rng.normal(0, 55, (20 * wanted, 3)), wanted, 40.0, 0.1, int(rng.integers(2**31)))
        return
    way = before - here if np.any(before != here) else rng.standard_normal(3) * 90
    ends = np.array([[here - a * way, here + b * way] for a, b in ((0.45, 0.55), (0.15, 0.5), (0.1, 0.2))])
    if chance < _PATCHES + _MITOCHONDRIA:
        canvas.tube(owner, ends, _around(rng), MITOCHONDRION, rng.uniform(0, 6.3))
    else:
        canvas.tube(owner, ends, _RETICULUM_NM, RETICULUM, 0.0)


def _around(rng: np.random.Generator) -> float:
    return float(_MITOCHONDRION_NM * np.exp(0.1 * rng.standard_normal()))


def _near_cleft(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Capsules (m, 2, 3) nm that lie across the bouton, off its middle, deep enough to leave room for docked vesicles."""
    wide, _, deep = shape["axes"][PRE]
    turn = rng.uniform(0, 2 * np.pi, _TRIES)
    off = wide * rng.uniform(0.15, 0.55, _TRIES)
    middle = np.column_stack([off * np.cos(turn), off * np.sin(turn), -deep * rng.uniform(0.75, 1.0, _TRIES)])
    lie = turn + np.pi / 2 + rng.normal(0, 0.4, _TRIES)
    way = np.column_stack([np.cos(lie), np.sin(lie), rng.normal(0, 0.2, _TRIES)]) * rng.uniform(50, 120, (_TRIES, 1))
    ends = np.stack([middle - way, middle + way], axis=1)
    ends[..., 2] += bent(shape, ends[..., :2])
    return np.asarray(shape["centre"] + ends @ shape["frame"])


def _in_shaft(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Capsules along the postsynaptic tube, away from the density."""
    start, stop = shape["tube_from"][POST], shape["tube_to"][POST]
    way = (stop - start) / np.linalg.norm(stop - start)
    middle = (start + stop) / 2 + rng.uniform(-90, 90, (_TRIES, 1)) * way + rng.normal(0, 50, (_TRIES, 3)) * (1 - abs(way))
    middle[:, 2] += 40
    half = rng.uniform(60, 160, (_TRIES, 1)) * way
    return np.asarray(shape["centre"] + np.stack([middle - half, middle + half], axis=1) @ shape["frame"])


def _unbent(canvas: Canvas, points_nm: np.ndarray) -> np.ndarray:
    """Where in the volume points (n, 3) of the neuropil's own space lie."""
    step = np.array(canvas.voxel_nm) * BLOCK
    at = places = points_nm @ canvas.pil.turn
    for _ in range(2):
        corner = np.clip(np.round(at / step).astype(int), 0, np.array(canvas.bend.shape[:3]) - 1)
        at = places - canvas.bend[tuple(corner.T)]
    return at
