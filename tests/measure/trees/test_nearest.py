import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.measure.trees.nearest import nearest_segment, nearest_segments


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3, 4, 5, 9, 33, 400]), st.sampled_from([0.0, 0.3, 30.0]))
def test_exact_for_scattered_queries(seed, segments, length):
    rng = np.random.default_rng(seed)
    starts = rng.random((segments, 3)) * 20
    ends = starts + rng.normal(size=(segments, 3)) * length * (rng.random((segments, 1)) < 0.8)
    queries = rng.random((50, 3)) * 60 - 20
    found = nearest_segments(queries, starts, ends)
    assert np.allclose(found.distance, [nearest_segment(q, starts, ends) for q in queries], rtol=0, atol=1e-10)
    on = starts[found.segment] + found.along[:, None] * (ends - starts)[found.segment]
    assert np.allclose(np.linalg.norm(on - queries, axis=1), found.distance, rtol=0, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.5, 3.0]))
def test_exact_for_queries_along_lines(seed, step):
    """Runs of queries share the leaves of the first one: turns, jumps and repeats must not matter."""
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(size=(120, 3)), 0)
    turns = rng.random(200) < 0.1
    queries = np.cumsum(np.where(turns[:, None], 10 * step, step) * rng.normal(size=(200, 3)) / 2, 0)
    queries[50:55] = queries[49]
    found = nearest_segments(queries, path[:-1], path[1:])
    true = [nearest_segment(q, path[:-1], path[1:]) for q in queries]
    assert np.allclose(found.distance, true, rtol=0, atol=1e-10)


def test_many_segments_in_one_place_and_the_lower_number_of_equals():
    starts = np.zeros((500, 3))
    ends = np.tile([0, 0, 1.0], (500, 1))
    found = nearest_segments(np.array([[0, 1, 0.5], [0, 1, 0.6], [0, 0, 3]]), starts, ends)
    assert found.distance.tolist() == [1, 1, 2]
    assert found.segment.tolist() == [0, 0, 0]
    assert found.along.tolist() == pytest.approx([0.5, 0.6, 1])


def test_a_segment_without_length_is_a_point():
    found = nearest_segments(np.array([[3.0, 4, 0]]), np.zeros((1, 3)), np.zeros((1, 3)))
    assert found.distance.tolist() == [5]
    assert found.along.tolist() == [0]
