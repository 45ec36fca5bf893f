"""A recipe in YAML, or images and labels -> a trained network with its card."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from neurotome import boundary
from neurotome.core import InputError, ModelCard, Progress, silent
from neurotome.flows.recipe_file import all_mistakes, recipe_keys
from neurotome.report import write_training_report

__all__ = ["read_recipe", "resolved_recipe", "train_from_recipe"]

LOGGERS = ("csv", "tensorboard")


def train_from_recipe(
    recipe: Path | boundary.FilePairs,
    out: Path,
    *,
    steps: int | None = None,
    device: str = "auto",
    loggers: tuple[str, ...] = LOGGERS,
    progress: Progress = silent,
) -> ModelCard:
    """`neurotome boundary train`: by a recipe, or by the one that images and labels give, which stands in `out` as recipe.yaml.

    A training that was not interrupted leaves report.html as well.
    """
    config = resolved_recipe(recipe, steps=steps, device=device, loggers=loggers)
    card = boundary.train(config, out, progress=progress)
    write_training_report(out)
    return card


def resolved_recipe(
    recipe: Path | boundary.FilePairs,
    *,
    steps: int | None = None,
    device: str = "auto",
    loggers: tuple[str, ...] = LOGGERS,
) -> boundary.TrainConfig:
    """Everything decided. Paths in a recipe count from its own folder."""
    if isinstance(recipe, Path):
        return read_recipe(recipe, steps=steps, device=device, loggers=loggers)
    config = boundary.recipe_from_files(recipe, steps=steps)
    return config.model_copy(update={"fit": {**config.fit, "device": device, "loggers": list(loggers)}})


def read_recipe(
    recipe: Path, *, steps: int | None = None, device: str = "auto", loggers: tuple[str, ...] = LOGGERS
) -> boundary.TrainConfig:
    """Check a recipe; every mistake in it is reported, not just the first."""
    data = recipe_keys(recipe)
    fit = {**data.get("fit", {}), "device": device, "loggers": list(loggers)}
    if steps is not None:
        fit["steps"] = steps
    for volume in data.get("volumes") or ():
        if isinstance(volume, dict):
            boundary.require_said(volume, recipe.parent)
    try:
        config = boundary.TrainConfig(**{**data, "fit": fit})
    except ValidationError as error:
        wrong = all_mistakes(error)
        raise InputError(
            f"Recipe '{recipe}' is not valid: {wrong}", "the keys of recipes/em_affinity.yaml", "correct them"
        ) from error
    return boundary.with_paths_from(config, recipe.parent)
