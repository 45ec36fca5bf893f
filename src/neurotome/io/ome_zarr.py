"""OME-Zarr: 0.4 (Zarr v2) and 0.5 (Zarr v3) are read, 0.5 with shards is written. Bytes go through tensorstore."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from neurotome.core import Box, Grid, InputError, Legend, MissingFileError, Progress, ShapeError, ValueRangeError, silent
from neurotome.core.geometry import Int3
from neurotome.io.atomic import atomic_target, atomic_write_json, disk_full_named
from neurotome.io.ome_zarr_read import SPACE, is_zarr, json_of, level_paths, read
from neurotome.io.pyramid_grids import pyramid_grids
from neurotome.io.source import Kind, Volume, channels_of, kind_of, legend_of, numpy_dtype
from neurotome.io.store import kvstore, open_store, shape_of

__all__ = [
    "CHUNK",
    "SHARD",
    "create",
    "grid_of",
    "is_zarr",
    "level_paths",
    "read",
    "reopen",
    "shard_files",
    "shard_shape",
    "write",
    "write_box",
]

CHUNK: Int3 = (8, 256, 256)
SHARD: Int3 = (32, 1024, 1024)


def create(
    path: Path | str,
    *,
    shape: tuple[int, ...],
    dtype: Any,
    grid: Grid,
    channels: tuple[str, ...] | None = None,
    chunk: Int3 = CHUNK,
    shard: Int3 = SHARD,
    name: str = "",
    kind: Kind | None = None,
    legend: Legend | None = None,
    levels: int = 1,
    overwrite: bool = False,
) -> ts.TensorStore:
    """Make an empty OME-Zarr 0.5 image and give its array for writing: `array[box.slices].write(values).result()`.

    shape is (z, y, x), or (c, z, y, x) with one name in `channels` per c. Voxels that are never written read as 0.
    Chunks are what is read at once, shards are the files; both are clipped to the volume. Write boxes that are aligned to
    shards, or the same shard is written more than once (correct, but slower, and not from two processes at a time).

    levels: 1, or up to as many as `pyramid_grids(grid)` has. Whoever asks for more than one fills them, with `PyramidLevel`:
    viewers show a level as it is, empty or not.
    """
    path, dtype = Path(path), np.dtype(dtype)
    _require_fit(shape, grid, channels)
    grids = _levels(grid, levels)
    if path.exists() and not overwrite:
        raise InputError(f"'{path}' exists already", "a new name", "give --overwrite, or choose another name")
    with atomic_target(path) as temporary:
        temporary.mkdir()
        kind = kind or _kind(channels, dtype)
        _write_group(temporary, grids, channels, name or path.name.split(".")[0], kind, legend or Legend())
        for level, there in enumerate(grids):
            open_store(_array_spec(temporary / str(level), (*shape[:-3], *there.shape), dtype, chunk, shard))
    return reopen(path)


def reopen(path: Path | str, level: int = 0) -> ts.TensorStore:
    """The array of a volume made by `create`, to go on writing."""
    return open_store({"driver": "zarr3", "kvstore": kvstore(Path(path) / str(level))}, open=True)


def grid_of(path: Path | str, level: int = 0) -> Grid:
    """The grid of one level."""
    return read(Path(path) / str(level)).grid(None)


def write_box(array: ts.TensorStore, box: Box, values: np.ndarray) -> None:
    """Write `values`, (z, y, x) or (c, z, y, x), into a box; returns when they are on disk."""
    with disk_full_named(Path(array.spec().to_json()["kvstore"]["path"])):
        array[(..., *box.slices)].write(values).result()


def write(volume: Volume, path: Path, progress: Progress = silent) -> None:
    """Write the finest level of a volume, one shard at a time; the levels for its pyramid are there, and empty."""
    array = create(
        path,
        shape=tuple(int(n) for n in volume.data.shape),
        dtype=numpy_dtype(volume.data),
        grid=volume.grid,
        channels=channels_of(volume) or None,
        name=volume.name,
        kind=kind_of(volume),
        legend=legend_of(volume),
        levels=len(pyramid_grids(volume.grid)),
    )
    boxes = list(volume.grid.box.tiles(shard_shape(array)))
    parts = list(product(range(len(channels_of(volume))), boxes)) if channels_of(volume) else [(None, box) for box in boxes]
    for done, (channel, box) in enumerate(parts):
        at = box.slices if channel is None else (channel, *box.slices)
        array[at].write(np.asarray(volume.data[at])).result()
        progress("write OME-Zarr", done + 1, len(parts))


def shard_shape(array: ts.TensorStore) -> Int3:
    """What is one file: write boxes aligned to it touch each file once."""
    z, y, x = shape_of(array.chunk_layout.write_chunk)[-3:]
    return z, y, x


def shard_files(path: Path | str, box: Box, level: int = 0) -> list[Path]:
    """The files that hold a box of a volume made by `create`, all channels, whether they have been written yet or not."""
    folder = Path(path) / str(level)
    metadata = json_of(folder / "zarr.json")
    if not metadata:
        raise MissingFileError(
            f"'{folder}' is no array of an OME-Zarr 0.5 image", "a level written by neurotome", "check the path"
        )
    shard = metadata["chunk_grid"]["configuration"]["chunk_shape"]
    lead = [range(int(n)) for n in metadata["shape"][:-3]]
    ranges = [range(a // s, -(-b // s)) for a, b, s in zip(box.start, box.stop, shard[-3:], strict=True)]
    return [folder.joinpath("c", *map(str, index)) for index in product(*lead, *(r if box.size else () for r in ranges))]


def _require_fit(shape: tuple[int, ...], grid: Grid, channels: tuple[str, ...] | None) -> None:
    expected = grid.shape if channels is None else (len(channels), *grid.shape)
    if tuple(shape) != expected:
        raise ShapeError(f"Shape {tuple(shape)} for a new OME-Zarr", f"{expected}, as grid and channels say", "make them agree")


def _levels(grid: Grid, levels: int) -> list[Grid]:
    grids = pyramid_grids(grid)
    if not 1 <= levels <= len(grids):
        raise ValueRangeError(f"{levels} levels for a volume of {grid.shape} voxels", f"1 to {len(grids)}", "ask for fewer")
    return grids[:levels]


def _kind(channels: tuple[str, ...] | None, dtype: np.dtype[Any]) -> Kind:
    if channels is not None:
        return "probability"
    return "labels" if dtype == np.uint64 else "image"


def _array_spec(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], chunk: Int3, shard: Int3) -> dict[str, Any]:
    lead = (1,) * (len(shape) - 3)
    inner = lead + tuple(min(c, n) for c, n in zip(chunk, shape[-3:], strict=True))
    outer = lead + tuple(min(s // c, -(-n // c)) * c or c for s, c, n in zip(shard, inner[-3:], shape[-3:], strict=True))
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    # Byte shuffle makes 64-bit ids compress like 8-bit ones; the checksum finds damage that blosc alone reads as data.
    packed = {
        "name": "blosc",
        "configuration": {"cname": "zstd", "clevel": 1, "shuffle": "shuffle", "typesize": dtype.itemsize, "blocksize": 0},
    }
    sharding = {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": list(inner),
            "codecs": [little, packed, {"name": "crc32c"}],
            "index_codecs": [little, {"name": "crc32c"}],
        },
    }
    return {
        "driver": "zarr3",
        "kvstore": kvstore(path),
        "create": True,
        "metadata": {
            "shape": list(shape),
            "data_type": dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(outer)}},
            "chunk_key_encoding": {"name": "default"},
            "dimension_names": ["c", "z", "y", "x"][-len(shape) :],
            "codecs": [sharding],
        },
    }


def _write_group(path: Path, grids: list[Grid], channels: tuple[str, ...] | None, name: str, kind: Kind, legend: Legend) -> None:
    axes = [{"name": a, "type": "space", "unit": "nanometer"} for a in SPACE]
    multiscale: dict[str, Any] = {
        "name": name,
        "axes": axes if channels is None else [{"name": "c", "type": "channel"}, *axes],
        "datasets": [_dataset(str(level), grid, [] if channels is None else [0.0]) for level, grid in enumerate(grids)],
    }
    if len(grids) > 1:
        multiscale["type"] = "mode" if kind == "labels" else "mean"
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [multiscale]}
    if channels is not None:
        ome["omero"] = {"channels": [_omero_channel(c) for c in channels]}
    if kind == "labels":
        ome["image-label"] = {"properties": [{"label-value": int(k), "name": v} for k, v in legend.names.items()]}
    attributes = {"ome": ome, "neurotome": {"kind": kind}}
    atomic_write_json(path / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": attributes})


def _dataset(path: str, grid: Grid, lead: list[float]) -> dict[str, Any]:
    transforms = [
        {"type": "scale", "scale": [*(1.0 for _ in lead), *grid.voxel_nm]},
        {"type": "translation", "translation": [*lead, *grid.origin_nm]},
    ]
    return {"path": path, "coordinateTransformations": transforms}


def _omero_channel(name: str) -> dict[str, Any]:
    return {"label": name, "color": "FFFFFF", "active": True, "window": {"min": 0, "max": 255, "start": 0, "end": 255}}
