"""From one synapse's sizes to shapes in space: the cleft's surface, the two bodies that it joins, and where these go on."""

from __future__ import annotations

import numpy as np

from neurotome.datasets.synapse_phantoms.kinds import SynapseKind

__all__ = ["BRIM", "POST", "PRE", "REACH_NM", "SHAPE", "bent", "place", "random_frame"]

REACH_NM = 350.0
"""A synapse's own shapes end at this distance; what goes on beyond is tissue that carries its ids."""

PRE, POST = 0, 1

BRIM = 1.8
"""Of a bent cleft: squared distance from its middle, in squared radii, where the bowl levels off."""

SHAPE = np.dtype(
    [
        ("centre", "f8", 3),  # nm, z, y, x: the middle of the cleft
        ("frame", "f8", (3, 3)),  # rows: two directions along the cleft, and the one from pre to post
        ("radius", "f8"),
        ("height", "f8"),  # of the bent surface at its rim
        ("rim2", "f8"),  # the outline is no circle: twofold and threefold waves, relative
        ("rim3", "f8"),
        ("phase2", "f8"),
        ("phase3", "f8"),
        ("thickness", "f8"),
        ("hole", "f8", 3),  # place along the cleft and radius; radius 0 = none
        ("second", "f8", 3),  # the same for a second cleft
        ("density", "f8"),
        ("density_depth", "f8"),
        ("middle", "f8", (2, 3)),  # of the ellipsoids, in the frame
        ("axes", "f8", (2, 3)),
        ("tube_from", "f8", (2, 3)),  # capsules: the axon, and the neck or the shaft
        ("tube_to", "f8", (2, 3)),
        ("tube_radius", "f8", 2),
        ("ids", "i4", 2),
    ]
)
"""What the drawing of one synapse needs; nm, and directions in the synapse's own frame (along, along, across)."""

# The part of an ellipsoid's depth semi-axis that lies beyond the cleft, which cuts it.
_CUT = 0.5
_CLEFT_NM, _HOLE_SHARE = 26.0, 0.3
_DENSITY_NM = (14.0, 30.0)


def place(kind: SynapseKind, centre_nm: np.ndarray, variation: float, rng: np.random.Generator) -> np.ndarray:
    """One row of SHAPE (ids unset): a synapse in a random orientation."""
    shape = np.zeros((), SHAPE)
    shape["centre"], shape["frame"] = centre_nm, random_frame(rng)
    shape["radius"], shape["height"] = kind.cleft_radius_nm, kind.bend * kind.cleft_radius_nm
    shape["rim2"], shape["rim3"] = rng.uniform(0.03, 0.12), rng.uniform(0.0, 0.06)
    shape["phase2"], shape["phase3"] = rng.uniform(0, 2 * np.pi, 2)
    shape["thickness"] = _CLEFT_NM * np.exp(0.05 * rng.standard_normal())
    shape["density"] = kind.density
    shape["density_depth"] = _DENSITY_NM[0] + _DENSITY_NM[1] * kind.density
    turn = rng.uniform(0, 2 * np.pi)
    if kind.perforated:
        off = kind.cleft_radius_nm * rng.uniform(0.1, 0.25)
        shape["hole"] = off * np.cos(turn), off * np.sin(turn), kind.cleft_radius_nm * _HOLE_SHARE * rng.uniform(0.9, 1.2)
    if kind.second_cleft:
        small = kind.cleft_radius_nm * rng.uniform(0.42, 0.52)
        off = 1.15 * kind.cleft_radius_nm + small + 20
        shape["second"] = off * np.cos(turn), off * np.sin(turn), small
    _shape_pre(shape, kind, variation, rng)
    (_shape_spine if kind.spine else _shape_shaft)(shape, kind, turn, variation, rng)
    return shape


def bent(shape: np.ndarray, along: np.ndarray) -> np.ndarray:
    """How far (nm) the middle of the cleft lies from the flat one at places (..., 2) along it: a bowl with a brim."""
    q = (along**2).sum(axis=-1) / float(shape["radius"]) ** 2
    return np.asarray(float(shape["height"]) * q / np.sqrt(1 + (q / BRIM) ** 2))


