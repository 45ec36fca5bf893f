import numpy as np
import pytest

from neurotome.core import Crop, CropLook, CropRecipe, UnknownNameError
from neurotome.core.crops import OPERANDS
from neurotome.datasets.synapse_phantoms import p1, p2
from neurotome.synapses.crops.cut import CutCrop, cut_crop
from neurotome.synapses.views.algebra import parse
from neurotome.synapses.views.presets import PRESETS, expression_of, needed_operands, normalised, preset_of
from neurotome.synapses.views.show import View, view

# Preset: voxels in P1 with the crop about the site, and with the centre moved by 0.7 towards the presynapse.
COUNTS = {
    "0": (512_000, 512_000),
    "1": (249_600, 328_640),
    "2": (249_600, 120_080),
    "3": (499_200, 448_720),
    "4": (24_056, 24_056),
    "5": (501_000, 450_520),
    "5c": (501_360, 450_880),
    "6": (17_576, 17_576),
    "7": (6_480, 6_480),
    "8": (1_728, 1_728),
    "9": (22_976, 22_976),
    "10": (253_200, 332_240),
    "10c": (253_920, 332_960),
    "11": (246_904, 325_944),
    "11c": (247_624, 326_664),
    "12": (15_625, 15_625),
    "13": (15_625, 15_625),
}


def cut(fixture, recipe: CropRecipe) -> Crop:
    made = cut_crop(fixture.volume, fixture.sites.iloc[0], recipe)
    assert isinstance(made, CutCrop)
    return made.crop


@pytest.fixture(scope="module")
def crops() -> tuple[Crop, Crop]:
    return cut(p1(), CropRecipe(centring="site")), cut(p1(), CropRecipe())


def count(crop: Crop, mask: str, **changes: object) -> int:
    look = view(crop, CropLook(mask=mask, **changes))
    assert isinstance(look, View), look
    return int(look.mask.sum())


@pytest.mark.parametrize("number", PRESETS)
def test_voxels_of_p1(crops: tuple[Crop, Crop], number: str) -> None:
    assert tuple(count(crop, number) for crop in crops) == COUNTS[number]


def test_mitochondrion_of_the_reference_is_nearest_the_moved_centre() -> None:
    assert count(cut(p1(), CropRecipe.sce()), "8") == 3_360


def test_the_thin_neck_of_p2() -> None:
    guarded = cut(p2(), CropRecipe())
    assert [count(guarded, mask) for mask in ("7", "1", "10")] == [2_400, 40_720, 43_120]
    lost = cut(p2(), CropRecipe.sce())
    assert count(lost, "1") == 51_888
    assert getattr(view(lost, CropLook(mask="7")), "reason", "") == "no_cleft"


def test_the_issues_expression_is_preset_11_of_the_chosen_mitochondrion(crops: tuple[Crop, Crop]) -> None:
    assert count(crops[0], "cleft + pre - dilate(mito, 2)") == 253_200
    assert count(crops[0], "cleft + pre - dilate(all_mito, 2)") == COUNTS["11"][0]


def test_the_size_of_the_presynapse_of_p1(crops: tuple[Crop, Crop]) -> None:
    crop = crops[0]
    assert [count(crop, mask, pre_fraction=0.05) for mask in ("1", "7", "10")] == [25_600, 6_480, 30_968]
    grown = view(crop, CropLook(mask="1", pre_fraction=0.6))
    assert isinstance(grown, View)
    assert (int(grown.mask.sum()), grown.flags) == (262_400, ("target_unreachable",))
    assert crop.operand("pre").sum() == 249_600


def test_boxes_of_p1_are_in_the_middle(crops: tuple[Crop, Crop]) -> None:
    for number in ("12", "13"):
        look = view(crops[0], CropLook(mask=number))
        assert isinstance(look, View)
        assert look.mask[27:52, 27:52, 27:52].all()


def test_presets_are_in_normal_form_and_name_operands() -> None:
    for preset in PRESETS.values():
        assert str(parse(preset.expression, OPERANDS)) == preset.expression
        assert preset_of(preset.number) is preset
        assert preset_of(preset.name.upper()) is preset
    assert not {preset.name for preset in PRESETS.values()} & set(OPERANDS)


def test_unknown_numbers_are_not_expressions() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown mask preset '6c'.*did you mean"):
        preset_of("6c")
    with pytest.raises(UnknownNameError, match="'14'"):
        expression_of("14")


def test_a_structure_of_a_legend_comes_before_a_preset_of_its_name() -> None:
    assert str(expression_of("vesicle_box", (*OPERANDS, "vesicle_box"))) == "vesicle_box"
    assert str(expression_of("vesicle_box")) == "vesicles"


def test_text_and_needs() -> None:
    assert normalised("13").endswith("- dilate(all_mitochondria, 2), centred box of 25")
    assert needed_operands("13") == {"vesicles", "pre", "cleft", "all_mitochondria"}
    assert needed_operands("0") == {"all"}
    assert {number for number in PRESETS if needed_operands(number) & {"pre", "post"}} == {
        "1", "2", "10", "10c", "11", "11c", "13",
    }  # fmt: skip


def test_padding_is_in_no_mask() -> None:
    fixture = p1()
    row = {**fixture.sites.iloc[0], "center_z": 5, "center_y": 5, "center_x": 5}
    made = cut_crop(fixture.volume, row, CropRecipe(centring="site", min_valid=0))
    assert isinstance(made, CutCrop)
    look = view(made.crop, CropLook(mask="0", normalization="fixed"))
    assert isinstance(look, View)
    assert look.mask.mean() == pytest.approx(0.177979, abs=1e-6)
    assert look.values[40, 40, 40] == pytest.approx(75 / 255)
    assert np.unique(look.values[~look.mask]).tolist() == [np.float32(0.6)]
