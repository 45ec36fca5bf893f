import json
import random
from pathlib import Path

import numpy as np
import pytest
import zarr

from neurotome.core import Block, Box, Grid, Image, Labels, Probability, ValueRangeError
from neurotome.io import (
    PyramidLevel,
    build_pyramid,
    describe,
    ome_zarr,
    open_image,
    open_labels,
    open_probability,
    pyramid_grids,
    save,
    sha256,
)
from neurotome.io.pyramid_downsample import downsample

GRID = Grid((5, 37, 1031), (30.0, 6.0, 8.0), (60.0, 12.0, 4.0))


def noise(high: int, dtype: type, *lead: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, high, (*lead, *GRID.shape)).astype(dtype)


def expected(values: np.ndarray, kind: str) -> list[np.ndarray]:
    levels = [values]
    for factor in ((1, 2, 2), (1, 2, 2)):
        levels.append(downsample(levels[-1], factor, kind))
    return levels


def test_saved_labels_have_levels_that_others_read(tmp_path: Path) -> None:
    ids = noise(3, np.uint64) * 2**40
    save(Labels(ids, GRID), tmp_path / "a.ome.zarr")
    assert describe(tmp_path / "a.ome.zarr").levels == 3
    assert np.array_equal(open_labels(tmp_path / "a.ome.zarr").read(), ids)
    theirs = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="r")
    for level, values in enumerate(expected(ids, "labels")):
        assert np.array_equal(theirs[str(level)][:], values)
        found = open_labels(tmp_path / "a.ome.zarr" / str(level))
        assert np.array_equal(found.read(), values)
        assert found.grid == pyramid_grids(GRID)[level]
    ome = theirs.attrs["ome"]["multiscales"][0]
    assert ome["type"] == "mode"
    assert ome["datasets"][2]["coordinateTransformations"] == [
        {"type": "scale", "scale": [30.0, 24.0, 32.0]},
        {"type": "translation", "translation": [60.0, 12.0 + 9.0, 4.0 + 12.0]},
    ]


def test_saved_images_and_probabilities_are_averaged(tmp_path: Path) -> None:
    save(Image(noise(255, np.uint8), GRID), tmp_path / "i.ome.zarr")
    assert np.array_equal(open_image(tmp_path / "i.ome.zarr" / "2").read(), expected(noise(255, np.uint8), "image")[2])
    save(Probability(noise(255, np.uint8, 2), GRID, ("membrane", "affinity:1,0,0")), tmp_path / "p.ome.zarr")
    found = open_probability(tmp_path / "p.ome.zarr" / "1")
    assert found.channels == ("membrane", "affinity:1,0,0")
    assert np.array_equal(found.read(), expected(noise(255, np.uint8, 2), "probability")[1])


def test_a_small_volume_has_one_level(tmp_path: Path) -> None:
    save(Image(np.ones((3, 40, 512), np.uint8), Grid((3, 40, 512), (30, 6, 6))), tmp_path / "a.ome.zarr")
    assert describe(tmp_path / "a.ome.zarr").levels == 1


def make_levels(path: Path, ids: np.ndarray) -> Path:
    array = ome_zarr.create(path, shape=GRID.shape, dtype=ids.dtype, grid=GRID, chunk=(2, 8, 32), shard=(4, 16, 64), levels=3)
    ome_zarr.write_box(array, GRID.box, ids)
    return path


def test_any_order_and_any_size_of_blocks_gives_the_same_files(tmp_path: Path) -> None:
    ids = noise(4, np.uint64)
    build_pyramid(make_levels(tmp_path / "whole.zarr", ids))
    rng = random.Random(0)
    for trial in range(3):
        path = make_levels(tmp_path / f"{trial}.zarr", ids)
        for level in (1, 2):
            grid = ome_zarr.grid_of(path, level)
            shape = (4 * rng.randint(1, 2), 16 * rng.randint(1, 2), 64 * rng.randint(1, 5))
            boxes = list(grid.box.tiles(shape))
            rng.shuffle(boxes)
            for box in boxes:
                files = PyramidLevel(path, level)(Block(box, box))
                assert files == ome_zarr.shard_files(path, box, level) and all(f.is_file() for f in files)
        assert all(sha256(path / str(k)) == sha256(tmp_path / "whole.zarr" / str(k)) for k in range(3))


def test_blocks_of_odd_sizes_give_the_same_voxels(tmp_path: Path) -> None:
    ids = noise(4, np.uint64)
    path = make_levels(tmp_path / "a.zarr", ids)
    for box in ome_zarr.grid_of(path, 1).box.tiles((3, 7, 101)):
        PyramidLevel(path, 1)(Block(box, box))
    assert np.array_equal(open_labels(path / "1").read(), expected(ids, "labels")[1])


def test_blocks_are_whole_shards(tmp_path: Path) -> None:
    path = make_levels(tmp_path / "a.zarr", noise(4, np.uint64))
    blocks = PyramidLevel(path, 1).blocks()
    files = [f for b in blocks for f in ome_zarr.shard_files(path, b.write, 1)]
    assert len(files) == len(set(files)) == len(blocks) > 1
    assert sum(b.write.size for b in blocks) == ome_zarr.grid_of(path, 1).size


def test_more_levels_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueRangeError, match=r"4 levels.*1 to 3"):
        ome_zarr.create(tmp_path / "a.zarr", shape=GRID.shape, dtype=np.uint8, grid=GRID, levels=4)


def test_levels_are_listed_the_finest_first(tmp_path: Path) -> None:
    path = make_levels(tmp_path / "a.zarr", noise(4, np.uint64))
    assert ome_zarr.level_paths(path) == [path / "0", path / "1", path / "2"]
    assert json.loads((path / "1" / "zarr.json").read_text())["shape"] == [5, 19, 516]
    assert Box((0, 0, 0), (5, 19, 516)) == ome_zarr.grid_of(path, 1).box
