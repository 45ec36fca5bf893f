"""A recipe as it lies in its YAML file: keys and values, or an error that says what is wrong with the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from neurotome.core import FormatError, MissingFileError

__all__ = ["all_mistakes", "recipe_keys"]


def recipe_keys(recipe: Path, what: str = "Recipe") -> dict[str, Any]:
    """The keys of a YAML file. Raises MissingFileError, FormatError; `what` is what the messages call the file."""
    if not recipe.is_file():
        raise MissingFileError(f"{what} '{recipe}' does not exist", "a YAML file", "see recipes/ for examples")
    try:
        data = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise FormatError(f"{what} '{recipe}' is not YAML ({error})", "keys and values", "see recipes/ for examples") from error
    if not isinstance(data, dict):
        raise FormatError(f"{what} '{recipe}' holds a {type(data).__name__}", "keys and values", "see recipes/ for examples")
    return data


def all_mistakes(error: ValidationError) -> str:
    """Everything a check found, with the keys it was found at."""
    found = [(".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, ")) for e in error.errors()]
    return "; ".join(f"{place}: {message}" if place else message for place, message in found)
