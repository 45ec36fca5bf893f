"""Components of equal label, against an independent implementation, for any way of cutting the volume into boxes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label

from neurotome.core import Box
from neurotome.measure import equal_label_components
from neurotome.measure.components import BoxPieces, PieceUnion
from neurotome.measure.planes import Waiting, first_planes, last_planes, shifted_planes

ids = arrays(np.uint8, (5, 4, 6), elements=st.integers(0, 2))


@given(ids)
@settings(max_examples=60, deadline=None)
def test_agrees_with_scikit_image(labels):
    # scikit-image numbers in scan order too, so even the ids agree.
    assert np.array_equal(equal_label_components(labels), label(labels, connectivity=1))


@given(ids, st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6)))
@settings(max_examples=80, deadline=None)
def test_boxes_do_not_matter(labels, shape):
    union, numbered = PieceUnion(), np.zeros(labels.shape, np.int64)
    whole = Box((0, 0, 0), labels.shape)
    with Waiting(whole) as waiting:
        for box in whole.tiles(shape):
            pieces = BoxPieces.of(np.ascontiguousarray(labels[box.slices]))
            base = union.add(pieces.first_index(box.start, labels.shape), pieces.labels)
            painted = pieces.paint(np.arange(len(pieces) + 1))
            numbered[box.slices] = np.where(painted > 0, painted + base, 0)
            neighbours = waiting.exchange(box, shifted_planes(last_planes(painted), base))
            for lower, upper in zip(neighbours, shifted_planes(first_planes(painted), base), strict=True):
                if lower is not None:
                    union.unite(lower, upper)
    expected = label(labels, connectivity=1)
    component, names = union.close()
    assert np.array_equal(component[numbered], expected)
    assert np.array_equal(names[expected], labels)
    standing_for = union.representatives(numbered.ravel())
    assert np.array_equal(component[standing_for.astype(np.int64)], expected.ravel())


def test_many_pieces_make_the_union_grow():
    union = PieceUnion()
    for box in range(5):
        assert union.add(np.arange(500) + 500 * box, np.full(500, box + 1, np.uint64)) == 500 * box
    component, names = union.close()
    assert np.array_equal(component, np.arange(2501))
    assert names[[0, 500, 501, 2500]].tolist() == [0, 1, 2, 5]


def test_a_spiral_is_one_piece_and_its_label_may_be_large():
    volume = np.zeros((3, 5, 5), np.uint64)
    volume[0, 0] = volume[0, :, 4] = volume[1, 4, 4] = volume[2, 4] = volume[2, :, 0] = 2**64 - 1
    assert equal_label_components(volume).max() == 1
    volume[1, 4, 4] = 5
    assert equal_label_components(volume)[[0, 1, 2], [0, 4, 4], [0, 4, 4]].tolist() == [1, 2, 3]


def test_diagonal_neighbours_are_apart():
    assert equal_label_components(np.array([[[3, 0], [0, 3]]])).tolist() == [[[1, 0], [0, 2]]]
