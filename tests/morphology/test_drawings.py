import numpy as np

from neurotome.core import Frame, Occupancy, Skeleton
from neurotome.morphology.drawings import MOST_SEGMENTS, drawing_of_grid, drawing_of_tree, joined

FRAME = Frame((0.0, 0.0, 0.0), -1000.0, 1000.0, 8)


def test_a_short_line_is_drawn_as_it_is():
    line = Skeleton.of([-1, 0, 1], [[-1000, 0, 0], [0, 0, 0], [0, 500, 0]])
    assert drawing_of_tree(line, FRAME).tolist() == [[-1, 0, 0, 0], [0, 0, 0, 0.5]]
    assert drawing_of_tree(line, FRAME, "given").tolist() == [[0, 0, 0, 0], [0, 0, 0.5, 0]]


def test_a_long_line_keeps_its_ends_and_loses_nodes():
    n = 10_000
    points = np.zeros((n, 3))
    points[:, 0] = np.linspace(-900, 900, n)
    drawn = drawing_of_tree(Skeleton.of(np.arange(n) - 1, points), FRAME).astype(float)
    assert len(drawn) <= MOST_SEGMENTS
    assert np.allclose(drawn[0, 0], -0.9, atol=1e-3)
    assert np.allclose(drawn[-1, 2], 0.9, atol=1e-3)
    # Each segment begins where the one before it ends: nothing is missing between them.
    assert (drawn[1:, :2] == drawn[:-1, 2:]).all()


def test_a_branch_stays_a_branch():
    fork = Skeleton.of([-1, 0, 1, 1], [[0, 0, 0], [100, 0, 0], [200, 100, 0], [200, -100, 0]])
    assert len(drawing_of_tree(fork, FRAME)) == 3


def test_one_node_is_a_dot():
    assert drawing_of_tree(Skeleton.of([-1], [[500, 0, 0]]), FRAME).tolist() == [[0.5, 0, 0.5, 0]]


def test_a_grid_is_drawn_as_dots():
    data = np.zeros((8, 8, 8), bool)
    data[0, 7, 3] = data[0, 7, 4] = True
    assert drawing_of_grid(Occupancy(data, FRAME)).tolist() == [[-0.875, 0.875, -0.875, 0.875]]


def test_drawings_one_after_the_other():
    both = joined([np.zeros((2, 4), np.float16), np.ones((1, 4), np.float16)])
    assert both["offsets"].tolist() == [0, 2, 3]
    assert both["segments"][2].tolist() == [1, 1, 1, 1]
    assert joined([])["segments"].shape == (0, 4)
