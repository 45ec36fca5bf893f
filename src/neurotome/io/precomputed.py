"""Neuroglancer precomputed: a folder with an `info` file, chunks in x, y, z order. Bytes go through tensorstore."""

from __future__ import annotations

import json
import math
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import tensorstore as ts

from neurotome.core import FormatError, Grid, Labels, Legend, Progress, UnitError, UnknownNameError, ValueRangeError, silent
from neurotome.core.geometry import Int3, Nm3
from neurotome.io.atomic import atomic_write_json
from neurotome.io.lazy import LazyArray
from neurotome.io.source import Kind, Source, Volume, channels_of, kind_of, legend_of, numpy_dtype
from neurotome.io.store import kvstore, open_store, read_box, reason

__all__ = [
    "CHUNK",
    "ENCODINGS",
    "add_to_info",
    "best_encoding",
    "file_dtype",
    "info_of",
    "open_scale",
    "read",
    "scale_place",
    "scale_spec",
    "voxel_offset",
    "write",
]

ENCODINGS = ("raw", "compressed_segmentation")
CHUNK: Int3 = (32, 128, 128)
SLAB = (32, 1024, 1024)
PROPERTIES = "segment_properties"


def read(path: Path) -> Source:
    """Describe the finest scale of a precomputed volume, raw, jpeg, png or compressed_segmentation.

    `voxel_offset` counts voxels from the origin, so origin = voxel_offset * resolution. (Neuroglancer draws voxel 0 from 0 to 1,
    this project centres it on 0; the half voxel is left out both ways, so that an origin of 0 stays 0.)
    """
    info = info_of(path)
    scale = info["scales"][0]
    x, y, z = (float(v) for v in scale["resolution"])
    offset = [float(v) for v in scale.get("voxel_offset", (0, 0, 0))][::-1]
    own = info.get("neurotome", {})
    zyx = open_scale(path).transpose([3, 0, 1, 2])
    data = LazyArray.whole(partial(read_box, path, zyx), zyx.shape, zyx.dtype.numpy_dtype, path)
    multiple = int(info.get("num_channels", 1)) > 1 or bool(own.get("channels"))
    kind: Kind | None = "labels" if info.get("type") == "segmentation" else own.get("kind")
    return Source(
        path=path,
        format=f"precomputed ({scale['encoding']})",
        data=data if multiple else data[0],
        axes="CZYX" if multiple else "ZYX",
        voxel_nm=(z, y, x),
        origin_nm=cast("Nm3", tuple(round(o * v, 9) for o, v in zip(offset, (z, y, x), strict=True))),
        channels=tuple(own.get("channels", ())),
        kind=kind,
        legend=_legend(path, info),
        chunk=(*((1,) if multiple else ()), *(int(c) for c in scale["chunk_sizes"][0][::-1])),
        levels=len(info["scales"]),
        notes=("sharded",) if "sharding" in scale else (),
    )


def write(volume: Volume, path: Path, encoding: str | None = None, progress: Progress = silent) -> None:
    """Write a volume; labels as compressed_segmentation unless told otherwise, everything else raw.

    Raises UnitError when the origin is not a whole number of voxels, which the format cannot express.
    """
    encoding = encoding or best_encoding(volume)
    dtype = file_dtype(volume, encoding)
    place = scale_place(volume.grid, voxel_offset(volume.grid, path))
    open_store(scale_spec(path, kind_of(volume), len(channels_of(volume)), dtype, encoding, place))
    add_to_info(path, volume)
    zyxc = open_scale(path)
    boxes = list(volume.grid.box.tiles(SLAB))
    stacks = [volume.data[c] for c in range(len(channels_of(volume)))] or [volume.data]
    parts = list(product(enumerate(stacks), boxes))
    for done, ((channel, stack), box) in enumerate(parts):
        zyxc[(*box.slices, channel)].write(np.asarray(stack[box.slices]).astype(dtype, copy=False)).result()
        progress("write precomputed", done + 1, len(parts))


def best_encoding(volume: Volume) -> str:
    """Small and lossless."""
    return "compressed_segmentation" if isinstance(volume, Labels) else "raw"


def info_of(path: Path) -> dict[str, Any]:
    """The info file. Raises FormatError where it is none."""
    file = path / "info"
    try:
        info = dict(json.loads(file.read_text(encoding="utf-8")))
        if not info["scales"]:
            raise KeyError("scales")
        return info
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"'{file}' is not the info of a volume ({error})", "JSON with 'scales'", "check the path") from error


