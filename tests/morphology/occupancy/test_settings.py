import pytest

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.morphology.occupancy import GridSettings, Variation


def test_settings_survive_json():
    settings = GridSettings(size=128, scale="global", range_nm=(-5, 7), n_points=10, axes="xyz", fill="inside")
    assert GridSettings.from_json(settings.to_json()) == settings
    assert GridSettings.from_json({"size": 32}) == GridSettings(size=32)


def test_unknown_names_and_keys_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'soma'"):
        GridSettings(centring="some")
    with pytest.raises(InputError, match="colour"):
        GridSettings.from_json({"colour": "red"})


@pytest.mark.parametrize("size", [0, -8, 4, 60, 65])
def test_a_size_that_is_no_multiple_of_8_names_the_legal_ones(size):
    with pytest.raises(ValueRangeError, match="multiple of 8"):
        GridSettings(size=size)
    if size == 60:
        with pytest.raises(ValueRangeError, match="take 56 or 64"):
            GridSettings(size=size)


@pytest.mark.parametrize(
    "wrong",
    [
        {"extent_nm": 0}, {"extent_nm": float("nan")}, {"range_nm": (2, 2)}, {"n_points": 0}, {"margin": -0.1}, {"dilate": -1},
        {"dilate": 1, "mode": "soft"}, {"most_clipped": 1.5},
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueRangeError):
        GridSettings(**wrong)


def test_variations_survive_json_and_are_checked():
    variation = Variation(turn="depth", flip=(0, 2), scale=(0.9, 1.1), tips=0.3, step_nm=(1e3, 5e3))
    assert Variation.from_json(variation.to_json()) == variation
    with pytest.raises(UnknownNameError):
        Variation(turn="sideways")
    for wrong in ({"tips": 1.1}, {"scale": (1.1, 0.9)}, {"flip": (3,)}, {"step_nm": (0, 1)}, {"jitter_nm": -1}):
        with pytest.raises(ValueRangeError):
            Variation(**wrong)
