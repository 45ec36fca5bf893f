import numpy as np
import pytest

from neurotome.core import Crop, ValueRangeError
from neurotome.synapses.views.algebra import ExpressionError, parse
from neurotome.synapses.views.masks import Masks, evaluate
from neurotome.synapses.views.presets import PRESETS


def test_expressions_are_what_they_say(synapse: Crop) -> None:
    pre, post, cleft = (synapse.operand(name) for name in ("pre", "post", "cleft"))
    mito = synapse.operand("all_mitochondria")
    for text, expected in {
        "all": np.ones_like(pre),
        "pre | post": pre | post,
        "~pre & ~post": ~(pre | post),
        "all - pre - post": ~(pre | post),
        "clefts": cleft | synapse.operand("cleft2"),
        "all_clefts - cleft": synapse.operand("cleft2"),
        "cleft + pre - mito": (cleft | pre) & ~mito,
        "cleft | pre - mito": cleft | (pre & ~mito),
        "psd & post": synapse.operand("psd"),
        "11": evaluate("(cleft | pre) - dilate(all_mitochondria, 2)", synapse),
    }.items():
        np.testing.assert_array_equal(evaluate(text, synapse), expected, err_msg=text)


def test_functions_use_rounds_and_nanometres(synapse: Crop) -> None:
    assert evaluate("dilate(cleft, 1)", synapse).sum() == 12 * 12 * 2 + 2 * 144 + 4 * 24
    assert evaluate("erode(cleft, 1)", synapse).sum() == 0
    assert evaluate("erode(vesicles, 2)", synapse).sum() == 8 * 8 * 2
    # 8 nm voxels: 8 nm are the six neighbours, 12 nm also those across an edge.
    np.testing.assert_array_equal(evaluate("near(cleft, 8)", synapse), evaluate("dilate(cleft, 1)", synapse))
    assert evaluate("near(cleft, 12)", synapse).sum() == evaluate("near(cleft, 8)", synapse).sum() + 4 * (12 + 12 + 2)


def test_box_is_the_fullest_part_of_a_mask(synapse: Crop) -> None:
    boxed = evaluate("box(vesicles, 6)", synapse)
    assert boxed.sum() == 216
    assert boxed[8:14, 8:14, 4:10].all()
    assert evaluate("box(vesicles, 32)", synapse).sum() == 12 * 12 * 6
    with pytest.raises(ValueRangeError, match="A box of 33 voxels"):
        evaluate("box(vesicles, 33)", synapse)


def test_an_operand_can_be_replaced(synapse: Crop) -> None:
    nothing = np.zeros((32, 32, 32), bool)
    masks = Masks(synapse, {"pre": nothing})
    assert masks(parse("pre | cleft")).sum() == 288
    assert masks(parse("side1")).sum() == 32 * 32 * 12


def test_shared_masks_cannot_be_spoilt(synapse: Crop) -> None:
    masks = Masks(synapse)
    with pytest.raises(ValueError, match="read-only"):
        masks(parse("pre & post"))[0] = True
    assert masks(parse("pre & post")) is masks(parse("(pre & post)"))


def test_a_mask_that_was_cut_with_the_crop_is_taken_as_it_is(make_crop) -> None:
    empty, rim = np.zeros((32, 32, 32), bool), np.zeros((32, 32, 32), bool)
    rim[0] = True
    crop = make_crop(pre=~empty, cleft=~empty, **{"dilate(all_mitochondria, 2)": rim})
    assert evaluate("11", crop).sum() == 31 * 32 * 32
    assert evaluate(PRESETS["10"].expression, crop).sum() == 32**3


def test_unknown_operand_names_those_of_the_crop(synapse: Crop) -> None:
    with pytest.raises(ExpressionError, match="did you mean 'psd'"):
        evaluate("psdd", synapse)
