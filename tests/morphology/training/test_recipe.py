"""Recipes: the reference's values, and what cannot be."""

import pytest
from pydantic import ValidationError

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.morphology.training import ShapeRecipe, shape_recipe
from neurotome.nn import build


@pytest.mark.parametrize(
    ("grid", "steps", "batch", "rate", "alpha", "gamma", "parameters"),
    [(64, 14_000, 50, 3e-3, 0.65, 1.0, 4_354_145), (128, 50_000, 10, 1e-3, 0.75, 2.2, 17_530_465)],
)
def test_reference_recipes_have_the_values_of_the_reference(grid, steps, batch, rate, alpha, gamma, parameters):
    for network in ("dense", "nlat"):
        recipe = shape_recipe(network, grid, parity=True)
        fit = recipe.fit_settings
        assert (fit.steps, fit.batch, fit.learning_rate, fit.decay, fit.seed) == (steps, batch, rate, 1e-2, 1996)
        assert (fit.schedule, fit.warmup, fit.precision, fit.optimizer) == ("onecycle", steps // 20, "32-true", "adamw")
        assert recipe.loss_options == {"alpha": alpha, "gamma": gamma} and recipe.cubes == 10
        assert recipe.grid_settings.rule == "legacy" and recipe.variation_settings is None
        assert recipe.choice == "legacy" and recipe.dense_pass == (network == "nlat")
        assert sum(p.numel() for p in build(recipe.family, recipe.config).parameters()) == parameters


def test_without_parity_the_cubes_are_ours():
    recipe = shape_recipe("nlat", 64, fit={"steps": 50, "minutes": None})
    assert recipe.variation_settings is not None and recipe.choice == "own" and not recipe.dense_pass
    assert recipe.config == {"grid": 64, "out_channels": 1, "decoder_norm": "group", "position_code": True}
    assert recipe.fit_settings.steps == 50 and recipe.fit_settings.warmup == 2


def test_wrong_recipes_are_refused():
    with pytest.raises(ValidationError, match="extra"):
        ShapeRecipe(nettwork="dense")
    with pytest.raises(UnknownNameError, match="learning_rate"):
        _ = ShapeRecipe(fit={"learningrate": 1}).fit_settings
    with pytest.raises(InputError, match="one size"):
        _ = ShapeRecipe(network="dense", options={"grid": 64}, grid={"size": 32}).config
    with pytest.raises(ValueRangeError, match="edt"):
        _ = ShapeRecipe(grid={"mode": "edt"}).grid_settings
    with pytest.raises(UnknownNameError, match="nlat"):
        shape_recipe("sparse")
    with pytest.raises(InputError, match="leave out parity"):
        shape_recipe("cubes", parity=True)
