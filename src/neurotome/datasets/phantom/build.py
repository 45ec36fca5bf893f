"""`make`: from a spec to a phantom, one step per line."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurotome.core import Grid, Image, Labels, Legend, Progress, SynapseSites, silent
from neurotome.datasets.phantom import camera
from neurotome.datasets.phantom.contacts import MEMBRANE_NM, Synapse, find_synapse, mark_synapse
from neurotome.datasets.phantom.neurites import Tissue, grow
from neurotome.datasets.phantom.organelles import CLASS, VESICLE_RADIUS_NM, Contents, draw, plan, seen_at, vesicle_cloud
from neurotome.datasets.phantom.partition import FAR_NM, Partition, make_warp, partition
from neurotome.datasets.phantom.render import make_look, render
from neurotome.datasets.phantom.spec import ORGANELLES, Phantom, PhantomSpec
from neurotome.datasets.phantom.truth import label_neurons

__all__ = ["make"]

# Tissue beyond the field of view, so that its edge looks like its middle.
_MARGIN_NM = 240.0
_ORGANELLE_CLEAR_NM = 17.0
_NUCLEUS_RIM_NM = 430.0


def make(spec: PhantomSpec | None = None, *, progress: Progress = silent) -> Phantom:
    """Synthetic EM of neural tissue with all of its truth.

    Neurites of many calibres fill the volume; the same spec gives the same bytes. Truth: see `Phantom`.
    """
    spec = spec or PhantomSpec()
    steps = _Steps(progress)
    voxel_nm = np.array(spec.voxel_nm)
    margin = _shift_margin(spec)
    shape = tuple(np.array(spec.shape) + 2 * margin)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(spec.seed).spawn(7)]
    tissue = grow(np.array(shape) * voxel_nm + 2 * _MARGIN_NM, streams[0], soma=spec.soma, myelin=spec.myelin)
    steps("neurites grown")
    warp = make_warp(tissue.extent_nm, streams[1])
    corner = np.full(3, _MARGIN_NM)
    cells = partition(np.vstack(tissue.capsules), np.concatenate(tissue.owners), warp, shape, voxel_nm, corner)
    steps("voxels assigned")
    contents = Contents(np.zeros(shape, np.uint8), np.full(shape, -np.inf, np.float32))
    stain = np.zeros(shape, np.float32)
    scene = _Scene(tissue, warp, corner, voxel_nm, cells, contents, stain)
    _draw_contents(scene, streams[2])
    neurons = label_neurons(cells, contents.kind == CLASS["myelin"])
    synapses = _draw_synapses(scene, neurons, streams[3])
    steps("organelles drawn")
    image = render(cells, contents, stain, make_look(tissue.kinds, streams[4]), voxel_nm, streams[5])
    steps("image rendered")
    truth = (neurons, *_membranes_and_organelles(contents, neurons))
    phantom = _photograph(spec, image, truth, synapses, margin, streams[6])
    steps("camera applied")
    return phantom


class _Steps:
    def __init__(self, progress: Progress) -> None:
        self.progress, self.done = progress, 0

    def __call__(self, what: str) -> None:
        self.done += 1
        self.progress(f"phantom: {what}", self.done, 5)


def _shift_margin(spec: PhantomSpec) -> np.ndarray:
    return np.array([0, spec.misaligned_vox, spec.misaligned_vox]) if spec.misaligned else np.zeros(3, int)


@dataclass(eq=False)
class _Scene:
    """Everything the drawing steps share."""

    tissue: Tissue
    warp: np.ndarray
    corner_nm: np.ndarray
    voxel_nm: np.ndarray
    cells: Partition
    contents: Contents
    stain: np.ndarray

    def seen(self, points_nm: np.ndarray) -> np.ndarray:
        """Tissue points as nm from voxel 0."""
        return seen_at(points_nm, self.warp) - self.corner_nm

    def draw(self, kind: str, capsules: np.ndarray, owners: np.ndarray, clear_nm: float = _ORGANELLE_CLEAR_NM) -> None:
        rows = capsules.copy()
        rows[:, 0:3], rows[:, 4:7] = self.seen(capsules[:, 0:3]), self.seen(capsules[:, 4:7])
        draw(self.contents, kind, rows, owners, self.cells, self.voxel_nm, clear_nm=clear_nm)


def _draw_contents(scene: _Scene, rng: np.random.Generator) -> None:
    layout = plan(scene.tissue, rng)
    _draw_myelin(scene)
    for kind in ("mitochondria", "reticulum", "microtubules"):
        if kind in layout.capsules:
            scene.draw(kind, np.vstack(layout.capsules[kind]), np.concatenate(layout.owners[kind]))
    if scene.tissue.soma:
        _draw_nucleus(scene, *scene.tissue.soma)


def _draw_nucleus(scene: _Scene, number: int, centre_nm: np.ndarray, radius_nm: float) -> None:
    # Its centre may lie far outside the tissue, where there is no warp: drawn as it is.
    ball = np.array([*(centre_nm - scene.corner_nm), radius_nm - _NUCLEUS_RIM_NM])
    rows, owner = np.concatenate([ball, ball])[None], np.array([number])
    draw(scene.contents, "nucleus", rows, owner, scene.cells, scene.voxel_nm, clear_nm=FAR_NM - 1)


def _draw_myelin(scene: _Scene) -> None:
    """All of a myelinated neurite that lies outside its inner tube is sheath."""
    for number, points, radii in scene.tissue.paths:
        if scene.tissue.kinds[number - 1] != "myelinated":
            continue
        nodes = np.column_stack([points, 0.68 * radii])
        inner = Contents(np.zeros_like(scene.contents.kind), np.full_like(scene.contents.depth_nm, -np.inf))
        rows = np.hstack([nodes[:-1], nodes[1:]])
        rows[:, 0:3], rows[:, 4:7] = scene.seen(rows[:, 0:3]), scene.seen(rows[:, 4:7])
        draw(inner, "myelin", rows, np.full(len(rows), number), scene.cells, scene.voxel_nm, clear_nm=20.0)
        sheath = (scene.cells.owner == number) & (inner.depth_nm < 0) & (scene.cells.border_nm >= MEMBRANE_NM)
        scene.contents.kind[sheath] = CLASS["myelin"]
        scene.contents.depth_nm[sheath] = scene.cells.border_nm[sheath]


def _draw_synapses(scene: _Scene, neurons: np.ndarray, rng: np.random.Generator) -> list[Synapse]:
    """Clefts, densities and vesicles of every bouton with a partner; pre and post of the result are ids in `neurons`."""
    found = []
    for bouton in scene.tissue.boutons:
        seen = scene.seen(bouton.centre_nm[None])[0]
        synapse = find_synapse(bouton, seen, scene.tissue, scene.cells, scene.voxel_nm, rng)
        if synapse is None:
            continue
        ids = mark_synapse(synapse, scene.cells, neurons, scene.contents, scene.stain, scene.voxel_nm)
        if ids is None:
            continue
        found.append(replace(synapse, pre=ids[0], post=ids[1]))
        site = bouton.centre_nm + (synapse.centre_nm - seen)
        cloud = vesicle_cloud(bouton, site, rng)
        if len(cloud):
            balls = np.column_stack([cloud, np.full(len(cloud), VESICLE_RADIUS_NM)])
            scene.draw("vesicles", np.hstack([balls, balls]), np.full(len(balls), bouton.neurite))
    return found


def _membranes_and_organelles(contents: Contents, neurons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Membranes (1 where there is neither neuron nor myelin) and organelles (in neurons, but for clefts and myelin), uint8."""
    kind = contents.kind
    sheath = kind == CLASS["myelin"]
    between = sheath | (kind == CLASS["cleft"])
    has_outline = ~between & (kind != CLASS["density"])
    outside = (has_outline & (contents.depth_nm < 0)) | (~between & (neurons == 0))
    return ((neurons == 0) & ~sheath).astype(np.uint8), np.where(outside, 0, kind).astype(np.uint8)


