"""From a volume to a folder for neuroglancer, resumed where it stopped, the same with any number of workers."""

import json
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import BlocksFailedError, Grid, Image, Labels, RunFolderError, Skeleton, ValueRangeError
from neurotome.flows import Workforce, export
from neurotome.io import open_image, open_labels, precomputed_shards, read_skeletons, save, sha256, write_swc

GRID = Grid((12, 140, 700), (30.0, 6.0, 6.0))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    ids = np.kron(np.arange(105, dtype=np.uint64).reshape(3, 7, 5), np.ones((4, 20, 140), np.uint64))
    save(Labels(ids, GRID), tmp_path / "labels.ome.zarr")
    return tmp_path / "labels.ome.zarr"


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256(p) for p in (folder / "labels").rglob("*") if p.is_file()}


def test_labels_have_scales_and_a_mesh_each(labels: Path, tmp_path: Path) -> None:
    assert export(str(labels), tmp_path / "out") == [tmp_path / "out" / "labels"]
    assert np.array_equal(open_labels(tmp_path / "out" / "labels").read(), open_labels(labels).read())
    info = json.loads((tmp_path / "out" / "labels" / "info").read_text())
    assert [s["key"] for s in info["scales"]] == ["6_6_30", "12_12_30"] and info["mesh"] == "mesh"
    assert {p.name for p in (tmp_path / "out" / "labels" / "mesh").glob("*:0")} == {f"{i}:0" for i in range(1, 105)}
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["status"] == "done" and record["facts"]["mesh_level"] == 1


def test_a_file_without_units_becomes_an_image_at_the_voxel_size_given(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (3, 40, 600), np.uint8)
    np.save(tmp_path / "a.npy", values)
    assert export(str(tmp_path / "a.npy"), tmp_path / "out", voxel_nm=(30.0, 6.0, 6.0)) == [tmp_path / "out" / "image"]
    found = open_image(tmp_path / "out" / "image")
    assert np.array_equal(found.read(), values) and found.grid.voxel_nm == (30.0, 6.0, 6.0)


def test_an_export_that_failed_goes_on(labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precomputed_shards, "SHARD_VOXELS", 2**18)
    export(str(labels), tmp_path / "whole")
    whole_call = precomputed_shards.PrecomputedScale.__call__
    written: list[object] = []

    def failing(self: object, block: object) -> object:
        if len(written) == 7:
            raise OSError("the disk went away")
        written.append(block)
        return whole_call(self, block)  # type: ignore[arg-type]

    monkeypatch.setattr(precomputed_shards.PrecomputedScale, "__call__", failing)
    with pytest.raises(BlocksFailedError, match="the disk went away"):
        export(str(labels), tmp_path / "out")
    first = list(written)
    again: list[object] = []
    monkeypatch.setattr(
        precomputed_shards.PrecomputedScale,
        "__call__",
        lambda self, block: again.append((self.scale, block)) or whole_call(self, block),
    )
    export(str(labels), tmp_path / "out")
    assert len(first) == 7 and not {(0, block) for block in first} & set(again)
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_workers_write_the_same(labels: Path, tmp_path: Path) -> None:
    export(str(labels), tmp_path / "one")
    export(str(labels), tmp_path / "two", workforce=Workforce(workers=2))
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_level_that_is_not_there_is_refused(labels: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueRangeError, match=r"Mesh level 2.*0 to 1"):
        export(str(labels), tmp_path / "out", mesh_level=2)


def test_another_export_is_not_mixed_in(labels: Path, tmp_path: Path) -> None:
    export(str(labels), tmp_path / "out", meshes=False)
    with pytest.raises(RunFolderError, match="meshes is false there and true now"):
        export(str(labels), tmp_path / "out")


def test_skeletons_of_a_run_go_with_its_labels(tmp_path: Path) -> None:
    ids = np.zeros((12, 40, 60), np.uint64)
    ids[3:9, 10:20, 5:55] = 7
    run = tmp_path / "run"
    save(Labels(ids, Grid(ids.shape, (30.0, 6.0, 6.0))), run / "neurons.ome.zarr")
    tree = Skeleton.of([-1, 0], [[150.0, 90.0, 30.0], [150.0, 90.0, 300.0]], [30.0, 30.0])
    (run / "skeletons").mkdir()
    write_swc(run / "skeletons" / "7.swc", tree)
    (run / "run.json").write_text(json.dumps({"command": "reconstruct", "config": {}, "facts": {}}))
    assert export(str(run), tmp_path / "out", meshes=False) == [tmp_path / "out" / "labels"]
    info = json.loads((tmp_path / "out" / "labels" / "info").read_text())
    found = read_skeletons(tmp_path / "out" / "labels" / info["skeletons"])
    assert list(found) == [7] and np.allclose(found[7].points_nm, tree.points_nm)


def test_trees_of_a_tracing_are_a_folder_of_their_own(tmp_path: Path) -> None:
    run = tmp_path / "run"
    save(Image(np.arange(8000, dtype=np.uint8).reshape(20, 20, 20), Grid((20, 20, 20), (300.0,) * 3)), tmp_path / "stack.ome.tif")
    (run / "skeletons").mkdir(parents=True)
    trees = Skeleton.of([-1, 0, -1, 2], [[0, 0, 0], [0, 0, 3000], [600, 600, 600], [900, 600, 600]])
    write_swc(run / "skeletons" / "stack.swc", trees)
    record = {"command": "trace", "config": {"image": str(tmp_path / "stack.ome.tif")}, "facts": {"swc": "skeletons/stack.swc"}}
    (run / "run.json").write_text(json.dumps(record))
    assert export(str(run), tmp_path / "out") == [tmp_path / "out" / "image", tmp_path / "out" / "trees"]
    assert [len(tree) for tree in read_skeletons(tmp_path / "out" / "trees").values()] == [2, 2]
