import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.neurons import fill_holes, grow, merge_dust, renumber, zero_small

label_volumes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 7)).flatmap(
    lambda s: arrays(np.uint32, s, elements=st.sampled_from([0, 0, 0, 1, 2, 3]))
)


@settings(max_examples=60, deadline=None)
@given(labels=label_volumes, radius=st.sampled_from([1, 1.5, 2, 3]))
def test_grow_equals_the_definition(labels, radius):
    expected = labels.copy()
    for z, y, x in zip(*np.nonzero(labels == 0)):
        near = [
            ((v - y) ** 2 + (u - x) ** 2, int(labels[z, v, u]))
            for v, u in zip(*np.nonzero(labels[z]))
            if (v - y) ** 2 + (u - x) ** 2 <= radius**2
        ]
        expected[z, y, x] = min(near, default=(0, 0))[1]
    assert np.array_equal(grow(labels, radius), expected)


def test_a_mask_stays_empty():
    labels = np.array([[[1, 0, 0]]], np.uint32)
    assert grow(labels, 2, mask=np.array([[[False, True, False]]])).tolist() == [[[1, 0, 1]]]


def ball_with_hole():
    labels = np.full((5, 5, 6), 1, np.uint32)
    labels[2, 2, 2:4] = 0
    return labels


def test_a_hole_enclosed_in_one_segment_is_filled_up_to_its_size():
    assert (fill_holes(ball_with_hole(), 2) == 1).all()
    assert np.array_equal(fill_holes(ball_with_hole(), 1), ball_with_hole())


def test_a_hole_between_two_segments_stays():
    labels = ball_with_hole()
    labels[3:] = 2
    assert np.array_equal(fill_holes(labels, 9), labels)


def test_background_that_reaches_the_border_is_no_hole():
    labels = ball_with_hole()
    labels[2, 2, 4:] = 0
    assert np.array_equal(fill_holes(labels, 99), labels)


def rows_of(rows):
    values = np.array(list(rows.values()), np.int64)
    return np.array(list(rows), np.uint32), values[:, 0].copy(), values[:, 1].copy()


def test_dust_merges_into_its_best_neighbour_and_large_ones_do_not():
    rows = rows_of({(1, 2): [100, 1], (2, 3): [90, 1], (3, 4): [250, 1]})
    sizes = np.array([0, 50, 3, 40, 60])
    assert merge_dust(np.arange(5), rows, sizes, 10).tolist() == [0, 1, 1, 3, 4]


def test_dust_below_the_least_score_stays():
    rows = rows_of({(1, 2): [25, 1]})
    assert merge_dust(np.arange(3), rows, np.array([0, 50, 3]), 10).tolist() == [0, 1, 2]
    assert merge_dust(np.arange(3), rows, np.array([0, 50, 3]), 10, least_score=0.09).tolist() == [0, 1, 1]


def test_dust_adds_up_the_rows_of_what_is_merged_already():
    # Fragments 1 and 2 are one segment: its row to 4 is (30 + 250) / 2 = 140, less than the 150 of 3.
    rows = rows_of({(1, 4): [30, 1], (2, 4): [250, 1], (3, 4): [150, 1]})
    assert merge_dust(np.array([0, 1, 1, 3, 4]), rows, np.array([0, 50, 50, 50, 1]), 10).tolist() == [0, 1, 1, 3, 3]


def test_dust_merges_with_dust_until_it_is_large():
    rows = rows_of({(1, 2): [200, 1], (2, 3): [100, 1]})
    assert merge_dust(np.arange(4), rows, np.array([0, 4, 4, 50]), 8).tolist() == [0, 1, 1, 3]
    assert merge_dust(np.arange(4), rows, np.array([0, 4, 4, 50]), 9).tolist() == [0, 1, 1, 1]


@settings(max_examples=50, deadline=None)
@given(labels=label_volumes)
def test_renumber_keeps_the_partition_and_orders_it(labels):
    numbered = renumber(labels)
    pairs = set(zip(labels.reshape(-1).tolist(), numbered.reshape(-1).tolist()))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert all((a == 0) == (b == 0) for a, b in pairs)
    seen = [i for i in dict.fromkeys(numbered.reshape(-1).tolist()) if i]
    assert seen == list(range(1, len(seen) + 1))
    assert numbered.dtype == np.uint64


@pytest.mark.parametrize(("least", "left"), [(1, [1, 1, 2, 0]), (2, [1, 1, 0, 0]), (3, [0, 0, 0, 0])])
def test_zero_small(least, left):
    assert zero_small(np.array([[[1, 1, 2, 0]]], np.uint32), least).reshape(-1).tolist() == left
