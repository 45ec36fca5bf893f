"""What is not there gives NaN and a reason, never 0."""

import dataclasses

import numpy as np
import pytest

from neurotome.core import OPERANDS
from neurotome.synapses.morphometry import measure_crop


def without(crop, *names):
    """The crop as if these operands were nowhere."""
    gone = sum(1 << OPERANDS.index(name) for name in names)
    return dataclasses.replace(crop, bits=crop.bits & np.uint32(~gone & 0xFFFFFFFF))


def reasons_of(crop, **options):
    found = measure_crop(crop, **options)
    assert {name for name, value in found.values.items() if np.isnan(value)} == set(found.reasons)
    return {name: reason for name, reason in found.reasons.items() if reason != "no single vesicles"}, found.values


def test_no_cleft(p1_crop):
    reasons, values = reasons_of(without(p1_crop, "cleft"))
    assert set(reasons.values()) == {"no cleft"}
    assert all(name in reasons for name in values if name.startswith("cleft_"))
    assert {"vesicle_cleft_min_nm", "vesicle_axial_nm", "pre_near_volume_um3", "log_pre_post_ratio"} <= set(reasons)
    assert {"mito_cleft_min_nm", "mito_within_300nm", "post_density", "density_asymmetry"} <= set(reasons)
    assert values["contact_area_um2"] == pytest.approx(0.4096)
    assert values["vesicle_volume_um3"] == pytest.approx(0.008998912)


def test_no_vesicles(p1_crop):
    reasons, values = reasons_of(without(p1_crop, "vesicles"))
    assert set(reasons) == {name for name in values if name.startswith(("vesicle_", "dense_core"))}
    assert reasons["vesicle_volume_um3"] == "no vesicle cloud"
    assert reasons["vesicle_count"] == "no vesicle cloud, no single vesicles"


def test_sides_unknown(p1_crop):
    reasons, values = reasons_of(without(p1_crop, "pre", "post"))
    assert reasons["cleft_area_um2"] == "no presynapse, no postsynapse"
    assert reasons["contact_area_um2"] == "no presynapse, no postsynapse"
    assert reasons["mito_pre_volume_um3"] == "no presynapse"
    assert reasons["vesicle_share_of_pre"] == "no presynapse"
    assert reasons["post_max_radius_nm"] == "no postsynapse"
    assert values["cleft_volume_um3"] == pytest.approx(0.0027648)
    assert values["vesicle_axial_nm"] == pytest.approx(160)


def test_a_cleft_away_from_the_contact(p1_crop):
    shifted = np.zeros_like(p1_crop.bits)
    bit = np.uint32(1 << OPERANDS.index("cleft"))
    shifted[..., 10:] = (p1_crop.bits & bit)[..., :-10]
    found = measure_crop(dataclasses.replace(p1_crop, bits=p1_crop.bits & ~bit | shifted))
    assert found.reasons["cleft_area_um2"] == "the cleft does not lie between presynapse and postsynapse"
    assert np.isnan(found.values["cleft_thickness_nm"])
    assert found.values["cleft_volume_um3"] == pytest.approx(0.0027648)


def test_mitochondria_that_are_not_there_and_that_nobody_looked_for(p1_crop):
    reasons, values = reasons_of(without(p1_crop, "all_mitochondria"))
    assert reasons == {"mito_cleft_min_nm": "no mitochondrion in the presynapse"}
    assert [values[name] for name in ("mito_pre_volume_um3", "mito_pre_fraction", "mito_within_300nm")] == [0, 0, 0]
    reasons, _ = reasons_of(without(p1_crop, "all_mitochondria"), labelled={"cleft", "vesicles"})
    assert set(reasons) == {"mito_pre_volume_um3", "mito_pre_fraction", "mito_cleft_min_nm", "mito_within_300nm"}
    assert set(reasons.values()) == {"no label for mitochondria in this volume"}


def test_a_presynapse_that_fills_the_crop(make_crop):
    full = np.ones((16, 16, 16), bool)
    found = measure_crop(make_crop(pre=full))
    assert found.reasons["pre_max_radius_nm"] == "the presynapse fills the crop"
    assert found.values["pre_surface_to_volume_per_um"] == 0


def test_no_tissue(make_crop):
    nothing = np.zeros((16, 16, 16), bool)
    found = measure_crop(make_crop(valid=nothing))
    features = {name: value for name, value in found.values.items() if name != "voxel_anisotropy"}
    assert np.isnan(list(features.values())).all()
    assert set(found.reasons) == set(features)