def open_scale(path: Path, scale: int = 0) -> ts.TensorStore:
    """One scale as (z, y, x, channel), its first voxel at 0. Raises FormatError."""
    try:
        array = open_store({"driver": "neuroglancer_precomputed", "kvstore": kvstore(path), "scale_index": scale}, open=True)
    except (ValueError, NotImplementedError, OSError) as error:
        raise FormatError(
            f"'{path}' cannot be opened ({reason(error)})", "a precomputed volume", "check its info file"
        ) from error
    # Stored order is x, y, z, channel.
    return array[ts.d[:].translate_to[0]].transpose([2, 1, 0, 3])


def file_dtype(volume: Volume, encoding: str) -> np.dtype[Any]:
    """The type in which the format can hold a volume.

    Raises UnknownNameError for the encoding, ValueRangeError where it cannot.
    """
    dtype = numpy_dtype(volume.data)
    if encoding not in ENCODINGS:
        raise UnknownNameError("precomputed encoding", encoding, ENCODINGS)
    if encoding == "compressed_segmentation":
        if not isinstance(volume, Labels):
            raise ValueRangeError(
                f"'{volume.name}' holds no labels", "labels for compressed_segmentation", "use the encoding raw"
            )
        return np.dtype(np.uint32) if dtype.itemsize <= 4 else np.dtype(np.uint64)
    if isinstance(volume, Labels) and dtype.kind == "i":
        return np.dtype(f"u{dtype.itemsize}")
    if dtype == np.float16:
        return np.dtype(np.float32)
    if dtype not in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.float32):
        raise ValueRangeError(
            f"'{volume.name}' has type {dtype}", "at most 32 bit for grey values", "convert it, or save as .ome.zarr"
        )
    return dtype


def scale_spec(
    path: Path, kind: Kind, channels: int, dtype: np.dtype[Any], encoding: str, scale: dict[str, Any]
) -> dict[str, Any]:
    """What tensorstore needs to make one scale. scale: `scale_place`, with chunk_size and, where wanted, sharding."""
    if encoding == "compressed_segmentation":
        scale = {**scale, "compressed_segmentation_block_size": [8, 8, 8]}
    return {
        "driver": "neuroglancer_precomputed",
        "kvstore": kvstore(path),
        "create": True,
        "multiscale_metadata": {
            "type": "segmentation" if kind == "labels" else "image",
            "data_type": dtype.name,
            "num_channels": max(1, channels),
        },
        "scale_metadata": {**scale, "encoding": encoding},
    }


def scale_place(grid: Grid, voxel_offset: Int3) -> dict[str, Any]:
    """Size, voxel size and place of a scale, in the order x, y, z."""
    return {
        "size": list(grid.shape[::-1]),
        "resolution": list(grid.voxel_nm[::-1]),
        "voxel_offset": list(voxel_offset[::-1]),
        "chunk_size": [min(c, n) for c, n in zip(CHUNK[::-1], grid.shape[::-1], strict=True)],
    }


def voxel_offset(grid: Grid, path: Path) -> Int3:
    """The origin in voxels. Raises UnitError where it is no whole number of them."""
    offsets = [o / v for o, v in zip(grid.origin_nm, grid.voxel_nm, strict=True)]
    if any(not math.isclose(o, round(o), abs_tol=1e-3) for o in offsets):
        raise UnitError(
            f"The origin {grid.origin_nm} nm is no whole number of voxels of {grid.voxel_nm} nm, as '{path}' needs",
            "an origin on the voxel lattice",
            "save as .ome.zarr or .h5",
        )
    z, y, x = (round(o) for o in offsets)
    return z, y, x


def add_to_info(path: Path, volume: Volume) -> None:
    """Names that the format has no place for, and a legend that it has one for."""
    info = info_of(path)
    info["neurotome"] = {"kind": kind_of(volume), "channels": list(channels_of(volume))}
    names = legend_of(volume).names
    if names:
        info[PROPERTIES] = PROPERTIES
        inline = {
            "ids": [str(k) for k in names],
            "properties": [{"id": "label", "type": "label", "values": list(names.values())}],
        }
        (path / PROPERTIES).mkdir(exist_ok=True)
        atomic_write_json(path / PROPERTIES / "info", {"@type": "neuroglancer_segment_properties", "inline": inline})
    atomic_write_json(path / "info", info)


def _legend(path: Path, info: dict[str, Any]) -> Legend:
    file = path / str(info.get(PROPERTIES, "")) / "info"
    if PROPERTIES not in info or not file.is_file():
        return Legend()
    inline = json.loads(file.read_text(encoding="utf-8")).get("inline", {})
    for column in inline.get("properties", []):
        if column.get("type") == "label":
            return Legend({int(i): str(v) for i, v in zip(inline["ids"], column["values"], strict=True)})
    return Legend()
