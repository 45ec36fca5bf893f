"""Trainings are given a recipe, or the image files and labels that take its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurotome.core import InputError

__all__ = ["require_recipe_or_files"]


def require_recipe_or_files(recipe: object, options: Mapping[str, Any]) -> None:
    """Raise InputError unless there is a recipe, or --image: never both, and no option that belongs to the other is dropped.

    options: those of the files, by name, None where they were not given; --image is one of them.
    """
    given = [option for option, value in options.items() if value is not None]
    if (recipe is None) == (options["--image"] is None) or (recipe and given):
        raise InputError(
            f"A recipe and {', '.join(given)} were given" if recipe else "Neither a recipe nor --image was given",
            "a recipe, or --image with --labels",
            "write it into the recipe" if recipe else "see recipes/ for examples",
        )