def _photograph(
    spec: PhantomSpec,
    image: np.ndarray,
    truth: tuple[np.ndarray, ...],
    synapses: list[Synapse],
    margin: np.ndarray,
    rng: np.random.Generator,
) -> Phantom:
    """Apply the camera's faults; a shifted section is shifted in image and truth alike."""
    faults = camera.pick_faults(spec.shape[0], spec.misaligned, spec.missing, spec.blurred, rng)
    moves = camera.shifts(spec.shape[0], faults["misaligned"], spec.misaligned_vox, rng)
    image, neurons, membranes, organelles = (_take(a, moves, margin, spec.shape) for a in (image, *truth))
    for z in faults["blurred"]:
        image[z] = camera.blur(image[z], rng)
    camera.change_brightness(image, spec.brightness_jumps, rng)
    camera.add_noise(image, spec.noise, rng)
    for z in faults["missing"]:
        image[z] = 0
    grid = Grid(spec.shape, spec.voxel_nm)
    return Phantom(
        Image(np.clip(np.rint(image), 0, 255).astype(np.uint8), grid, "phantom"),
        Labels(neurons, grid, name="neurons"),
        Labels(membranes, grid, Legend({1: "membrane"}), "membranes"),
        Labels(organelles, grid, Legend(dict(ORGANELLES)), "organelles"),
        _sites(synapses, spec, moves, margin),
        replace(spec),
        faults,
    )


def _take(array: np.ndarray, moves: np.ndarray, margin: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    if not margin.any():
        return array
    start = margin[1:] + moves
    return np.stack([a[y : y + shape[1], x : x + shape[2]] for a, (y, x) in zip(array, start, strict=True)])


def _sites(synapses: list[Synapse], spec: PhantomSpec, moves: np.ndarray, margin: np.ndarray) -> SynapseSites:
    voxel = np.array(spec.voxel_nm)
    points = np.array([s.centre_nm for s in synapses]).reshape(-1, 3)
    section = np.clip(np.rint(points[:, 0] / voxel[0]).astype(int), 0, spec.shape[0] - 1)
    points[:, 1:] -= (margin[1:] + moves[section]) * voxel[1:]
    inside = np.all((points >= 0) & (points <= (np.array(spec.shape) - 1) * voxel), axis=1)
    pre = np.array([s.pre for s in synapses], np.uint64)[inside]
    post = np.array([s.post for s in synapses], np.uint64)[inside]
    return SynapseSites(np.arange(1, len(pre) + 1, dtype=np.uint64), points[inside], pre, post)
