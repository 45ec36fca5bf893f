"""Lazy arrays as neuroglancer wants them: axes x, y, z, boxes read on demand, meshes made from a bounded piece of memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurotome.core import ArrayLike, Box, Grid, Labels, Probability

__all__ = ["Reversed", "channel_data", "image_volume", "segmentation_volume", "space"]

CHUNK_VOXELS_LOG2 = 17
MESH_VOXELS = 2**24
SLAB_VOXELS = 2**23


@dataclass(frozen=True, eq=False)
class Reversed:
    """The array with its axes in reverse order, read only where it is sliced, as `dtype`.

    >>> Reversed(np.arange(6).reshape(1, 2, 3), np.dtype("u1"))[2:, :, :].tolist()
    [[[2], [5]]]
    """

    data: ArrayLike
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(reversed(self.data.shape))

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray:
        return np.asarray(self.data[tuple(reversed(key))]).astype(self.dtype, copy=False).T


@dataclass(frozen=True, eq=False)
class Channels:
    """Chosen channels (c, z, y, x) of a probability, as one array."""

    data: ArrayLike
    indices: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.indices), *self.data.shape[1:])

    @property
    def dtype(self) -> Any:
        return self.data.dtype

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray:
        return np.stack([np.asarray(self.data[(i, *key[1:])]) for i in self.indices[key[0]]])


def space(grid: Grid, *, channels: bool = False) -> Any:
    """Axes x, y, z in nm at the true voxel size, after them a channel axis of the layer's own (c^) if asked for."""
    import neuroglancer

    names, units, scales = ["x", "y", "z"], ["nm"] * 3, list(reversed(grid.voxel_nm))
    if channels:
        names, units, scales = [*names, "c^"], [*units, ""], [*scales, 1]
    return neuroglancer.CoordinateSpace(names=names, units=units, scales=scales)


def image_volume(data: ArrayLike, grid: Grid, name: str) -> Any:
    """Grey values (z, y, x) or probabilities (c, z, y, x) as an image source; 64-bit numbers are served as float32.

    name: the same in every process, so that a link to it stays good.
    """
    from neuroglancer import LocalVolume

    dtype = np.dtype(getattr(data.dtype, "numpy_dtype", data.dtype))
    served = np.dtype(np.float32) if dtype.itemsize == 8 or dtype.kind == "f" else dtype
    channels = len(data.shape) == 4
    volume = LocalVolume(
        Reversed(data, served),
        dimensions=space(grid, channels=channels),
        volume_type="image",
        max_voxels_per_chunk_log2=CHUNK_VOXELS_LOG2,
    )
    volume.token = name
    return volume


def channel_data(probability: Probability, channels: tuple[str, ...]) -> ArrayLike:
    """The named channels, lazily: one as (z, y, x), several as (c, z, y, x)."""
    indices = tuple(probability.index(c) for c in channels)
    return probability.data[indices[0]] if len(indices) == 1 else Channels(probability.data, indices)


def segmentation_volume(labels: Labels, name: str, boxes: Mapping[int, Box] | None = None) -> Any:
    """Labels as a uint64 source. boxes: where each id lies, which is all that is read when its mesh is asked for."""
    import neuroglancer

    class Segmentation(neuroglancer.LocalVolume):
        def get_object_mesh(self, object_id: int) -> bytes:
            return _mesh(labels, object_id, (boxes or {}).get(object_id, labels.grid.box))

    volume = Segmentation(
        Reversed(labels.data, np.dtype(np.uint64)),
        dimensions=space(labels.grid),
        volume_type="segmentation",
        max_voxels_per_chunk_log2=CHUNK_VOXELS_LOG2,
    )
    volume.token = name
    return volume


def _mesh(labels: Labels, object_id: int, box: Box) -> bytes:
    """Surface of one object, from a mask thinned to at most MESH_VOXELS. Raises neuroglancer's InvalidObjectIdForMesh."""
    from neuroglancer import _neuroglancer, local_volume

    outer = box.grow((1, 1, 1)).clip(labels.grid.shape)
    step = _thinning(outer.shape, labels.grid.voxel_nm)
    mask = _thinned_mask(labels, object_id, outer, step)
    if not mask.any():
        raise local_volume.InvalidObjectIdForMesh
    # A rim of nothing closes the surface where the volume ends.
    mask = np.pad(mask, 1)
    # The generator centres mask voxel i on i + offset (in mask voxels); the first one lies a step before the box, for the rim.
    sizes = [v * s for v, s in zip(labels.grid.voxel_nm, step, strict=True)]
    offset = [(a + 0.5) / s - 1 for a, s in zip(outer.start, step, strict=True)]
    encoded = _neuroglancer.OnDemandObjectMeshGenerator(mask, sizes[::-1], offset[::-1]).get_mesh(1)
    if encoded is None:
        raise local_volume.InvalidObjectIdForMesh
    return _in_metres(bytes(encoded))


def _in_metres(mesh: bytes) -> bytes:
    """Surfaces are simplified in nm, where the generator's tolerance makes sense, but the client wants metres.

    Layout: number of vertices (uint32), vertices (float32 x, y, z), triangles (uint32).
    """
    count = int(np.frombuffer(mesh, "<u4", 1)[0])
    vertices = np.frombuffer(mesh, "<f4", 3 * count, 4) * np.float32(1e-9)
    return mesh[:4] + vertices.astype("<f4").tobytes() + mesh[4 + 12 * count :]


def _thinning(shape: tuple[int, ...], voxel_nm: tuple[float, ...]) -> tuple[int, int, int]:
    """Steps along z, y, x that bring a box under MESH_VOXELS, taking from the finest axis first.

    >>> _thinning((100, 1024, 1024), (30, 6, 6))
    (1, 3, 3)
    """
    step = [1, 1, 1]
    while math.prod(math.ceil(n / s) for n, s in zip(shape, step, strict=True)) > MESH_VOXELS:
        sizes = [v * s for v, s in zip(voxel_nm, step, strict=True)]
        finest = min(sizes)
        step = [s + (size <= finest * 1.001) for s, size in zip(step, sizes, strict=True)]
    return step[0], step[1], step[2]


def _thinned_mask(labels: Labels, object_id: int, box: Box, step: tuple[int, int, int]) -> np.ndarray:
    """Where the object is, at every step-th voxel of the box (uint8), reading a few sections, or rows of them, at a time."""
    dz, dy, dx = step
    mask = np.empty([math.ceil(n / s) for n, s in zip(box.shape, step, strict=True)], np.uint8)
    depth = max(1, SLAB_VOXELS // max(1, box.shape[1] * box.shape[2]) // dz) * dz
    rows = max(1, SLAB_VOXELS // max(1, depth * box.shape[2]) // dy) * dy
    for part in box.tiles((depth, rows, max(1, box.shape[2]))):
        z, y, x = (slice(a // s, -(-b // s)) for a, b, s in zip(part.inside(box).start, part.inside(box).stop, step, strict=True))
        mask[z, y, x] = labels.read(part)[::dz, ::dy, ::dx] == object_id
    return mask
