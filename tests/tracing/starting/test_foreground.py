"""Thresholds, components, and what is said when a threshold does not fit."""

import cc3d
import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import ObjectVoxels
from neurotome.tracing.starting.foreground import THRESHOLDS, Level, choose_level, components, foreground, value_counts

UM = (1000.0, 1000.0, 1000.0)


@pytest.fixture(scope="module")
def blobs():
    smooth = ndimage.gaussian_filter(np.random.default_rng(4).normal(size=(50, 60, 70)), 1.5)
    return np.clip(smooth * 1500 + 60, 0, 255).astype(np.uint8)


def test_components_are_those_of_cc3d_largest_first(blobs):
    voxels = ObjectVoxels.of(Bricks.of(blobs, UM), 170)
    component, sizes, first = components(voxels)
    labels = cc3d.connected_components(blobs >= 170, connectivity=26)
    assert sizes.tolist() == sorted(np.bincount(labels.ravel())[1:].tolist(), reverse=True)
    here = labels[tuple(voxels.positions.T)]
    assert len(set(zip(component.tolist(), here.tolist(), strict=True))) == len(sizes)
    for part in (0, 1, len(sizes) - 1):
        own = labels == here[first[part]]
        assert voxels.positions[first[part]].tolist() == np.argwhere(own)[0].tolist()


def test_equal_components_come_in_the_order_of_the_volume():
    volume = np.zeros((3, 3, 80), np.uint8)
    volume[0, 0, [5, 40, 70]] = 255
    volume[2, 2, 2] = 255
    _, sizes, first = components(ObjectVoxels.of(Bricks.of(volume, UM), 1))
    voxels = ObjectVoxels.of(Bricks.of(volume, UM), 1)
    assert sizes.tolist() == [1, 1, 1, 1]
    assert voxels.positions[first].tolist() == [[0, 0, 5], [0, 0, 40], [0, 0, 70], [2, 2, 2]]


def test_diagonal_neighbours_over_the_corner_of_a_brick_are_connected():
    volume = np.zeros((64, 64, 64), np.uint8)
    volume[31, 31, 31] = volume[32, 32, 32] = 255
    assert components(ObjectVoxels.of(Bricks.of(volume, UM), 1))[1].tolist() == [2]


def test_hysteresis_keeps_whole_components_that_reach_the_upper_threshold(blobs):
    found = foreground(Bricks.of(blobs, UM), choose_level(Bricks.of(blobs, UM), "hysteresis", threshold=230, low=170))
    labels = cc3d.connected_components(blobs >= 170, connectivity=26)
    sure = np.unique(labels[blobs >= 230])
    assert len(found.voxels) == np.isin(labels, sure[sure > 0]).sum()
    assert len(found.sizes) == len(sure[sure > 0])


def test_otsu_is_that_of_scikit_image(blobs):
    assert choose_level(Bricks.of(blobs, UM), "otsu").value == threshold_otsu(blobs) + 1


def test_values_are_counted_over_the_whole_volume(blobs):
    np.testing.assert_array_equal(value_counts(Bricks.of(blobs, UM)), np.bincount(blobs.ravel(), minlength=256))
    sparse = np.zeros((100, 10, 10), np.uint8)
    sparse[3, 3, 3] = 9
    assert value_counts(Bricks.of(sparse, UM))[[0, 9]].tolist() == [9999, 1]


def test_automatic_threshold_lies_three_deviations_above_the_background():
    noise = np.random.default_rng(1).normal(40, 8, (40, 100, 100))
    noise[18:22, 48:52] += 150
    level = choose_level(Bricks.of(np.clip(np.rint(noise), 0, 255).astype(np.uint8), UM), "automatic")
    assert level.value == pytest.approx(40 + 3 * 8, abs=2)


def test_automatic_threshold_on_an_image_without_background_values_takes_every_voxel():
    volume = np.zeros((20, 20, 20), np.uint8)
    volume[10, 10] = 3
    assert choose_level(Bricks.of(volume, UM), "automatic").value == 1


def test_caat_threshold_and_its_fall_back():
    volume = np.zeros((10, 20, 20), np.uint8)
    volume[5, 10] = 50
    assert choose_level(Bricks.of(volume, UM), "caat") == Level(153)
    volume[5, 10] = 100
    level = choose_level(Bricks.of(volume, UM), "caat")
    assert level.value == 1
    assert level.notes == ("CAAT's threshold is above 255 here; Otsu's 1 taken instead",)


def test_a_threshold_that_leaves_nothing_says_what_to_give():
    volume = np.zeros((20, 20, 20), np.uint8)
    volume[4, 4] = 90
    with pytest.raises(
        InputError, match=r"Threshold 128 leaves no voxel; the largest value is 90.*give a threshold of 1 of 255 .* or less"
    ):
        foreground(Bricks.of(volume, UM), Level(128))
    with pytest.raises(InputError, match="Threshold 128 leaves no voxel"):
        foreground(Bricks.of(volume, UM), Level(77, sure=128))


def test_a_threshold_that_takes_more_than_half_says_what_to_give():
    volume = np.full((20, 20, 20), 130, np.uint8)
    volume[4, 4] = 220
    with pytest.raises(InputError, match=r"makes 100 % of the volume neurite.*at most 50 %.*give a threshold of 131"):
        foreground(Bricks.of(volume, UM), Level(128))
    assert foreground(Bricks.of(volume, UM), Level(128), largest_share=1.0).sizes.tolist() == [8000]
    with pytest.raises(InputError, match="check that neurites are bright"):
        foreground(Bricks.of(np.full((9, 9, 9), 255, np.uint8), UM), Level(128))


def test_an_empty_volume():
    with pytest.raises(InputError, match="Every voxel of the volume is 0"):
        foreground(Bricks.of(np.zeros((20, 20, 20), np.uint8), UM), Level(128))


def test_unknown_methods_and_thresholds():
    bricks = Bricks.of(np.zeros((3, 3, 3), np.uint8), UM)
    with pytest.raises(UnknownNameError, match="did you mean 'otsu'"):
        choose_level(bricks, "otsus")
    for method in THRESHOLDS[:2]:
        with pytest.raises(ValueRangeError, match="multiply by 255"):
            choose_level(bricks, method, threshold=0)
    with pytest.raises(ValueRangeError, match="Low threshold 200 above threshold 100"):
        choose_level(bricks, "hysteresis", threshold=100, low=200)
