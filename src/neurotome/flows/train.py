"""A recipe in YAML -> a trained network with its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from neurotome import boundary
from neurotome.core import FormatError, InputError, MissingFileError, ModelCard, Progress, silent

__all__ = ["read_recipe", "train_from_recipe"]


def train_from_recipe(
    recipe: Path,
    out: Path,
    *,
    steps: int | None = None,
    device: str = "auto",
    loggers: tuple[str, ...] = ("csv", "tensorboard"),
    progress: Progress = silent,
) -> ModelCard:
    """`neurotome boundary train`. Paths in the recipe count from the recipe's own folder."""
    config = read_recipe(recipe, steps=steps, device=device, loggers=loggers)
    return boundary.train(config, out, progress=progress)


def read_recipe(
    recipe: Path, *, steps: int | None = None, device: str = "auto", loggers: tuple[str, ...] = ("csv", "tensorboard")
) -> boundary.TrainConfig:
    """Check a recipe; every mistake in it is reported, not just the first."""
    data = _yaml(recipe)
    fit = {**data.get("fit", {}), "device": device, "loggers": list(loggers)}
    if steps is not None:
        fit["steps"] = steps
    try:
        config = boundary.TrainConfig(**{**data, "fit": fit})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(
            f"Recipe '{recipe}' is not valid: {wrong}", "the keys of recipes/em_affinity.yaml", "correct them"
        ) from error
    return boundary.with_paths_from(config, recipe.parent)


def _yaml(recipe: Path) -> dict[str, Any]:
    if not recipe.is_file():
        raise MissingFileError(f"Recipe '{recipe}' does not exist", "a YAML file", "see recipes/ for examples")
    try:
        data = yaml.safe_load(recipe.read_text())
    except yaml.YAMLError as error:
        raise FormatError(f"Recipe '{recipe}' is not YAML ({error})", "keys and values", "see recipes/ for examples") from error
    if not isinstance(data, dict):
        raise FormatError(f"Recipe '{recipe}' holds a {type(data).__name__}", "keys and values", "see recipes/ for examples")
    return data
