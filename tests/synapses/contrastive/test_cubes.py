import re

import numpy as np
import pytest

from neurotome.core import CropLook, InputError, ShapeError
from neurotome.synapses.contrastive import CubeSettings, cubes_of
from neurotome.synapses.views import view

UNDETERMINED = 3


def _coarser(values):
    return values.reshape(16, 2, 16, 2, 16, 2).mean((1, 3, 5))


def test_a_cube_is_the_crop_on_coarser_voxels(crops, settings):
    cubes = cubes_of(crops, settings)
    seen = view(crops[5], settings.look.with_(alpha=0.0))
    at = cubes.keys.index(crops[5].key)
    assert cubes.image.dtype == np.uint8
    np.testing.assert_allclose(cubes.image[at] / 255, _coarser(seen.values), atol=0.5 / 255 + 1e-6)
    np.testing.assert_array_equal(cubes.mask[at], _coarser(seen.mask) >= 0.5)


def test_every_crop_is_a_cube_or_discarded(crops, settings):
    cubes = cubes_of(crops, settings)
    assert len(cubes) + len(cubes.discarded) == len(crops)
    assert cubes.discarded[["key", "reason"]].to_numpy().tolist() == [[crops[UNDETERMINED].key, "undetermined_side"]]
    assert cubes.keys == tuple(crops.sites.index[cubes.rows])
    some = cubes.take(np.array([4, 1]))
    assert some.keys == (cubes.keys[4], cubes.keys[1]) and some.rows.tolist() == cubes.rows[[4, 1]].tolist()


@pytest.mark.parametrize(("alpha", "outside"), [(1.0, 0.6), (0.0, None)])
def test_grey_is_put_outside_the_mask(crops, settings, alpha, outside):
    cubes = cubes_of(crops, settings)
    shown = cubes.shown(CropLook(alpha=alpha))
    np.testing.assert_allclose(shown[cubes.mask], cubes.image[cubes.mask] / 255, atol=1e-6)
    beyond = shown[~cubes.mask]
    np.testing.assert_allclose(beyond, outside if outside else cubes.image[~cubes.mask] / 255, atol=1e-6)


def test_crops_of_another_extent_are_refused_with_the_size_to_cut(crops):
    with pytest.raises(InputError, match=r"measures 256 x 256 x 256 nm.*640 nm.*crops of size 80"):
        cubes_of(crops, CubeSettings(side=16))
    with pytest.raises(ShapeError, match="48 or more"):
        cubes_of(crops, CubeSettings(side=48, extent_nm=256.0))


def test_a_card_keeps_the_settings():
    settings = CubeSettings(48, 512.0, CropLook(mask="clefts | pre", alpha=0.5))
    assert CubeSettings.from_json(settings.to_json()) == settings
    assert re.search("clefts", settings.to_json()["look"]["mask"])
