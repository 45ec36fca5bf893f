"""A real neuron brought into the window: turned flat, scaled, and its radii made those a light microscope resolves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurotome.core import SOMA, InputError, Skeleton
from neurotome.datasets.fluorescence.paths import dense
from neurotome.datasets.fluorescence.spec import FluorescenceSpec

__all__ = ["placed"]

# Magnifications tried, from the whole arbor in the window upwards.
_ZOOMS = 1.25 ** np.arange(18)
# Radii span three orders of magnitude in files; their square root spans what a picture shows.
_CALIBRE_POWER = 0.5
# How fine a microscope sees, and a hand that draws is steady: in units, the side of a cell that holds one neurite or none, the
# share of the cells that neurites laid out far from each other would pass which must remain, and the length of a tremor.
_CELL = 6.0
_OPEN = 0.8
_TREMOR = 4.0
# Share of the length asked for below which magnifying ends.
_LEAST = 0.4


def placed(tree: Skeleton, spec: FluorescenceSpec, rng: np.random.Generator) -> Skeleton:
    """The neuron in nm of the window, which shows as much of it as it can without more than `cable_vox` of neurite or a tangle.

    The longest directions of the arbor come to lie in the plane of the sections, turned and mirrored at random. Radii are ranked
    as in the file: the thinnest of them become the thinnest and the thickest the thickest of the spec, the middle follows the
    root of the radius. The zigzag of tracings by hand is smoothed away. Raises InputError for a neuron without length.
    """
    if len(tree) < 2 or tree.length_nm <= 0:
        raise InputError(f"Morphology '{tree.name}' of {len(tree)} nodes", "a neuron with some length", "choose another SWC file")
    tree = _with_round_soma(tree)
    points = _turned(tree, rng)
    window = (np.array(spec.shape) - 1) * np.array(spec.voxel_nm) / spec.unit_nm
    centres = _centres(tree, points, rng)
    turned = Skeleton(tree.ids, tree.parents, points, _calibres(tree, spec), tree.kinds, name=tree.name)
    fits = float((window[1:] / np.maximum(_spread(points)[1:], 1e-9)).min())
    zoom, corner = _view(turned, fits, window, centres, spec.cable_vox)
    shown = replace(turned, points_nm=(points * zoom - corner) * spec.unit_nm)
    near = 12 * spec.unit_nm
    shown = shown.take(_touching(shown, np.full(3, -near), window * spec.unit_nm + near))
    return _steadied(dense(shown, spec.unit_nm), round(2 * _TREMOR**2))


def _turned(tree: Skeleton, rng: np.random.Generator) -> np.ndarray:
    """Points about their middle, the axis of least spread along z, tilted a little and turned in the plane."""
    points = tree.points_nm - np.average(tree.points_nm, axis=0, weights=_weights(tree))
    _, axes = np.linalg.eigh((points * _weights(tree)[:, None]).T @ points)
    points = points @ axes * rng.choice((-1.0, 1.0), 3)
    for (a, b), angle in (
        ((1, 2), rng.uniform(0, 2 * np.pi)),
        ((0, 1), rng.uniform(-0.3, 0.3)),
        ((0, 2), rng.uniform(-0.3, 0.3)),
    ):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points[:, [a, b]] = points[:, [a, b]] @ turn
    return np.asarray(points)


def _with_round_soma(tree: Skeleton) -> Skeleton:
    """One node for a soma that the file draws with several, an outline or a cylinder of three: in their middle, as they start."""
    soma = np.flatnonzero(tree.kinds == SOMA)
    if len(soma) < 2:
        return tree
    points = tree.points_nm.copy()
    points[soma[0]] = points[soma].mean(0)
    above = tree.parent_rows.copy()
    above[np.isin(above, soma)] = soma[0]
    kept = np.ones(len(tree), np.bool_)
    kept[soma[1:]] = False
    place = np.cumsum(kept) - 1
    parents = np.where(above[kept] >= 0, place[above[kept]], above[kept])
    return Skeleton.of(parents, points[kept], tree.radii_nm[kept], tree.kinds[kept], name=tree.name)


def _weights(tree: Skeleton) -> np.ndarray:
    """A node counts by the length of its edge, or a dense soma outline would be the middle."""
    return np.asarray(tree.edge_nm / tree.length_nm)


def _spread(points: np.ndarray) -> np.ndarray:
    """Extent (3,) of all but the outermost percents: one long axon is no reason to shrink an arbor."""
    return np.asarray(np.subtract(*np.percentile(points, (98, 2), axis=0)))


def _centres(tree: Skeleton, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where a window may be: for every second neuron with a soma there, else around the middle or one of ten random nodes."""
    soma = np.flatnonzero(tree.kinds == SOMA)
    if len(soma) and rng.random() < 0.5:
        return np.asarray(points[soma])
    return np.vstack([np.zeros(3), points[rng.choice(len(tree), 10, p=_weights(tree))]])


