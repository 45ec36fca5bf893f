"""From structures to grey values: what a microscope would make of the tissue, section by section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from neurotome.datasets.phantom.organelles import CLASS, RIM_NM, Contents
from neurotome.datasets.phantom.partition import Partition

__all__ = ["Look", "make_look", "membrane_darkness", "render"]

# One value per pixel of an organelle.
Pixels = np.ndarray

# Grey values before brightness and noise.
_MEMBRANE, _DENSE = 80.0, 50.0
# Cytoplasm per kind: mean, spread over neurites, weight of its grain.
_CYTOPLASM = {
    "soma": (194.0, 3.0, 1.2),
    "dendrite": (206.0, 8.0, 0.75),
    "neurite": (197.0, 14.0, 0.95),
    "axon": (190.0, 17.0, 1.1),
    "myelinated": (200.0, 5.0, 0.8),
}
_SECTION_NM = 26.0
# How much the gap between two membranes (one dark line or two) and their staining vary from place to place.
_GAP_SPREAD, _STAIN_SPREAD = 0.33, 0.3


@dataclass(frozen=True, eq=False)
class Look:
    """Per neurite number (0 unused): mean grey, weight of the grain, direction of the cristae (n, 3)."""

    grey: np.ndarray
    grain: np.ndarray
    cristae: np.ndarray


def make_look(kinds: list[str], rng: np.random.Generator) -> Look:
    """Every neurite has a look of its own, so that neighbours can be told apart only sometimes."""
    mean, spread, grain = np.array([(0.0, 0.0, 0.0), *(_CYTOPLASM[k] for k in kinds)]).T
    n = len(kinds) + 1
    grey = mean + spread * rng.standard_normal(n)
    weight = grain * np.exp(0.2 * rng.standard_normal(n))
    way = rng.standard_normal((n, 3)) * np.array([0.25, 1, 1])
    return Look(grey, weight, way / np.linalg.norm(way, axis=1, keepdims=True))


def membrane_darkness(border_nm: np.ndarray, tilt: np.ndarray, section_nm: float) -> np.ndarray:
    """How dark a membrane is (0..1) at a distance from the middle of its gap, seen through a section of finite thickness.

    Two bilayers, each a Gaussian band, over a faint haze. A border that is tilted by `tilt` (z part of its normal) is averaged
    over the distances that the section spans there, so that oblique membranes are wide and pale.

    >>> straight, oblique = membrane_darkness(np.array([7.0, 7.0]), np.array([0.0, 1.0]), 30.0)
    >>> bool(straight > 1.5 * oblique)
    True
    """
    step = 0.25
    at = np.arange(-100, 100 + step, step)
    profile = 0.8 * np.exp(-0.5 * ((np.abs(at) - 9.0) / 3.4) ** 2) + 0.2 * np.exp(-0.5 * (at / 15.0) ** 2)
    total = np.cumsum(profile) * step
    half = np.maximum(tilt * section_nm / 2, step)
    return (np.interp(border_nm + half, at, total) - np.interp(border_nm - half, at, total)) / (2 * half)


def render(
    cells: Partition, contents: Contents, stain: np.ndarray, look: Look, voxel_nm: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The noise-free image (z, y, x) float32, about 0..255."""
    image = np.empty(cells.owner.shape, np.float32)
    width, strength = (_slow_factor(cells.owner.shape, voxel_nm, rng, spread) for spread in (_GAP_SPREAD, _STAIN_SPREAD))
    grain = Grain(cells.owner.shape[1:], voxel_nm, rng)
    for z in range(len(image)):
        image[z] = _section(z, cells, contents, stain[z], look, voxel_nm, (width(z), strength(z)), grain)
    return image


class Grain:
    """Textures of one section after the other: fine grain that is new in each, and slow mottling that partly stays."""

    def __init__(self, shape: tuple[int, ...], voxel_nm: np.ndarray, rng: np.random.Generator) -> None:
        self.shape, self.rng = shape, rng
        self.pixel_nm = float(np.sqrt(voxel_nm[1] * voxel_nm[2]))
        self.mottle = self._layer(24.0)

    def _layer(self, size_nm: float) -> np.ndarray:
        white = self.rng.standard_normal(self.shape, np.float32)
        layer = ndimage.gaussian_filter(white, size_nm / self.pixel_nm, mode="wrap", truncate=3.0)
        return layer / max(float(layer.std()), 1e-6)

    def next(self) -> tuple[np.ndarray, np.ndarray]:
        """Grain (mean about 0, long dark tail) and mottle, both of about unit height."""
        self.mottle = 0.6 * self.mottle + 0.8 * self._layer(24.0)
        fine = 0.7 * self._layer(6.5) + 0.75 * self._layer(12.0) + 0.3 * self.mottle
        return 0.5 * fine - 0.95 * np.maximum(fine - 0.6, 0) + 0.16, self.mottle


