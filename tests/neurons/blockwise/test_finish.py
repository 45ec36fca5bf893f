"""What follows the labels, on any blocks: the same as on the whole volume."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.blocks import Engine, Step, make_executor
from neurotome.core import Block, Box, Grid
from neurotome.io import ome_zarr
from neurotome.neurons import fill_holes, grow, renumber
from neurotome.neurons.blockwise.finish import (
    FillHoles,
    FindHoles,
    FirstVoxels,
    Grow,
    NumberAgain,
    OwnHoles,
    Renumber,
    first_voxels,
)
from neurotome.neurons.blockwise.lattice import Lattice
from neurotome.neurons.blockwise.seams import FindPairs, NamePieces
from neurotome.neurons.blockwise.workspace import Workspace

SHAPE = (4, 12, 14)


@pytest.fixture
def hollow():
    """Three neurons with holes: closed, open at a face, between two, and too large."""
    labels = np.zeros(SHAPE, np.uint64)
    labels[:, :, :6], labels[:, :, 6:11], labels[1:, :7, 11:] = 5, 2, 9
    labels[1:3, 2:4, 2:4] = 0  # 8 voxels inside 5, across blocks
    labels[0, 8, 1] = 0  # at a face of the volume
    labels[2, 5:7, 5:7] = 0  # between 5 and 2
    labels[1:3, 2:11, 8] = 0  # 18 voxels inside 2
    return labels


class Rooms:
    """Volumes on disk in blocks of one shape, and steps over them."""

    def __init__(self, folder, labels, shape):
        self.workspace = Workspace(folder / "w", Lattice(SHAPE, shape))
        self.folder, self.layout = folder, {"chunk": shape, "shard": shape}
        self.labels = self.new("labels")
        ome_zarr.reopen(self.labels).write(labels).result()
        self.engine = Engine(folder, key="k", executor=make_executor())

    def new(self, name):
        path = self.folder / f"{name}.ome.zarr"
        ome_zarr.create(path, shape=SHAPE, dtype=np.uint64, grid=Grid(SHAPE, (30, 6, 6)), kind="labels", **self.layout)
        return path

    def each(self, work, halo=(0, 0, 0)):
        name = f"{type(work).__name__}-{getattr(work, 'of', '')}"
        self.engine.run(Step(name, self.workspace.lattice.blocks(halo, halo), work))

    def once(self, work):
        volume = Box((0, 0, 0), SHAPE)
        work(Block(volume, volume))

    @staticmethod
    def read(path):
        return np.asarray(ome_zarr.reopen(path).read().result())


@pytest.fixture(params=[(4, 12, 14), (2, 3, 3), (1, 12, 14), (4, 5, 4)], ids=str)
def rooms(request, hollow, tmp_path):
    return Rooms(tmp_path, hollow, request.param)


@pytest.mark.parametrize("most", [1, 8, 100])
def test_holes_are_filled_as_in_the_whole(rooms, hollow, most):
    workspace, filled, one = rooms.workspace, rooms.new("filled"), (1, 1, 1)
    rooms.each(FindHoles(workspace, rooms.labels, most), one)
    rooms.each(FindPairs(workspace, of="holes"))
    rooms.once(NamePieces(workspace, of="holes"))
    rooms.once(OwnHoles(workspace, most))
    rooms.each(FillHoles(workspace, rooms.labels, filled), one)
    expected = fill_holes(hollow, most)
    assert np.array_equal(rooms.read(filled), expected)
    assert (expected[1:3, 2:4, 2:4] == 5).all() == (most >= 8) and expected[0, 8, 1] == 0


@pytest.mark.parametrize("radius", [1, 2.5])
def test_neurons_grow_as_in_the_whole(rooms, hollow, radius):
    grown, reach = rooms.new("grown"), int(radius)
    rooms.each(Grow(rooms.labels, grown, radius), (0, reach, reach))
    assert np.array_equal(rooms.read(grown), grow(hollow, radius))


def test_numbers_follow_the_smallest_voxel_of_the_whole(rooms, hollow):
    target = rooms.new("renumbered")
    rooms.each(FirstVoxels(rooms.workspace, rooms.labels))
    rooms.once(NumberAgain(rooms.workspace))
    rooms.each(Renumber(rooms.workspace, rooms.labels, target))
    assert np.array_equal(rooms.read(target), renumber(hollow))
    assert rooms.workspace.table("renumbered").tolist() == [[2, 2], [5, 1], [9, 3]]


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_first_voxels_are_the_smallest_places(labels):
    first = first_voxels(np.array(labels, np.uint64), max(labels)).tolist()
    assert first == [len(labels)] + [labels.index(n) if n in labels else len(labels) for n in range(1, max(labels) + 1)]
