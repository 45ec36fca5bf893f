import numpy as np

from neurotome.core import Block, Box
from neurotome.neurons import ComponentsSettings
from neurotome.neurons.blockwise.labels import NumberComponents, paint
from neurotome.neurons.blockwise.lattice import Lattice
from neurotome.neurons.blockwise.workspace import Workspace
from neurotome.neurons.link import ONLY_OVERLAP

VOLUME = Box((0, 0, 0), (1, 1, 4))


def numbered(folder, **how):
    """Pieces 3 and 8 in the first block, 8 (as 9) and 12 in the second, and one that is only overlap."""
    workspace = Workspace(folder, Lattice((1, 1, 4), (1, 1, 2)))
    lower, upper = workspace.lattice.boxes
    workspace.save("pieces", lower, names=np.array([3, 8], np.uint64), sizes=np.array([5, 2]))
    workspace.save("pieces", upper, names=np.array([9, 12, 1 | ONLY_OVERLAP], np.uint64), sizes=np.array([2, 3, 0]))
    workspace.save_table("pieces-joined", np.array([[9, 8]], np.uint64))
    NumberComponents(ComponentsSettings(**how), workspace)(Block(VOLUME, VOLUME))
    return workspace.table("numbered").tolist()


def test_numbers_follow_the_smallest_voxel_and_overlap_is_no_label(tmp_path):
    assert numbered(tmp_path) == [[3, 1], [8, 2], [12, 3]]


def test_sizes_are_those_of_all_blocks_together(tmp_path):
    assert numbered(tmp_path / "zero", min_voxels=4) == [[3, 1], [8, 2]]
    assert numbered(tmp_path / "keep", min_voxels=4, small="keep") == [[3, 1], [8, 2], [12, 3]]


def test_paint_looks_every_voxel_up():
    painted = np.empty(4, np.uint64)
    paint(np.array([0, 70, 80], np.uint64), np.array([2, 0, 1, 2], np.uint32), painted)
    assert painted.tolist() == [80, 0, 70, 80]
