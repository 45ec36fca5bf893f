"""`fluorescence`: from a spec to a phantom, one step per line."""

from __future__ import annotations

import numpy as np

from neurotome.core import SOMA, Grid, Image, Labels, Legend, Skeleton
from neurotome.datasets.fluorescence import artefacts, camera
from neurotome.datasets.fluorescence.grow import grown, random_habit
from neurotome.datasets.fluorescence.morphology import placed
from neurotome.datasets.fluorescence.paths import branches, dense, inside
from neurotome.datasets.fluorescence.render import blur, coarse_blur, draw, mark
from neurotome.datasets.fluorescence.spec import NEURON, FluorescencePhantom, FluorescenceSpec

__all__ = ["fluorescence"]

# Pieces of neurite shorter than this many nodes are left out where they only graze the window.
_FEWEST_NODES = 6
_UNEVEN_LABEL = 0.12
_HAZE_UNITS = 16.0


def fluorescence(spec: FluorescenceSpec | None = None) -> FluorescencePhantom:
    """One neuron, and parts of its neighbours, as a light microscope shows them; the same spec gives the same bytes.

    Truth: see `FluorescencePhantom`.
    """
    spec = spec or FluorescenceSpec()
    shapes, labels, lights, photons = (np.random.default_rng(s) for s in np.random.SeedSequence(spec.seed).spawn(4))
    trees = [_neuron(spec, shapes), *(_neighbour(spec, shapes) for _ in range(spec.neighbours))]
    trees = [_labelled(tree, spec, labels) for tree in trees]
    truth = [inside(tree, np.zeros(3), _far_corner(spec), fewest=_FEWEST_NODES) for tree in trees]
    truth = [truth[0], *(tree for tree in truth[1:] if len(tree))]
    light, mask = np.zeros(spec.shape, np.float32), np.zeros(spec.shape, np.uint8)
    for n, tree in enumerate(truth):
        # What runs just outside of the window is left out: it would shine into it, and be in no truth.
        draw(light, tree, tree.features["brightness"] * (labels.uniform(0.5, 1.1) if n else 1.0), spec.voxel_nm)
        mark(mask, tree, NEURON + n, spec.voxel_nm)
    _add_specks(light, spec, lights)
    seen = _through_optics(light, spec)
    scene = _scaled(seen, truth[0], spec)
    image = _photograph(scene, spec, lights, photons)
    grid = Grid(spec.shape, spec.voxel_nm)
    names = {NEURON: "neuron", **{NEURON + n: f"neighbour {n}" for n in range(1, len(truth))}}
    return FluorescencePhantom(
        Image(image, grid, "phantom"), truth[0], Labels(mask, grid, Legend(names), "neurites"), tuple(truth[1:]), spec
    )


def _far_corner(spec: FluorescenceSpec) -> np.ndarray:
    return np.asarray((np.array(spec.shape) - 1) * np.array(spec.voxel_nm))


def _extent(spec: FluorescenceSpec) -> np.ndarray:
    """The window in units, the smallest sides of a voxel."""
    return _far_corner(spec) / spec.unit_nm


def _neuron(spec: FluorescenceSpec, rng: np.random.Generator) -> Skeleton:
    if spec.source is not None:
        return placed(spec.source, spec, rng)
    habit = random_habit(rng, spec.radius_vox, spec.cable_vox, _soma_that_fits(spec))
    return _in_nm(grown(_extent(spec), habit, rng), spec)


def _soma_that_fits(spec: FluorescenceSpec) -> float:
    return min(spec.soma_vox, 0.25 * float(_extent(spec).min()))


def _neighbour(spec: FluorescenceSpec, rng: np.random.Generator) -> Skeleton:
    habit = random_habit(rng, spec.radius_vox, spec.cable_vox * rng.uniform(0.1, 0.35), 0.0)
    return _in_nm(grown(_extent(spec), habit, rng), spec)


