import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from neurotome.core import InputError, PointCloud, ShapeError, Skeleton, UnknownNameError, ValueRangeError
from neurotome.morphology.similarity import (
    AnalyticScores,
    TableScores,
    TangentPoints,
    learnt_scores,
    nblast,
    nblast_scores,
    tangent_points,
)


def straight(start, end, name="line"):
    return Skeleton.of([-1, 0], np.array([start, end]) * 1000.0, name=name)


def random_neuron(rng, n, spread=1.0):
    tangents = rng.normal(size=(n, 3))
    return TangentPoints(rng.normal(size=(n, 3)) * 9000 * spread, tangents / np.linalg.norm(tangents, axis=1)[:, None])


def by_definition(query, target, scores):
    distance, nearest = cKDTree(target.points_nm).query(query.points_nm)
    cosine = np.abs((query.tangents * target.tangents[nearest]).sum(1))
    found = np.sqrt(cosine * np.exp(-(distance**2) / 2 / scores.sigma_nm**2))
    return np.where(distance <= scores.reach_nm, found, 0).mean()


def test_points_at_even_distances_along_the_cable():
    found = tangent_points(straight((0, 0, 0), (0, 0, 10)))
    np.testing.assert_allclose(found.points_nm[:, 2], np.arange(500, 10_000, 1000))
    np.testing.assert_allclose(np.abs(found.tangents), [[0, 0, 1]] * 10, atol=1e-12)
    five = tangent_points(straight((0, 0, 0), (0, 0, 10)), points=5, frame="centred")
    np.testing.assert_allclose(five.points_nm[:, 2], [-4000, -2000, 0, 2000, 4000], atol=1e-9)


def test_parallel_lines_score_what_the_formula_says():
    lines = [tangent_points(straight((z, 0, 0), (z, 0, 50))) for z in (0, 2, 50)]
    found = nblast_scores(lines, lines, scores=AnalyticScores(3000))
    np.testing.assert_allclose(np.diag(found), 1)
    assert found[0, 1] == pytest.approx(np.exp(-4 / 36)) == found[1, 0]
    assert found[0, 2] == 0


def test_a_line_at_right_angles_scores_nothing():
    found = nblast([straight((0, 0, -5), (0, 0, 5), "a"), straight((0, -5, 0), (0, 5, 0), "b")])
    np.testing.assert_allclose(found, np.eye(2), atol=1e-7)
    assert found.index.tolist() == ["a", "b"]


def test_one_way_scores_are_not_symmetric_and_their_mean_is():
    short, long = straight((0, 0, 0), (0, 0, 10), "short"), straight((0, 0, 0), (0, 0, 200), "long")
    one_way = nblast_scores([tangent_points(short), tangent_points(long)], [tangent_points(short), tangent_points(long)])
    assert one_way[0, 1] > 0.99 and one_way[1, 0] < 0.15
    both = nblast([short, long])
    assert both.loc["short", "long"] == both.loc["long", "short"] == pytest.approx((one_way[0, 1] + one_way[1, 0]) / 2)


@given(st.integers(0, 10_000), st.integers(1, 120), st.floats(0.01, 5.0), st.floats(500.0, 20_000.0))
@settings(max_examples=40, deadline=None)
def test_scores_are_those_of_the_nearest_points(seed, n, spread, sigma):
    rng = np.random.default_rng(seed)
    query, target = random_neuron(rng, 60), random_neuron(rng, n, spread)
    scores = AnalyticScores(sigma)
    found = nblast_scores([query, target], [target], scores=scores)
    assert found[0, 0] == pytest.approx(by_definition(query, target, scores), abs=1e-12)
    assert found[1, 0] == pytest.approx(1)


def test_flat_and_straight_neurons_have_cells_too():
    rng = np.random.default_rng(0)
    for keep in ((1, 1, 0), (1, 0, 0), (0, 0, 0)):
        flat = random_neuron(rng, 50)
        target = TangentPoints(flat.points_nm * keep, flat.tangents)
        query = random_neuron(rng, 80)
        if any(keep):
            assert nblast_scores([query], [target])[0, 0] == pytest.approx(by_definition(query, target, AnalyticScores()))
        else:
            assert 0 < nblast_scores([query], [target])[0, 0] < 1


