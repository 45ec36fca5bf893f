import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Skeleton, UnknownNameError
from neurotome.morphology.descriptors.barcode import barcode, tree_bars


def bars_by_definition(parents: list[int], values: np.ndarray) -> np.ndarray:
    """Each tip, largest first, claims the way to the root as far as no other has; its bar begins where it stops."""
    taken, bars = set(), []
    tips = [row for row in range(len(parents)) if row not in parents and parents[row] >= 0]
    for tip in sorted(tips, key=lambda row: (-values[row], row)):
        row = tip
        while True:
            taken.add(row)
            if parents[row] < 0 or parents[row] in taken:
                break
            row = parents[row]
        start = row if parents[row] < 0 else parents[row]
        bars.append((values[start], values[tip]))
    return np.array(sorted(bars, key=lambda bar: (-bar[1], bar[0]))).reshape(-1, 2)


def test_the_bars_of_a_y(y_tree):
    assert barcode(y_tree, "path").tolist() == [[0.0, 44_000.0], [10_000.0, 20_000.0]]
    expected = [[0.0, 1000 * np.hypot(10, 34)], [10_000.0, 1000 * np.hypot(6, 18)]]
    np.testing.assert_allclose(barcode(y_tree, "radial"), expected)


def test_a_line_has_one_bar_and_a_node_none(line, node):
    assert barcode(line).tolist() == [[0.0, 60_000.0]]
    assert barcode(node).shape == (0, 2)


def test_a_star_has_a_bar_from_the_root_for_each_ray():
    star = Skeleton.of([-1, 0, 0, 0], np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]]) * 1000.0)
    assert barcode(star).tolist() == [[0.0, 3000.0], [0.0, 2000.0], [0.0, 1000.0]]


def test_two_trees_put_their_bars_together(y_tree, line):
    both = Skeleton.of(
        [*y_tree.parent_rows, *(np.where(line.parent_rows < 0, -1, line.parent_rows + 5))],
        np.concatenate([y_tree.points_nm, line.points_nm + 1e6]),
    )
    assert barcode(both).tolist() == [[0.0, 60_000.0], [0.0, 44_000.0], [10_000.0, 20_000.0]]


def test_the_outline_of_a_soma_has_no_bars(y_tree):
    outlined = Skeleton.of(
        [*y_tree.parent_rows, 0, 0],
        np.concatenate([y_tree.points_nm, [[0, 5000.0, 0], [0, -5000.0, 0]]]),
        kinds=[*y_tree.kinds, 1, 1],
    )
    assert barcode(outlined).tolist() == barcode(y_tree).tolist()


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=80, deadline=None)
def test_bars_are_those_of_the_definition(seed, n):
    rng = np.random.default_rng(seed)
    parents = [-1, *[int(rng.integers(max(0, row - 6), row)) if rng.random() > 0.1 else -1 for row in range(1, n)]]
    values = rng.integers(0, 30, n).astype(float)
    np.testing.assert_array_equal(tree_bars(np.array(parents), values), bars_by_definition(parents, values))


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_nothing_but_the_shape_matters(grown, moved, resampled, seed):
    tree = grown(seed, 60, 2)
    for distance in ("path", "radial"):
        np.testing.assert_allclose(barcode(resampled(moved(tree, seed), seed), distance), barcode(tree, distance), atol=1e-5)


def test_an_unknown_distance(line):
    with pytest.raises(UnknownNameError, match="one of path, radial"):
        barcode(line, "geodesic")
