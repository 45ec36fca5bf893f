"""Schedules to the digit, and settings that cannot be."""

import pytest

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.nn import FitSettings


@pytest.mark.parametrize(
    ("steps", "rate", "expected"),
    [
        (14_000, 3e-3, {0: 1.2e-4, 699: 3e-3, 13_999: 1.2e-8}),
        (50_000, 1e-3, {0: 4e-5, 2_499: 1e-3, 49_999: 4e-9}),
    ],
)
def test_one_cycle_has_the_learning_rates_of_the_reference(steps, rate, expected):
    settings = FitSettings(steps=steps, learning_rate=rate, schedule="onecycle", warmup=steps // 20)
    found = {step: rate * settings.rate(step, 0.0) for step in expected}
    assert found == pytest.approx(expected, rel=1e-9)


def test_one_cycle_rises_then_falls_and_is_that_of_the_training_library():
    import torch

    settings = FitSettings(steps=60, schedule="onecycle", warmup=3)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=60, pct_start=0.05, cycle_momentum=False)
    for step in range(60):
        assert settings.rate(step, 0.0) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9), step
        optimizer.step()
        if step < 59:
            theirs.step()
    assert settings.rate(60, 0.0) == settings.rate(59, 0.0)


def test_a_time_limit_moves_one_cycle_on():
    settings = FitSettings(steps=1000, schedule="onecycle", warmup=50, minutes=1)
    assert settings.rate(0, 30.0) == pytest.approx((settings.rate(499, 0.0) + settings.rate(500, 0.0)) / 2, rel=1e-3)
    assert settings.rate(3, 60.0) == pytest.approx(4e-6)


def test_gradients_are_gathered_over_whole_parts_of_an_epoch():
    assert FitSettings(validate_every=12, accumulate=4).accumulate == 4
    with pytest.raises(ValueRangeError, match="divisor of validate_every, 10"):
        FitSettings(validate_every=10, accumulate=4)
    with pytest.raises(UnknownNameError, match="onecycle"):
        FitSettings(schedule="one_cycle")
