from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Box, FormatError, MissingFileError
from neurotome.neurons.blockwise.lattice import Lattice
from neurotome.neurons.blockwise.workspace import KEPT, Workspace

BOX = Box((1, 0, 2), (3, 2, 4))


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "here", Lattice((4, 6, 8), (2, 3, 4)))


def test_arrays_of_a_block_come_back(workspace):
    path = workspace.save("contacts", BOX, sizes=np.arange(3), names=np.array([5], np.uint64))
    assert path == workspace.folder / "contacts" / "1_0_2-3_2_4.npz"
    kept = workspace.load("contacts", BOX, "names", "sizes")
    assert list(kept) == ["names", "sizes"] and kept["sizes"].tolist() == [0, 1, 2] and kept["names"].dtype == np.uint64


def test_what_is_not_there_or_damaged_says_which_file(workspace):
    with pytest.raises(MissingFileError, match=r"pieces.1_0_2-3_2_4\.npz' does not exist"):
        workspace.load("pieces", BOX, "names")
    path = workspace.save("pieces", BOX, names=np.arange(3))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(FormatError, match=r"1_0_2-3_2_4\.npz' cannot be read.*command of the run again"):
        workspace.load("pieces", BOX, "names")
    with pytest.raises(FormatError, match=r"seen\.npy' cannot be read.*command of the run again"):
        workspace.table("seen")


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_tables_are_mapped_and_come_back_empty_too(workspace, rows):
    table = np.arange(2 * rows, dtype=np.uint64).reshape(rows, 2)
    workspace.save_table("seen", table)
    found = workspace.table("seen")
    assert np.array_equal(found, table) and found.shape == (rows, 2)
    assert isinstance(found, np.memmap) == (rows > 0)


def test_the_table_of_a_group_lies_with_its_kind(workspace):
    name = workspace.group_table("renamed-1", BOX)
    path = workspace.save_table(name, np.zeros((1, 2), np.uint64))
    assert path == workspace.folder / "renamed-1" / "1_0_2-3_2_4.npy"
    assert len(workspace.table(name)) == 1


def test_what_another_segmentation_has_found_is_read_there(workspace, tmp_path):
    workspace.save("contacts", BOX, sizes=np.arange(3))
    other = Workspace(tmp_path / "there", workspace.lattice, found=workspace.folder)
    assert other.load("contacts", BOX, "sizes")["sizes"].tolist() == [0, 1, 2]
    assert all(other.place(name).parent == workspace.folder for name in KEPT)
    assert other.save("known-0", BOX, sizes=np.arange(1)).is_relative_to(Path(tmp_path, "there"))


def test_voxels_of_a_box_as_voxels_of_the_volume(workspace):
    volume = np.arange(4 * 6 * 8).reshape(4, 6, 8)
    local = np.array([0, 3, 7])
    assert workspace.linear(BOX, local).tolist() == volume[BOX.slices].reshape(-1)[local].tolist()


def test_voxels_of_a_volume_larger_than_32_bits():
    workspace = Workspace(Path("nowhere"), Lattice((10, 100_000, 100_000), (1, 100_000, 100_000)))
    box = Box((9, 99_999, 99_998), (10, 100_000, 100_000))
    assert workspace.linear(box, np.array([1])).tolist() == [10 * 100_000 * 100_000 - 1]