def _view(tree: Skeleton, fits: float, window: np.ndarray, centres: np.ndarray, most: float) -> tuple[float, np.ndarray]:
    """Magnification and corner (3,): the first that shows at most a length of `most` and no tangle, or else the least tangled.

    Not so large that little of the arbor is left.
    """
    best = fits, np.zeros(3)
    openness = -1.0
    for zoom in fits * _ZOOMS:
        corner, length, cells = _fullest(tree, zoom, window, centres)
        is_open = cells * _CELL / max(1.5 * length, 1e-9)
        if length > most:
            best = zoom, corner
            continue
        if length < _LEAST * most and openness >= 0:
            break
        if is_open > openness:
            best, openness = (zoom, corner), is_open
        if is_open >= _OPEN:
            break
    return best


def _fullest(tree: Skeleton, zoom: float, window: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, float, int]:
    """Of windows around these centres that which shows most: its corner (3,), the length in it, the cells that are passed.

    Cells are counted, not length, so that it is not the densest tangle that is shown. A straight line of any direction passes 1.5
    cells per side of a cell, on average.
    """
    samples = dense(tree, 0.5 * _CELL / zoom)
    best, length, most = np.zeros(3), 0.0, -1
    for centre in centres:
        corner = centre * zoom - window / 2
        places = samples.points_nm * zoom - corner
        within = ((places >= 0) & (places <= window)).all(1)
        cells = np.unique((places[within] / _CELL).astype(np.int64) @ (1_000_000, 1_000, 1)).size
        if cells > most:
            best, length, most = corner, float(samples.edge_nm[within].sum()) * zoom, cells
    return best, length, most


def _steadied(tree: Skeleton, rounds: int) -> Skeleton:
    """Every node that has one child moved half way to the middle of its neighbours, so many times; ends and forks stay."""
    above = tree.parent_rows
    middle = np.flatnonzero((tree.children == 1) & (above >= 0) & (tree.kinds != SOMA))
    below = np.zeros(len(tree), np.int64)
    below[above[above >= 0]] = np.flatnonzero(above >= 0)
    points = tree.points_nm.copy()
    for _ in range(rounds):
        points[middle] = 0.5 * points[middle] + 0.25 * (points[above[middle]] + points[below[middle]])
    return replace(tree, points_nm=points)


def _touching(tree: Skeleton, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Nodes in the box, and both ends of every edge whose bounding box meets it."""
    points = tree.points_nm
    above = np.where(tree.parent_rows >= 0, tree.parent_rows, np.arange(len(tree)))
    first, second = np.minimum(points, points[above]), np.maximum(points, points[above])
    meets = ((first <= high) & (second >= low)).all(1)
    meets[above[meets]] = True
    return np.asarray(meets)


def _calibres(tree: Skeleton, spec: FluorescenceSpec) -> np.ndarray:
    """Radii in nm: the 2nd to 98th percentile of the root of the radius becomes thinnest to thickest."""
    thin, thick = np.array(spec.radius_vox) * spec.unit_nm
    root = tree.radii_nm**_CALIBRE_POWER
    neurite = tree.kinds != SOMA
    low, high = np.percentile(root[neurite], (2, 98)) if neurite.any() else (0.0, 1.0)
    share = np.clip((root - low) / max(high - low, 1e-9), 0, 1)
    radii = thin + (thick - thin) * share
    if not neurite.all():
        largest = max(float(tree.radii_nm[~neurite].max()), 1e-9)
        radii[~neurite] = spec.soma_vox * spec.unit_nm * tree.radii_nm[~neurite] / largest
    return np.asarray(radii)
