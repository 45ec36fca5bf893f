"""Where the grid of a shape lies: its centre, its axes and its scale."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from neurotome.core import Frame, InputError, UnitError
from neurotome.core.geometry import Nm3
from neurotome.morphology.occupancy.matter import Shape, bounds, drawn_shape, extent_points, soma_of, spread_of
from neurotome.morphology.occupancy.settings import GridSettings

__all__ = ["Shape", "fitted", "frame_of", "principal_axes", "require_plausible", "training_extent", "training_range"]

LEAST_NM, MOST_NM = 1e3, 5e7
"""The extent of neurons: 1 um to 50 mm."""
TRAINING_SHARE = 99.0
"""The extent of a training set holds so many per cent of its shapes whole."""
_REVERSED = np.eye(3)[::-1]


def frame_of(shape: Shape, settings: GridSettings) -> Frame:
    """The grid of a shape. `Frame.centring` says which centre was used: "mean" where no soma is known.

    Raises UnitError for an extent no neuron has, InputError for a missing soma where `allow_mean` is off, and for a scale that
    has not been fitted.
    """
    require_plausible(shape)
    shape = drawn_shape(shape, settings.n_points)
    rotation = _rotation(shape, settings)
    if settings.rule == "legacy":
        return _legacy_frame(shape, settings, rotation)
    centre, centring = _centre(shape, settings)
    low, high = _span(shape, settings, rotation, np.asarray(centre))
    return _frame(shape, settings, rotation, centre, (low, high), centring)


def fitted(settings: GridSettings, shapes: Iterable[Shape]) -> GridSettings:
    """Settings whose scale suits a training set: `extent_nm` or `range_nm` found where it is asked for and not given."""
    if settings.scale == "fixed_extent" and settings.extent_nm is None:
        return settings.but(extent_nm=training_extent(shapes, settings))
    if settings.scale == "global" and settings.range_nm is None:
        return settings.but(range_nm=training_range(shapes, settings))
    return settings


def training_extent(shapes: Iterable[Shape], settings: GridSettings) -> float:
    """The 99th percentile over shapes of the largest |coordinate - centre|, thickness included, in nm.

    Raises InputError for no shapes.
    """
    farthest = [float(np.abs(span).max()) for span in _centred_bounds(shapes, settings)]
    return float(np.percentile(farthest, TRAINING_SHARE))


def training_range(shapes: Iterable[Shape], settings: GridSettings) -> tuple[float, float]:
    """The lowest and the highest coordinate - centre over shapes and axes, in nm. Raises InputError for no shapes."""
    spans = np.array(_centred_bounds(shapes, settings))
    return float(spans[:, 0].min()), float(spans[:, 1].max())


def principal_axes(starts: np.ndarray, ends: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The rotation that turns a set of weighted lines so that its longest axis is z, the next y and the shortest x.

    Rows: the eigenvectors of the covariance about the centre of mass, lines integrated exactly. Of the four proper choices of
    signs the one with the largest sum of skewnesses, so the longer tail points forward. starts, ends: (m, 3). weights: (m,).
    Identity for a single place. Returns (3, 3).

    >>> axes = principal_axes(np.zeros((1, 3)), np.array([[0.0, 0.0, 9.0]]), np.ones(1))
    >>> np.abs(axes[0]).tolist(), round(float(np.linalg.det(axes)), 6)
    ([0.0, 0.0, 1.0], 1.0)
    """
    share = weights / weights.sum()
    mean = share @ (starts + ends) / 2
    a, b = starts - mean, ends - mean
    both = a + b
    covariance = ((share[:, None] * a).T @ a + (share[:, None] * b).T @ b + (share[:, None] * both).T @ both) / 6
    if np.trace(covariance) <= 1e-18 * max(1.0, float(mean @ mean)):
        return np.eye(3)
    values, vectors = np.linalg.eigh(covariance)
    axes = vectors.T[::-1]
    # An eigenvector has no sign of its own: begin with the one whose largest component is positive.
    axes = axes * np.sign(axes[np.arange(3), np.abs(axes).argmax(1)])[:, None]
    p, q = a @ axes.T, b @ axes.T
    third = share @ (p**3 + p**2 * q + p * q**2 + q**3) / 4
    deviation = np.sqrt(np.maximum(values[::-1], 0))
    skewness = np.divide(third, deviation**3, out=np.zeros(3), where=deviation > 1e-6 * deviation[0])
    signs = max(_proper_signs(axes), key=lambda s: round(float(s @ skewness), 9))
    return np.asarray(axes * signs[:, None])


def require_plausible(shape: Shape) -> None:
    """Raises UnitError for an extent that no neuron has; a single place says nothing."""
    points = extent_points(shape)
    if not len(points):
        raise InputError(f"'{shape.name}' has no nodes", "at least one", "leave it out")
    extent = max(float(np.ptp(points[:, axis])) for axis in range(3))
    if extent > 0 and not LEAST_NM <= extent <= MOST_NM:
        shown = f"{extent:g} nm" if extent < LEAST_NM else f"{extent / 1e6:g} mm"
        raise UnitError(
            f"'{shape.name}' is {shown} long",
            "a neuron of 1 um to 50 mm",
            "say which unit its numbers are in: --unit um, --unit nm or --unit voxel (in Python: unit='um')",
        )