def _in_nm(tree: Skeleton, spec: FluorescenceSpec) -> Skeleton:
    unit = spec.unit_nm
    return Skeleton(tree.ids, tree.parents, tree.points_nm * unit, tree.radii_nm * unit, tree.kinds, name=tree.name)


def _labelled(tree: Skeleton, spec: FluorescenceSpec, rng: np.random.Generator) -> Skeleton:
    """The tree with a node per voxel, the radii of its beads and the brightness of its label."""
    unit = spec.unit_nm
    fine = dense(tree, 0.8 * unit)
    ways = branches(fine)
    wider, brighter = artefacts.beads(fine, ways, spec.beads, unit, rng)
    brightness = brighter * artefacts.unevenness(ways, unit, _UNEVEN_LABEL, rng) * artefacts.fading(ways, spec.fading, rng)
    brightness[artefacts.gaps(fine, ways, spec.gaps, spec.gap_vox * unit, unit, rng)] = 0
    soma = fine.kinds == SOMA
    brightness[soma] = 1.0
    return Skeleton(
        fine.ids,
        fine.parents,
        fine.points_nm,
        fine.radii_nm * wider,
        fine.kinds,
        {"brightness": np.maximum(brightness, 0.0)},
        fine.name,
    )


def _add_specks(light: np.ndarray, spec: FluorescenceSpec, rng: np.random.Generator) -> None:
    """Grains of dye: balls and short rods."""
    for _ in range(spec.specks):
        at = rng.uniform(0, 1, 3) * _far_corner(spec)
        reach = rng.standard_normal(3) * spec.unit_nm * rng.uniform(0, 1.5)
        grain = Skeleton.of([-1, 0], [at, at + reach], rng.uniform(0.5, 1.8, 2) * spec.unit_nm)
        draw(light, grain, np.full(2, rng.uniform(0.5, 1.6)), spec.voxel_nm)


def _through_optics(light: np.ndarray, spec: FluorescenceSpec) -> np.ndarray:
    seen = blur(light, spec.psf_nm, spec.voxel_nm)
    if spec.haze:
        seen += spec.haze * coarse_blur(seen, _HAZE_UNITS * spec.unit_nm, spec.voxel_nm, spec.shape)
    if spec.depth_loss:
        seen *= (1 - spec.depth_loss * np.linspace(0, 1, spec.shape[0], dtype=np.float32))[:, None, None]
    return seen


def _scaled(seen: np.ndarray, neuron: Skeleton, spec: FluorescenceSpec) -> np.ndarray:
    """The light in photons, so that the signal-to-noise ratio is the one asked for."""
    neurite = neuron.kinds != SOMA
    axis = np.rint(neuron.points_nm[neurite if neurite.any() else slice(None)] / spec.voxel_nm).astype(int)
    median = float(np.median(seen[tuple(axis.T)])) if len(axis) else 1.0
    sd = camera.noise_sd(spec.photons, spec.read_noise)
    return np.asarray(seen * np.float32(spec.snr * sd / max(median, 1e-6)))


def _photograph(
    signal: np.ndarray, spec: FluorescenceSpec, lights: np.random.Generator, photons: np.random.Generator
) -> np.ndarray:
    sd = camera.noise_sd(spec.photons, spec.read_noise)
    below = camera.background(spec.shape, spec.photons, spec.background * sd, lights)
    # Never less than the noise needs.
    brightest = max(_bright_end(signal), 4 * sd)
    counted = camera.expose(below + signal, spec.read_noise, photons)
    darkest = spec.photons - (3 + 1.5 * spec.background) * sd
    cut = None if spec.cut_sd is None else spec.photons + spec.cut_sd * sd
    return camera.to_grey(counted, darkest, spec.photons + brightest, spec.dtype, cut_below=cut)


def _bright_end(signal: np.ndarray) -> float:
    every = signal[:, ::2, ::2]
    return float(np.quantile(every[every > 0.05 * every.max()], 0.98)) if every.max() > 0 else 0.0
