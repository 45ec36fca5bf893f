"""Neurons in, an encoder of shapes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurotome.core import ModelCard, Progress, silent
from neurotome.datasets import read_split
from neurotome.flows.shapes.files import given_shapes

__all__ = ["train_encoder"]


def train_encoder(
    shapes: Sequence[Any],
    out: Path,
    *,
    network: str = "cubes",
    grid: int = 64,
    parity: bool = False,
    unit: str | None = None,
    split: Path | None = None,
    options: Mapping[str, Any] | None = None,
    fit: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> ModelCard:
    """`neurotome morphology train`: an encoder with its card in the folder `out`; goes on where an interrupted training stopped.

    shapes: paths, or neurons. network: cubes, or the reference's dense or nlat; parity: these as the reference does it.
    options: of the grid. fit: of the fitting, None values left out.
    """
    from neurotome.morphology.training import shape_recipe, train_shapes

    given = given_shapes(shapes, unit) if all(isinstance(one, str) for one in shapes) else shapes
    recipe = shape_recipe(network, grid, parity=parity, name=out.name, grid_options=options or {}, fit=fit or {})
    parts = None if split is None else read_split(split, [shape.name for shape in given])
    return train_shapes(recipe, list(given), out, parts=parts, progress=progress)
