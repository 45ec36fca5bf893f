import io

import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image

from neurotome.core import ShapeError
from neurotome.io import gif_bytes, save_gif


def test_each_picture_is_a_frame_even_where_two_are_equal(tmp_path):
    a = np.arange(256, dtype=np.uint8).reshape(8, 32)
    b = np.full((8, 32), 7, np.uint8)
    pictures = [a, a, b, b, a]
    save_gif(pictures, tmp_path / "a.gif", per_second=4)
    assert np.array_equal(imageio.imread(tmp_path / "a.gif", mode="L"), pictures)
    with Image.open(tmp_path / "a.gif") as animation:
        assert (animation.n_frames, animation.info["duration"], animation.info["loop"]) == (5, 250, 0)


def test_one_picture_is_an_animation_too():
    with Image.open(io.BytesIO(gif_bytes([np.zeros((3, 5), np.uint8)], per_second=4))) as animation:
        assert animation.n_frames == 1 and animation.size == (5, 3)


def test_pictures_must_be_of_one_shape():
    for pictures in ([], [np.zeros((3, 5), np.uint8), np.zeros((5, 3), np.uint8)]):
        with pytest.raises(ShapeError, match="one shape"):
            gif_bytes(pictures, per_second=4)
