import numpy as np
import pytest

from neurotome.measure.trees import TREE_ERROR_COLUMNS, compare_trees, tree_errors

VOXEL_NM = (1000.0, 500.0, 500.0)


@pytest.fixture
def comparison(tree):
    """Gold: a trunk of 40 um with side branches of 20 and 10 um. Test: the trunk, and a branch of 30 um elsewhere."""
    gold = tree([-1, 0, 1, 2, 1, 2], [[0, 0, 0], [0, 0, 10], [0, 0, 20], [0, 0, 40], [0, 20, 10], [10, 0, 20]], name="gold")
    test = tree([-1, 0, 1, 1], [[0, 0, 0], [0, 0, 30], [0, 0, 40], [0, 30, 30]], name="test")
    return compare_trees(test, gold, voxel_nm=VOXEL_NM)


def test_ranked_by_length_with_a_place(comparison):
    found = tree_errors(comparison)
    assert tuple(found.columns) == TREE_ERROR_COLUMNS
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["kind"].tolist() == ["extra", "missing", "missing"]
    assert found["length_um"].tolist() == pytest.approx([28, 18, 8])
    assert found["distance_um"].tolist() == pytest.approx([np.hypot(9.875, 20), 19.875, 9.875])
    assert found[["z_nm", "y_nm", "x_nm"]].to_numpy() == pytest.approx(
        np.array([[0, 16000, 30000], [0, 11000, 10000], [6000, 0, 20000]]), abs=130
    )
    assert found[["z", "y", "x"]].to_numpy().tolist() == [[0, 32, 60], [0, 22, 20], [6, 0, 40]]


def test_lines_to_draw(comparison):
    lines = tree_errors(comparison)["lines_nm"][0]
    assert len(lines) == 1
    assert lines[0].shape == (3, 3)  # the last good sample, the first and the last bad one
    assert lines[0][-1].tolist() == pytest.approx([0, 29875, 30000])


def test_lines_of_a_branched_piece(tree, line):
    gold = tree([-1, 0, 1, 1], [[0, 0, 0], [0, 40, 0], [0, 60, 20], [0, 60, -20]], name="fork")
    found = tree_errors(compare_trees(tree([-1, 0], [[0, 0, 0], [0, 1, 0]]), gold, voxel_nm=VOXEL_NM))
    assert found["kind"].tolist() == ["missing"]
    lines = found["lines_nm"][0]
    assert len(lines) == 2
    drawn = sum(np.linalg.norm(np.diff(part, axis=0), axis=1).sum() for part in lines)
    assert drawn / 1000 == pytest.approx(found["length_um"][0], abs=0.5)


def test_short_ones_left_out_and_voxels_from_an_origin(comparison):
    found = tree_errors(comparison, shortest_um=15, origin_nm=(0, 1000, -1000))
    assert len(found) == 2
    assert found[["z", "y", "x"]].to_numpy().tolist() == [[0, 30, 62], [0, 20, 22]]


def test_tolerance_in_voxels_is_smaller_here(comparison):
    assert tree_errors(comparison, unit="voxel")["length_um"].tolist() == pytest.approx([29, 19, 8])


def test_identical_trees_have_none(line):
    found = tree_errors(compare_trees(line(0, 9), line(0, 9), voxel_nm=VOXEL_NM))
    assert len(found) == 0 and tuple(found.columns) == TREE_ERROR_COLUMNS
