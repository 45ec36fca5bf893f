from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from neurotome.core import Crop, CropLook, CropRecipe, UnknownNameError
from neurotome.synapses.discarded import Discarded
from neurotome.synapses.views.algebra import ExpressionError
from neurotome.synapses.views.masks import evaluate
from neurotome.synapses.views.show import View, look_at, view, views


def shown(crop: Crop, mask: str = "11", **changes: object) -> View:
    look = view(crop, CropLook(mask=mask, **{"normalization": "fixed", **changes}))
    assert isinstance(look, View), look
    return look


def test_tissue_is_raw_inside_the_mask_and_grey_outside(synapse: Crop) -> None:
    look = shown(synapse, "10")
    np.testing.assert_array_equal(look.mask, evaluate("10", synapse))
    assert (look.key, look.values.dtype, look.values.shape, look.flags, look.shift) == (
        "d/v/1",
        np.float32,
        (32,) * 3,
        (),
        (0, 0, 0),
    )
    np.testing.assert_allclose(look.values[look.mask], synapse.image[look.mask] / 255, atol=1e-6)
    assert np.unique(look.values[~look.mask]).tolist() == [np.float32(0.6)]


def test_alpha_lets_the_rest_through(synapse: Crop) -> None:
    raw = synapse.image / 255
    outside = ~evaluate("6", synapse)
    np.testing.assert_allclose(shown(synapse, "6", alpha=0).values, raw, atol=1e-6)
    np.testing.assert_allclose(shown(synapse, "6", alpha=0.3).values[outside], 0.18 + 0.7 * raw[outside], atol=1e-6)


def test_grey_of_synister_is_on_its_scale(synapse: Crop) -> None:
    look = shown(synapse, "6", normalization="synister")
    assert look.limits == (-1, 1)
    assert np.unique(look.values[~look.mask]) == pytest.approx(0.2)


def test_eight_bits(synapse: Crop) -> None:
    look = shown(synapse, "6", legacy_8bit=True, normalization="zscore")
    steps = look.values * 255
    np.testing.assert_allclose(steps, steps.round(), atol=1e-4)
    assert look.values[~look.mask] == pytest.approx(153 / 255)


def test_padding_is_grey_and_in_no_mask(make_crop) -> None:
    valid = np.ones((32, 32, 32), bool)
    valid[:, :, 20:] = False
    crop = make_crop(np.where(valid, 100, 0).astype(np.uint8), valid=valid)
    look = shown(crop, "0", alpha=0)
    assert look.mask.sum() == valid.sum()
    assert np.unique(look.values[~valid]).tolist() == [np.float32(0.6)]
    assert look.flags == ("border", "no_contrast")
    kept = view(crop, CropLook(mask="0", normalization="fixed"), pad="edge")
    assert isinstance(kept, View)
    assert kept.mask.all()
    assert kept.values[~valid].max() == 0


def test_a_mask_without_what_it_shows_is_discarded(make_crop) -> None:
    half = np.zeros((32, 32, 32), bool)
    half[16:] = True
    crop = make_crop(pre=half, side1=half, post=~half, side2=~half, cleft2=half)
    assert view(crop, CropLook(mask="6")) == Discarded("d/v/1", "view", "no_vesicles", 0, 1)
    assert view(crop, CropLook(mask="8")) == Discarded("d/v/1", "view", "empty_mask", 0, 1)
    # Taking vesicles away needs none, and the second label is a cleft too.
    assert isinstance(view(crop, CropLook(mask="pre - vesicles")), View)
    assert isinstance(view(crop, CropLook(mask="10")), View)
    without = make_crop(pre=half, side1=half)
    assert view(without, CropLook(mask="11")) == Discarded("d/v/1", "view", "no_cleft", 0, 1)


def test_undetermined_sites_lack_only_masks_of_a_side(make_crop) -> None:
    half = np.zeros((32, 32, 32), bool)
    half[16:] = True
    crop = make_crop(side1=half, side2=~half, cleft=half, vesicles=half, background=np.zeros_like(half))
    for undetermined in (True, False):
        lost = view(crop, CropLook(mask="10"), undetermined=undetermined)
        assert isinstance(lost, Discarded)
        assert lost.reason == "undetermined_side"
    lost = view(crop, CropLook(mask="all - post"), undetermined=True)
    assert isinstance(lost, Discarded)
    assert isinstance(view(crop, CropLook(mask="9"), undetermined=True), View)
    taken = view(crop, CropLook(mask="1"), undetermined=True, on_undetermined="side2")
    assert isinstance(taken, View)
    assert taken.flags == ("undetermined",)
    np.testing.assert_array_equal(taken.mask, ~half)
    with pytest.raises(UnknownNameError):
        view(crop, CropLook(mask="1"), on_undetermined="side3")


