"""Volumes that have a pyramid are not read here: the client fetches the stored chunks of the level it shows, as files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import Box, Grid, Image, Labels, Probability
from neurotome.core.geometry import Int3
from neurotome.io import ome_zarr, open_labels, surface_level
from neurotome.report import Results

__all__ = ["Storage", "coarse_boxes", "labels_for_surfaces", "pyramid_of", "pyramids_of"]

Volume = Image | Labels | Probability
CLIENT_TYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "float32")


@dataclass(frozen=True)
class Storage:
    """Folders that the viewer's server gives out: that of a layer under `address` + its name."""

    address: str
    folders: Mapping[str, Path]

    def source(self, name: str, grid: Grid) -> Any:
        """A pyramid (z, y, x) or (c, z, y, x) as data source of the client, its first voxel from 0 to 1.

        By itself the client would put it where its metadata say. The other layers of a run count voxels of the volume.
        """
        import neuroglancer

        path = self.folders[name]
        version = 3 if (path / "zarr.json").is_file() else 2
        names, units, scales = list("zyx"), ["nm"] * 3, list(grid.voxel_nm)
        shift = [0.5 - o / v for o, v in zip(grid.origin_nm, grid.voxel_nm, strict=True)]
        if ome_zarr.read(path).axes.startswith("C"):
            names, units, scales, shift = ["c'", *names], ["", *units], [1, *scales], [0.5, *shift]
        return neuroglancer.LayerDataSource(
            url=f"zarr{version}://{self.address}{name}/",
            transform=neuroglancer.CoordinateSpaceTransform(
                output_dimensions=neuroglancer.CoordinateSpace(names=names, units=units, scales=scales),
                matrix=np.hstack([np.eye(len(names)), np.array(shift)[:, None]]),
            ),
        )


def pyramids_of(results: Results) -> dict[str, Path]:
    """Name of a layer -> the folder that the client can read by itself, for those that have one."""
    volumes = {
        "EM": results.image,
        "probability": results.probability,
        "truth": results.truth,
        "fragments": results.fragments,
        "predicted": results.neurons,
    }
    folders = {name: pyramid_of(volume) for name, volume in volumes.items() if volume is not None}
    return {name: path for name, path in folders.items() if path is not None}


def pyramid_of(volume: Volume) -> Path | None:
    """The OME-Zarr folder that holds exactly this volume in several levels, in a type that the client knows; None otherwise."""
    path = getattr(volume.data, "source", None)
    if path is None or not _is_image(Path(path)):
        return None
    stored = ome_zarr.read(Path(path))
    same = tuple(stored.data.shape) == tuple(volume.data.shape) and stored.data.dtype == volume.data.dtype
    plain = stored.axes in ("ZYX", "CZYX") and str(stored.data.dtype) in CLIENT_TYPES
    return Path(path) if same and plain and stored.levels > 1 else None


def _is_image(path: Path) -> bool:
    """Whether the folder itself is a multiscale image (not a level of one, nor a group around one)."""
    files = [path / name for name in ("zarr.json", ".zattrs") if (path / name).is_file()]
    return bool(files) and '"multiscales"' in files[0].read_text(encoding="utf-8")


def labels_for_surfaces(path: Path) -> Labels:
    """The level of a pyramid that has voxels enough, and not too many, for surfaces."""
    levels = [open_labels(level) for level in ome_zarr.level_paths(path)]
    return levels[surface_level([labels.grid for labels in levels])]


def coarse_boxes(boxes: Mapping[int, Box], fine: Grid, coarse: Grid) -> dict[int, Box]:
    """Boxes of the fine grid on the coarse one, grown to whole voxels."""
    factor = [c / f for f, c in zip(fine.voxel_nm, coarse.voxel_nm, strict=True)]

    def along(index: Int3, rounded: Any) -> Int3:
        z, y, x = (rounded(i / f) for i, f in zip(index, factor, strict=True))
        return z, y, x

    return {i: Box(along(b.start, math.floor), along(b.stop, math.ceil)).clip(coarse.shape) for i, b in boxes.items()}
