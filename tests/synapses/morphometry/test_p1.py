"""Every measure of the fixture P1, whose boxes let them be worked out by hand."""

import dataclasses

import numpy as np
import pytest

from neurotome.synapses.morphometry import MEASURES, measure_crop
from neurotome.synapses.morphometry.scene import Scene

EXPECTED = {
    "cleft_volume_um3": 0.0027648,
    "cleft_area_um2": 0.0576,
    "cleft_thickness_nm": 48.0,
    "cleft_diameter_nm": 270.8110,
    "cleft_elongation": 1.0,
    "cleft_flatness": 0.1973123,
    "cleft_curvature": 1.0,
    "cleft_holes": 0,
    "cleft_parts": 2,
    "vesicle_volume_um3": 0.008998912,
    "vesicle_percent_crop": 3.4328125,
    "vesicle_elongation": 1.0,
    "vesicle_cleft_min_nm": 40.0,
    "vesicle_cleft_mean_nm": 140.0,
    "vesicle_cleft_p90_nm": 224.0,
    "vesicle_docked_fraction": 2 / 26,
    "vesicle_share_of_pre": 17576 / 249600,
    "vesicle_axial_nm": 160.0,
    "vesicle_lateral_nm": 8.0,
    "pre_volume_um3": 0.1277952,
    "pre_near_volume_um3": 222992 * 512e-9,
    "post_volume_um3": 0.1277952,
    "post_near_volume_um3": 222992 * 512e-9,
    "log_pre_post_ratio": 0.0,
    "contact_area_um2": 0.4096,
    "cleft_contact_fraction": 0.140625,
    "mito_pre_volume_um3": 0.00172032,
    "mito_pre_fraction": 0.01346154,
    "mito_cleft_min_nm": 131.453414,
    "mito_within_300nm": 1.0,
    "voxel_anisotropy": 1.0,
}


@pytest.fixture(scope="module")
def measured(p1_crop):
    return measure_crop(p1_crop)


@pytest.mark.parametrize("name", EXPECTED)
def test_value(measured, name):
    assert measured.values[name] == pytest.approx(EXPECTED[name], rel=1e-6, abs=1e-12)
    assert name not in measured.reasons


def test_a_box_has_the_surface_that_is_known_to_be_too_small(measured):
    assert 0.87 < measured.values["vesicle_surface_um2"] / (6 * 0.208**2) < 0.92


def test_shells_of_both_sides(p1_crop):
    scene = Scene(p1_crop)
    shell = scene.near_cleft(24.0) & ~scene.mask("cleft")
    assert [np.count_nonzero(shell & scene.mask(side)) for side in ("pre", "post")] == [3960, 3960]


def test_what_is_missing_is_said_with_a_reason(measured):
    missing = {name for name, value in measured.values.items() if np.isnan(value)}
    assert missing == set(measured.reasons)
    assert missing == {
        "vesicle_count",
        "vesicle_docked_count",
        "vesicle_diameter_mean_nm",
        "vesicle_diameter_sd_nm",
        "vesicle_density_per_um3",
        "dense_core_fraction",
    }
    assert set(measured.reasons.values()) == {"no single vesicles"}


def test_47_features_in_the_order_of_the_table(measured):
    assert list(measured.values) == [measure.name for measure in MEASURES]
    assert len([measure for measure in MEASURES if not measure.quality]) == 47


def test_grey_levels_do_not_matter_but_for_contrast(p1_crop, measured):
    """Twice the contrast and another brightness: intensities are told in units of the crop's own spread."""
    brighter = dataclasses.replace(p1_crop, image=p1_crop.image.astype(np.uint16) * 2 + 100)
    assert measure_crop(brighter).values == pytest.approx(measured.values, nan_ok=True)


def test_the_same_with_axes_exchanged(p1_crop, measured):
    turned = dataclasses.replace(p1_crop, image=p1_crop.image.transpose(2, 0, 1), bits=p1_crop.bits.transpose(2, 0, 1)[::-1])
    turned = dataclasses.replace(turned, image=turned.image[::-1])
    assert measure_crop(turned).values == pytest.approx(measured.values, rel=1e-5, abs=1e-7, nan_ok=True)


def test_another_voxel_size(p1_crop, measured):
    """Everything in nm grows with the voxel but for limits in nm, which stay."""
    larger = measure_crop(dataclasses.replace(p1_crop, voxel_nm=(10.0, 10.0, 10.0))).values
    for name, power in {"cleft_thickness_nm": 1, "cleft_area_um2": 2, "vesicle_volume_um3": 3, "cleft_flatness": 0}.items():
        assert larger[name] == pytest.approx(measured.values[name] * 1.25**power)
    assert larger["pre_surface_to_volume_per_um"] == pytest.approx(measured.values["pre_surface_to_volume_per_um"] / 1.25)
