import numpy as np
import pytest

from neurotome.datasets.fluorescence import camera


def test_noise_of_the_background_is_shot_and_read_noise():
    counted = camera.expose(np.full((40, 60, 60), 45.0, np.float32), 2.0, np.random.default_rng(0))
    assert counted.std() == pytest.approx(camera.noise_sd(45.0, 2.0), rel=0.01)
    assert counted.mean() == pytest.approx(45.0, rel=0.005)


def test_the_background_has_the_mean_and_the_waves_asked_for():
    field = camera.background((30, 80, 80), 50.0, 6.0, np.random.default_rng(1))
    assert field.mean() == pytest.approx(50, abs=0.5)
    assert field.std() == pytest.approx(6, rel=0.05)
    # Slow: neighbouring voxels are almost equal.
    assert np.abs(np.diff(field, axis=2)).max() < 1.5
    assert camera.background((30, 80, 80), 5.0, 60.0, np.random.default_rng(1)).min() >= 0.5


@pytest.mark.parametrize(("dtype", "black", "high"), [("uint8", 4, 217), ("uint16", 100, 3481)])
def test_grey_values_run_from_black_to_85_percent_of_white(dtype, black, high):
    grey = camera.to_grey(np.array([-1e9, 10.0, 60.0, 1e9]), 10.0, 60.0, dtype)
    assert grey.dtype == dtype
    assert grey[1:3].tolist() == [black, high]
    assert grey[[0, 3]].tolist() == [0, 255 if dtype == "uint8" else 4095]


def test_what_is_cut_is_zero():
    assert camera.to_grey(np.array([20.0, 29.0, 31.0]), 10.0, 60.0, "uint8", cut_below=30.0)[:2].tolist() == [0, 0]
