"""Scoring as a block step: files of blocks, made anywhere in any order, are the comparison of the whole."""

import pickle

import numpy as np
import pytest

from neurotome.blocks import Engine, Step, blocks_of, make_executor
from neurotome.core import Block, Box, InputError, ShapeError
from neurotome.io import open_labels, save
from neurotome.measure import (
    CompareBlock,
    LabelFile,
    compare,
    comparison_rules,
    comparison_scores,
    error_table,
    merged_comparison,
    object_table,
)

OPTIONS = [
    {},
    {"truth_parts": "components"},
    {"truth_parts": "components", "border_nm": 11.0, "support": Box((2, 30, 5), (10, 128, 100))},
]


@pytest.fixture(scope="module")
def paths(small_phantom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    truth = small_phantom.neurons
    ids = np.roll(truth.data.astype(np.uint64) // 2, 3, axis=1)
    save(type(truth)(ids, truth.grid), folder / "mine.ome.zarr")
    save(truth, folder / "truth.ome.zarr")
    return str(folder / "mine.ome.zarr"), str(folder / "truth.ome.zarr")


def written(paths, rules, folder, shape, rng):
    work = pickle.loads(pickle.dumps(CompareBlock(LabelFile(paths[0]), LabelFile(paths[1]), rules, folder)))
    blocks = [Block(box, box) for box in open_labels(paths[1]).grid.box.tiles(shape)]
    return [path for index in rng.permutation(len(blocks)) for path in work(blocks[index])]


def everything(comparison):
    tables = error_table(comparison).to_rows(), object_table(comparison).to_rows()
    return comparison.table.voxels.tolist(), list(comparison_scores(comparison)), *tables


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(4, 64, 32), (10, 128, 128), (1, 128, 50)])
def test_the_files_of_all_blocks_are_the_comparison(paths, tmp_path, rng, options, shape):
    pair = open_labels(paths[0]), open_labels(paths[1])
    rules = comparison_rules(*pair, **options)
    files = written(paths, rules, tmp_path, shape, rng)
    expected = compare(*pair, **options)
    merged = merged_comparison(files, *pair, rules)
    assert merged.support == expected.support
    assert everything(merged) == everything(expected)


def test_the_engine_runs_it(paths, tmp_path):
    pair = open_labels(paths[0]), open_labels(paths[1])
    rules = comparison_rules(*pair, truth_parts="components", support=Box((0, 0, 0), (10, 128, 100)))
    work = CompareBlock(LabelFile(paths[0]), LabelFile(paths[1]), rules, tmp_path / "counts")
    blocks = blocks_of(pair[1].grid, (10, 64, 128))
    with make_executor() as executor:
        Engine(tmp_path, key="k", executor=executor).run(Step("score", blocks, work))
    merged = merged_comparison(work.files(blocks), *pair, rules)
    assert everything(merged) == everything(compare(*pair, truth_parts="components", support=rules.box))


def test_the_same_block_writes_the_same_bytes(paths, tmp_path, rng):
    rules = comparison_rules(open_labels(paths[0]), open_labels(paths[1]), truth_parts="components")
    first, again = (written(paths, rules, tmp_path / name, (10, 128, 64), np.random.default_rng(1)) for name in ("a", "b"))
    assert [p.name for p in first] == [p.name for p in again]
    assert {p.name for p in first} == {"z0_y0_x0.npz", "z0_y0_x64.npz"}
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]


def test_a_missing_block_is_noticed_and_one_outside_the_support_writes_nothing(paths, tmp_path, rng):
    pair = open_labels(paths[0]), open_labels(paths[1])
    rules = comparison_rules(*pair, support=Box((0, 0, 0), (10, 128, 64)))
    files = written(paths, rules, tmp_path, (5, 128, 64), rng)
    assert sorted(p.name for p in files) == ["z0_y0_x0.npz", "z5_y0_x0.npz"]
    with pytest.raises(ShapeError, match="1 boxes do not tile the support"):
        merged_comparison(files[:1], *pair, rules)


def test_an_empty_truth_is_refused(paths, tmp_path, small_phantom, rng):
    truth = small_phantom.neurons
    save(type(truth)(np.zeros(truth.grid.shape, np.uint8), truth.grid), tmp_path / "empty.ome.zarr")
    pair = open_labels(paths[0]), open_labels(tmp_path / "empty.ome.zarr")
    rules = comparison_rules(*pair)
    files = written((paths[0], str(tmp_path / "empty.ome.zarr")), rules, tmp_path / "out", (10, 128, 128), rng)
    with pytest.raises(InputError, match="no label above 0"):
        merged_comparison(files, *pair, rules)
