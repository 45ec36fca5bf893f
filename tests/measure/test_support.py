"""Which voxels a score is about."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import Box, InputError, ShapeError, UnknownNameError
from neurotome.measure import away_from_borders, named_support, snemi_crop


def test_the_crop_of_the_challenge():
    box = snemi_crop((100, 1024, 1024))
    assert box == Box((25, 97, 97), (75, 928, 928))
    assert box.size == 34_528_050
    assert named_support("snemi_crop", (100, 1024, 1024)) == (box, "snemi_crop")


def test_the_crop_of_another_volume_only_by_force():
    with pytest.raises(InputError, match=r"shape \(70, 1024, 1024\) would be z 18:53, y 97:928, x 97:928.*--force"):
        named_support("snemi_crop", (70, 1024, 1024))
    assert named_support("snemi_crop", (70, 1024, 1024), force=True)[0] == Box((18, 97, 97), (53, 928, 928))


@given(st.tuples(*[st.integers(1, 60)] * 3))
def test_a_forced_crop_stays_inside_and_is_not_empty(shape):
    box = snemi_crop(shape)
    assert box.size > 0
    assert box.clip(shape) == box


def test_boxes_and_names():
    assert named_support("full", (2, 3, 4)) == (Box((0, 0, 0), (2, 3, 4)), "full")
    assert named_support(Box((0, 1, 0), (2, 3, 2)), (2, 3, 4))[1] == "box z 0:2, y 1:3, x 0:2"
    with pytest.raises(ShapeError, match="box inside the volume"):
        named_support(Box((0, 0, 0), (2, 3, 5)), (2, 3, 4))
    with pytest.raises(ShapeError, match="box inside the volume"):
        named_support(Box((0, 0, 0), (0, 3, 4)), (2, 3, 4))
    with pytest.raises(UnknownNameError, match="did you mean 'snemi_crop'"):
        named_support("snemi", (2, 3, 4))


@given(arrays(np.uint8, (2, 6, 7), elements=st.integers(0, 1)), st.sampled_from([0.0, 4.6, 9.2, 13.8, 14.0]))
@settings(max_examples=60, deadline=None)
def test_border_tolerance_is_the_distance_to_the_nearest_border_pixel(truth, distance):
    pixel = (4.6, 5.0)
    expected = np.ones(truth.shape, bool)
    for section, keep in zip(truth, expected, strict=True):
        differs_y, differs_x = section[1:] != section[:-1], section[:, 1:] != section[:, :-1]
        border = np.zeros(section.shape, bool)
        border[1:] |= differs_y
        border[:-1] |= differs_y
        border[:, 1:] |= differs_x
        border[:, :-1] |= differs_x
        for y, x in np.argwhere(border):
            yy, xx = np.indices(section.shape)
            keep &= np.hypot((yy - y) * pixel[0], (xx - x) * pixel[1]) > distance + 1e-6
    assert np.array_equal(away_from_borders(truth, distance, pixel), expected)


def test_a_negative_tolerance_is_refused():
    with pytest.raises(InputError, match="-1 nm"):
        away_from_borders(np.ones((1, 2, 2), np.uint8), -1, (4.0, 4.0))
