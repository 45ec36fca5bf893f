import numpy as np
import pytest

from neurotome.core import InputError
from neurotome.tracing.training.patch_list import box_of, draw_patches, least_foreground


def mask(shape, *boxes):
    out = np.zeros(shape, bool)
    for box in boxes:
        out[box] = True
    return out


def test_every_patch_has_enough_foreground_and_lies_inside():
    line = mask((40, 50, 60), np.s_[20, 25, :])
    patches = draw_patches([("a", line)], (16, 16, 16), 30, 10, np.random.default_rng(0))
    assert len(patches) == 30 and len({p.corner for p in patches}) > 20
    for patch in patches:
        box = box_of(patch, (16, 16, 16))
        assert min(box.start) >= 0 and all(b <= n for b, n in zip(box.stop, line.shape, strict=True))
        assert patch.foreground == line[box.slices].sum() >= 10


def test_a_patch_may_be_the_whole_image():
    whole = mask((8, 16, 24), np.s_[:, 3, 3])
    (patch,) = draw_patches([("a", whole)], (8, 16, 24), 1, 8, np.random.default_rng(0))
    assert (patch.corner, patch.foreground) == ((0, 0, 0), 8)
    with pytest.raises(InputError, match=r"\(8, 16, 32\) voxels, image 'a' of \(8, 16, 24\)"):
        draw_patches([("a", whole)], (8, 16, 32), 1, 1, np.random.default_rng(0))


def test_images_with_too_little_are_given_up_and_named_when_all_are():
    rich, poor = mask((16, 16, 16), np.s_[4:12, 4:12, 4:12]), mask((16, 16, 16), np.s_[8, 8, 5:8])
    patches = draw_patches([("poor", poor), ("rich", rich)], (8, 8, 8), 5, 20, np.random.default_rng(0))
    assert {p.image for p in patches} == {"rich"} and len(patches) == 5
    with pytest.raises(InputError, match=r"has 20 of foreground; the best, of 'poor', has 3"):
        draw_patches([("poor", poor)], (8, 8, 8), 5, 20, np.random.default_rng(0))


def test_the_least_is_scaled_from_a_thousand_in_120():
    assert [least_foreground((n,) * 3) for n in (120, 64, 8)] == [1000, 152, 1]
