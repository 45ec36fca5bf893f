import numpy as np

from neurotome.measure.trees.sampling import edge_samples, pieces_of, samples_above, vaa3d_points

FORK = np.array([-1, 0, 1, 1])
POINTS = np.array([[0, 0, 0], [0, 0, 2], [0, 1.2, 2], [0, 0, 2.0]])


def test_pieces_are_equal_and_at_most_the_step():
    samples = edge_samples(POINTS, FORK, 0.5)
    assert samples.edges.tolist() == [1, 1, 1, 1, 2, 2, 2]  # an edge without length has none
    assert np.allclose(samples.weights, [0.5] * 4 + [0.4] * 3)
    assert np.allclose(samples.points[4:, 1], [0.2, 0.6, 1.0])
    assert np.allclose(samples.along[:4], [0.125, 0.375, 0.625, 0.875])
    assert np.isclose(samples.weights.sum(), 3.2)


def test_lengths_in_another_unit():
    samples = edge_samples(POINTS, FORK, 0.5)
    assert np.allclose(samples.weights_of(np.array([0, 20, 3, 0.0])), [5] * 4 + [1] * 3)


def test_samples_cut_finer():
    samples = edge_samples(POINTS, FORK, 0.5)
    assert np.allclose(
        samples.cut(np.array([1, 4]), 2, POINTS, FORK), [[[0, 0, 0.625], [0, 0, 0.875]], [[0, 0.1, 2], [0, 0.3, 2]]]
    )


def test_vaa3d_counts_both_ends_and_gives_short_edges_one_point():
    points = np.array([[0, 0, 0], [0, 0, 0.4], [0, 0, 2.4]])
    found = vaa3d_points(points, np.array([-1, 0, 1]))
    assert np.allclose(found[:, 2], [0.4, 2.4, 1.4, 0.4])  # floor(0.4 + 1.5) = 1 point, floor(2 + 1.5) = 3


def test_neighbours_of_samples():
    samples = edge_samples(POINTS, FORK, 0.5)
    assert samples_above(samples, FORK).tolist() == [-1, 0, 1, 2, 3, 4, 5]
    star = edge_samples(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, -1.0, 0]]), np.array([-1, 0, 0, 0]), 1.0)
    assert samples_above(star, np.array([-1, 0, 0, 0])).tolist() == [-1, 0, 0]


def test_pieces_break_where_labels_change():
    above = np.array([-1, 0, 1, 1, 3])
    assert pieces_of(np.array([7, 7, 7, 8, 8]), above).tolist() == [0, 0, 0, 1, 1]
    assert pieces_of(np.array([7, -1, 7, 7, -1]), above).tolist() == [0, -1, 1, 2, -1]
