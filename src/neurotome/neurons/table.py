"""The table of neurons: how large each is, where it lies, whether it leaves the volume."""

from __future__ import annotations

import fastremap
import numpy as np
import pandas as pd
from numba import njit

from neurotome.core import Box, Labels, Progress, silent

__all__ = ["NEURON_COLUMNS", "neuron_table"]

NEURON_COLUMNS = (
    "id", "voxels", "volume_um3", "z0", "y0", "x0", "z1", "y1", "x1", "z", "y", "x", "touches_border", "sections",
)  # fmt: skip

_SLAB_VOXELS = 1 << 24
# What the pass over the voxels counts, in this order.
_COUNTED = ("voxels", "z0", "y0", "x0", "z1", "y1", "x1", "z_sum", "y_sum", "x_sum", "touches_border", "sections")


def neuron_table(labels: Labels, *, progress: Progress = silent) -> pd.DataFrame:
    """One row per label above 0, by rising id; the volume is read slab by slab.

    Columns: id; voxels; volume_um3; z0, y0, x0, z1, y1, x1, the bounding box in voxels, half open; z, y, x, the centroid in
    voxels; touches_border, whether a voxel lies on a face of the volume; sections, the number of sections it appears in.

    >>> from neurotome.core import Grid
    >>> ids = np.array([[[1, 1, 0, 2]], [[1, 0, 0, 0]]], np.uint64)
    >>> table = neuron_table(Labels(ids, Grid((2, 1, 4), (100, 100, 100))))
    >>> table[["id", "voxels", "volume_um3", "x0", "x1", "sections"]].values.tolist()
    [[1.0, 3.0, 0.003, 0.0, 2.0, 2.0], [2.0, 1.0, 0.001, 3.0, 4.0, 1.0]]
    """
    depth, height, width = labels.grid.shape
    step = max(1, _SLAB_VOXELS // (height * width))
    parts = []
    for z in range(0, depth, step):
        progress("table of neurons", z, depth)
        slab = labels.read(Box((z, 0, 0), (min(z + step, depth), height, width)))
        parts.append(_slab_table(slab, z, depth))
    progress("table of neurons", depth, depth)
    counted = pd.concat(parts).groupby("id", sort=True)
    how = {
        name: "min" if name in ("z0", "y0", "x0") else "max" if name in ("z1", "y1", "x1", "touches_border") else "sum"
        for name in _COUNTED
    }
    table = counted.agg(how).reset_index()
    for axis in "zyx":
        table[axis] = table[f"{axis}_sum"] / table["voxels"]
    table["volume_um3"] = table["voxels"] * labels.grid.voxel_um3
    table["touches_border"] = table["touches_border"].astype(bool)
    return table[list(NEURON_COLUMNS)]


def _slab_table(slab: np.ndarray, z_start: int, depth: int) -> pd.DataFrame:
    """Counts of one slab; ids are numbered first, so that any 64-bit ids will do."""
    dense, names = fastremap.renumber(np.ascontiguousarray(slab), preserve_zero=True, in_place=False)
    ids = np.zeros(max(names.values(), default=0) + 1, np.uint64)
    for name, number in names.items():
        ids[number] = name
    counts = np.zeros((len(ids), len(_COUNTED)), np.int64)
    _count(dense, counts, z_start, depth)
    table = pd.DataFrame(counts[1:], columns=list(_COUNTED))
    table.insert(0, "id", ids[1:])
    return table


@njit(cache=True)
def _count(ids, counts, z_start, depth):
    planes, height, width = ids.shape
    counts[:, 1:4] = np.int64(1) << 62
    last = np.full(len(counts), -1, np.int64)
    for k in range(planes):
        z = k + z_start
        z_face = z in (0, depth - 1)
        for y in range(height):
            y_face = y in (0, height - 1)
            for x in range(width):
                i = ids[k, y, x]
                if i == 0:
                    continue
                row = counts[i]
                row[0] += 1
                row[1], row[2], row[3] = min(row[1], z), min(row[2], y), min(row[3], x)
                row[4], row[5], row[6] = max(row[4], z + 1), max(row[5], y + 1), max(row[6], x + 1)
                row[7] += z
                row[8] += y
                row[9] += x
                if z_face or y_face or x == 0 or x == width - 1:
                    row[10] = 1
                if last[i] != z:
                    last[i] = z
                    row[11] += 1
