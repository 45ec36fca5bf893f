"""Thinning: regions, dams, and the order that decides between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label

from neurotome.core import ShapeError
from neurotome.measure import thin_border
from neurotome.measure.flooding import regions_4

masks = arrays(np.bool_, (7, 8), elements=st.booleans())


def test_a_wide_wall_becomes_one_pixel():
    inside = np.ones((5, 10), bool)
    inside[:, 3:7] = False
    assert thin_border(inside).tolist() == [[1, 1, 1, 1, 1, 0, 2, 2, 2, 2]] * 5


def test_squares_that_touch_at_a_corner_are_two_regions():
    inside = np.zeros((4, 4), bool)
    inside[:2, :2] = inside[2:, 2:] = True
    assert regions_4(inside).max() == 2
    assert set(np.unique(thin_border(inside))) == {0, 1, 2}


def test_a_section_without_inside_is_one_region():
    assert (thin_border(np.zeros((3, 4), bool)) == 1).all()
    assert (thin_border(np.ones((3, 4), bool)) == 1).all()


def test_three_axes_are_refused():
    with pytest.raises(ShapeError, match="one section at a time"):
        thin_border(np.ones((1, 2, 2), bool))


@given(masks)
@settings(max_examples=80, deadline=None)
def test_regions_are_those_of_scikit_image_numbered_along_columns(inside):
    assert np.array_equal(regions_4(inside), label(inside.T, connectivity=1).T)


@given(masks)
@settings(max_examples=80, deadline=None)
def test_equals_the_plain_reading_of_the_rules(inside):
    assert np.array_equal(thin_border(inside), _flooded(inside))


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.3])
def test_scattered_seeds_are_flooded_in_the_same_order(share):
    # Far apart seeds meet along fronts where only the order of the neighbours and of the queue decides.
    rng = np.random.default_rng(11)
    for _ in range(10):
        inside = rng.random((19, 23)) < share
        assert np.array_equal(thin_border(inside), _flooded(inside))


def _flooded(inside):
    """The steps of the definition with Python sets and a deque, slow and literal."""
    from collections import deque

    height, width = inside.shape
    if not inside.any():
        return np.ones(inside.shape, int)
    numbered = label(inside.T, connectivity=1).T
    state = {(x, y): int(numbered[y, x]) for x in range(width) for y in range(height) if numbered[y, x]}
    waiting, queued = set(), set(state)

    def neighbours(x, y):
        for p in ((x - 1, y), (x, y - 1), (x + 1, y), (x, y + 1)):
            if 0 <= p[0] < width and 0 <= p[1] < height:
                yield p

    queue = deque(
        (x, y) for x in range(width) for y in range(height) if not inside[y, x] and any(inside[q, p] for p, q in neighbours(x, y))
    )
    waiting.update(queue)
    queued.update(queue)
    soft = False
    while queue:
        pixel = queue.popleft()
        for other in neighbours(*pixel):
            if other not in queued:
                queued.add(other)
                waiting.add(other)
                queue.append(other)
            elif other in waiting:
                continue
            elif state[other] > 0:
                if pixel in waiting or (state[pixel] == 0 and soft):
                    waiting.discard(pixel)
                    state[pixel] = state[other]
                elif state[pixel] not in (0, state[other]):
                    state[pixel], soft = 0, False
            elif pixel in waiting:
                waiting.discard(pixel)
                state[pixel], soft = 0, True
    return np.array([[state[x, y] for x in range(width)] for y in range(height)])
