import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from neurotome.core import Box, ValueRangeError
from neurotome.neurons import choose_edges, fragments, smooth_in_plane


def line(*values):
    q = np.array([[[*values, 0]]], np.uint8)
    return 0 * q, 0 * q, q


@pytest.mark.parametrize(
    ("values", "labels", "ids"),
    [((200, 50, 220, 100, 210), [1, 1, 2, 2, 3, 3], [1, 3, 5]), ((100, 100, 100), [1, 1, 1, 1], [1])],
)
def test_lines_of_the_specification(values, labels, ids):
    found, first = fragments(line(*values))
    assert found.reshape(-1).tolist() == labels
    assert (first + 1).tolist() == ids


def test_an_edge_below_t_low_makes_no_fragment():
    labels, _ = fragments(line(9, 0, 10), t_low=10)
    assert labels.reshape(-1).tolist() == [0, 0, 1, 1]


def test_t_high_joins_what_the_first_edges_leave_apart():
    assert fragments(line(255, 250, 255))[0].max() == 2
    assert fragments(line(255, 250, 255), t_high=250)[0].max() == 1


def test_the_last_plane_along_an_axis_means_nothing():
    full = tuple(np.full((2, 2, 2), 7, np.uint8) for _ in range(3))
    cleared = tuple(q.copy() for q in full)
    for axis, q in enumerate(cleared):
        q[(slice(None),) * axis + (-1,)] = 0
    assert np.array_equal(choose_edges(full), choose_edges(cleared))


few_values = st.sampled_from([0, 1, 2, 200, 254, 255])
shapes = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
volumes = shapes.flatmap(lambda s: st.tuples(*[arrays(np.uint8, s, elements=few_values)] * 3))


@settings(max_examples=150, deadline=None)
@given(edges=volumes, t_low=st.sampled_from([1, 2, 200]), t_high=st.sampled_from([201, 255, 256]))
def test_equals_the_definition_on_volumes_full_of_ties(definition, edges, t_low, t_high):
    labels, first = fragments(edges, t_low=t_low, t_high=t_high)
    named = np.concatenate([[0], first + 1])[labels]
    assert np.array_equal(named, definition.fragments(edges, t_low, t_high))


@settings(max_examples=60, deadline=None)
@given(edges=volumes, data=st.data())
def test_a_block_read_with_its_halo_chooses_as_the_whole_volume(edges, data):
    shape = edges[0].shape
    start = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, shape))
    write = Box(start, stop)
    read = Box(tuple(a - 1 for a in start), tuple(b + 2 for b in stop)).clip(shape)
    block = choose_edges(tuple(np.ascontiguousarray(q[read.slices]) for q in edges), t_high=255)
    assert np.array_equal(block[write.inside(read).slices], choose_edges(edges, t_high=255)[write.slices])


@pytest.mark.parametrize(("t_low", "t_high"), [(5, 5), (0, 10), (9, 4), (1, 257)])
def test_thresholds_out_of_order(t_low, t_high):
    with pytest.raises(ValueRangeError, match=f"t_low {t_low} and t_high {t_high}"):
        fragments(line(1), t_low=t_low, t_high=t_high)


def test_smoothing_is_a_gaussian_in_each_section():
    values = np.random.default_rng(0).integers(0, 256, (3, 40, 50), np.uint8)
    expected = gaussian_filter(values.astype(float), (0, 1.5, 1.5), mode="reflect", truncate=3.0)
    assert np.abs(smooth_in_plane(values, 1.5) - expected).max() < 2.5


def test_smoothing_of_a_block_with_its_halo_equals_the_whole():
    values = np.random.default_rng(1).integers(0, 256, (2, 30, 40), np.uint8)
    block = smooth_in_plane(np.ascontiguousarray(values[:, 5:25, 5:35]), 1.5)
    assert np.array_equal(block[:, 5:-5, 5:-5], smooth_in_plane(values, 1.5)[:, 10:20, 10:30])


def test_smoothing_keeps_a_constant_and_survives_small_sections():
    assert (smooth_in_plane(np.full((1, 2, 3), 201, np.uint8), 4.0) == 201).all()
    with pytest.raises(ValueRangeError):
        smooth_in_plane(np.zeros((1, 1, 1), np.uint8), -1)
