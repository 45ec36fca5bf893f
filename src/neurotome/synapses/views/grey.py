"""Grey values between fixed limits, and the grey that covers what a mask leaves out. Nothing is rescaled afterwards.

A blended crop has one scale: the same tissue and the same grey look the same in every crop, section and figure.
"""

from __future__ import annotations

import numpy as np

from neurotome.core import UnknownNameError, ValueRangeError

__all__ = ["LIMITS", "NORMALISATIONS", "blended", "in_steps", "normalised_grey"]

LIMITS = {"synister": (-1.0, 1.0)}
"""Between which values a normalisation puts a crop, where not between 0 and 1."""

NORMALISATIONS = ("percentile", "crop_minmax", "slice_minmax", "fixed", "synister", "zscore", "mean")

_STEP_SLACK = 1e-4
"""Of one of 255 steps. 32-bit values of whole steps may lie that little below them and must not fall to the next."""


def normalised_grey(
    image: np.ndarray, how: str, *, valid: np.ndarray | None = None, levels: tuple[float, float] | None = None
) -> np.ndarray:
    """Grey values as float32 between 0 and 1, for "synister" between -1 and 1.

    "percentile": from the lower to the upper of `levels`, those of the whole volume. "crop_minmax": from the darkest to the
    brightest voxel of the crop; "slice_minmax": of each section. "fixed": 8 bits / 255; "synister": 8 bits / 127.5 - 1. "zscore":
    half a standard deviation per unit about 0.5; "mean": the mean becomes 0.5. All are clipped; where there is no contrast the
    values are 0 (zscore: 0.5). image: (z, y, x); valid: which voxels count for the statistics; all are normalised.

    Raises UnknownNameError; ValueRangeError for values that are not finite, not 8 bits where they must be, or if none is valid.

    >>> ramp = np.array([0, 85, 170, 255], np.uint8).reshape(1, 2, 2)
    >>> normalised_grey(ramp, "zscore").astype(float).round(4).ravel().tolist()
    [0.0, 0.2764, 0.7236, 1.0]
    """
    if how not in NORMALISATIONS:
        raise UnknownNameError("normalisation", how, NORMALISATIONS)
    values = image.astype(np.float32)
    counted = values.ravel() if valid is None or valid.all() else values[valid]
    _require_values(counted, how, eight_bits=image.dtype == np.uint8)
    match how:
        case "percentile":
            if levels is None:
                raise ValueRangeError("Percentiles of a volume that are not known", "levels=(low, high)", "measure the volume")
            return _ramp(values, *levels)
        case "crop_minmax":
            return _ramp(values, counted.min(), counted.max())
        case "slice_minmax":
            return _by_section(values, valid)
        case "fixed":
            return _ramp(values, 0, 255)
        case "synister":
            return values / np.float32(127.5) - np.float32(1)
        case "mean":
            return _ramp(values, 0, 2 * _mean_of(counted))
    return _standardised(values, counted)


def blended(values: np.ndarray, mask: np.ndarray, *, alpha: float, grey: float) -> np.ndarray:
    """What a mask shows of normalised values as it is, the rest under grey of opacity `alpha`: 0 = raw, 1 = grey alone.

    grey is a value on the scale of `values`. float32, the shape of both arrays.

    >>> blended(np.full(2, 0.2, np.float32), np.array([True, False]), alpha=0.3, grey=0.6).astype(float).round(4).tolist()
    [0.2, 0.32]
    """
    if alpha == 1:
        return np.where(mask, values, np.float32(grey))
    return np.where(mask, values, np.float32(alpha * grey) + np.float32(1 - alpha) * values)


def in_steps(values: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """Values cut down to 255 steps between two limits, as an image of 8 bits would hold them.

    >>> in_steps(np.array([0.6, 0.5], np.float32)).astype(float).round(4).tolist()
    [0.6, 0.498]
    """
    low, high = limits
    steps = np.floor((values - np.float32(low)) * np.float32(255 / (high - low)) + np.float32(_STEP_SLACK))
    stepped: np.ndarray = steps * np.float32((high - low) / 255) + np.float32(low)
    return stepped


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    dark, bright = np.float32(low), np.float32(high)
    if not bright > dark:
        return (values > dark).astype(np.float32)
    return np.clip((values - dark) / (bright - dark), np.float32(0), np.float32(1))


def _by_section(values: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    ramps = []
    for z, section in enumerate(values):
        counted = section if valid is None else section[valid[z]]
        ramps.append(_ramp(section, counted.min(), counted.max()) if counted.size else np.zeros_like(section))
    return np.stack(ramps)


def _mean_of(counted: np.ndarray) -> float:
    mean = float(counted.mean(dtype=np.float64))
    if mean < 0:
        raise ValueRangeError(f"A mean grey value of {mean:.6g}", "0 or more for 'mean'", "take another normalisation")
    return mean


def _standardised(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    mean, spread = float(counted.mean(dtype=np.float64)), float(counted.std(dtype=np.float64))
    if spread == 0:
        return np.full_like(values, 0.5)
    return np.clip((values - np.float32(mean)) / np.float32(2 * spread) + np.float32(0.5), np.float32(0), np.float32(1))


def _require_values(counted: np.ndarray, how: str, *, eight_bits: bool) -> None:
    if counted.size == 0:
        raise ValueRangeError("A crop without a valid voxel", "one at least", "discard it")
    if eight_bits:
        return
    low, high = float(counted.min()), float(counted.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueRangeError("Grey values that are not finite", "numbers", "mend the image")
    if how in ("fixed", "synister") and not (low >= 0 and high <= 255):
        raise ValueRangeError(f"Grey values from {low:g} to {high:g}", f"0 to 255 for '{how}'", "take percentile")
