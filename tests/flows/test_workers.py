"""Who does the work, and the engine of a run."""

import numpy as np
import pytest

from neurotome.blocks import Engine, make_executor
from neurotome.core import Grid, Labels, ValueRangeError
from neurotome.flows.workers import BLOCK_VOXELS, Workforce, chosen_block, engine_of, pyramid_step
from neurotome.io import RunFolder, ome_zarr, open_labels, pyramid_grids
from neurotome.io.pyramid_downsample import downsample


def test_one_worker_is_this_process():
    with Workforce().executor() as executor:
        assert executor.workers == 1 and type(executor).__name__ == "SerialExecutor"
    with pytest.raises(ValueRangeError, match="at least one"):
        Workforce(workers=0).executor()


def test_blocks_are_whole_shards_unless_told_otherwise():
    grid = Grid((500, 5000, 5000), (30, 6, 6))
    shape = chosen_block(grid, None)
    assert all(b % s == 0 for b, s in zip(shape, ome_zarr.SHARD)) and np.prod(shape) <= BLOCK_VOXELS
    assert chosen_block(grid, (7, 9999, 30)) == (7, 5000, 30)
    assert chosen_block(Grid((5, 60, 60), (30, 6, 6)), None) == (5, 60, 60)


@pytest.fixture
def key(tmp_path):
    """The key of a run in a new folder with this configuration."""

    def of(name, config, inputs=None):
        with RunFolder.start(tmp_path / name, command="test", config=config, inputs=inputs) as run, make_executor() as executor:
            return engine_of(run, executor, lambda *_: None).key

    return of


def test_the_key_of_a_run_is_its_configuration_and_its_input(key, tmp_path):
    (tmp_path / "input").write_text("grey")
    first = key("a", {"threshold": 0.2}, {"image": tmp_path / "input"})
    assert key("b", {"threshold": 0.2}, {"image": tmp_path / "input"}) == first
    assert key("c", {"threshold": 0.3}, {"image": tmp_path / "input"}) != first
    (tmp_path / "input").write_text("other")
    assert key("d", {"threshold": 0.2}, {"image": tmp_path / "input"}) != first


def test_coarser_levels_are_filled_and_not_again(tmp_path):
    grid = Grid((4, 300, 600), (30, 6, 6))
    levels = len(pyramid_grids(grid))
    assert levels > 1
    path, values = tmp_path / "labels.ome.zarr", np.random.default_rng(0).integers(0, 9, grid.shape).astype(np.uint64)
    ome_zarr.create(path, shape=grid.shape, dtype=np.uint64, grid=grid, kind="labels", levels=levels).write(values).result()
    heard = []
    with make_executor() as executor:
        for _ in range(2):
            pyramid_step(Engine(tmp_path, key="k", executor=executor, progress=lambda *said: heard.append(said)), path)
    assert isinstance(open_labels(path), Labels)
    for level in range(1, levels):
        fine, coarse = (np.asarray(ome_zarr.reopen(path, n).read().result()) for n in (level - 1, level))
        factor = tuple(round(a / b) for a, b in zip(fine.shape, coarse.shape))
        assert np.array_equal(coarse, downsample(fine, factor, "labels"))
    said = [(done, total) for what, done, total in heard if what == "pyramid of labels, 1"]
    assert said == [(0, said[0][1]), (said[0][1], said[0][1]), (said[0][1], said[0][1])]


def test_volumes_of_one_name_in_two_folders_both_get_their_levels(tmp_path):
    grid = Grid((1, 10, 600), (30, 6, 6))
    for folder in (tmp_path, tmp_path / "on_model_grid"):
        path = folder / "neurons.ome.zarr"
        ome_zarr.create(path, shape=grid.shape, dtype=np.uint64, grid=grid, kind="labels", levels=2)[...].write(
            np.ones(grid.shape, np.uint64)
        ).result()
    with make_executor() as executor:
        engine = Engine(tmp_path, key="k", executor=executor)
        for path in (tmp_path / "on_model_grid" / "neurons.ome.zarr", tmp_path / "neurons.ome.zarr"):
            pyramid_step(engine, path)
            assert np.asarray(ome_zarr.reopen(path, 1).read().result()).all()


@pytest.mark.parametrize("block", [(0, 4, 4), (4, -1, 4)])
def test_impossible_blocks_are_refused_at_once(block):
    with pytest.raises(ValueRangeError, match="--block"):
        Workforce(block=block)