def test_the_size_of_the_presynapse_changes_nothing_else(synapse: Crop) -> None:
    small = shown(synapse, "1", pre_fraction=0.05)
    assert small.mask.sum() == 1638
    assert shown(synapse, "7", pre_fraction=0.05).mask.sum() == shown(synapse, "7").mask.sum()
    assert shown(synapse, "10", pre_fraction=0.05).mask.sum() == 1638 + 288
    assert shown(synapse, "side1", pre_fraction=0.05).mask.sum() == 32 * 32 * 12
    assert shown(synapse, "1", pre_fraction=0.9).flags == ("target_unreachable",)


def test_boxes_lie_in_the_middle_and_say_by_how_much_they_moved(make_crop) -> None:
    cloud = np.zeros((80, 80, 80), bool)
    cloud[5:35, 40:70, 50:78] = True
    crop = make_crop(vesicles=cloud, pre=cloud)
    look = shown(crop, "12")
    assert (np.argwhere(look.mask).min(axis=0).tolist(), np.argwhere(look.mask).max(axis=0).tolist()) == ([27] * 3, [51] * 3)
    assert look.mask.sum() == 15_625
    assert look.shift == (5 - 27, 40 - 27, 50 - 27)
    np.testing.assert_allclose(look.values[look.mask], crop.image[5:30, 40:65, 50:75].ravel() / 255, atol=1e-6)
    raw = shown(crop, "12", alpha=0).values
    assert raw[40, 40, 40] == pytest.approx(crop.image[18, 53, 63] / 255)
    # What was beyond the crop is not known.
    assert raw[0, 0, 79] == np.float32(0.6)
    tissue = shown(crop, "13")
    assert (tissue.mask.sum(), tissue.shift) == (15_625, (19 - 12 - 27, 54 - 12 - 27, 63 - 12 - 27))
    cloud[6, 41, 51] = False
    hole = make_crop(vesicles=cloud, pre=cloud)
    assert shown(hole, "12").shift != (5 - 27, 40 - 27, 50 - 27)
    cloud[:, :, 55] = False
    lost = view(make_crop(vesicles=cloud, pre=cloud), CropLook(mask="12", fill=97))
    assert lost == Discarded("d/v/1", "view", "fill_below_threshold", 96, 97)


def test_many_looks_are_those_of_one_each(synapse: Crop) -> None:
    looks = [
        CropLook(mask=mask, alpha=alpha, normalization=how)
        for mask, alpha, how in [
            ("11", 1, "fixed"),
            ("6", 0.5, "zscore"),
            ("11", 0, "fixed"),
            ("12", 1, "fixed"),
            ("psd", 1, "percentile"),
        ]
    ]
    looks += [CropLook(mask="10", pre_fraction=0.1), CropLook(mask="10", pre_fraction=0.2)]
    for look, together in zip(looks, look_at(synapse, looks), strict=True):
        alone = view(synapse, look)
        if isinstance(alone, Discarded):
            assert together == alone
        else:
            assert isinstance(together, View)
            np.testing.assert_array_equal(together.values, alone.values)
            np.testing.assert_array_equal(together.mask, alone.mask)


def test_every_site_is_shown_or_discarded_with_a_reason(synapse: Crop, make_crop) -> None:
    half = np.zeros((32, 32, 32), bool)
    half[16:] = True
    undetermined = make_crop(key="d/v/2", side1=half, side2=~half, cleft=half)
    crops = _Crops([synapse, undetermined], pre_side=[1, 0], margin=[1.0, 0.1])
    first, second = views(crops, CropLook(mask="11"))
    assert isinstance(first, View)
    assert second == Discarded("d/v/2", "view", "undetermined_side", 0.1, 0.2)
    crops.recipe = CropRecipe(on_undetermined="side2")
    assert [look.flags for look in views(crops, CropLook(mask="11")) if isinstance(look, View)] == [(), ("undetermined",)]


def test_bad_masks_are_refused(synapse: Crop) -> None:
    with pytest.raises(ExpressionError, match="did you mean 'vesicles'"):
        view(synapse, CropLook(mask="vesicle"))
    with pytest.raises(UnknownNameError, match="Unknown mask preset '14'"):
        view(synapse, CropLook(mask="14"))


class _Crops(SimpleNamespace):
    """As a CropSet, in memory."""

    def __init__(self, crops: list[Crop], **sites: list[float]) -> None:
        super().__init__(crops=crops, recipe=CropRecipe(), sites=pd.DataFrame(sites, index=[crop.key for crop in crops]))

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, index: int) -> Crop:
        return self.crops[index]
