"""Components of equal label, against an independent implementation, for any way of cutting the volume into slabs."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label

from neurotome.measure import SlabComponents, equal_label_components

ids = arrays(np.uint8, (5, 4, 6), elements=st.integers(0, 2))


@given(ids)
@settings(max_examples=60, deadline=None)
def test_agrees_with_scikit_image(labels):
    # scikit-image numbers in scan order too, so even the ids agree.
    assert np.array_equal(equal_label_components(labels), label(labels, connectivity=1))


@given(ids, st.sets(st.integers(1, 4)))
@settings(max_examples=60, deadline=None)
def test_slabs_do_not_matter(labels, cuts):
    bounds = [0, *sorted(cuts), 5]
    slabs = [labels[a:b] for a, b in pairwise(bounds)]
    components = SlabComponents()
    provisional = [components.add_provisional(slab) for slab in slabs]
    components.close()
    expected = label(labels, connectivity=1)
    painted = np.concatenate([components.paint(slab, i) for i, slab in enumerate(slabs)])
    assert np.array_equal(painted, expected)
    assert np.array_equal(np.concatenate([components.final(p) for p in provisional]), expected)
    assert np.array_equal(components.labels[expected], labels)


def test_a_spiral_is_one_piece_and_its_label_may_be_large():
    volume = np.zeros((3, 5, 5), np.uint64)
    volume[0, 0] = volume[0, :, 4] = volume[1, 4, 4] = volume[2, 4] = volume[2, :, 0] = 2**64 - 1
    assert equal_label_components(volume).max() == 1
    volume[1, 4, 4] = 5
    assert equal_label_components(volume)[[0, 1, 2], [0, 4, 4], [0, 4, 4]].tolist() == [1, 2, 3]


def test_diagonal_neighbours_are_apart():
    assert equal_label_components(np.array([[[3, 0], [0, 3]]])).tolist() == [[[1, 0], [0, 2]]]
