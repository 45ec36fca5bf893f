import json
import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts

from neurotome.core import Grid, Image, Labels, Legend, MissingFileError, Probability, UnitError
from neurotome.io import (
    PrecomputedScale,
    VolumeSource,
    create_scales,
    describe,
    ome_zarr,
    open_labels,
    open_probability,
    precomputed_shards,
    save,
    scale_grid,
)
from neurotome.io.precomputed_shards import compressed_morton, shard_file

GRID = Grid((40, 140, 1100), (30.0, 6.0, 6.0), (60.0, 24.0, 48.0))


@pytest.fixture
def labels() -> Labels:
    ids = np.random.default_rng(0).integers(1, 2**40, (4, 14, 55)).astype(np.uint64)
    return Labels(np.kron(ids, np.ones((10, 10, 20), np.uint64)), GRID, Legend({7: "axon"}))


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precomputed_shards, "SHARD_VOXELS", 2**20)


def stored(volume: Labels | Image | Probability, path: Path) -> VolumeSource:
    save(volume, path)
    return VolumeSource(str(path))


def theirs(path: Path, scale: int) -> np.ndarray:
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": str(path)},
        "scale_index": scale,
    }
    return np.asarray(ts.open(spec, open=True).result().read().result()).transpose(3, 2, 1, 0)


def fill(path: Path, source: VolumeSource) -> int:
    scales = create_scales(path, source.open())
    for scale in range(scales):
        work = PrecomputedScale(path, scale, source)
        for block in random.Random(scale).sample(work.blocks(), len(work.blocks())):
            work(block)
    return scales


def test_scales_are_the_levels_of_the_pyramid(tmp_path: Path, labels: Labels, small_shards: None) -> None:
    source = stored(labels, tmp_path / "a.ome.zarr")
    assert fill(tmp_path / "p", source) == ome_zarr.read(tmp_path / "a.ome.zarr").levels == 3
    for scale in range(3):
        level = open_labels(tmp_path / "a.ome.zarr" / str(scale))
        assert np.array_equal(theirs(tmp_path / "p", scale)[0], level.read())
        assert scale_grid(tmp_path / "p", scale).voxel_nm == level.grid.voxel_nm
        assert scale_grid(tmp_path / "p", scale).origin_nm == labels.grid.origin_nm
    ours = open_labels(tmp_path / "p")
    assert (ours.grid, ours.legend) == (labels.grid, labels.legend)
    assert describe(tmp_path / "p").levels == 3 and "sharded" in describe(tmp_path / "p").notes


def test_each_block_writes_one_file_of_its_own(tmp_path: Path, labels: Labels, small_shards: None) -> None:
    source = stored(labels, tmp_path / "a.ome.zarr")
    create_scales(tmp_path / "p", source.open())
    work = PrecomputedScale(tmp_path / "p", 0, source)
    written: dict[Path, bytes] = {}
    for block in random.Random(1).sample(work.blocks(), len(work.blocks())):
        [file] = work(block)
        assert file not in written
        written[file] = file.read_bytes()
    assert len(written) > 8
    assert {f: f.read_bytes() for f in (tmp_path / "p").rglob("*.shard")} == written
    block = work.blocks()[3]
    assert [f.read_bytes() for f in work(block)] == [written[shard_file(tmp_path / "p", 0, block.write)]]


def test_processes_write_side_by_side(tmp_path: Path, labels: Labels, small_shards: None) -> None:
    source = stored(labels, tmp_path / "a.ome.zarr")
    for name in ("one", "two"):
        create_scales(tmp_path / name, source.open())
    one, two = (PrecomputedScale(tmp_path / name, 0, source) for name in ("one", "two"))
    for block in one.blocks():
        one(block)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        files = [file for made in pool.map(two, two.blocks()) for file in made]
    assert len(files) == len(two.blocks())
    for file in files:
        assert file.read_bytes() == (tmp_path / "one" / file.relative_to(tmp_path / "two")).read_bytes()


def test_channels_are_averaged_one_by_one(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (2, 3, 40, 600)).astype(np.uint8)
    names = ("membrane", "affinity:1,0,0")
    source = stored(Probability(values, Grid((3, 40, 600), (30, 6, 6)), names), tmp_path / "a.ome.zarr")
    assert fill(tmp_path / "p", source) == 2
    found = open_probability(tmp_path / "p")
    assert found.channels == names and np.array_equal(found.read(), values)
    assert np.array_equal(theirs(tmp_path / "p", 1), open_probability(tmp_path / "a.ome.zarr" / "1").read())


def test_empty_space_has_no_files(tmp_path: Path) -> None:
    source = stored(Labels(np.zeros((3, 40, 60), np.uint64), Grid((3, 40, 60), (30, 6, 6))), tmp_path / "a.ome.zarr")
    create_scales(tmp_path / "p", source.open())
    work = PrecomputedScale(tmp_path / "p", 0, source)
    assert [list(work(block)) for block in work.blocks()] == [[]]
    assert not open_labels(tmp_path / "p").read().any()


@pytest.mark.parametrize("chunks", [(1, 1, 1), (3, 5, 9), (1, 17, 2), (4, 4, 4), (2, 1, 33)])
def test_numbers_of_chunks_are_those_of_the_format(chunks: tuple[int, int, int]) -> None:
    for z in range(chunks[0]):
        for y in range(chunks[1]):
            for x in range(chunks[2]):
                code = place = 0
                for bit in range(8):
                    for index, count in ((x, chunks[2]), (y, chunks[1]), (z, chunks[0])):
                        if 2**bit < count:
                            code |= (index >> bit & 1) << place
                            place += 1
                assert compressed_morton((z, y, x), chunks) == code


def test_scales_that_the_format_cannot_place_are_left_out(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    odd = Image(np.zeros((3, 40, 1100), np.uint8), Grid((3, 40, 1100), (30, 6, 6), (0, 12, 12)))
    assert create_scales(tmp_path / "p", odd) == 2
    assert "2 of 3 scales" in log.text
    with pytest.raises(UnitError, match="no whole number of voxels"):
        create_scales(tmp_path / "q", Image(odd.read(), Grid(odd.grid.shape, (30, 6, 6), (0, 1, 0))))


def test_making_the_scales_again_keeps_what_is_written(tmp_path: Path, labels: Labels) -> None:
    source = stored(labels, tmp_path / "a.ome.zarr")
    fill(tmp_path / "p", source)
    before = (tmp_path / "p" / "info").read_text()
    assert create_scales(tmp_path / "p", source.open()) == 3
    assert json.loads((tmp_path / "p" / "info").read_text()) == json.loads(before)
    assert np.array_equal(open_labels(tmp_path / "p").read(), labels.read())


def test_a_volume_without_shards_is_named(tmp_path: Path, labels: Labels) -> None:
    save(labels, tmp_path / "a.precomputed")
    with pytest.raises(MissingFileError, match="has no shards"):
        shard_file(tmp_path / "a.precomputed", 0, labels.grid.box)
