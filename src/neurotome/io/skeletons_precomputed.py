"""Skeletons beside a precomputed label volume, as neuroglancer shows them: skeletons/info and one file skeletons/ID per neuron.

The format (neuroglancer, "Skeleton representation of segmented objects") holds vertices x, y, z in nm, edges without direction
and 32 bit values per vertex. It has no roots and no ids of nodes: here each tree is rooted at its first vertex, which is where
the root was written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import FormatError, InputError, Skeleton, UnknownNameError
from neurotome.core.geometry import Nm3
from neurotome.io.atomic import atomic_target, atomic_write_json
from neurotome.io.oriented import rooted
from neurotome.io.precomputed import info_of

__all__ = ["SKELETON_FOLDER", "announce_skeletons", "decode_skeleton", "encode_skeleton", "read_skeletons", "write_skeletons"]

SKELETON_FOLDER = "skeletons"
TYPE = "neuroglancer_skeletons"
_ALWAYS = ("radius", "kind")
_DTYPES = ("float32", "int8", "uint8", "int16", "uint16", "int32", "uint32")


def write_skeletons(
    folder: Path, skeletons: Mapping[int, Skeleton], *, voxel_nm: Nm3 | None = None, features: Sequence[str] = ()
) -> list[Path]:
    """Write skeletons by the id of their object, each file whole or not at all. Returns the files.

    voxel_nm: of the volume (z, y, x) that they are shown with. Neuroglancer draws voxel 0 from 0 to 1, this project centres it on
    0, so the transform in the info shifts by half a voxel. features: which further values of the nodes to keep, as float32.
    Skeletons that are there already stay.

    Raises InputError for ids that are no object and UnknownNameError for a feature that a skeleton lacks.
    """
    bad = next((label for label in skeletons if not 0 < label < 2**64), None)
    if bad is not None:
        raise InputError(f"A skeleton has the id {bad}", "the id of an object, 1 and more", "0 is background")
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write_json(folder / "info", _info(voxel_nm, features))
    return [_write(folder / str(label), encode_skeleton(skeleton, features)) for label, skeleton in sorted(skeletons.items())]


def read_skeletons(folder: Path, labels: Iterable[int] | None = None) -> dict[int, Skeleton]:
    """Read all skeletons of an unsharded folder, or those of some objects; nodes get the ids 1..n.

    What is no radius and no kind becomes a feature. Raises FormatError, also for a skeleton with a loop.
    """
    info = _read_info(folder)
    found = sorted(int(file.name) for file in folder.iterdir() if file.name.isdecimal()) if labels is None else list(labels)
    return {label: _read(folder / str(label), info) for label in found}


def announce_skeletons(path: Path) -> None:
    """Say in the info of a precomputed label volume that it has skeletons, in its folder `SKELETON_FOLDER`."""
    atomic_write_json(path / "info", {**info_of(path), "skeletons": SKELETON_FOLDER})


def encode_skeleton(skeleton: Skeleton, features: Sequence[str] = ()) -> bytes:
    """A skeleton as the format stores it: numbers of vertices and edges, vertices, edges (child, parent), attributes."""
    unknown = next((name for name in features if name not in skeleton.features), None)
    if unknown is not None:
        raise UnknownNameError(f"feature of '{skeleton.name}'", unknown, skeleton.features)
    children = np.flatnonzero(skeleton.parent_rows >= 0)
    edges = np.column_stack([children, skeleton.parent_rows[children]])
    values = [skeleton.radii_nm, skeleton.kinds, *(skeleton.features[name] for name in features)]
    parts = (
        np.array([len(skeleton), len(edges)], "<u4"),
        skeleton.points_nm[:, ::-1].astype("<f4"),
        edges.astype("<u4"),
        *(np.asarray(value).astype("<f4") for value in values),
    )
    return b"".join(part.tobytes() for part in parts)


def decode_skeleton(content: bytes, info: Mapping[str, Any], name: str) -> Skeleton:
    """The skeleton in a file of a folder with this info. Raises FormatError, which names `name`."""
    try:
        vertices, edges, values = _parts(content, info["vertex_attributes"])
    except (ValueError, IndexError) as error:
        raise FormatError(f"'{name}' is cut off or of another kind", "a precomputed skeleton", "write it again") from error
    if len(edges) and int(edges.max()) >= len(vertices):
        raise FormatError(f"'{name}' has an edge to vertex {edges.max()} of {len(vertices)}", "its vertices", "write it again")
    _, parents = rooted(edges.astype(np.int64), len(vertices), np.arange(len(vertices)))
    if len(edges) != (parents >= 0).sum():
        raise FormatError(f"'{name}' has a loop", "trees", "cut it at one of its edges")
    matrix = np.array(info["transform"], float).reshape(3, 4)
    half_voxel = np.array(info.get("neurotome", {}).get("voxel_nm", (0, 0, 0)), float) / 2
    points = (vertices.astype(float) @ matrix[:, :3].T + matrix[:, 3])[:, ::-1] - half_voxel
    # The format asks for a uniform scale wherever there are radii.
    scale = abs(float(np.linalg.det(matrix[:, :3]))) ** (1 / 3)
    radii = values.pop("radius", np.zeros(len(vertices))).astype(float) * scale
    kinds = values.pop("kind", np.zeros(len(vertices)))
    return Skeleton.of(parents, points, radii, np.rint(kinds).astype(np.int64), values, Path(name).name)


def _info(voxel_nm: Nm3 | None, features: Sequence[str]) -> dict[str, Any]:
    z, y, x = voxel_nm or (0.0, 0.0, 0.0)
    names = [*_ALWAYS, *features]
    return {
        "@type": TYPE,
        "transform": [1, 0, 0, x / 2, 0, 1, 0, y / 2, 0, 0, 1, z / 2],
        "vertex_attributes": [{"id": name, "data_type": "float32", "num_components": 1} for name in names],
        "neurotome": {"voxel_nm": [z, y, x]},
    }


def _read_info(folder: Path) -> dict[str, Any]:
    file = folder / "info"
    try:
        info = dict(json.loads(file.read_text(encoding="utf-8")))
        if info["@type"] != TYPE:
            raise ValueError(f"its type is {info['@type']}")
        info = {"transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], "vertex_attributes": [], **info}
        if len(info["transform"]) != 12 or any(a["data_type"] not in _DTYPES for a in info["vertex_attributes"]):
            raise ValueError("transform or vertex_attributes are not as they should be")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"'{file}' is not the info of skeletons ({error})", f"JSON of type {TYPE}", "check the path") from error
    if "sharding" in info:
        raise FormatError(f"'{folder}' is sharded", "one file per skeleton", "write it without shards")
    return info


def _read(file: Path, info: Mapping[str, Any]) -> Skeleton:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FormatError(f"'{file}' cannot be read ({error.strerror})", "the skeleton of an object", "check the id") from error
    return decode_skeleton(content, info, str(file))


def _write(file: Path, content: bytes) -> Path:
    with atomic_target(file) as temporary:
        temporary.write_bytes(content)
    return file


def _parts(content: bytes, attributes: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Vertices (n, 3), edges (e, 2) and values by name. Raises ValueError where the length does not fit."""
    n, e = (int(v) for v in np.frombuffer(content, "<u4", 2))
    wanted = [("vertices", "float32", n, 3), ("edges", "uint32", e, 2)]
    wanted += [(a["id"], a["data_type"], n, int(a["num_components"])) for a in attributes]
    at, parts = 8, []
    for _, dtype, rows, columns in wanted:
        stored = np.dtype(dtype).newbyteorder("<")
        parts.append(np.frombuffer(content, stored, rows * columns, at).reshape(rows, columns))
        at += math.prod((rows, columns, stored.itemsize))
    if at != len(content):
        raise ValueError(f"{len(content)} bytes, not {at}")
    values = {name: part[:, 0] if part.shape[1] == 1 else part for (name, *_), part in zip(wanted[2:], parts[2:], strict=True)}
    return parts[0], parts[1], values
