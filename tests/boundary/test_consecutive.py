"""Neighbouring sections as colours of one picture."""

import numpy as np
import pytest

from neurotome.boundary import consecutive
from neurotome.core import Grid, Image, ShapeError


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_red_is_the_section_green_the_next_blue_nothing(rng, dtype):
    pixels = rng.integers(0, np.iinfo(dtype).max, (5, 6, 7), dtype)
    pictures = list(consecutive(Image(pixels, Grid(pixels.shape, (30, 6, 6)))))
    assert len(pictures) == 4
    for z, picture in enumerate(pictures):
        assert picture.dtype == dtype and picture.shape == (6, 7, 3)
        assert np.array_equal(picture[..., 0], pixels[z]) and np.array_equal(picture[..., 1], pixels[z + 1])
        assert not picture[..., 2].any()


def test_one_section_has_no_next():
    with pytest.raises(ShapeError, match="one section"):
        consecutive(Image(np.zeros((1, 2, 2), np.uint8), Grid((1, 2, 2), (30, 6, 6))))
