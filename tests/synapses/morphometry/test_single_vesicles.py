import numpy as np
import pytest

from neurotome.synapses.morphometry import measure_crop

SIZE = 64


@pytest.fixture(scope="module")
def planted():
    """Six balls of radius 6 in a cloud before a flat cleft, two of them near it, one dark; and one outside the cloud."""
    grid = np.ogrid[:SIZE, :SIZE, :SIZE]
    z = grid[0] + np.zeros((SIZE,) * 3)
    centres = [(38, 15, 15), (38, 15, 40), (20, 15, 15), (20, 15, 40), (20, 40, 15), (20, 40, 40), (20, 58, 58)]
    instances = np.zeros((SIZE,) * 3, np.uint32)
    for number, centre in enumerate(centres, 1):
        instances[sum((g - c) ** 2 for g, c in zip(grid, centre)) <= 36] = 10 * number
    cloud = (z >= 10) & (z < 46) & (grid[1] < 50) & (grid[2] < 50)
    image = np.random.default_rng(0).normal(150, 20, (SIZE,) * 3)
    image[instances == 30] -= 60
    return {
        "image": image.astype(np.float32),
        "instances": instances,
        "pre": z < 48,
        "post": z >= 50,
        "cleft": (z >= 47) & (z < 51),
        "vesicles": cloud,
    }


def test_planted_balls(make_crop, planted):
    found = measure_crop(make_crop(**planted)).values
    assert found["vesicle_count"] == 6
    # Nearest voxels at z = 44, the cleft begins at 47: 24 nm.
    assert found["vesicle_docked_count"] == 2
    true = 2000 * (3 * np.count_nonzero(planted["instances"] == 10) * 512e-9 / (4 * np.pi)) ** (1 / 3)
    assert found["vesicle_diameter_mean_nm"] == pytest.approx(true)
    assert found["vesicle_diameter_mean_nm"] == pytest.approx(96, rel=0.03)
    assert found["vesicle_diameter_sd_nm"] == pytest.approx(0, abs=1e-9)
    assert found["vesicle_density_per_um3"] == pytest.approx(6 / (36 * 50 * 50 * 512e-9))
    assert found["dense_core_fraction"] == pytest.approx(1 / 6)


@pytest.mark.parametrize("radius", [10, 14])
def test_diameter_of_large_balls(make_crop, radius):
    mask = sum((g - 31.6) ** 2 for g in np.ogrid[:SIZE, :SIZE, :SIZE]) <= radius**2
    found = measure_crop(make_crop(vesicles=mask, instances=mask.astype(np.uint16))).values
    assert found["vesicle_diameter_mean_nm"] == pytest.approx(16 * radius, rel=0.01)


def test_a_vesicle_that_the_crop_cuts_is_counted_but_has_no_diameter(make_crop, planted):
    cut = {name: value[:, 12:] if isinstance(value, np.ndarray) else value for name, value in planted.items()}
    cut = {name: np.pad(value, ((0, 0), (0, 12), (0, 0))) for name, value in cut.items()}
    valid = np.zeros((SIZE,) * 3, bool)
    valid[:, : SIZE - 12] = True
    found = measure_crop(make_crop(valid=valid, **cut)).values
    assert found["vesicle_count"] == 6
    assert found["vesicle_diameter_mean_nm"] == pytest.approx(
        2000 * (3 * np.count_nonzero(planted["instances"] == 10) * 512e-9 / (4 * np.pi)) ** (1 / 3)
    )


def test_no_vesicle_in_the_cloud(make_crop, planted):
    nothing = {**planted, "instances": np.zeros((SIZE,) * 3, np.uint32)}
    found = measure_crop(make_crop(**nothing))
    assert found.values["vesicle_count"] == 0
    assert found.values["vesicle_docked_count"] == 0
    assert found.reasons["vesicle_diameter_mean_nm"] == "no whole single vesicle in the cloud"
    assert found.reasons["dense_core_fraction"] == "no single vesicle in the cloud"
