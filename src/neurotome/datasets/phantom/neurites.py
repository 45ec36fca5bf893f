"""Growing neurites of many calibres through one box of tissue, thick ones first, until no room is left.

A neurite is a set of capsules (see `routes`) of one number. Capsules of different neurites do not overlap, so that the cells
of the partition (see `partition`) that grow around them are connected.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from neurotome.datasets.phantom.routes import STEP_NM, cheapest_path, lower_clearance

__all__ = ["Bouton", "Tissue", "grow"]

_REACH_NM = 420.0
_THINNEST_NM = 30.0
_GAP_NM = 4.0


@dataclass(frozen=True)
class Bouton:
    """A swelling of an axon, where it makes a synapse: place and radius in nm."""

    neurite: int
    centre_nm: np.ndarray
    radius_nm: float


@dataclass(eq=False)
class Tissue:
    """All neurites of a box of `extent_nm`: capsules (n, 8) and the number of each one's neurite, from 1.

    kinds[i] is the kind of neurite i + 1: soma, dendrite, neurite, axon, myelinated. paths: (neurite, points (n, 3), radii (n,)).
    """

    extent_nm: np.ndarray
    capsules: list[np.ndarray] = field(default_factory=list)
    owners: list[np.ndarray] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    paths: list[tuple[int, np.ndarray, np.ndarray]] = field(default_factory=list)
    boutons: list[Bouton] = field(default_factory=list)
    soma: tuple[int, np.ndarray, float] | None = None

    def __post_init__(self) -> None:
        grid = tuple(int(n) for n in np.ceil(self.extent_nm / STEP_NM) + 1)
        self.clearance = np.full(grid, _REACH_NM, np.float32)

    def new(self, kind: str) -> int:
        self.kinds.append(kind)
        return len(self.kinds)

    def add(self, neurite: int, points: np.ndarray, radii: np.ndarray) -> None:
        """Lay a tube through `points` (n, 3) nm."""
        nodes = np.column_stack([points, radii])
        capsules = np.hstack([nodes[:-1], nodes[1:]] if len(nodes) > 1 else [nodes, nodes])
        self.capsules.append(capsules)
        self.owners.append(np.full(len(capsules), neurite, np.int32))
        self.paths.append((neurite, points, radii))
        lower_clearance(self.clearance, capsules, STEP_NM, _REACH_NM)

    def room(self, points: np.ndarray) -> np.ndarray:
        """Clearance in nm at `points` (n, 3) nm."""
        return ndimage.map_coordinates(self.clearance, points.T / STEP_NM, order=1, mode="nearest")


def grow(extent_nm: np.ndarray, rng: np.random.Generator, *, soma: bool, myelin: bool) -> Tissue:
    """Fill a box with neurites; numbers of each kind follow from the volume."""
    tissue = Tissue(np.asarray(extent_nm, float))
    rough = _roughness(tissue.clearance.shape, rng)
    um3 = float(np.prod(extent_nm)) * 1e-9
    # In a small box one trunk would be most of the volume.
    thickest = 0.14 * float(tissue.extent_nm[1:].min())
    if soma:
        _add_soma(tissue, rng)
    if myelin:
        _run(tissue, rough, rng, "myelinated", rng.uniform(170, 230), straight=True)
    for _ in range(max(1, round(0.20 * um3))):
        number = _run(tissue, rough, rng, "dendrite", min(rng.uniform(190, 400), thickest), straight=True)
        if number:
            _add_spines(tissue, number, rng)
    for _ in range(round(0.9 * um3)):
        _run(tissue, rough, rng, "axon", rng.uniform(80, 130))
    for _ in range(round(0.9 * um3)):
        number = _run(tissue, rough, rng, "neurite", rng.uniform(110, 200))
        if number and rng.random() < 0.5:
            _branch(tissue, rough, number, rng, rng.uniform(60, 110))
    _add_axons(tissue, rough, rng, tries=round(14 * um3))
    return tissue


def _roughness(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    # Cost of a step, from 1; its hills are what neurites bend around.
    hills = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), 2.2, mode="nearest")
    hills /= max(float(hills.std()), 1e-6)
    return np.maximum(1.0, 1.6 + 0.9 * hills).astype(np.float32)


def _add_soma(tissue: Tissue, rng: np.random.Generator) -> None:
    # A cell body far larger than the box: only a part of it looks in over one edge.
    radius = 2600.0
    intrude = min(1250.0, 0.3 * float(tissue.extent_nm[1:].min()))
    side = rng.choice([-1.0, 1.0], 2)
    middle = tissue.extent_nm / 2
    away = np.hypot(*tissue.extent_nm[1:]) / 2 - intrude + radius
    direction = np.array([0.0, *(side * tissue.extent_nm[1:] / np.hypot(*tissue.extent_nm[1:]))])
    centre = middle + direction * away + np.array([rng.uniform(-300, 300), 0, 0])
    number = tissue.new("soma")
    tissue.add(number, centre[None], np.array([radius]))
    tissue.soma = (number, centre, radius)


def _run(tissue: Tissue, rough: np.ndarray, rng: np.random.Generator, kind: str, radius: float, *, straight: bool = False) -> int:
    """Lay one neurite from face to face; its number, or 0 where there was no room."""
    least = min(radius * 0.8, 150) if straight else max(_THINNEST_NM + 6, 0.5 * radius)
    # There is one myelinated fibre: it must not pass by in the margin.
    ends = _ends(tissue, rng, least, rim=0.28 if kind == "myelinated" else 0.0)
    if ends is None:
        return 0
    terrain = np.ones_like(rough) if straight else rough
    path = cheapest_path(tissue.clearance, terrain, ends[0], ends[1], radius, max(_THINNEST_NM + 4, 0.45 * radius))
    if len(path) * STEP_NM < 0.35 * float(tissue.extent_nm.min()):
        return 0
    number = tissue.new(kind)
    points, radii, boutons = _tube(tissue, path, rng, kind, radius)
    tissue.add(number, points, radii)
    tissue.boutons.extend(Bouton(number, p, r) for p, r in boutons)
    return number


def _ends(tissue: Tissue, rng: np.random.Generator, least: float, rim: float = 0.0) -> tuple[np.ndarray, np.ndarray] | None:
    """Two places with room on different faces, opposite ones preferred; `rim` is the part of a face, at each edge, to avoid."""
    shape = np.array(tissue.clearance.shape)
    axis = rng.choice(3, p=[0.44, 0.28, 0.28])
    start = _place_on_face(tissue, rng, axis, 0, least, rim)
    if rng.random() < 0.3 and not rim:
        axis = rng.choice([a for a in range(3) if a != axis])
    goal = _place_on_face(tissue, rng, axis, shape[axis] - 1, least, rim)
    return None if start is None or goal is None else (start, goal)


def _place_on_face(
    tissue: Tissue, rng: np.random.Generator, axis: int, index: int, least: float, rim: float
) -> np.ndarray | None:
    face = np.take(tissue.clearance, index, axis)
    free = np.argwhere(face >= least)
    inner = (np.array(face.shape) - 1) * rim
    free = free[np.all((free >= inner) & (free <= np.array(face.shape) - 1 - inner), axis=1)]
    if not len(free):
        return None
    return np.insert(free[rng.integers(len(free))], axis, index)


def _tube(
    tissue: Tissue, path: np.ndarray, rng: np.random.Generator, kind: str, radius: float
) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, float]]]:
    """Smooth a grid path and give it radii that fit the room there is; also its boutons."""
    smooth = 3.0 if kind in ("dendrite", "myelinated") else 1.3
    points = ndimage.gaussian_filter1d(path.astype(float), smooth, axis=0, mode="nearest") * STEP_NM
    wobble = ndimage.gaussian_filter1d(rng.standard_normal(len(path)), 4.0, mode="nearest") * 3.0
    radii = radius * np.exp((0.05 if kind == "myelinated" else 0.16) * wobble)
    centres = np.arange(rng.integers(2, 16), len(path), rng.integers(12, 28)) if kind == "axon" else np.array([], int)
    swelling = np.zeros(len(path))
    for i in centres:
        swelling = np.maximum(swelling, rng.uniform(160, 330) * np.exp(-0.5 * ((np.arange(len(path)) - i) / 2.4) ** 2))
    radii = np.maximum(radii, swelling)
    radii = np.maximum(np.minimum(radii, tissue.room(points) - _GAP_NM), _THINNEST_NM * 0.8)
    return points, radii, [(points[i], float(radii[i])) for i in centres if radii[i] > 115]


def _add_spines(tissue: Tissue, number: int, rng: np.random.Generator) -> None:
    """Spines: a thin neck and a head, wherever there is room beside the dendrite."""
    _, points, radii = next(p for p in tissue.paths if p[0] == number)
    i = int(rng.integers(1, 4))
    while i < len(points) - 1:
        _add_spine(tissue, number, rng, points[i], points[i + 1] - points[i - 1], radii[i])
        i += int(rng.integers(3, 9))


def _add_spine(tissue: Tissue, number: int, rng: np.random.Generator, base: np.ndarray, along: np.ndarray, radius: float) -> None:
    out = _across(along, rng)
    length, head = radius + rng.uniform(260, 620), rng.uniform(130, 250)
    steps = np.linspace(0, 1, 8)
    bend = _across(out, rng) * rng.uniform(0, 130)
    points = base + steps[:, None] * length * out + (steps**2)[:, None] * bend
    outside = steps * length > radius + 60
    room = tissue.room(points)
    head = min(head, float(room[-1]) - _GAP_NM)
    if head < 80 or room[outside].min() < 60 or np.any(points < 0) or np.any(points > tissue.extent_nm):
        return
    radii = np.where(steps < 0.75, rng.uniform(36, 60), head)
    radii[0] = min(radius, 80)
    tissue.add(number, points, radii)


def _branch(tissue: Tissue, rough: np.ndarray, number: int, rng: np.random.Generator, radius: float) -> None:
    """A side branch that leaves the neurite somewhere in its middle and runs to a face."""
    _, points, radii = next(p for p in tissue.paths if p[0] == number)
    at = int(rng.integers(len(points) // 4, max(len(points) // 4 + 1, 3 * len(points) // 4)))
    along = points[min(at + 1, len(points) - 1)] - points[max(at - 1, 0)]
    start = points[at] + _across(along, rng) * (radii[at] + radius + 40)
    ends = _ends(tissue, rng, 0.7 * radius)
    inside = np.all(start >= 0) and np.all(start <= tissue.extent_nm)
    if ends is None or not inside or tissue.room(start[None])[0] < 0.8 * radius:
        return
    first = np.minimum(np.rint(start / STEP_NM).astype(int), np.array(tissue.clearance.shape) - 1)
    path = cheapest_path(tissue.clearance, rough, first, ends[1], radius, max(_THINNEST_NM, 0.5 * radius))
    if len(path) < 5:
        return
    tube, width, _ = _tube(tissue, path, rng, "neurite", radius)
    tissue.add(number, np.vstack([points[at], tube]), np.concatenate([[min(radii[at], radius)], width]))


def _across(along: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random unit vector at right angles to `along`."""
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    side = rng.standard_normal(3)
    side -= along * float(side @ along)
    return side / max(float(np.linalg.norm(side)), 1e-9)


def _add_axons(tissue: Tissue, rough: np.ndarray, rng: np.random.Generator, tries: int) -> None:
    """Thin neurites until the room is used up: the many that fail show that it is."""
    failed = 0
    for i in range(tries):
        thin = rng.uniform(60, 100) if rng.random() < 0.5 else rng.uniform(100, 160)
        number = _run(tissue, rough, rng, "axon", thin * (1.0 - 0.3 * i / tries))
        failed = 0 if number else failed + 1
        if number and rng.random() < 0.12:
            _branch(tissue, rough, number, rng, 50.0)
        if failed > 25:
            return
