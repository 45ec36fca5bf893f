"""What neurites contain: where organelles go, and which voxels they take.

Places are planned along the axes of the tubes, in tissue coordinates; `seen_at` moves them to where the warp shows them; drawing
then keeps each inside its own neurite, clear of the membrane.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from scipy import ndimage

from neurotome.datasets.phantom.neurites import Bouton, Tissue
from neurotome.datasets.phantom.partition import Partition, warped
from neurotome.datasets.phantom.routes import capsule_gap
from neurotome.datasets.phantom.spec import ORGANELLES

__all__ = ["CLASS", "RIM_NM", "VESICLE_RADIUS_NM", "Contents", "draw", "plan", "seen_at", "vesicle_cloud"]

CLASS = {name: number for number, name in ORGANELLES.items()}
VESICLE_RADIUS_NM = 20.0
# So far outside its surface an outline still darkens what is there.
RIM_NM = 5.0


@dataclass(eq=False)
class Contents:
    """Per voxel the kind of organelle (uint8, 0 = none) and the depth below its surface in nm (float32, -inf where none)."""

    kind: np.ndarray
    depth_nm: np.ndarray


@dataclass(eq=False)
class Plan:
    """Capsules (8,) of one kind with the neurite that must hold them."""

    capsules: dict[str, list[np.ndarray]] = field(default_factory=dict)
    owners: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, kind: str, owner: int, points: np.ndarray, radii: np.ndarray) -> None:
        nodes = np.column_stack([points, radii])
        rows = np.hstack([nodes[:-1], nodes[1:]] if len(nodes) > 1 else [nodes, nodes])
        self.capsules.setdefault(kind, []).append(rows)
        self.owners.setdefault(kind, []).append(np.full(len(rows), owner, np.int32))


def plan(tissue: Tissue, rng: np.random.Generator) -> Plan:
    """Mitochondria, reticulum and microtubules along every path (vesicles follow from the synapses)."""
    layout = Plan()
    for neurite, points, radii in tissue.paths:
        kind = tissue.kinds[neurite - 1]
        if kind == "soma" or len(points) < 6:
            continue
        _mitochondria(layout, neurite, kind, points, radii, rng)
        _reticulum(layout, neurite, kind, points, radii, rng)
        _microtubules(layout, neurite, kind, points, radii, rng)
    if tissue.soma:
        _soma_contents(layout, tissue, rng)
    return layout


def _mitochondria(layout: Plan, neurite: int, kind: str, points: np.ndarray, radii: np.ndarray, rng: np.random.Generator) -> None:
    at = int(rng.integers(0, 14))
    while at < len(points) - 3:
        length = int(rng.integers(5, 22))
        part = slice(at, min(at + length, len(points)))
        room = float(np.percentile(radii[part], 30))
        if room > 75:
            thick = min(0.62 * room, rng.uniform(65, 140))
            offset = _offset(points[part], rng) * rng.uniform(0, max(0.0, room - thick - 20))
            count = len(points[part])
            # Ends taper, the middle varies: a bean, not a pipe.
            shape = 1 - 0.45 * np.abs(np.linspace(-1, 1, count)) ** 4 + 0.1 * _smooth(rng, count)
            layout.add("mitochondria", neurite, points[part] + offset + 9 * _smooth(rng, count, 3).T, thick * shape)
        gap = 5 if kind == "dendrite" and room > 250 else 22
        at += int(rng.integers(gap // 2, 2 * gap)) + (0 if kind == "dendrite" else length)


def _reticulum(layout: Plan, neurite: int, kind: str, points: np.ndarray, radii: np.ndarray, rng: np.random.Generator) -> None:
    """A thin tubule along the axis, and in wide processes cisterns that wander."""
    at = int(rng.integers(0, 6))
    while at < len(points) - 3:
        part = slice(at, min(at + int(rng.integers(5, 25)), len(points)))
        room, count = float(radii[part].min()), len(points[part])
        if room > 38:
            offset = _offset(points[part], rng) * rng.uniform(0.1, 0.5) * room
            thick = rng.uniform(11, 17) + 5 * np.maximum(_smooth(rng, count), -1)
            layout.add("reticulum", neurite, points[part] + offset + 0.08 * room * _smooth(rng, count, 3).T, thick)
        at += int(rng.integers(3, 20)) + len(points[part])
    for i in range(0, len(points), 3):
        if radii[i] > 60 and rng.random() < 0.3:
            # An endosome: a small round bag.
            place = points[i] + _offset(points[max(0, i - 2) : i + 3], rng) * 0.5 * radii[i]
            layout.add("reticulum", neurite, place[None], np.array([rng.uniform(18, min(55.0, 0.5 * radii[i]))]))
    for i in range(0, len(points), 2):
        if radii[i] > 150 and rng.random() < min(0.9, radii[i] / 420):
            layout.add("reticulum", neurite, *_cistern(points[i], 0.75 * radii[i], rng))


def _cistern(centre: np.ndarray, room: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    start = centre + room * rng.uniform(0, 0.8) * _unit(rng)
    steps = ndimage.gaussian_filter1d(rng.standard_normal((int(rng.integers(3, 8)), 3)), 1.0, axis=0) * rng.uniform(30, 75)
    points = start + np.cumsum(steps, axis=0)
    return points, rng.uniform(13, 34) * (1 + 0.25 * _smooth(rng, len(points)))


def _microtubules(layout: Plan, neurite: int, kind: str, points: np.ndarray, radii: np.ndarray, rng: np.random.Generator) -> None:
    spacing = 110.0 if kind == "dendrite" else 60.0
    count = int(min(22, max(1, round((float(np.median(radii)) / spacing) ** 2 * 2))))
    for _ in range(count):
        part = slice(int(rng.integers(0, max(1, len(points) // 3))), len(points) - int(rng.integers(0, max(1, len(points) // 3))))
        n = len(points[part])
        if n < 3:
            continue
        offset = _offset(points[part], rng) * np.sqrt(rng.uniform(0.0, 0.6))
        sway = ndimage.gaussian_filter1d(rng.standard_normal((n, 3)), 6, axis=0) * 0.3
        lane = points[part] + (offset + sway) * (radii[part, None] - 15)
        layout.add("microtubules", neurite, lane, np.full(n, 10.0))


def _soma_contents(layout: Plan, tissue: Tissue, rng: np.random.Generator) -> None:
    """Cisterns and mitochondria in the rim of cytoplasm around the nucleus."""
    number, centre, radius = tissue.soma  # type: ignore[misc]
    middle = tissue.extent_nm / 2 - centre
    for i in range(170):
        direction = middle / np.linalg.norm(middle) + 0.55 * rng.standard_normal(3)
        direction /= np.linalg.norm(direction)
        place = centre + direction * (radius - rng.uniform(70, 500))
        if i % 7:
            layout.add("reticulum", number, *_cistern(place, 120.0, rng))
        else:
            run = _offset(np.stack([centre, place]), rng)
            span = np.linspace(0, rng.uniform(200, 700), 8)[:, None]
            layout.add("mitochondria", number, place + span * run, np.full(8, rng.uniform(80, 140)))


def vesicle_cloud(bouton: Bouton, site_nm: np.ndarray, rng: np.random.Generator, spacing_nm: float = 40.0) -> np.ndarray:
    """Vesicle centres (n, 3) nm around a bouton, denser towards its synapse, none closer than they can lie."""
    reach = min(bouton.radius_nm * 1.9, 430.0)
    count = int((reach / spacing_nm) ** 3 * 14.0 * rng.uniform(0.5, 1.0))
    points = rng.uniform(-1, 1, (count, 3))
    points = points[np.linalg.norm(points, axis=1) < 1] * reach + bouton.centre_nm
    near = np.exp(-np.linalg.norm(points - site_nm, axis=1) / 400.0) > rng.uniform(0, 0.6, len(points))
    return _apart(points[near], spacing_nm)


@njit(cache=True)
def _apart(points, spacing):
    keep = np.ones(len(points), np.bool_)
    for i in range(len(points)):
        for j in range(i):
            if keep[j] and ((points[i] - points[j]) ** 2).sum() < spacing * spacing:
                keep[i] = False
                break
    return points[keep]


def seen_at(points_nm: np.ndarray, warp: np.ndarray) -> np.ndarray:
    """Where the warp shows tissue points (n, 3): the inverse of `warped`, by fixed-point steps."""
    return _unwarp(np.ascontiguousarray(points_nm, np.float64), warp)


@njit(cache=True)
def _unwarp(points, warp):
    seen = points.copy()
    for i in range(len(points)):
        for _ in range(6):
            z, y, x = warped(warp, seen[i, 0], seen[i, 1], seen[i, 2])
            seen[i, 0] += points[i, 0] - z
            seen[i, 1] += points[i, 1] - y
            seen[i, 2] += points[i, 2] - x
    return seen


def draw(
    contents: Contents,
    kind: str,
    capsules: np.ndarray,
    owners: np.ndarray,
    cells: Partition,
    voxel_nm: np.ndarray,
    *,
    clear_nm: float,
) -> None:
    """Draw capsules (n, 8), given from voxel 0 in nm, into `contents` where they lie in their owner and no other kind does."""
    rows = np.ascontiguousarray(capsules, np.float32)
    _draw(
        contents.kind,
        contents.depth_nm,
        CLASS[kind],
        rows,
        owners.astype(np.uint16),
        cells.owner,
        cells.border_nm,
        voxel_nm,
        clear_nm,
    )


@njit(cache=True)
def _draw(kind, depth, number, capsules, owners, owner, border, voxel, clear):
    nz, ny, nx = kind.shape
    for i in range(len(capsules)):
        c = capsules[i]
        far = max(c[3], c[7]) + RIM_NM
        z0, z1 = max(0, int(np.ceil((min(c[0], c[4]) - far) / voxel[0]))), min(nz - 1, int((max(c[0], c[4]) + far) / voxel[0]))
        y0, y1 = max(0, int(np.ceil((min(c[1], c[5]) - far) / voxel[1]))), min(ny - 1, int((max(c[1], c[5]) + far) / voxel[1]))
        x0, x1 = max(0, int(np.ceil((min(c[2], c[6]) - far) / voxel[2]))), min(nx - 1, int((max(c[2], c[6]) + far) / voxel[2]))
        for z in range(z0, z1 + 1):
            for y in range(y0, y1 + 1):
                for x in range(x0, x1 + 1):
                    if owner[z, y, x] != owners[i] or border[z, y, x] < clear:
                        continue
                    if kind[z, y, x] != 0 and kind[z, y, x] != number:
                        continue
                    below = -capsule_gap(c, z * voxel[0], y * voxel[1], x * voxel[2])
                    if below > -RIM_NM and below > depth[z, y, x]:
                        depth[z, y, x] = below
                        kind[z, y, x] = number


def _offset(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    along = points[-1] - points[0]
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    side = _unit(rng)
    side = side - along * float(side @ along)
    return side / max(float(np.linalg.norm(side)), 1e-9)


def _unit(rng: np.random.Generator) -> np.ndarray:
    vector = rng.standard_normal(3)
    return vector / np.linalg.norm(vector)


def _smooth(rng: np.random.Generator, count: int, rows: int = 0) -> np.ndarray:
    # Unit-variance noise that changes over a few path points.
    noise = rng.standard_normal((rows, count) if rows else count)
    return ndimage.gaussian_filter1d(noise, 1.5, axis=-1, mode="nearest") * 2.3
