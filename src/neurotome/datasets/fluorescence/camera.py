"""From light to a file: background, noise and grey values.

    photons = Poisson(background + signal) + Normal(0, read noise)        grey = black level + gain x photons, rounded

The signal is scaled so that its median along the neuron is snr x sd, where sd is the noise of a voxel of background:
sd^2 = photons of the mean background + read noise^2.
"""

from __future__ import annotations

import numpy as np

from neurotome.core.geometry import Int3

__all__ = ["background", "expose", "noise_sd", "to_grey"]

_WAVES = 6
# Largest grey value used: cameras of 16-bit files have 12 bits or a few more.
_WHITE = {"uint8": 255, "uint16": 4095}
_BLACK = {"uint8": 4.0, "uint16": 100.0}
# Where the brightest of a thousand voxels is put, as a share of white: the rest is for noise.
_BRIGHTEST = 0.85
_CLIPPED_SHARE = 0.001


def noise_sd(photons: float, read_noise: float) -> float:
    """Standard deviation of a voxel that expects this many photons.

    >>> noise_sd(21.0, 2.0)
    5.0
    """
    return float(np.sqrt(photons + read_noise**2))


def background(shape: Int3, photons: float, unevenness: float, rng: np.random.Generator) -> np.ndarray:
    """Expected photons per voxel (z, y, x) float32: slow waves around `photons`, of standard deviation `unevenness` photons.

    Never below a tenth of the mean.
    """
    waves = [_wave(n, rng) for n in shape]
    field = (waves[0].T @ np.einsum("ky,kx->kyx", waves[1], waves[2]).reshape(_WAVES, -1)).reshape(shape)
    field -= field.mean()
    field *= unevenness / max(1e-9, float(field.std()))
    return np.asarray(np.maximum(field + photons, 0.1 * photons), np.float32)


def _wave(size: int, rng: np.random.Generator) -> np.ndarray:
    """Cosines (waves, size) of up to one period and a half over the window, weaker the shorter."""
    periods = rng.uniform(0.1, 1.2, _WAVES)
    phases = rng.uniform(0, 2 * np.pi, _WAVES)
    waves = np.cos(2 * np.pi * periods[:, None] * np.linspace(0, 1, size) + phases[:, None])
    return np.asarray(waves / (0.5 + periods[:, None]), np.float32)


def expose(light: np.ndarray, read_noise: float, rng: np.random.Generator) -> np.ndarray:
    """Photons that a camera counts, float32, where `light` is what it should count."""
    counted = rng.poisson(light).astype(np.float32)
    if read_noise:
        counted += np.float32(read_noise) * rng.standard_normal(light.shape, np.float32)
    return counted


def to_grey(counted: np.ndarray, darkest: float, brightest: float, dtype: str, *, cut_below: float | None = None) -> np.ndarray:
    """Grey values of the type: photons `darkest` at the black level, `brightest` at 85 % of white; what lies outside is clipped.

    Voxels of fewer photons than `cut_below` are 0.
    """
    gain = (_BRIGHTEST * _WHITE[dtype] - _BLACK[dtype]) / max(1e-9, brightest - darkest)
    grey = np.clip(np.rint((counted - darkest) * gain + _BLACK[dtype]), 0, _WHITE[dtype]).astype(dtype)
    if cut_below is not None:
        grey[counted < cut_below] = 0
    return grey