def random_frame(rng: np.random.Generator) -> np.ndarray:
    """Three perpendicular directions, right-handed, as rows; all orientations are equally likely."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q *= np.sign(np.diag(r))
    return q.T * np.sign(np.linalg.det(q))


def _around(value: float, variation: float, rng: np.random.Generator) -> float:
    return float(value * np.exp(0.5 * variation * rng.standard_normal()))


def _needed_width(shape: np.ndarray) -> float:
    """Semi-axis of an ellipsoid that is wide enough for the cleft, and for the second one, where it is cut."""
    second = shape["second"]
    reach = max(float(shape["radius"]), float(np.hypot(second[0], second[1]) + second[2]) * 0.9)
    return (1.12 * reach + 24) / float(np.sqrt(1 - _CUT**2))


def _shape_pre(shape: np.ndarray, kind: SynapseKind, variation: float, rng: np.random.Generator) -> None:
    """A bouton with room for the vesicles, on an axon that runs along the cleft."""
    room_um3 = 0.012 + 2.5e-4 * kind.vesicles + (0.014 if kind.mitochondrion else 0.0)
    wide = max(_around(1000 * np.cbrt(room_um3 / 2.64), variation, rng), _needed_width(shape))
    uneven = float(np.exp(0.1 * rng.standard_normal()))
    deep = min(_around(0.75 * wide, variation, rng), (REACH_NM - 8) / (1 + _CUT))
    shape["middle"][PRE] = 0, 0, -_CUT * deep
    shape["axes"][PRE] = wide * uneven, wide / uneven, deep
    turn = rng.uniform(0, 2 * np.pi)
    way = np.array([np.cos(turn), np.sin(turn), rng.uniform(-0.35, 0.0)])
    way *= 1.1 * REACH_NM / np.linalg.norm(way)
    start = np.array([0, 0, -0.7 * deep])
    shape["tube_from"][PRE], shape["tube_to"][PRE] = start - way * [1, 1, -1], start + way
    shape["tube_radius"][PRE] = _around(85.0, variation, rng)


def _shape_spine(shape: np.ndarray, kind: SynapseKind, turn: float, variation: float, rng: np.random.Generator) -> None:
    """A head that is a little wider than the cleft, on a neck that leads away from it."""
    wide = max(_around(1.3 * kind.cleft_radius_nm + 30, variation, rng), _needed_width(shape))
    uneven = float(np.exp(0.07 * rng.standard_normal()))
    deep = min(_around(0.72 * wide + 20, variation, rng), (REACH_NM - 60) / (1 + _CUT))
    shape["middle"][POST] = 0, 0, _CUT * deep
    shape["axes"][POST] = wide * uneven, wide / uneven, deep
    away = np.array([*rng.uniform(-0.6, 0.6, 2), 1.0])
    shape["tube_from"][POST] = 0, 0, 0.8 * deep
    shape["tube_to"][POST] = shape["tube_from"][POST] + away * (1.1 * REACH_NM / np.linalg.norm(away))
    shape["tube_radius"][POST] = _around(52.0, variation, rng)


def _shape_shaft(shape: np.ndarray, kind: SynapseKind, turn: float, variation: float, rng: np.random.Generator) -> None:
    """A dendrite that runs along the cleft (and along a second one), with a low mound where the cleft is wider than it."""
    thick = min(_around(195.0, variation, rng), 215.0)
    needed = _needed_width(shape)
    shape["middle"][POST] = 0, 0, 40
    along = np.array([np.cos(turn), np.sin(turn)])
    shape["axes"][POST] = needed, needed, 110
    way = np.array([*along, 0.0]) * 1.1 * REACH_NM
    axis = np.array([0, 0, 0.62 * thick])
    shape["tube_from"][POST], shape["tube_to"][POST] = axis - way, axis + way
    shape["tube_radius"][POST] = thick
