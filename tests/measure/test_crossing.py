"""Contacts and nearest voxels against brute force, for any way of cutting the volume into slabs."""

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.measure.crossing import Contacts, PartPainter, nearest_pairs, part_runs

VOXEL_NM = (30.0, 6.0, 7.0)
ids = arrays(np.uint32, (4, 4, 5), elements=st.integers(0, 2))
parts_of_four = arrays(np.int32, (4, 5, 6), elements=st.integers(-1, 3))
ROWS = np.array(list(combinations(range(4), 2)))


def brute_contact(parts, part, partner):
    """Number of neighbouring voxel pairs and the place on the side of `part` that is nearest to their mean midpoint."""
    crossing = []
    for lower in np.ndindex(parts.shape):
        for axis in range(3):
            upper = tuple(np.add(lower, np.eye(3, dtype=int)[axis]))
            if all(u < n for u, n in zip(upper, parts.shape, strict=True)) and {parts[lower], parts[upper]} == {part, partner}:
                crossing.append((lower, upper))
    if not crossing:
        return 0, [-1, -1, -1]
    middles = np.array([np.add(a, b) for a, b in crossing])
    off = (middles - middles.sum(axis=0) / len(middles)) * VOXEL_NM
    lower, upper = crossing[(off[:, 0] ** 2 + off[:, 1] ** 2 + off[:, 2] ** 2).argmin()]
    return len(crossing), list(lower if parts[lower] == part else upper)


@given(parts_of_four, st.sets(st.integers(1, 3)))
@settings(max_examples=200, deadline=None)
def test_contacts_of_any_slabs_are_those_of_the_whole(parts, cuts):
    contacts = Contacts(ROWS[:, 1], ROWS[:, 0], VOXEL_NM)
    bounds = [0, *sorted(cuts), 4]
    for a, b in pairwise(bounds):
        contacts.add(parts[a:b], a)
    for a, b in pairwise(bounds):
        contacts.settle(parts[a:b], a)
    for row, (partner, part) in enumerate(ROWS):
        assert (contacts.voxels[row], contacts.places[row].tolist()) == brute_contact(parts, part, partner)


@given(parts_of_four, st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_nearest_voxel_is_that_of_all_pairs(parts, cut):
    parts[0, 0, 0], parts[-1, -1, -1] = 0, 1
    wanted = np.array([True, True, False, False])
    runs = np.concatenate([part_runs(parts[:cut], wanted, 0), part_runs(parts[cut:], wanted, cut)])
    mine, theirs = np.argwhere(parts == 0), np.argwhere(parts == 1)
    square = (((mine[:, None] - theirs[None]) * VOXEL_NM) ** 2).sum(axis=2).min(axis=1)
    (place,) = nearest_pairs(runs, np.array([0]), np.array([1]), VOXEL_NM)
    assert place.tolist() == mine[square.argmin()].tolist()


def test_nearest_voxel_of_parts_with_many_runs():
    # Several blocks of runs on both sides, so that whole blocks are left out of the search.
    rng = np.random.default_rng(3)
    parts = np.full((20, 40, 60), -1, np.int32)
    parts[:, :, :20] = np.where(rng.random((20, 40, 20)) < 0.2, 0, -1)
    parts[:, :, 35:] = np.where(rng.random((20, 40, 25)) < 0.2, 1, -1)
    runs = part_runs(parts, np.array([True, True]), 0)
    assert len(runs) > 3000
    mine, theirs = np.argwhere(parts == 0), np.argwhere(parts == 1)
    square = [(((theirs - voxel) * VOXEL_NM) ** 2).sum(axis=1).min() for voxel in mine]
    (place,) = nearest_pairs(runs, np.array([0]), np.array([1]), VOXEL_NM)
    assert place.tolist() == mine[int(np.argmin(square))].tolist()


@given(ids, ids)
@settings(max_examples=30, deadline=None)
def test_parts_are_pairs_of_ids(truth, segmentation):
    keep = (np.indices(truth.shape).sum(axis=0) % 3) > 0
    painter = PartPainter(np.array([1, 2]), np.array([2, 0]))
    expected = np.full(truth.shape, -1)
    expected[(truth == 1) & (segmentation == 2) & keep] = 0
    expected[(truth == 2) & (segmentation == 0) & keep] = 1
    assert np.array_equal(painter.paint(truth, segmentation, keep), expected)