def _proper_signs(axes: np.ndarray) -> list[np.ndarray]:
    """The four ways to sign three axes that mirror nothing."""
    upright = np.linalg.det(axes) > 0
    return [np.array(s) for s in product((1.0, -1.0), repeat=3) if (s[0] * s[1] * s[2] > 0) == upright]


def _rotation(shape: Shape, settings: GridSettings) -> np.ndarray:
    """From z, y, x of the data to the axes of the array."""
    turned = principal_axes(*spread_of(shape)) if settings.orientation == "principal" else np.eye(3)
    return _REVERSED @ turned if settings.axes == "xyz" else turned


def _centre(shape: Shape, settings: GridSettings) -> tuple[Nm3, str]:
    """The centre, and where it came from."""
    if settings.centring == "none":
        return (0.0, 0.0, 0.0), "none"
    soma = soma_of(shape) if settings.centring.startswith("soma") else None
    if soma is None and settings.centring != "mean" and not settings.allow_mean:
        raise InputError(
            f"'{shape.name}' has no soma",
            f"one, as centring is '{settings.centring}'",
            "give a table of somata, or take centring='mean' or allow_mean=True",
        )
    z, y, x = soma if soma is not None else _mean(shape)
    found = "soma" if soma is not None else "mean"
    return ((z, 0.0, x), f"{found}_xz") if settings.centring == "soma_xz" else ((z, y, x), found)


def _mean(shape: Shape) -> Nm3:
    starts, ends, weights = spread_of(shape)
    z, y, x = (weights @ (starts + ends) / (2 * weights.sum())).tolist()
    return z, y, x


def _span(shape: Shape, settings: GridSettings, rotation: np.ndarray, centre: np.ndarray) -> tuple[float, float]:
    """lo and hi: even about a centre that is one of all three axes, and for a shape of its own scale as wide as it needs."""
    if settings.scale == "fixed_extent":
        extent = _found(settings, "extent_nm")
        return -extent, extent
    if settings.scale == "global":
        low, high = _found(settings, "range_nm")
        return low, high
    lower, upper = bounds(shape, rotation)
    middle = rotation @ centre
    low, high = float((lower - middle).min()), float((upper - middle).max())
    if settings.rule == "neurotome" and settings.centring in ("soma", "mean"):
        low, high = min(low, -high), max(-low, high)
    half = max((high - low) / 2, LEAST_NM / 2)
    wide = half if settings.rule == "legacy" else half * (1 + settings.margin)
    return (low + high) / 2 - wide, (low + high) / 2 + wide


def _found(settings: GridSettings, key: str):
    value = getattr(settings, key)
    if value is None:
        raise InputError(f"scale '{settings.scale}' without {key}", f"{key}", "find it: settings = fitted(settings, shapes)")
    return value


def _legacy_frame(shape: Shape, settings: GridSettings, rotation: np.ndarray) -> Frame:
    """The lowest corner of the box lies on the edge of a voxel, as many empty planes before it as behind, one more behind.

    Its centre lies where lo is the same number on all axes.
    """
    centre, _ = _centre(shape, settings)
    low, high = _span(shape, settings, rotation, np.asarray(centre))
    voxel = (high - low) / settings.size
    lower, upper = bounds(shape, rotation)
    before = (settings.size - (np.floor((upper - lower) / voxel) + 1)) // 2
    middle = lower + (settings.size / 2 - before) * voxel
    half = (high - low) / 2
    return _frame(shape, settings, rotation, tuple(middle @ rotation), (-half, half), "corner")


def _frame(
    shape: Shape, settings: GridSettings, rotation: np.ndarray, centre: Nm3, span: tuple[float, float], centring: str
) -> Frame:
    return Frame(
        centre_nm=centre,
        lo_nm=span[0],
        hi_nm=span[1],
        grid=settings.size,
        centring=centring,
        scale=settings.scale,
        rotation=tuple(map(tuple, rotation.tolist())),
        soma_nm=soma_of(shape),
    )


def _centred_bounds(shapes: Iterable[Shape], settings: GridSettings) -> list[tuple[float, float]]:
    """Of each shape the lowest and highest coordinate, over axes, about its centre."""
    spans = []
    for shape in shapes:
        require_plausible(shape)
        rotation = _rotation(shape, settings)
        lower, upper = bounds(shape, rotation)
        middle = rotation @ np.asarray(_centre(shape, settings)[0])
        spans.append((float((lower - middle).min()), float((upper - middle).max())))
    if not spans:
        raise InputError("A training set without shapes", "at least one", "name its files")
    return spans
