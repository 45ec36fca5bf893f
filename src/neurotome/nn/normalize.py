"""Grey values as networks want them; the name is stored in the model card and applied identically at prediction."""

from __future__ import annotations

import numpy as np

from neurotome.core import InputError, UnknownNameError

__all__ = ["NORMALIZATIONS", "normalize", "section_scale"]

NORMALIZATIONS = ("section_zscore", "unit", "percentile")


def section_scale(section: np.ndarray, method: str) -> tuple[float, float]:
    """Offset and factor such that (section - offset) * factor is normalised.

    section_zscore: mean 0, standard deviation 1. unit: value / largest value of the type. percentile: 1st..99th to 0..1.

    >>> section_scale(np.array([[0, 2]], dtype=np.uint8), "section_zscore")
    (1.0, 1.0)
    """
    if method == "section_zscore":
        spread = float(section.std(dtype=np.float64))
        return float(section.mean(dtype=np.float64)), 1.0 / spread if spread > 0 else 0.0
    if method == "unit":
        return 0.0, 1.0 / (float(np.iinfo(section.dtype).max) if section.dtype.kind in "ui" else 1.0)
    if method == "percentile":
        low, high = np.percentile(section, (1, 99))
        return float(low), 1.0 / float(high - low) if high > low else 0.0
    raise UnknownNameError("normalization", method, NORMALIZATIONS)


def normalize(sections: np.ndarray, method: str) -> np.ndarray:
    """Normalise each section of (z, y, x) by itself: brightness jumps between sections disappear. Returns float32."""
    out = np.empty(sections.shape, np.float32)
    for z, section in enumerate(sections):
        offset, factor = section_scale(section, method)
        if not np.isfinite(offset):
            bad = tuple(int(i) for i in np.argwhere(~np.isfinite(section))[0])
            raise InputError(f"Section {z} is not finite at (y, x) = {bad}", "finite grey values", "replace nan and inf")
        out[z] = (section - np.float32(offset)) * np.float32(factor)
    return out
