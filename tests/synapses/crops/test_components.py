"""The piece of a structure that is closest to a site, against one that labels everything."""

import cc3d
import numpy as np
import pytest

from neurotome.core import Box, ShapeError, ValueRangeError
from neurotome.synapses.crops import CLOSEST, closest_components, structure_bits


def test_diagonal_voxels_are_two_components_with_6_and_one_with_26_neighbours():
    kinds = np.zeros((4, 4, 4), np.uint8)
    kinds[1, 1, 1] = kinds[2, 2, 2] = 1
    by_face = closest_components(kinds, (0, 0, 0), (8, 8, 8))
    by_corner = closest_components(kinds, (0, 0, 0), (8, 8, 8), connectivity=26)
    assert by_face.marks.sum() == 1
    assert by_face.marks[1, 1, 1] == 1
    assert by_corner.marks.sum() == 2
    assert by_face.runner_up_nm[0] == pytest.approx(8 * np.sqrt(12))
    assert np.isnan(by_corner.runner_up_nm[0])


@pytest.mark.parametrize("connectivity", [6, 26])
def test_equals_labelling_everything_on_random_volumes(connectivity):
    rng = np.random.default_rng(connectivity)
    ties = 0
    for _ in range(100):
        shape = rng.integers(3, 9, 3)
        kinds = rng.integers(0, 16, shape, np.uint8) * (rng.random(shape) < rng.uniform(0.05, 0.5))
        voxel_nm = ((8.0, 8.0, 8.0), (40.0, 4.0, 4.0), (6.4, 6.4, 6.4))[rng.integers(3)]
        target = rng.integers(0, shape)
        found = closest_components(kinds.astype(np.uint8), tuple(target), voxel_nm, connectivity=connectivity)
        for bit in range(4):
            mask, near, next_near = labelled(kinds >> bit & 1 == 1, target, voxel_nm, connectivity)
            ties += near == next_near
            assert np.array_equal(found.marks >> bit & 1 == 1, mask)
            assert np.allclose([found.distance_nm[bit], found.runner_up_nm[bit]], [near, next_near], equal_nan=True)
            assert found.boxes[bit] == box_of(mask)
    # Otherwise the rule for ties has not been tried.
    assert ties > 20


def labelled(mask, target, voxel_nm, connectivity):
    """The definition, word by word: label, measure each component, take the least, the first voxel decides a tie."""
    labels = cc3d.connected_components(mask, connectivity=connectivity)
    found = []
    for k in range(1, int(labels.max(initial=0)) + 1):
        voxels = np.argwhere(labels == k)
        squared = (((voxels - target) * voxel_nm) ** 2).sum(1).min()
        # Rounding must not make a difference of what is a tie on paper.
        found.append((round(float(np.sqrt(squared)), 6), tuple(voxels[0]), k))
    found.sort()
    if not found:
        return np.zeros(mask.shape, bool), np.nan, np.nan
    return labels == found[0][2], found[0][0], found[1][0] if len(found) > 1 else np.nan


def box_of(mask):
    voxels = np.argwhere(mask)
    return Box(tuple(voxels.min(0)), tuple(voxels.max(0) + 1)) if len(voxels) else None


def test_of_two_at_the_same_distance_the_one_that_begins_first_wins_and_is_ambiguous():
    kinds = np.zeros((1, 5, 9), np.uint8)
    kinds[0, 2, 6:8] = 1
    kinds[0, 2, 2] = 1
    kinds[0, 1, 7] = 1  # makes the right one begin a row earlier
    found = closest_components(kinds, (0, 2, 4), (8, 8, 8))
    assert found.marks[0, 1, 7] == 1
    assert found.marks[0, 2, 2] == 0
    assert found.facts((8, 8, 8))["vesicles_ambiguous"] is True
    assert found.facts((8, 8, 8))["cleft_ambiguous"] is False


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int32])
def test_ids_become_bits_and_two_structures_may_share_one(dtype):
    labels = np.array([[[0, 1, 2, 7, 9]]], dtype)
    bits = structure_bits(labels, {"mitochondria": (1, 2), "cleft": (7,), "cleft2": (7,), "psd": (9,)})
    mito, clefts = 1 << CLOSEST.index("mitochondria"), 2**1 + 2**2
    assert bits.tolist() == [[[0, mito, mito, clefts, 0]]]


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(ShapeError, match="uint8"):
        closest_components(np.zeros((2, 2, 2), np.int64), (0, 0, 0), (8, 8, 8))
    with pytest.raises(ValueRangeError, match="6 or 26"):
        closest_components(np.zeros((2, 2, 2), np.uint8), (0, 0, 0), (8, 8, 8), connectivity=18)
