"""The table of neurons equals its definition, however the volume is cut and whoever counts."""

import pickle
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest

from neurotome.core import Block, Box, Grid, Labels
from neurotome.io import open_labels, save
from neurotome.neurons import NEURON_COLUMNS, neuron_table
from neurotome.neurons import table as table_module
from neurotome.neurons.table import TableBlock, table_from


def volume(shape=(6, 9, 11)):
    rng = np.random.default_rng(0)
    ids = rng.choice(np.array([0, 3, 2**63, 7], np.uint64), shape)
    ids[2, 4, 5] = 99  # one voxel, touches nothing
    ids[[1, shape[0] - 2], 3, 3] = 1000  # two sections, none between them
    return Labels(ids, Grid(ids.shape, (40.0, 5.0, 5.0)))


def test_equals_the_definition():
    labels = volume()
    table = neuron_table(labels)
    assert tuple(table.columns) == NEURON_COLUMNS
    assert table["id"].tolist() == np.unique(labels.data)[1:].tolist()
    assert table["id"].dtype == np.uint64
    for row in table.itertuples():
        where = np.argwhere(labels.data == np.uint64(row.id))
        assert row.voxels == len(where)
        assert row.volume_um3 == pytest.approx(len(where) * 1e-6)
        assert (row.z0, row.y0, row.x0) == tuple(where.min(axis=0))
        assert (row.z1, row.y1, row.x1) == tuple(where.max(axis=0) + 1)
        assert (row.z, row.y, row.x) == pytest.approx(tuple(where.mean(axis=0)))
        assert row.touches_border == bool(((where == 0) | (where == np.array(labels.data.shape) - 1)).any())
        assert row.sections == len(set(where[:, 0].tolist()))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("few_rows", [1, 1 << 20])
def test_any_boxes_give_the_same_table(seed, few_rows, small_phantom, monkeypatch):
    monkeypatch.setattr(table_module, "_FEW_ROWS", few_rows)
    rng = np.random.default_rng(seed)
    # Every other volume is deeper than the 64 sections of a word.
    labels = (small_phantom.neurons, volume((150, 7, 8)))[seed % 2]
    edges = [[0, *sorted(rng.choice(np.arange(1, n), min(n - 1, 3), replace=False).tolist()), n] for n in labels.grid.shape]
    edges[seed % 3] = list(range(labels.grid.shape[seed % 3] + 1)) if seed < 6 else edges[seed % 3]
    boxes = [Box(*zip(*ranges, strict=True)) for ranges in product(*map(pairwise, edges))]
    rng.shuffle(boxes)
    pd.testing.assert_frame_equal(
        neuron_table(labels, boxes=boxes), neuron_table(labels, boxes=[labels.grid.box]), check_exact=True
    )


@pytest.mark.parametrize("shape", [(4, 50, 64), (10, 128, 128)])
def test_files_of_blocks_give_the_same_table(small_phantom, tmp_path, shape):
    labels = small_phantom.neurons
    save(labels, tmp_path / "neurons.ome.zarr")
    work = pickle.loads(pickle.dumps(TableBlock(tmp_path / "neurons.ome.zarr", tmp_path / "table")))
    blocks = [Block(box, box) for box in labels.grid.box.tiles(shape)]
    files = [path for block in reversed(blocks) for path in work(block)]
    before = [path.read_bytes() for path in files]
    assert [path.read_bytes() for block in reversed(blocks) for path in work(block)] == before
    stored = open_labels(tmp_path / "neurons.ome.zarr")
    pd.testing.assert_frame_equal(table_from(files, stored.grid), neuron_table(labels), check_exact=True)


def test_progress_ends_with_all_voxels():
    seen = []
    neuron_table(volume(), progress=lambda what, done, total: seen.append((what, done, total)))
    assert seen == [("table of neurons", 0, 594), ("table of neurons", 594, 594)]


def test_no_neuron_is_an_empty_table():
    table = neuron_table(Labels(np.zeros((2, 3, 4), np.uint64), Grid((2, 3, 4), (30, 6, 6))))
    assert len(table) == 0
    assert tuple(table.columns) == NEURON_COLUMNS
