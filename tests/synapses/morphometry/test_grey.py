import numpy as np
import pytest

from neurotome.synapses.morphometry import measure_crop
from neurotome.synapses.morphometry.grey import median_of

SIZE = 64


@pytest.fixture
def painted():
    """A flat cleft between two blocks; grey 150 with noise, darker by 50 along the postsynapse, by 10 along the presynapse."""
    grid = np.ogrid[:SIZE, :SIZE, :SIZE]
    z, inside = grid[0] + np.zeros((SIZE,) * 3), (np.abs(grid[1] - 32) < 12) & (np.abs(grid[2] - 32) < 12)
    masks = {"pre": z < 30, "post": z >= 34, "cleft": (z >= 30) & (z < 34) & inside}
    image = np.random.default_rng(0).normal(150, 10, z.shape)
    image[(z >= 20) & (z < 30)] -= 10
    image[(z >= 34) & (z < 44)] -= 50
    image[masks["cleft"]] = 120
    return image, masks


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_painted_densities(make_crop, painted, dtype):
    image, masks = painted
    found = measure_crop(make_crop(image.astype(dtype), **masks)).values
    assert found["post_density"] < found["pre_density"] < 0
    assert found["post_density"] / found["pre_density"] == pytest.approx(5.0, abs=0.3)
    assert found["density_asymmetry"] == pytest.approx(found["post_density"] - found["pre_density"])
    spread = 1.4826 * np.median(np.abs(image - np.median(image)))
    assert found["cleft_intensity"] == pytest.approx((120 - np.median(image)) / spread, abs=0.1)


def test_standard_deviation_where_most_values_are_equal(make_crop, painted):
    _, masks = painted
    image = np.full((SIZE,) * 3, 100, np.uint8)
    image[masks["cleft"]] = 50
    found = measure_crop(make_crop(image, **masks)).values
    assert found["cleft_intensity"] == pytest.approx(-50 / image.std())


def test_no_contrast(make_crop, painted):
    _, masks = painted
    found = measure_crop(make_crop(np.full((SIZE,) * 3, 7, np.uint8), **masks))
    assert np.isnan(found.values["cleft_intensity"])
    assert found.reasons["cleft_intensity"] == "all grey values are equal"


def test_padding_does_not_count(make_crop, painted):
    image, masks = painted
    valid = np.zeros(image.shape, bool)
    valid[:, :, 5:] = True
    inside = {name: mask & valid for name, mask in masks.items()}
    found = [measure_crop(make_crop(np.where(valid, image, fill), valid=valid, **inside)).values for fill in (0, 250)]
    assert found[0] == pytest.approx(found[1], nan_ok=True)


@pytest.mark.parametrize("values", [[3], [1, 2], [5, 1, 1, 9], [4, 4, 4, 1, 0]])
def test_median_of_counts(values):
    assert median_of(*np.unique(np.array(values, float), return_counts=True)) == np.median(values)
