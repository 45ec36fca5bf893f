"""Training samples: neurons on their grids, varied anew at every look; and which neurons are looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from neurotome.core import InputError, Skeleton, ValueRangeError
from neurotome.morphology.occupancy import GridSettings, Shape, fitted, voxelise
from neurotome.morphology.occupancy.variants import Variation, varied
from neurotome.morphology.training.recipe import ShapeRecipe

__all__ = ["ShapeData", "ShapeStream", "shape_data"]

Sample = dict[str, Any]


class ShapeStream(Dataset[Sample]):
    """`length` looks at neurons an epoch, each a dict of grids (views, g, g, g), log_extent (views,) float32 and row.

    grids: uint8, 0 or 1, of `views` independently varied copies of neuron `row`; float32 where the settings ask for soft ones.
    log_extent: ln of half a grid's side in micrometres, so that a network knows the size that the grid does not show.
    The neurons are gone through in random order, then in another one; item i of epoch e is the same on every machine and after
    every restart. variation: None changes nothing. shuffled: False keeps the order of the shapes, for validation; None means
    shuffled where there is a variation. length: None stands for the number of shapes. rows: what samples call the shapes; None
    numbers them.
    Raises InputError for no shapes, and for a variation of shapes that are not trees.
    """

    def __init__(
        self,
        shapes: Sequence[Shape],
        settings: GridSettings,
        *,
        variation: Variation | None = None,
        views: int = 1,
        length: int | None = None,
        seed: int = 0,
        shuffled: bool | None = None,
        rows: Sequence[int] | None = None,
    ) -> None:
        if not len(shapes):
            raise InputError("A training stream of no neurons", "at least one", "look at the split")
        if views < 1:
            raise ValueRangeError(f"views {views}", "1 or more", "raise it")
        if variation is not None and (other := [s.name for s in shapes if not isinstance(s, Skeleton)]):
            raise InputError(f"'{other[0]}' is not a tree and cannot be varied", "skeletons", "train without variation")
        self.shapes, self.settings, self.variation, self.views = list(shapes), settings, variation, views
        self.length = len(self.shapes) if length is None else length
        self.seed, self.shuffled = seed, (variation is not None) if shuffled is None else shuffled
        self.rows = list(range(len(self.shapes)) if rows is None else rows)
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._kept: dict[int, tuple[np.ndarray, float]] = {}

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, item: int) -> Sample:
        if not 0 <= item < self.length:
            raise IndexError(item)
        place = int(self.epoch) * self.length + item
        at = self._at(place)
        looks = [self._look(at, place, view) for view in range(self.views)]
        return {
            "grids": torch.from_numpy(np.stack([grid for grid, _ in looks])),
            "log_extent": torch.tensor([extent for _, extent in looks], dtype=torch.float32),
            "row": self.rows[at],
        }

    def _at(self, place: int) -> int:
        turn, at = divmod(place, len(self.shapes))
        if not self.shuffled:
            return at
        return int(np.random.default_rng((self.seed, 0, turn)).permutation(len(self.shapes))[at])

    def _look(self, at: int, place: int, view: int) -> tuple[np.ndarray, float]:
        shape = self.shapes[at]
        if self.variation is None or not isinstance(shape, Skeleton):
            return self._unvaried(at)
        rng = np.random.default_rng((self.seed, 1, place, view))
        # A copy that was made larger may leave a grid of fixed extent; the neuron itself was checked when the extent was chosen.
        return _on_grid(varied(shape, self.variation, rng), self.settings.but(most_clipped=1.0))

    def _unvaried(self, at: int) -> tuple[np.ndarray, float]:
        """Drawn once and kept, a bit per voxel; soft grids are drawn each time, they would fill the memory."""
        if self.settings.mode in ("soft", "edt"):
            return _on_grid(self.shapes[at], self.settings)
        if at not in self._kept:
            grid, extent = _on_grid(self.shapes[at], self.settings)
            self._kept[at] = np.packbits(grid), extent
        bits, extent = self._kept[at]
        side = self.settings.size
        return np.unpackbits(bits).reshape(side, side, side), extent


@dataclass(frozen=True, eq=False)
class ShapeData:
    """What a network is shown, and what it is judged by. Rows of the streams are those of all shapes, in the order given.

    settings: with the scale that was fitted to the training neurons. parts: "train", "val" or "test" by name.
    """

    shapes: tuple[Shape, ...]
    parts: Mapping[str, str]
    settings: GridSettings
    training: ShapeStream
    validation: ShapeStream

    def rows(self, part: str) -> list[int]:
        return [row for row, shape in enumerate(self.shapes) if self.parts[shape.name] == part]


def shape_data(recipe: ShapeRecipe, shapes: Sequence[Shape], parts: Mapping[str, str]) -> ShapeData:
    """The streams of a training. Validation is the same in every epoch: unvaried, or for several views always the same ones."""
    settings, fit = recipe.grid_settings, recipe.fit_settings
    rows = {part: [row for row, shape in enumerate(shapes) if parts[shape.name] == part] for part in ("train", "val")}
    for part, found in rows.items():
        if not found:
            raise InputError(f"No neuron of {len(shapes)} is in {part}", "at least one", "look at the split")
    chosen = {part: [shapes[row] for row in found] for part, found in rows.items()}
    settings = fitted(settings, chosen["train"])
    stream = partial(ShapeStream, settings=settings, views=recipe.views, seed=fit.seed)
    training = stream(
        chosen["train"],
        variation=recipe.variation_settings,
        length=fit.batch * fit.validate_every,
        shuffled=True,
        rows=rows["train"],
    )
    varied = recipe.variation_settings if recipe.views > 1 else None
    validation = stream(chosen["val"], variation=varied, shuffled=False, rows=rows["val"])
    return ShapeData(tuple(shapes), dict(parts), settings, training, validation)


def _on_grid(shape: Shape, settings: GridSettings) -> tuple[np.ndarray, float]:
    """The grid, uint8 or float32, and the natural logarithm of half its side in micrometres."""
    drawn = voxelise(shape, settings)
    data = drawn.data if drawn.data.dtype.kind == "f" else drawn.data.astype(np.uint8, copy=False)
    return data, math.log((drawn.frame.hi_nm - drawn.frame.lo_nm) / 2000.0)
