"""Surfaces of neurons as files of other programs: .obj, .ply, .stl; x, y, z there, z, y, x here.

What is written is in nm and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurotome.core import FormatError, Mesh
from neurotome.core.geometry import Nm3
from neurotome.io.atomic import atomic_target
from neurotome.io.open import require_exists
from neurotome.io.ply import read_ply, triangulated, write_ply
from neurotome.io.stated_unit import unit_of

__all__ = ["MESH_SUFFIXES", "read_mesh", "write_mesh"]

MESH_SUFFIXES = (".obj", ".ply", ".stl")
_UNIT = "unit: nm"
_STL_HEAD, _STL_TRIANGLE = 84, 50
Parts = tuple[np.ndarray, np.ndarray, Sequence[str]]


def read_mesh(path: Path | str, *, unit: str | None = None, voxel_nm: Nm3 | None = None) -> Mesh:
    """Read a mesh; its name is the file's stem. Polygons become fans of triangles, equal corners of .stl one vertex.

    unit: "um", "nm" or "voxel", where the file does not say. voxel_nm: nm along z, y, x, for numbers in voxels.

    Raises UnitError where the unit is missing or another than the file's, FormatError for what is no mesh, ValueRangeError with
    the first vertex that is not finite, InputError for a mesh without triangles, MissingFileError.
    """
    path = require_exists(Path(path))
    readers = {".obj": _from_obj, ".ply": _from_ply, ".stl": _from_stl}
    if path.suffix.lower() not in readers:
        raise FormatError(f"'{path}' is no mesh by its name", f"one of {', '.join(readers)}", "convert or rename it")
    if path.stat().st_size == 0:
        raise FormatError(f"'{path}' is empty (0 bytes)", "a mesh", "copy or download it again")
    vertices, triangles, header = readers[path.suffix.lower()](path)
    _, scale = unit_of(path, header, unit, voxel_nm, kind=path.suffix.lower())
    return Mesh(vertices[:, ::-1] * np.asarray(scale), triangles, name=path.stem)


def write_mesh(path: Path | str, mesh: Mesh) -> None:
    """Write a mesh in nm as .obj (three decimals) or .ply (float32), whole or not at all.

    Raises FormatError for another suffix.
    """
    path = Path(path)
    points = mesh.vertices_nm[:, ::-1]
    if path.suffix.lower() == ".ply":
        write_ply(path, points, mesh.triangles, [_UNIT])
    elif path.suffix.lower() == ".obj":
        lines = [f"# {_UNIT}", *("v {:.3f} {:.3f} {:.3f}".format(*point) for point in (points + 0.0).tolist())]
        lines += ["f {} {} {}".format(*corners) for corners in (mesh.triangles + 1).tolist()]
        with atomic_target(path) as temporary:
            temporary.write_text("\n".join([*lines, ""]), encoding="utf-8")
    else:
        raise FormatError(f"'{path}' is no mesh by its name", "a name that ends in .obj or .ply", "rename it")


def is_mesh_ply(path: Path) -> bool:
    """Whether a .ply file has faces by its header; without them it is a cloud of points."""
    with path.open("rb") as file:
        head = file.read(1 << 16).partition(b"end_header")[0]
    counts = [line.split()[2] for line in head.split(b"\n") if line.startswith(b"element face") and len(line.split()) > 2]
    return any(count != b"0" for count in counts)


def _from_obj(path: Path) -> Parts:
    header, points, polygons = [], [], []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            try:
                if line.startswith("v "):
                    points.append([float(word) for word in line.split()[1:4]])
                elif line.startswith("f "):
                    polygons.append(_corners(line, len(points)))
                elif line.startswith("#"):
                    header.append(line[1:].strip())
            except ValueError as error:
                raise FormatError(
                    f"'{path}', line {number} is {line.strip()[:60]!r}", "v X Y Z or f A B C", "export it again"
                ) from error
    if any(len(point) != 3 for point in points):
        raise FormatError(f"'{path}' has a vertex of fewer than three numbers", "v X Y Z", "export it again")
    return np.array(points, np.float64).reshape(-1, 3), triangulated(polygons), header


def _corners(line: str, count: int) -> np.ndarray:
    """The vertices of a face: from 1, or counted back from the last one; texture and normal numbers after / are left out."""
    numbers = [int(word.partition("/")[0]) for word in line.split()[1:]]
    if 0 in numbers:
        raise ValueError("vertices are numbered from 1")
    return np.array([n - 1 if n > 0 else count + n for n in numbers], np.int64)


def _from_ply(path: Path) -> Parts:
    ply = read_ply(path)
    lists = ply.lists.get("face", {})
    name = next((name for name in ("vertex_indices", "vertex_index") if name in lists), None)
    if name is None:
        raise FormatError(f"'{path}' has no faces", "a list vertex_indices for each face", "give it as a point cloud")
    return ply.points(path), triangulated(lists[name]), ply.comments


def _from_stl(path: Path) -> Parts:
    content = path.read_bytes()
    count = int.from_bytes(content[80:_STL_HEAD], "little") if len(content) >= _STL_HEAD else -1
    if len(content) == _STL_HEAD + _STL_TRIANGLE * count:
        rows = np.frombuffer(content, [("normal", "<f4", 3), ("corners", "<f4", 9), ("colour", "<u2")], count, _STL_HEAD)
        corners = rows["corners"].reshape(-1, 3)
    elif content.lstrip().startswith(b"solid"):
        lines = [line.split() for line in content.decode("latin-1").split("\n")]
        try:
            corners = np.array([words[1:4] for words in lines if words[:1] == ["vertex"]], np.float64).reshape(-1, 3)
        except ValueError as error:
            raise FormatError(f"'{path}' has a vertex that is not three numbers", "vertex X Y Z", "export it again") from error
    else:
        raise FormatError(
            f"'{path}' is {len(content)} bytes long",
            f"{_STL_HEAD} + {_STL_TRIANGLE} for each of its {count} triangles",
            "copy it again",
        )
    if len(corners) % 3:
        raise FormatError(f"'{path}' has {len(corners)} corners", "three for each triangle", "export it again")
    vertices, numbers = np.unique(corners.astype(np.float64), axis=0, return_inverse=True)
    return vertices, numbers.reshape(-1, 3), ()
