"""The preparation steps of the overlap route, file to file: quadrants, targets, pairs of sections, a clean overlap map."""

from __future__ import annotations

from pathlib import Path

from neurotome import boundary, neurons
from neurotome.core import Grid, Progress, UnknownNameError, silent
from neurotome.core.geometry import Nm3
from neurotome.datasets import quadrants
from neurotome.io import open_image, open_labels, open_probability, open_volume, save, save_pictures
from neurotome.io.source import Kind

__all__ = ["clean_overlap_file", "write_consecutive", "write_quadrants", "write_targets"]

SUFFIXES = {"tif": ".ome.tif", "zarr": ".ome.zarr"}


def write_quadrants(
    stack: str,
    out: Path,
    *,
    file_format: str = "tif",
    kind: Kind | None = None,
    voxel_nm: Nm3 | None = None,
    channel: str | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> list[Path]:
    """`neurotome prepare quadrants`: a, b, c and d in the folder `out`, of the kind the stack is. Each knows where it was."""
    if file_format not in SUFFIXES:
        raise UnknownNameError("format", file_format, SUFFIXES)
    volume = open_volume(stack, kind=kind, voxel_nm=voxel_nm, channel=channel)
    paths = []
    for name, box in quadrants(volume.grid.shape).items():
        paths.append(out / f"{name}{SUFFIXES[file_format]}")
        save(volume.crop(box), paths[-1], overwrite=overwrite, progress=progress)
    return paths


def write_targets(
    labels: str,
    out: Path,
    *,
    channels: tuple[str, ...],
    shrink: int = 0,
    drop_last: bool = False,
    voxel_nm: Nm3 | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Grid:
    """`neurotome prepare targets`: what a perfect network would answer, as a probability volume. Returns its grid."""
    truth = open_labels(labels, voxel_nm=voxel_nm)
    volume = boundary.target_volume(truth, channels, shrink=shrink, drop_last=drop_last)
    save(volume, out, overwrite=overwrite, progress=progress)
    return volume.grid


def write_consecutive(
    stack: str,
    out: Path,
    *,
    file_format: str = "png",
    voxel_nm: Nm3 | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> int:
    """`neurotome prepare consecutive`: a picture of each section with the next; channel 0 where there are several.

    Returns their number.
    """
    image = open_image(stack, voxel_nm=voxel_nm, channel=0)
    pictures = boundary.consecutive(image)
    z, y, x = image.grid.shape
    grid = Grid((z - 1, y, x), image.grid.voxel_nm)
    save_pictures(pictures, grid, out, file_format, overwrite=overwrite, progress=progress)
    return z - 1


def clean_overlap_file(
    probability: str,
    out: Path,
    *,
    threshold: int = 127,
    erosions: int = 10,
    skeletonise: bool = True,
    channels: tuple[str, ...] | None = None,
    voxel_nm: Nm3 | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> None:
    """`neurotome prepare clean-overlap`: a probability volume whose overlap is eroded and thinned, ready for `link`."""
    volume = open_probability(probability, voxel_nm=voxel_nm, channels=channels)
    cleaned = neurons.with_clean_overlap(volume, threshold=threshold, erosions=erosions, skeletonise=skeletonise)
    save(cleaned, out, overwrite=overwrite, progress=progress)
