"""Surfaces of all objects of a precomputed label volume, beside it, as neuroglancer's legacy meshes.

mesh/info           what kind of meshes
mesh/Z_Y_X/ID       the piece of an object that lies in one block (Z_Y_X is its corner)
mesh/ID:0           the list of an object's pieces

The format has a file for each piece and one for each object: good for some hundred thousand objects, a burden for a file system
beyond that.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box, Grid
from neurotome.core.geometry import Int3
from neurotome.io.atomic import atomic_target, atomic_write_json
from neurotome.io.meshes_surface import Surface, label_surfaces
from neurotome.io.precomputed import info_of, open_scale
from neurotome.io.precomputed_shards import scale_grid
from neurotome.io.store import read_box

__all__ = ["MeshFragments", "MeshManifests", "announce_meshes", "encode_mesh"]

FOLDER = "mesh"
BLOCK: Int3 = (256, 256, 256)


@dataclass(frozen=True)
class MeshFragments:
    """Writes the surfaces of all objects in a block of one scale of a label volume.

    An object that is lost in coarser voxels has no surface at that scale.
    """

    path: Path
    scale: int

    def blocks(self) -> list[Block]:
        """Boxes on the grid of the scale; each reads one voxel of its neighbours."""
        grid = scale_grid(self.path, self.scale)
        return [Block(box.grow((1, 1, 1)).clip(grid.shape), box) for box in grid.box.tiles(BLOCK)]

    def __call__(self, block: Block) -> Sequence[Path]:
        """Write one block's folder. Returns its files."""
        grid = scale_grid(self.path, self.scale)
        rim = block.write.grow((1, 1, 1))
        below = tuple(a == 0 for a in block.write.start)
        ranges = tuple(zip(block.read.start, block.read.stop, strict=True))
        ids = _padded(read_box(self.path, open_scale(self.path, self.scale)[..., 0], ranges), block.read, rim)
        surfaces = label_surfaces(ids, corner=rim.start, closed_below=below)  # type: ignore[arg-type]
        folder = self.path / FOLDER / "_".join(map(str, block.write.start))
        if not surfaces:
            return []
        with atomic_target(folder) as temporary:
            temporary.mkdir()
            for surface in surfaces:
                (temporary / str(surface.label)).write_bytes(encode_mesh(surface, grid))
        return [folder / str(surface.label) for surface in surfaces]


@dataclass(frozen=True)
class MeshManifests:
    """Writes the list of pieces of every object; works on the whole volume, once all pieces are written."""

    path: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        """Write all lists. Returns their files."""
        pieces = defaultdict(list)
        for folder in sorted(p for p in (self.path / FOLDER).iterdir() if p.is_dir() and not p.name.startswith(".")):
            for file in folder.iterdir():
                pieces[int(file.name)].append(f"{folder.name}/{file.name}")
        return [self._write(label, fragments) for label, fragments in sorted(pieces.items())]

    def _write(self, label: int, fragments: list[str]) -> Path:
        file = self.path / FOLDER / f"{label}:0"
        with atomic_target(file) as temporary:
            temporary.write_text(json.dumps({"fragments": fragments}), encoding="utf-8")
        return file


def announce_meshes(path: Path) -> None:
    """Say in the info of a label volume that it has meshes, and of which kind."""
    (path / FOLDER).mkdir(exist_ok=True)
    atomic_write_json(path / FOLDER / "info", {"@type": "neuroglancer_legacy_mesh"})
    atomic_write_json(path / "info", {**info_of(path), "mesh": FOLDER})


def encode_mesh(surface: Surface, grid: Grid) -> bytes:
    """A surface as the format stores it: number of vertices (uint32), x, y, z in nm (float32), triangles (uint32).

    grid: its origin is a corner, so the centre of voxel 0 lies half a voxel further on (see `scale_grid`).
    """
    vertices = (surface.vertices + 0.5) * np.array(grid.voxel_nm) + np.array(grid.origin_nm)
    parts = np.array([len(vertices)], "<u4"), vertices[:, ::-1].astype("<f4"), surface.triangles.astype("<u4")
    return b"".join(part.tobytes() for part in parts)


def _padded(values: np.ndarray, box: Box, rim: Box) -> np.ndarray:
    """The values of a box within a larger one, 0 around them."""
    out = np.zeros(rim.shape, values.dtype)
    out[box.inside(rim).slices] = values
    return out
