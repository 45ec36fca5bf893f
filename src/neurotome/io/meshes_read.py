"""Surfaces of objects from a folder of neuroglancer's legacy meshes, as `meshes` writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from neurotome.core import FormatError, Mesh
from neurotome.core.geometry import Nm3

__all__ = ["decode_mesh", "mesh_ids", "read_precomputed_mesh"]


def mesh_ids(folder: Path) -> tuple[int, ...]:
    """The objects that have a surface, rising."""
    names = (file.name.removesuffix(":0") for file in folder.iterdir() if file.name.endswith(":0"))
    return tuple(sorted(int(name) for name in names if name.isdecimal()))


def read_precomputed_mesh(folder: Path, label: int, *, voxel_nm: Nm3 = (0.0, 0.0, 0.0)) -> Mesh:
    """The surface of an object, its pieces joined where they share vertices.

    voxel_nm: of the volume (z, y, x), to shift by half a voxel: neuroglancer draws voxel 0 from 0 to 1, here its centre is at 0.
    Raises FormatError for pieces that are missing or cut off.
    """
    manifest = folder / f"{label}:0"
    try:
        names = json.loads(manifest.read_text(encoding="utf-8"))["fragments"]
        parts = [decode_mesh((folder / name).read_bytes(), f"{folder / name}") for name in names]
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            f"The mesh '{manifest}' cannot be read ({error})", "its list of pieces, and these", "write it again"
        ) from error
    first = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    corners = np.concatenate([triangles + n for (_, triangles), n in zip(parts, first, strict=False)])
    vertices, numbers = np.unique(np.concatenate([vertices for vertices, _ in parts]), axis=0, return_inverse=True)
    return Mesh(vertices[:, ::-1] - np.asarray(voxel_nm) / 2, numbers.reshape(-1)[corners], name=str(label))


def decode_mesh(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3), x, y, z in nm, and triangles (m, 3) of one piece. Raises FormatError, which names `name`."""
    count = int.from_bytes(content[:4], "little")
    rest = len(content) - 4 - 12 * count
    if len(content) < 4 or rest < 0 or rest % 12:
        raise FormatError(f"'{name}' is cut off or of another kind", "a piece of a legacy mesh", "write it again")
    vertices = np.frombuffer(content, "<f4", 3 * count, 4).reshape(-1, 3).astype(np.float64)
    triangles = np.frombuffer(content, "<u4", rest // 4, 4 + 12 * count).reshape(-1, 3).astype(np.int64)
    if len(triangles) and triangles.max() >= count:
        raise FormatError(f"'{name}' has a triangle with vertex {triangles.max()} of {count}", "its vertices", "write it again")
    return vertices, triangles
