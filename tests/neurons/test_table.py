import numpy as np
import pytest

from neurotome.core import Grid, Labels
from neurotome.neurons import NEURON_COLUMNS, neuron_table
from neurotome.neurons import table as table_module


def volume():
    rng = np.random.default_rng(0)
    ids = rng.choice(np.array([0, 3, 2**63, 7], np.uint64), (6, 9, 11))
    ids[2, 4, 5] = 99  # one voxel, touches nothing
    ids[[1, 4], 3, 3] = 1000  # two sections, none between them
    return Labels(ids, Grid(ids.shape, (40.0, 5.0, 5.0)))


@pytest.mark.parametrize("slab_voxels", [1, 200, 1 << 24])
def test_equals_the_definition_however_it_is_read(monkeypatch, slab_voxels):
    monkeypatch.setattr(table_module, "_SLAB_VOXELS", slab_voxels)
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


def test_no_neuron_is_an_empty_table():
    table = neuron_table(Labels(np.zeros((2, 3, 4), np.uint64), Grid((2, 3, 4), (30, 6, 6))))
    assert len(table) == 0
    assert tuple(table.columns) == NEURON_COLUMNS
