"""One scene told by formulas, turned and moved: what is measured must not depend on how it lies to the voxels."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neurotome.synapses.morphometry import measure_crop

SIZE = 80


def places(turn: Rotation, voxel_nm, offset=(0.0, 0.0, 0.0)) -> np.ndarray:
    """(3, z, y, x) nm in the scene's own axes: the cleft about 0 in the plane of the last two, presynapse below."""
    grid = np.meshgrid(*((np.arange(SIZE) - SIZE / 2) * side for side in voxel_nm), indexing="ij")
    return np.tensordot(turn.as_matrix(), np.stack(grid), axes=1) + np.reshape(offset, (3, 1, 1, 1))


def ball(place: np.ndarray, centre, radius: float) -> np.ndarray:
    return ((place - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(0) <= radius**2


def scene(turn: Rotation, voxel_nm=(8.0, 8.0, 8.0), offset=(0.0, 0.0, 0.0)) -> dict[str, np.ndarray]:
    place = places(turn, voxel_nm, offset)
    z, radius = place[0], np.hypot(place[1], place[2])
    return {
        "pre": (z < -12) & (z > -240) & (radius < 190),
        "post": (z > 12) & (z < 220) & (radius < 190),
        "cleft": (np.abs(z) <= 20) & (radius <= 130),
        "vesicles": ball(place, (-130, 30, 0), 90),
        "all_mitochondria": ball(place, (-160, -100, 0), 60),
    }


@pytest.fixture(scope="module", params=range(4))
def turned(request):
    rng = np.random.default_rng(request.param)
    return scene(Rotation.random(rng=rng), offset=rng.uniform(-4, 4, 3))


def test_a_turned_scene(make_crop, turned):
    rng = np.random.default_rng(0)
    found = measure_crop(make_crop(rng.integers(0, 255, (SIZE,) * 3, np.uint8), **turned)).values
    disc, face = np.pi * 0.130**2, np.pi * 0.190**2
    # Beyond the rim the two are still within 80 nm of each other, 16 nm of them along the axis on either side.
    contact = np.pi * (0.190 + np.sqrt(0.040**2 - 0.016**2)) ** 2
    true = {
        "cleft_area_um2": (disc, 0.03),
        "cleft_volume_um3": (disc * 0.040, 0.03),
        "cleft_thickness_nm": (40, 0.03),
        "cleft_diameter_nm": (260, 0.015),
        "cleft_elongation": (1, 0.02),
        "cleft_flatness": (40 / np.sqrt(12) / 65, 0.03),
        "cleft_curvature": (1, 0.01),
        "vesicle_volume_um3": (4 / 3 * np.pi * 0.09**3, 0.02),
        "vesicle_surface_um2": (4 * np.pi * 0.09**2, 0.012),
        "vesicle_sphericity": (1, 0.01),
        "vesicle_elongation": (1, 0.02),
        "vesicle_axial_nm": (130, 0.02),
        "vesicle_lateral_nm": (30, 0.1),
        "vesicle_cleft_mean_nm": (110 + 4, 0.05),
        "contact_area_um2": (contact, 0.03),
        "cleft_contact_fraction": (disc / contact, 0.04),
        "pre_volume_um3": (face * 0.228, 0.02),
        "pre_surface_to_volume_per_um": (2 / 0.190 + 2 / 0.228, 0.08),
        "pre_max_radius_nm": (114, 0.05),
        "post_max_radius_nm": (104, 0.05),
        "mito_pre_volume_um3": (4 / 3 * np.pi * 0.06**3, 0.02),
        "mito_cleft_min_nm": (84, 0.08),
    }
    off = {name: (found[name], value) for name, (value, most) in true.items() if abs(found[name] / value - 1) > most}
    assert not off
    assert found["log_pre_post_ratio"] == pytest.approx(np.log(228 / 208), abs=0.01)
    assert found["cleft_holes"] == 0
    assert found["cleft_parts"] == 1


@pytest.mark.parametrize("voxel_nm", [(16.0, 8.0, 8.0), (8.0, 16.0, 8.0)])
def test_flat_voxels(make_crop, voxel_nm):
    found = measure_crop(make_crop(voxel_nm=voxel_nm, **scene(Rotation.from_euler("xyz", [0.4, 0.3, 0.9]), voxel_nm))).values
    assert found["cleft_area_um2"] == pytest.approx(np.pi * 0.130**2, rel=0.05)
    assert found["vesicle_surface_um2"] == pytest.approx(4 * np.pi * 0.09**2, rel=0.02)
    assert found["vesicle_sphericity"] == pytest.approx(1, abs=0.02)
    assert found["voxel_anisotropy"] == 2


def test_a_bent_cleft_with_a_hole(make_crop):
    """A cap of a ball, R 40 and 20 voxels high, pierced in the middle."""
    place = places(Rotation.from_euler("xyz", [0.4, 1.3, 0.9]), (8.0, 8.0, 8.0))
    ball_nm, high = 320.0, 160.0
    z = place[0] + ball_nm - high / 2
    out, aside = np.sqrt(z**2 + place[1] ** 2 + place[2] ** 2), np.hypot(place[1], place[2])
    cap = (np.abs(out - ball_nm) < 24) & (z >= (ball_nm - high) / ball_nm * out)
    sides = {"pre": out < ball_nm - 12, "post": out > ball_nm + 12}
    whole = measure_crop(make_crop(cleft=cap, **sides)).values
    assert whole["cleft_area_um2"] == pytest.approx(2 * np.pi * 0.32 * 0.16, rel=0.03)
    assert whole["cleft_curvature"] == pytest.approx(2 * 320 / (2 * 320 - 160), rel=0.03)
    assert whole["cleft_holes"] == 0
    pierced = measure_crop(make_crop(cleft=cap & (aside > 60), **sides)).values
    assert pierced["cleft_holes"] == 1
    assert pierced["cleft_area_um2"] < whole["cleft_area_um2"]


def test_a_ball_as_presynapse(make_crop):
    place = places(Rotation.identity(), (8.0, 8.0, 8.0), (2.0, 1.0, 3.0))
    found = measure_crop(make_crop(pre=ball(place, (0, 0, 0), 160))).values
    assert found["pre_surface_to_volume_per_um"] == pytest.approx(18.75, rel=0.01)
    assert found["pre_max_radius_nm"] == pytest.approx(160, abs=8)


def test_an_ellipsoid_as_cloud(make_crop):
    place = places(Rotation.from_euler("xyz", [0.4, 1.3, 0.9]), (8.0, 8.0, 8.0))
    cloud = (place[0] / 240) ** 2 + (place[1] / 120) ** 2 + (place[2] / 120) ** 2 <= 1
    assert measure_crop(make_crop(vesicles=cloud)).values["vesicle_elongation"] == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("radius", [10, 20, 30])
def test_a_ball_as_cloud(make_crop, radius):
    found = measure_crop(make_crop(vesicles=ball(places(Rotation.identity(), (8.0, 8.0, 8.0)), (3, 1, 2), 8.0 * radius))).values
    assert found["vesicle_surface_um2"] == pytest.approx(4 * np.pi * (0.008 * radius) ** 2, rel=0.012)
    assert found["vesicle_sphericity"] == pytest.approx(1.0, abs=0.01)
