"""Probabilities -> the TIFF that the ISBI-2012 challenge takes."""

from __future__ import annotations

from pathlib import Path

from neurotome import boundary
from neurotome.core import FormatError, Progress, silent
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import open_probability, save

__all__ = ["write_submission"]


def write_submission(
    prediction: str,
    out: Path,
    *,
    voxel_nm: Nm3 | None = None,
    channels: tuple[str, ...] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Int3:
    """`neurotome boundary submission`: P(inside) in 32 bits, 0 to 1, one page per section. Returns its shape (z, y, x)."""
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise FormatError(f"Submission '{out}'", "a name that ends in .tif", "choose another --out")
    probability = open_probability(prediction, voxel_nm=voxel_nm, channels=channels)
    inside = boundary.inside_image(probability)
    save(inside, out, overwrite=overwrite, progress=progress)
    return inside.grid.shape
