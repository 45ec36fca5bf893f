"""Contacts and nearest voxels against brute force, for any way of cutting the volume into boxes."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import Box
from neurotome.measure.crossing import Contacts, PartPainter, nearest_pairs, part_runs, with_neighbours
from neurotome.measure.planes import Waiting

VOXEL_NM = (30.0, 6.0, 7.0)
ids = arrays(np.uint32, (4, 4, 5), elements=st.integers(0, 2))
parts_of_four = arrays(np.int32, (4, 5, 6), elements=st.integers(-1, 3))
ROWS = np.array(list(combinations(range(4), 2)))


def crossing_pairs(parts):
    """Every pair of neighbouring voxels of two parts, lower voxel first, in order of the lower voxel, then of the axis."""
    found = {}
    for lower in np.ndindex(parts.shape):
        for axis in range(3):
            upper = tuple(i + (k == axis) for k, i in enumerate(lower))
            if upper[axis] < parts.shape[axis]:
                key = frozenset((int(parts[lower]), int(parts[upper])))
                found.setdefault(key, []).append((lower, upper))
    return found


def contact(parts, crossing, part):
    """Number of crossing pairs and the place on the side of `part` of the one that is nearest to their mean midpoint."""
    if not crossing:
        return 0, (-1, -1, -1)
    middles = np.array([np.add(a, b) for a, b in crossing])
    off = (middles - middles.sum(axis=0) / len(middles)) * VOXEL_NM
    lower, upper = crossing[(off[:, 0] ** 2 + off[:, 1] ** 2 + off[:, 2] ** 2).argmin()]
    return len(crossing), lower if parts[lower] == part else upper


def in_boxes(parts, shape):
    """The parts box by box, with what lies below their faces."""
    whole = Box((0, 0, 0), parts.shape)
    with Waiting(whole) as waiting:
        for box in whole.tiles(shape):
            yield with_neighbours(box, np.ascontiguousarray(parts[box.slices]), waiting)


def contacts_of(parts, shape, part, partner):
    contacts = Contacts(part, partner, VOXEL_NM, parts.shape)
    for step in (contacts.add, contacts.settle):
        for box in in_boxes(parts, shape):
            step(box)
    return contacts


@given(parts_of_four, st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6)))
@settings(max_examples=200, deadline=None)
def test_contacts_of_any_boxes_are_those_of_the_whole(parts, shape):
    contacts = contacts_of(parts, shape, ROWS[:, 1], ROWS[:, 0])
    crossing = crossing_pairs(parts)
    for row, (partner, part) in enumerate(ROWS.tolist()):
        expected = contact(parts, crossing.get(frozenset((part, partner))), part)
        assert (contacts.voxels[row], tuple(contacts.places[row])) == expected


def test_a_tie_across_the_face_of_two_boxes_goes_to_the_lower_voxel():
    # Two pairs, equally far from their mean: (1, 2, 5)-(2, 2, 5) along z, seen with the second box, and (1, 3, 5)-(1, 3, 4).
    parts = np.full((3, 4, 6), -1, np.int32)
    parts[1, 2, 5], parts[2, 2, 5], parts[1, 3, 5], parts[1, 3, 4] = 0, 1, 0, 1
    places = [contacts_of(parts, shape, np.array([1]), np.array([0])).places[0].tolist() for shape in ((1, 4, 6), (2, 4, 6))]
    assert places == [[2, 2, 5]] * 2


@given(parts_of_four, st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6)))
@settings(max_examples=60, deadline=None)
def test_nearest_voxel_is_that_of_all_pairs(parts, shape):
    parts[0, 0, 0], parts[-1, -1, -1] = 0, 1
    wanted = np.array([True, True, False, False])
    runs = np.concatenate([part_runs(box.parts, wanted, box.corner) for box in in_boxes(parts, shape)])
    mine, theirs = np.argwhere(parts == 0), np.argwhere(parts == 1)
    square = (((mine[:, None] - theirs[None]) * VOXEL_NM) ** 2).sum(axis=2).min(axis=1)
    (place,) = nearest_pairs(runs, np.array([0]), np.array([1]), VOXEL_NM)
    assert place.tolist() == mine[square.argmin()].tolist()


@pytest.mark.parametrize("seed", range(6))
def test_nearest_voxel_of_parts_with_many_runs(seed):
    # Several blocks of runs on both sides, so that whole blocks are left out of the search, and many equal distances.
    rng = np.random.default_rng(seed)
    parts = np.full((8, 24, 40), -1, np.int32)
    parts[:, :, :12] = np.where(rng.random((8, 24, 12)) < 0.3, 0, -1)
    parts[:, :, 28:] = np.where(rng.random((8, 24, 12)) < 0.3, 1, -1)
    parts[:, :, 10:30] = -1
    runs = part_runs(parts, np.array([True, True]), (0, 0, 0))
    assert np.bincount(runs[:, 0]).min() > 4 * 64
    mine, theirs = np.argwhere(parts == 0), np.argwhere(parts == 1)
    square = ((mine[:, None] - theirs[None]) ** 2).sum(axis=2).min(axis=1)
    (place,) = nearest_pairs(runs, np.array([0]), np.array([1]), (1.0, 1.0, 1.0))
    assert place.tolist() == mine[square.argmin()].tolist()


def test_equally_near_voxels_go_by_position_even_when_a_later_block_is_searched_first():
    # The box of the second block of 64 runs comes nearer to the partner than that of the first, its voxels do not.
    first_block = [(0, 0, y, 0, 1) for y in range(64)]
    second_block = [(0, 3, 0, 1, 2), (0, 3, 40, 5, 6)]
    runs = np.array([*first_block, *second_block, (1, 0, 0, 5, 6)])
    (place,) = nearest_pairs(runs, np.array([0]), np.array([1]), (1.0, 1.0, 1.0))
    assert place.tolist() == [0, 0, 0]


@given(ids, ids)
@settings(max_examples=30, deadline=None)
def test_parts_are_pairs_of_ids(truth, segmentation):
    keep = (np.indices(truth.shape).sum(axis=0) % 3) > 0
    painter = PartPainter(np.array([1, 2]), np.array([2, 0]))
    expected = np.full(truth.shape, -1)
    expected[(truth == 1) & (segmentation == 2) & keep] = 0
    expected[(truth == 2) & (segmentation == 0) & keep] = 1
    assert np.array_equal(painter.paint(truth, segmentation, keep), expected)
