"""Skeletons of a label volume: one per object, the same however the volume is cut."""

import numpy as np
import pytest

from neurotome.blocks import blocks_of
from neurotome.core import Grid, Labels
from neurotome.io import open_labels, read_swc, save
from neurotome.neurons import neuron_table
from neurotome.tracing.job import LABEL_SETTINGS
from neurotome.tracing.on_blocks.labelled import LabelBricks, SkeletonBlock

GRID = Grid((40, 90, 130), (30.0, 12.0, 12.0), (0.0, 3.0, 3.0))


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Two tubes that run side by side along x, one along y, and a single voxel in the last brick."""
    z, y, x = np.indices(GRID.shape)
    ids = np.zeros(GRID.shape, np.uint64)
    ids[((z - 12) ** 2 + (y - 20) ** 2 <= 16) & (x >= 5) & (x < 125)] = 2**40 + 1
    ids[((z - 12) ** 2 + (y - 29) ** 2 <= 16) & (x >= 5) & (x < 125)] = 7
    ids[((z - 30) ** 2 + (x - 60) ** 2 <= 25) & (y >= 10) & (y < 80)] = 9
    ids[39, 89, 129] = 11
    folder = tmp_path_factory.mktemp("labels")
    save(Labels(ids, GRID), folder / "neurons.ome.zarr")
    neuron_table(Labels(ids, GRID)).to_csv(folder / "neurons.csv", index=False)
    return folder


def _traced(labels, folder, block):
    path = labels / "neurons.ome.zarr"
    blocks = blocks_of(GRID, block)
    find = LabelBricks(path, folder / "bricks")
    for one in blocks:
        find(one)
    trace = SkeletonBlock(
        path, labels / "neurons.csv", (1, 1, 1), find.folder, tuple(blocks), folder / "skeletons", LABEL_SETTINGS
    )
    written = [path for one in blocks for path in trace(one)]
    return {int(path.stem): path for path in written}


@pytest.fixture(scope="module")
def whole(labels, tmp_path_factory):
    return _traced(labels, tmp_path_factory.mktemp("whole"), (64, 96, 160))


def test_every_object_has_one_inside_of_itself(labels, whole):
    ids = open_labels(labels / "neurons.ome.zarr").read()
    assert sorted(whole) == [7, 9, 11, 2**40 + 1]
    for label, path in whole.items():
        tree = read_swc(path).skeleton
        voxels = np.rint((tree.points_nm - GRID.origin_nm) / GRID.voxel_nm).astype(int)
        assert (ids[tuple(voxels.T)] == label).all()
        assert len(tree.roots) == 1


def test_a_tube_is_a_line_of_its_length_and_radius(whole):
    tree = read_swc(whole[9]).skeleton
    assert (tree.children[tree.parents >= 0] <= 1).all()
    # 70 voxels of 12 nm; a circle of 5 voxels is an ellipse of 150 x 60 nm here.
    assert 68 * 12 <= tree.length_nm <= 72 * 12
    assert 50 <= np.median(tree.radii_nm) <= 150


@pytest.mark.parametrize("block", [(32, 32, 32), (32, 64, 160)])
def test_blocks_change_nothing(labels, whole, tmp_path, block):
    found = _traced(labels, tmp_path, block)
    assert {k: p.read_bytes() for k, p in found.items()} == {k: p.read_bytes() for k, p in whole.items()}
