import numpy as np
import pytest

from neurotome.cluster import Scaler, ScalingSettings, corrected, scaled
from neurotome.core import InputError, UnknownNameError, ValueRangeError


def test_standard_scaling_gives_mean_0_and_deviation_1(rng):
    values = rng.gamma(2, size=(200, 3)) * [1, 100, 1e-4] + [5, 0, 0]
    found = scaled(values, ScalingSettings(clip=None))
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-12)


def test_robust_scaling_does_not_feel_one_wild_row(rng):
    values = rng.standard_normal((101, 2))
    wild = values.copy()
    wild[50] = 1e9
    settings = ScalingSettings("robust", clip=None)
    a, b = scaled(values, settings), scaled(wild, settings)
    others = np.arange(101) != 50
    assert np.abs(a[others] - b[others]).max() < 0.15


def test_what_is_held_out_does_not_reach_the_scaler(rng):
    """The leak test: held-out rows moved by a million leave what was learned as it was."""
    values = rng.standard_normal((30, 4))
    moved = values.copy()
    moved[20:] += 1e6
    a, b = (Scaler.fit(table[:20]) for table in (values, moved))
    for name in ("centre", "spread", "fill", "kept"):
        assert (getattr(a, name) == getattr(b, name)).all()
    assert (a.apply(moved)[20:] == 5).all()


def test_missing_values_constant_columns_and_logs():
    nan = np.nan
    values = np.array([[1, nan, 7, 0], [2, nan, 7, np.e - 1], [nan, 3, 7, 0], [4, nan, 7, 0], [3, nan, 7, 0]])
    scaler = Scaler.fit(values, ScalingSettings("none"), logged=np.array([False, False, False, True]))
    assert scaler.kept.tolist() == [True, False, False, True]
    assert scaler.missing == 1
    np.testing.assert_allclose(scaler.apply(values), [[1, 0], [2, 1], [2.5, 0], [4, 0], [3, 0]])


def test_a_family_of_many_columns_weighs_as_much_as_one(rng):
    values = rng.standard_normal((50, 5))
    weighed = Scaler.fit(values, families=["big"] * 4 + ["small"]).apply(values)
    np.testing.assert_allclose((weighed[:, :4] ** 2).sum(), (weighed[:, 4] ** 2).sum(), rtol=0.1)


def test_correction_per_batch_removes_a_shift_and_can_erase_what_is_real(rng):
    kinds = np.repeat([0.0, 10.0], 50)
    values = (kinds + rng.standard_normal(100))[:, None]
    mixed, apart = np.tile(["x", "y"], 50), np.repeat(["x", "y"], 50)
    kept = corrected(values + 5 * (mixed == "y")[:, None], mixed, "z_per_batch")
    erased = corrected(values, apart, "robust_per_batch")
    assert kept[kinds > 0].mean() - kept[kinds == 0].mean() > 1.5
    assert abs(erased[kinds > 0].mean() - erased[kinds == 0].mean()) < 0.3
    assert (corrected(values, apart) == values).all()


def test_bad_settings_say_what_would_do():
    with pytest.raises(UnknownNameError, match="did you mean 'standard'"):
        ScalingSettings("std")
    with pytest.raises(ValueRangeError, match="clip"):
        ScalingSettings(clip=-1)
    with pytest.raises(InputError, match="No column has two different values"):
        scaled(np.ones((5, 2)))
    with pytest.raises(ValueRangeError, match="Column 1 has values below 0"):
        Scaler.fit(np.array([[1.0, -1], [2, 2]]), logged=np.array([True, True]))
    with pytest.raises(UnknownNameError, match="z_per_batch"):
        corrected(np.ones((2, 1)), np.array(["a", "b"]), "combat")


def test_a_column_that_differs_by_rounding_only_is_dropped():
    rounded = np.array([0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2])
    found = Scaler.fit(np.stack([rounded, [1.0, 2, 3, 4]], axis=1))
    assert found.kept.tolist() == [False, True]
