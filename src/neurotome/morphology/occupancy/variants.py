"""Changes to a neuron that leave it the same neuron: turned, moved a little, drawn with other nodes, cut short.

They are made on the skeleton, before it is put on a grid, so that they change shapes and never voxels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from neurotome.core import SOMA, InputError, Skeleton, UnknownNameError, ValueRangeError
from neurotome.morphology.occupancy.matter import soma_of
from neurotome.morphology.occupancy.pruning import drop_subtrees, drop_tips, resample

__all__ = [
    "Variation",
    "flipped",
    "jittered",
    "random_rotation",
    "resampled",
    "rotated",
    "scaled",
    "varied",
    "without_branches",
    "without_tips",
]

_TURNS = ("none", "depth", "any")
DEPTH = 1
"""The axis y: cortical depth runs along it."""


@dataclass(frozen=True)
class Variation:
    """How a neuron may vary. What is a range is drawn evenly from it for each view.

    turn: "any" rotation in space, about the "depth" axis y, or "none". flip: axes of which each is mirrored by chance.
    scale: factors. jitter_nm: the largest standard deviation of a node's displacement along each axis. tips, branches: the
    largest share of terminal branches, and of cable in subtrees, that is left out. step_nm: distances between nodes, drawn on
    a log scale.

    Raises UnknownNameError, ValueRangeError.
    """

    turn: str = "any"
    flip: tuple[int, ...] = ()
    scale: tuple[float, float] = (1.0, 1.0)
    jitter_nm: float = 0.0
    tips: float = 0.0
    branches: float = 0.0
    step_nm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.turn not in _TURNS:
            raise UnknownNameError("turn", self.turn, _TURNS)
        if set(self.flip) - {0, 1, 2}:
            raise ValueRangeError(f"flip {self.flip}", "axes 0, 1, 2 for z, y, x", "change it")
        _require_range("scale", self.scale)
        if self.step_nm is not None:
            _require_range("step_nm", self.step_nm)
        if not (self.jitter_nm >= 0 and 0 <= self.tips <= 1 and 0 <= self.branches <= 1):
            raise ValueRangeError(
                f"jitter_nm {self.jitter_nm}, tips {self.tips}, branches {self.branches}",
                "0 or more, shares up to 1",
                "change it",
            )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Variation:
        """What `to_json` gave. Raises InputError for unknown keys."""
        if unknown := sorted(data.keys() - {field.name for field in fields(cls)}):
            raise InputError(f"A variation with {', '.join(unknown)}", "what Variation.to_json gives", "leave it out")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})


def varied(skeleton: Skeleton, variation: Variation, rng: np.random.Generator) -> Skeleton:
    """A view of a neuron: cut, then drawn anew, then jittered, then scaled, flipped and turned in one go about its middle."""
    keep = np.ones(len(skeleton), bool)
    if variation.branches:
        keep &= _kept_branches(skeleton, rng.uniform(0, variation.branches), rng)
    if variation.tips:
        keep &= _kept_tips(skeleton, rng.uniform(0, variation.tips), rng)
    if not keep.all():
        skeleton = skeleton.take(keep)
    if variation.step_nm is not None:
        skeleton = resampled(skeleton, float(np.exp(rng.uniform(*np.log(variation.step_nm)))))
    factor = rng.uniform(*variation.scale)
    matrix = factor * _turn(variation, rng) @ np.diag(_mirror(variation, rng))
    offsets = rng.normal(scale=rng.uniform(0, variation.jitter_nm), size=(len(skeleton), 3)) if variation.jitter_nm else 0.0
    return _mapped(skeleton, matrix, factor, offsets)


def rotated(skeleton: Skeleton, rotation: np.ndarray) -> Skeleton:
    """Turned about its middle by a matrix (3, 3), rows z, y, x. Raises ValueRangeError for one that is no rotation."""
    matrix = np.asarray(rotation, np.float64)
    if matrix.shape != (3, 3) or not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-6) or np.linalg.det(matrix) < 0:
        raise ValueRangeError("A matrix that is no rotation", "3 x 3, orthonormal, determinant 1", "see random_rotation")
    return _mapped(skeleton, matrix)


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """(3, 3), all directions equally likely."""
    return np.asarray(Rotation.random(rng=rng).as_matrix())


def flipped(skeleton: Skeleton, axis: int) -> Skeleton:
    """Mirrored along one axis, 0, 1, 2 for z, y, x, at its middle."""
    signs = np.ones(3)
    signs[axis] = -1
    return _mapped(skeleton, np.diag(signs))


def scaled(skeleton: Skeleton, factor: float) -> Skeleton:
    """Grown about its middle, radii too. Raises ValueRangeError for a factor that is not above 0."""
    if not (np.isfinite(factor) and factor > 0):
        raise ValueRangeError(f"factor {factor}", "above 0", "change it")
    return _mapped(skeleton, factor * np.eye(3), factor)


def jittered(skeleton: Skeleton, sigma_nm: float, rng: np.random.Generator) -> Skeleton:
    """Every node moved on its own, normally distributed with this standard deviation along each axis."""
    if not sigma_nm >= 0:
        raise ValueRangeError(f"sigma_nm {sigma_nm}", "0 or more", "change it")
    return _mapped(skeleton, np.eye(3), offsets=rng.normal(scale=sigma_nm, size=(len(skeleton), 3)))


def resampled(skeleton: Skeleton, step_nm: float) -> Skeleton:
    """The same course drawn with nodes `step_nm` apart, or a little less, along each branch.

    Roots, bifurcations, tips and soma nodes stay where they are, so lengths only shrink where a branch bends between nodes. Radii
    change evenly between nodes; a new node has the kind of the node below it. Ids are new and features are dropped.
    Raises ValueRangeError for a step that is not above 0.

    >>> line = Skeleton.of([-1, 0, 1], [[0, 0, 0], [0, 0, 10], [0, 0, 90]], radii_nm=[1, 1, 9])
    >>> finer = resampled(line, 30.0)
    >>> finer.points_nm[:, 2].tolist(), finer.radii_nm.tolist()
    ([0.0, 30.0, 60.0, 90.0], [1.0, 3.0, 6.0, 9.0])
    """
    if not (np.isfinite(step_nm) and step_nm > 0):
        raise ValueRangeError(f"step_nm {step_nm}", "above 0", "change it")
    above = skeleton.parent_rows
    fixed = (above < 0) | (skeleton.children != 1) | (skeleton.kinds == SOMA)
    values = np.column_stack([skeleton.points_nm, skeleton.radii_nm])
    parents, values, kinds = resample(above, fixed, skeleton.edge_nm, values, skeleton.kinds, float(step_nm))
    ids = np.arange(1, len(parents) + 1)
    over = np.where(parents < 0, -1, parents + 1)
    return Skeleton(ids, over, values[:, :3], values[:, 3], kinds, name=skeleton.name)


def without_tips(skeleton: Skeleton, share: float, rng: np.random.Generator) -> Skeleton:
    """Without so large a share of the terminal branches, drawn by chance, each down to the node where it leaves the rest.

    Nodes keep their ids. A root always stays, and so do soma nodes.
    """
    return skeleton.take(_kept_tips(skeleton, share, rng))


def without_branches(skeleton: Skeleton, share: float, rng: np.random.Generator) -> Skeleton:
    """Without whole subtrees, drawn by chance, until so large a share of the cable is gone, or the last one that fits.

    A subtree begins at any node but roots and soma nodes and is left out only where it is not longer than what may still go.
    """
    return skeleton.take(_kept_branches(skeleton, share, rng))


def _kept_tips(skeleton: Skeleton, share: float, rng: np.random.Generator) -> np.ndarray:
    _require_share(share)
    above = skeleton.parent_rows
    soma = skeleton.kinds == SOMA
    tips = np.flatnonzero((skeleton.children == 0) & (above >= 0) & ~soma)
    lost = rng.permutation(tips)[: round(share * len(tips))]
    return np.asarray(drop_tips(above, skeleton.children, soma, lost))


def _kept_branches(skeleton: Skeleton, share: float, rng: np.random.Generator) -> np.ndarray:
    _require_share(share)
    above = skeleton.parent_rows
    starts = np.flatnonzero((above >= 0) & (skeleton.kinds != SOMA))
    return np.asarray(drop_subtrees(above, skeleton.edge_nm, rng.permutation(starts), share * skeleton.length_nm))


def _mapped(skeleton: Skeleton, matrix: np.ndarray, factor: float = 1.0, offsets: np.ndarray | float = 0.0) -> Skeleton:
    """matrix (p - middle + offsets) + middle, where the middle is the soma, or the first node."""
    if not len(skeleton):
        return skeleton
    middle = np.asarray(soma_of(skeleton) or skeleton.points_nm[0])
    points = (skeleton.points_nm - middle + offsets) @ matrix.T + middle
    return Skeleton(
        skeleton.ids, skeleton.parents, points, skeleton.radii_nm * factor, skeleton.kinds, skeleton.features, skeleton.name
    )


def _turn(variation: Variation, rng: np.random.Generator) -> np.ndarray:
    if variation.turn == "any":
        return random_rotation(rng)
    if variation.turn == "none":
        return np.eye(3)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.eye(3)
    turn[0, 0] = turn[2, 2] = np.cos(angle)
    turn[0, 2], turn[2, 0] = np.sin(angle), -np.sin(angle)
    return turn


def _mirror(variation: Variation, rng: np.random.Generator) -> np.ndarray:
    signs = np.ones(3)
    axes = list(variation.flip)
    signs[axes] = rng.choice((-1.0, 1.0), size=len(axes))
    return signs


def _require_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueRangeError(f"A share of {share}", "0 to 1", "change it")


def _require_range(what: str, span: tuple[float, float]) -> None:
    if not (len(span) == 2 and 0 < span[0] <= span[1] and np.isfinite(span).all()):
        raise ValueRangeError(f"{what} {span}", "two numbers above 0, the lower one first", "change it")
