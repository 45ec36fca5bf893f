import numpy as np
import pytest

from neurotome.core import OPERANDS, Crop, CropLook, CropRecipe, InputError, ShapeError, UnknownNameError, ValueRangeError


def _crop(**changes):
    given = {
        "key": "d/v/1",
        "image": np.zeros((4, 4, 4), np.uint8),
        "bits": np.zeros((4, 4, 4), np.uint32),
        "names": (*OPERANDS, "psd"),
        "voxel_nm": (8.0, 8.0, 8.0),
        "levels": (0.0, 255.0),
    }
    return Crop(**{**given, **changes})


def test_an_operand_is_the_bit_of_its_name():
    bits = np.zeros((4, 4, 4), np.uint32)
    bits[1, 2, 3] = 1 << OPERANDS.index("cleft") | 1 << len(OPERANDS)
    crop = _crop(bits=bits)
    assert np.argwhere(crop.operand("cleft")).tolist() == [[1, 2, 3]]
    assert crop.operand("psd").sum() == 1 and crop.has("psd") and not crop.has("cleft2") and not crop.has("nucleus")
    with pytest.raises(UnknownNameError, match=r"Unknown operand 'clef'.*cleft"):
        crop.operand("clef")


def test_a_crop_is_a_cube_and_knows_the_standard_operands():
    with pytest.raises(ShapeError, match="two equal cubes"):
        _crop(bits=np.zeros((4, 4, 5), np.uint32))
    with pytest.raises(InputError, match="operands"):
        _crop(names=("valid", "psd"))


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"size": 81}, ValueRangeError, "Crops of 81 voxels"),
        ({"size": 0}, ValueRangeError, "Crops of 0 voxels"),
        ({"weight": 1.2}, ValueRangeError, "weight 1.2"),
        ({"connectivity": 18}, ValueRangeError, "connectivity 18"),
        ({"guard_vox": 40}, ValueRangeError, "guard_vox 40"),
        ({"isotropic_nm": 0.0}, ValueRangeError, "isotropic_nm"),
        ({"centring": "smrt"}, UnknownNameError, "smart"),
        ({"pad": "gray"}, UnknownNameError, "grey"),
    ],
)
def test_a_recipe_refuses_what_cannot_be(changes, error, words):
    with pytest.raises(error, match=words):
        CropRecipe(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"alpha": 1.5}, ValueRangeError, "alpha 1.5"),
        ({"grey": -0.1}, ValueRangeError, "grey -0.1"),
        ({"fill": 101}, ValueRangeError, "fill 101"),
        ({"pre_fraction": 2.0}, ValueRangeError, "pre_fraction 2"),
        ({"normalization": "minmax"}, UnknownNameError, "crop_minmax"),
        ({"mask": " "}, InputError, "An empty mask"),
    ],
)
def test_a_look_refuses_what_cannot_be(changes, error, words):
    with pytest.raises(error, match=words):
        CropLook(**changes)


def test_keys_tell_settings_apart_and_equal_ones_not():
    assert CropRecipe().key == CropRecipe(size=80).key != CropRecipe(size=64).key
    assert CropLook(mask=6).mask == "6" and CropLook(mask=6).key == CropLook(mask="6").key != CropLook(mask="6", alpha=0.5).key
    assert CropRecipe.sce().key != CropRecipe().key and CropRecipe.sce(weight=0.5).weight == 0.5
