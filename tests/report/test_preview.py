"""The picture of training patches."""

import imageio.v3 as imageio
import numpy as np
import pytest

from neurotome.boundary import PreviewPatch
from neurotome.core import FormatError
from neurotome.report import preview_picture, write_preview


def patch(side=128, channels=("membrane", "grey")):
    image = np.linspace(-2, 2, side * side).reshape(side, side).astype(np.float32)
    target = np.zeros((len(channels), side, side), np.float32)
    target[:, :, : side // 2] = 1
    valid = np.ones(target.shape, bool)
    valid[:, : side // 4] = False
    return PreviewPatch(image, target, valid, channels, "a.tif, section 3, from y 0, x 9", ("flipped y", "bent"))


def test_each_channel_stands_over_the_input():
    picture = preview_picture([patch(), patch()])
    y, x = 16 + 6, 6
    grey, membrane, imitated = (picture[y : y + 128, x + k * 134 : x + k * 134 + 128].astype(int) for k in range(3))
    assert (grey[..., 0] == grey[..., 2]).all()
    # Orange where the target is 1, blue where it does not count, tissue elsewhere.
    assert (membrane[64:, :64, 0] > membrane[64:, :64, 2]).all()
    assert (membrane[:32, :, 2] >= membrane[:32, :, 0]).all() and (membrane[:32] != grey[:32]).any(axis=2).all()
    assert np.array_equal(membrane[32:, 64:], grey[32:, 64:])
    assert (imitated[:, :64] == 255).all() and not imitated[:, 64:].any()
    assert picture.shape[0] == 2 * (128 + 2 * 6 + 2 * 16) + 2 * 16


def test_at_most_four_channels_are_shown_and_it_says_so():
    many = patch(channels=tuple(f"affinity:0,0,{k}" for k in range(1, 8)))
    assert preview_picture([many]).shape[1] == preview_picture([patch(channels=many.channels[:4])]).shape[1]


def test_small_patches_are_shown_larger():
    assert preview_picture([patch(32, ("membrane",))]).shape[0] == 96 + 2 * 6 + 4 * 16


def test_it_is_a_png_and_replaces_the_last_one(tmp_path):
    for _ in range(2):
        write_preview([patch()], tmp_path / "new" / "p.png")
    assert imageio.imread(tmp_path / "new" / "p.png").shape[2] == 3
    with pytest.raises(FormatError, match=r"\.png"):
        write_preview([patch()], tmp_path / "p.jpg")