def _slow_factor(
    shape: tuple[int, ...], voxel_nm: np.ndarray, rng: np.random.Generator, spread: float
) -> Callable[[int], np.ndarray]:
    """A slowly varying factor around 1, as a function of the section."""
    coarse_nm = np.array([120.0, 120.0, 120.0])
    small = tuple(int(np.ceil(n * v / c)) + 3 for n, v, c in zip(shape, voxel_nm, coarse_nm, strict=True))
    field = ndimage.gaussian_filter(rng.standard_normal(small, np.float32), 1.0)
    field = np.exp(spread * field / max(float(field.std()), 1e-6))
    y = np.arange(shape[1])[:, None] * voxel_nm[1] / coarse_nm[1]
    x = np.arange(shape[2])[None] * voxel_nm[2] / coarse_nm[2]
    y, x = np.broadcast_arrays(y, x)

    def at(z: int) -> np.ndarray:
        depth = np.full(y.shape, z * voxel_nm[0] / coarse_nm[0])
        return ndimage.map_coordinates(field, [depth, y, x], order=1)

    return at


def _section(
    z: int,
    cells: Partition,
    contents: Contents,
    stain: np.ndarray,
    look: Look,
    voxel_nm: np.ndarray,
    membrane: tuple[np.ndarray, np.ndarray],
    grain: Grain,
) -> np.ndarray:
    owner, border, tilt = cells.owner[z], cells.border_nm[z], cells.tilt[z]
    kind, depth = contents.kind[z], contents.depth_nm[z]
    width, strength = membrane
    fine, mottle = grain.next()
    grey = look.grey[owner] + 43.0 * look.grain[owner] * fine + 5.0 * mottle
    _shade_organelles(grey, kind, depth, owner, z, look, voxel_nm, fine, mottle)
    grey -= stain * (grey - _DENSE - 8 * fine)
    dark = membrane_darkness(border * width, tilt, _SECTION_NM) * np.minimum(strength, 1.15)
    dark = np.clip(dark * (1 + 0.25 * mottle - 0.25 * fine), 0, 1)
    grey = grey * (1 - dark) + dark * (_MEMBRANE + 9 * fine)
    return ndimage.gaussian_filter(grey.astype(np.float32), 0.6, mode="nearest")


def _shade_organelles(
    grey: np.ndarray,
    kind: np.ndarray,
    depth: np.ndarray,
    owner: np.ndarray,
    z: int,
    look: Look,
    voxel_nm: np.ndarray,
    fine: np.ndarray,
    mottle: np.ndarray,
) -> None:
    """Paint every kind over the cytoplasm, in place."""
    for name, shade in _SHADES.items():
        where = np.nonzero(kind == CLASS[name])
        if len(where[0]):
            places = np.stack([np.full(len(where[0]), z), *where], axis=1) * voxel_nm
            along = np.einsum("nk,nk->n", places, look.cristae[owner[where]])
            grey[where] = shade(depth[where], grey[where], fine[where], mottle[where], along)


def _line(depth: np.ndarray, at: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((depth - at) / width) ** 2)


def _mitochondrion(depth: Pixels, under: Pixels, fine: Pixels, mottle: Pixels, along: Pixels) -> Pixels:
    cristae = np.sin(2 * np.pi * along / 46.0 + 1.6 * mottle)
    matrix = 112 + 17 * cristae * np.clip((depth - 12) / 15, 0, 1) + 15 * fine + 8 * mottle
    grey = matrix - 66 * _line(depth, 3.0, 5.5) + 6 * _line(depth, 15.0, 3.0) - 14 * _line(depth, 22.0, 4.0)
    return _over(grey, under, depth)


def _vesicle(depth: Pixels, under: Pixels, fine: Pixels, mottle: Pixels, along: Pixels) -> Pixels:
    return _over(under - 46 * _line(depth, 4.0, 5.5) - 40 * np.clip(depth / 4, 0, 1), under, depth)


def _reticulum(depth: Pixels, under: Pixels, fine: Pixels, mottle: Pixels, along: Pixels) -> Pixels:
    return _over(
        under - (100 - 24 * mottle - 10 * fine) * _line(depth, 2.5, 6.0) + 6 * np.clip((depth - 10) / 8, 0, 1), under, depth
    )


def _microtubule(depth: Pixels, under: Pixels, fine: Pixels, mottle: Pixels, along: Pixels) -> Pixels:
    return under - 40 * np.clip((depth + 4) / 8, 0, 1)


def _nucleus(depth: Pixels, under: Pixels, fine: Pixels, mottle: Pixels, along: Pixels) -> Pixels:
    chromatin = np.clip(mottle - 0.5 + np.exp(-depth / 60.0), 0, 1.5)
    grey = 178 + 22 * fine - 40 * chromatin
    grey -= 75 * (_line(depth, 2.0, 4.5) + 0.9 * _line(depth, 26.0, 4.5))
    return _over(grey, under, depth)


def _myelin(depth: Pixels, under: Pixels, fine: Pixels, mottle: Pixels, along: Pixels) -> Pixels:
    return 48 + 12 * np.sin(2 * np.pi * depth / 15.0) + 5 * fine


def _over(grey: Pixels, under: Pixels, depth: Pixels) -> Pixels:
    # A soft outline: the last nanometres outside fade into what is there.
    cover = np.clip((depth + RIM_NM) / RIM_NM, 0, 1)
    return cover * grey + (1 - cover) * under


_SHADES = {
    "nucleus": _nucleus,
    "mitochondria": _mitochondrion,
    "reticulum": _reticulum,
    "vesicles": _vesicle,
    "microtubules": _microtubule,
    "myelin": _myelin,
}
