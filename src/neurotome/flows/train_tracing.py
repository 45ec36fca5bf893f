"""A recipe in YAML, or folders of stacks and labels -> a neurite network with its card."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from neurotome.core import InputError, ModelCard, Progress, silent
from neurotome.flows.recipe_file import all_mistakes, recipe_keys
from neurotome.tracing.training import NeuriteRecipe, train
from neurotome.tracing.training.recipe import with_paths_from

__all__ = ["read_neurite_recipe", "train_neurites"]


def train_neurites(
    recipe: Path | NeuriteRecipe,
    out: Path,
    *,
    steps: int | None = None,
    device: str = "auto",
    loggers: tuple[str, ...] = ("csv", "tensorboard"),
    progress: Progress = silent,
) -> ModelCard:
    """`neurotome tracing train`. Paths in a recipe file count from its own folder."""
    chosen = read_neurite_recipe(recipe) if isinstance(recipe, Path) else recipe
    fit = {**chosen.fit, "device": device, "loggers": list(loggers), **({} if steps is None else {"steps": steps})}
    return train(chosen.model_copy(update={"fit": fit}), out, progress=progress)


def read_neurite_recipe(recipe: Path) -> NeuriteRecipe:
    """Check a recipe; every mistake in it is reported, not just the first."""
    try:
        config = NeuriteRecipe(**recipe_keys(recipe))
    except ValidationError as error:
        raise InputError(
            f"Recipe '{recipe}' is not valid: {all_mistakes(error)}", "the keys of recipes/neurite_voxresnet.yaml", "correct them"
        ) from error
    return with_paths_from(config, recipe.parent)
