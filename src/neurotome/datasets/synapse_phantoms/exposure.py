"""From clean grey values to what a camera gives: grain of the tissue, noise, and the brightness of one volume."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from scipy import ndimage

__all__ = ["Exposure", "expose", "exposure_of"]

# Sides without a common factor with the distance between synapses: no two have the same grain.
_TILE = (90, 134, 154)
_GRAIN, _CAMERA = 13.0, 8.5


@dataclass(frozen=True)
class Exposure:
    """grey -> 128 + contrast (grey - 128) + offset, then noise with this standard deviation."""

    contrast: float
    offset: float
    noise: float


def exposure_of(number: int, shift: float, noise: float) -> Exposure:
    """How volume `number` was imaged: the first as the tissue is, the others brighter or darker and with other contrast.

    >>> exposure_of(0, 1.0, 1.0), exposure_of(1, 1.0, 1.0).offset < -10
    (Exposure(contrast=1.0, offset=0.0, noise=8.5), True)
    """
    # Multiples of irrational numbers spread evenly, however many volumes there are.
    bright, contrast = (number * 0.6180339887) % 1, (number * 0.4142135624) % 1
    offset = 52 * shift * (bright - (bright > 0.5))
    return Exposure(1 - 0.35 * shift * contrast, offset, _CAMERA * noise)


def expose(image: np.ndarray, exposure: Exposure, seed: int) -> None:
    """Grain, brightness and camera noise, in place, uint8."""
    rng = np.random.default_rng(seed)
    _expose(image, _grain(rng), exposure.contrast, exposure.offset, exposure.noise, np.uint64(rng.integers(2**63)))


def _grain(rng: np.random.Generator) -> np.ndarray:
    """A tile that repeats: fine and coarse grain with a dark tail, standard deviation 1 by 1/64, int8."""
    layers = [
        ndimage.gaussian_filter(rng.standard_normal(_TILE, np.float32), s, mode="wrap", truncate=3.0) for s in (0.7, 1.5, 4.0)
    ]
    fine, medium, coarse = (layer / layer.std() for layer in layers)
    mixed = 0.62 * fine + 0.6 * medium + 0.42 * coarse
    mixed -= 0.5 * np.maximum(mixed - 0.6, 0)
    mixed -= mixed.mean()
    return np.asarray(np.clip(np.round(mixed / mixed.std() * 40), -127, 127).astype(np.int8))


@numba.njit(cache=True, nogil=True)
def _expose(image, grain, contrast, offset, noise, seed) -> None:  # type: ignore[no-untyped-def]
    mask = np.uint64(0xFFFF)
    unit = noise / (65536.0 * np.sqrt(4.0 / 12.0))
    for z in range(image.shape[0]):
        for y in range(image.shape[1]):
            tile = grain[z % grain.shape[0], y % grain.shape[1]]
            state = seed + np.uint64((z * image.shape[1] + y) * image.shape[2]) * np.uint64(0x9E3779B97F4A7C15)
            for x in range(image.shape[2]):
                # Splitmix64; the sum of its four 16-bit parts is nearly normal.
                state += np.uint64(0x9E3779B97F4A7C15)
                h = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                h ^= h >> np.uint64(31)
                total = (h & mask) + (h >> np.uint64(16) & mask) + (h >> np.uint64(32) & mask) + (h >> np.uint64(48))
                grey = image[z, y, x] + tile[x % grain.shape[2]] * (_GRAIN / 40.0)
                grey = 128 + contrast * (grey - 128) + offset + (np.float64(total) - 131070.0) * unit
                image[z, y, x] = np.uint8(min(max(grey + 0.5, 0.0), 255.0))
