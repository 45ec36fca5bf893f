import pytest

from neurotome.core import Skeleton
from neurotome.measure.trees import compare_trees, tree_objects


def test_each_tree_and_its_partner(line):
    a, b = line(0, 40), line(60, 100)
    points = [*a.points_nm, *b.points_nm]
    parents = [*a.parent_rows, -1, *range(len(a), len(points) - 1)]
    pieces = Skeleton.of(parents, points, name="pieces")
    found = tree_objects(compare_trees(pieces, line(0, 110), voxel_nm=(1000, 1000, 1000)))
    assert found["side"].tolist() == ["gold", "test", "test"]
    assert found["found"].tolist() == pytest.approx([(42 + 44) / 110, 1, 1])
    assert found["partner"].tolist() == [1, 0, 0]
    assert found["partners"].tolist() == [2, 1, 1]
    assert found["partner_um"][0] == pytest.approx(44)


def test_without_partner(line):
    found = tree_objects(compare_trees(line(0, 10, offset=50), line(0, 10), voxel_nm=(1000, 1000, 1000)))
    assert found["partner"].tolist() == [-1, -1] and found["found"].tolist() == [0, 0]
