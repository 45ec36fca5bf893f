"""The objects of a label volume as shapes, read one by one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import fastremap
import numpy as np
from scipy import ndimage

from neurotome.core import Box, FormatError, Labels, ObjectVoxels
from neurotome.core.geometry import Int3, Nm3
from neurotome.io.open import open_labels
from neurotome.morphology.shape_file import ShapeFile

__all__ = ["object_boxes", "object_files_of_run", "object_files_of_volume", "read_object"]

TILE: Int3 = (128, 512, 512)
"""What is held in memory at a time."""


def object_files_of_volume(path: Path, voxel_nm: Nm3 | None) -> list[ShapeFile]:
    """The objects of anything that `io.open_labels` opens; reads the volume once to find where they are."""
    return _object_files(path, object_boxes(open_labels(path, voxel_nm=voxel_nm)), voxel_nm)


def object_files_of_run(folder: Path) -> list[ShapeFile]:
    """The neurons of a run of reconstruct, in the boxes that its neurons.csv says. Raises FormatError for another table."""
    import pandas as pd

    file = folder / "neurons.csv"
    corners = [axis + end for end in "01" for axis in "zyx"]
    try:
        table = pd.read_csv(file, usecols=["id", *corners], dtype={"id": np.uint64})
    except (OSError, ValueError) as error:
        raise FormatError(f"'{file}' is not readable ({error})", "the table of neurons", "finish the run") from error
    bounds = table[corners].to_numpy(np.int64).tolist()
    boxes = {int(label): Box(tuple(b[:3]), tuple(b[3:])) for label, b in zip(table["id"], bounds, strict=True)}
    return _object_files(folder / "neurons.ome.zarr", boxes, None)


def object_boxes(labels: Labels, tile: Int3 = TILE) -> dict[int, Box]:
    """The bounding box of every object (not 0) of a volume, by id.

    >>> volume = np.zeros((2, 3, 4), np.uint16)
    >>> volume[1, 1:, 2] = 9
    >>> from neurotome.core import Grid
    >>> object_boxes(Labels(volume, Grid((2, 3, 4), (1, 1, 1))), tile=(1, 2, 2))
    {9: Box(start=(1, 1, 2), stop=(2, 3, 3))}
    """
    found: dict[int, Box] = {}
    for part in labels.grid.box.tiles(tile):
        small, ids = fastremap.renumber(labels.read(part), preserve_zero=True)
        label_of = {number: label for label, number in ids.items()}
        for number, slices in enumerate(ndimage.find_objects(small), start=1):
            box = Box(tuple(s.start for s in slices), tuple(s.stop for s in slices)).shift(part.start)
            label = int(label_of[number])
            found[label] = _around(found[label], box) if label in found else box
    return dict(sorted(found.items()))


def read_object(path: Path, label: int, box: Box, voxel_nm: Nm3 | None) -> ObjectVoxels:
    """The voxels of one object, looked for in a box. Raises InputError where there are none."""
    labels = open_labels(path, voxel_nm=voxel_nm)
    parts = [np.argwhere(labels.read(part) == label) + np.array(part.start) for part in box.tiles(TILE)]
    return ObjectVoxels(np.concatenate(parts), labels.grid, name=str(label))


def _object_files(path: Path, boxes: dict[int, Box], voxel_nm: Nm3 | None) -> list[ShapeFile]:
    return [
        ShapeFile(str(label), f"{path}/{label}", partial(read_object, path, label, box, voxel_nm)) for label, box in boxes.items()
    ]


def _around(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    start = tuple(min(pair) for pair in zip(a.start, b.start, strict=True))
    return Box(start, tuple(max(pair) for pair in zip(a.stop, b.stop, strict=True)))  # type: ignore[arg-type]
