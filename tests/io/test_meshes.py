import json
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Block, Grid, Labels
from neurotome.io import (
    MeshFragments,
    MeshManifests,
    PrecomputedScale,
    VolumeSource,
    announce_meshes,
    create_scales,
    meshes,
    open_labels,
    save,
    scale_grid,
    sha256,
)

GRID = Grid((24, 60, 640), (30.0, 6.0, 8.0), (60.0, 24.0, 32.0))


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Labels with two scales: a bar along x and a cube."""
    ids = np.zeros(GRID.shape, np.uint64)
    ids[8:16, 20:40, 40:600] = 2**40
    ids[2:6, 4:14, 10:30] = 5
    save(Labels(ids, GRID), tmp_path / "a.ome.zarr")
    source = VolumeSource(str(tmp_path / "a.ome.zarr"))
    for scale in range(create_scales(tmp_path / "labels", source.open())):
        work = PrecomputedScale(tmp_path / "labels", scale, source)
        for block in work.blocks():
            work(block)
    announce_meshes(tmp_path / "labels")
    return tmp_path / "labels"


def mesh(path: Path, scale: int) -> list[Path]:
    work = MeshFragments(path, scale)
    files = [file for block in work.blocks() for file in work(block)]
    box = scale_grid(path, scale).box
    return [*files, *MeshManifests(path)(Block(box, box))]


def vertices_of(file: Path) -> np.ndarray:
    content = file.read_bytes()
    count = int(np.frombuffer(content, "<u4", 1)[0])
    triangles = np.frombuffer(content, "<u4", offset=4 + 12 * count).reshape(-1, 3)
    assert triangles.max() == count - 1
    return np.frombuffer(content, "<f4", 3 * count, 4).reshape(-1, 3)


@pytest.mark.parametrize("scale", [0, 1])
def test_an_object_is_the_sum_of_the_pieces_in_its_list(exported: Path, scale: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "BLOCK", (16, 32, 200))
    files = mesh(exported, scale)
    assert all(f.is_file() for f in files)
    listed = json.loads((exported / "mesh" / f"{2**40}:0").read_text())["fragments"]
    assert len(listed) > 1
    vertices = np.concatenate([vertices_of(exported / "mesh" / name) for name in listed])
    # The format counts corners from the origin: x, y, z in nm.
    assert vertices.min(0) == pytest.approx([32 + 40 * 8, 24 + 20 * 6, 60 + 8 * 30], abs=0.01)
    assert vertices.max(0) == pytest.approx([32 + 600 * 8, 24 + 40 * 6, 60 + 16 * 30], abs=0.01)
    assert json.loads((exported / "mesh" / "5:0").read_text()) == {"fragments": ["0_0_0/5"]}


def test_the_info_says_that_there_are_meshes(exported: Path) -> None:
    assert json.loads((exported / "info").read_text())["mesh"] == "mesh"
    assert json.loads((exported / "mesh" / "info").read_text()) == {"@type": "neuroglancer_legacy_mesh"}
    assert open_labels(exported).grid == GRID


def test_the_same_again_writes_the_same(exported: Path) -> None:
    mesh(exported, 0)
    before = sha256(exported / "mesh")
    mesh(exported, 0)
    assert sha256(exported / "mesh") == before


def test_empty_blocks_write_nothing(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "BLOCK", (24, 60, 8))
    work = MeshFragments(exported, 0)
    first = work.blocks()[0]
    assert work(first) == [] and not (exported / "mesh" / "0_0_0").exists()