def test_threads_and_repeats_change_nothing():
    rng = np.random.default_rng(1)
    neurons = [random_neuron(rng, 40) for _ in range(7)]
    told = []
    one = nblast_scores(neurons, neurons, threads=1, progress=told.append)
    assert one.tobytes() == nblast_scores(neurons, neurons, threads=3).tobytes()
    assert told == list(range(1, 8))


def test_a_table_is_looked_up_by_distance_and_angle():
    scores = TableScores(np.array([1000.0, 5000.0]), np.array([0.5, 1.0]), np.array([[1.0, 4.0], [-1.0, 2.0]]), -3.0)
    lines = [tangent_points(straight((z, 0, 0), (z, 0, 50))) for z in (0, 2, 50)]
    np.testing.assert_allclose(nblast_scores(lines[:1], lines, scores=scores), [[1, 0.5, -0.75]])
    at_the_border = TangentPoints(lines[0].points_nm + np.array([5000, 0, 0]), lines[0].tangents)
    np.testing.assert_allclose(nblast_scores([at_the_border], lines[:1], scores=scores), [[0.5]])


def test_odds_are_learnt_from_pairs():
    """Matching lines lie 1 um apart, others 20: what is near and parallel speaks for a match, what is far against."""
    lines = [tangent_points(straight((z, 0, 0), (z, 0, 100))) for z in (0, 1, 20)]
    found = learnt_scores([(lines[0], lines[1])], [(lines[0], lines[2])], [2000, 10_000, 30_000], (0.5, 1.0))
    # Of 100 pieces and 7 bins with one more each; all of the rest lies in the bin of its distance and |cos| = 1.
    assert found.table[0, 1] == pytest.approx(np.log2(101)) and found.table[2, 1] == pytest.approx(-np.log2(101))
    assert found.table[1, 1] == found.beyond == 0
    assert nblast_scores(lines[:2], lines[:1], scores=found).ravel().tolist() == [1, 1]
    with pytest.raises(ValueRangeError, match="ascend"):
        learnt_scores([], [], [5.0, 3.0])


def test_other_shapes_and_frames():
    rng = np.random.default_rng(2)
    points = np.column_stack([rng.normal(size=(400, 2)) * 100, np.linspace(0, 40_000, 400)])
    cloud, shifted = PointCloud(points, name="cloud"), PointCloud(points[:, [2, 0, 1]] + 1e6, name="shifted")
    assert nblast([cloud, shifted]).loc["cloud", "shifted"] == 0
    assert nblast([cloud, shifted], frame="centred").loc["cloud", "shifted"] < 0.3
    assert nblast([cloud, shifted], frame="principal").loc["cloud", "shifted"] == pytest.approx(1)
    assert len(tangent_points(cloud, points=50).points_nm) == 50


def test_a_single_node_has_no_direction_and_scores_0():
    node = Skeleton.of([-1], [[0.0, 0.0, 0.0]], name="node")
    assert nblast([node, straight((0, 0, 0), (0, 0, 9))]).to_numpy().tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_what_cannot_be_compared():
    line = straight((0, 0, 0), (0, 0, 9))
    with pytest.raises(InputError, match="Two shapes are named 'line'"):
        nblast([line, line])
    with pytest.raises(UnknownNameError, match="one of centred, given, principal"):
        tangent_points(line, frame="soma")
    with pytest.raises(ValueRangeError, match="0 points"):
        tangent_points(line, points=0)
    with pytest.raises(ValueRangeError, match="more than 0"):
        AnalyticScores(0.0)
    with pytest.raises(ShapeError, match="of both"):
        TangentPoints(np.zeros((3, 3)), np.zeros((2, 3)))
    assert nblast_scores([], []).shape == (0, 0)
