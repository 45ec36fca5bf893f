"""One look at a crop: what its mask shows, between fixed grey limits, ready for a network, a GIF or a figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from neurotome.core import Crop, CropLook, CropRecipe, UnknownNameError
from neurotome.core.geometry import Int3
from neurotome.synapses.discarded import Discarded
from neurotome.synapses.views.algebra import Expression, Operand, named, wanted
from neurotome.synapses.views.boxes import BOX, BoxFit, centred_box, vesicle_box
from neurotome.synapses.views.grey import LIMITS, blended, in_steps, normalised_grey
from neurotome.synapses.views.masks import Masks
from neurotome.synapses.views.presets import resolve
from neurotome.synapses.views.presynapse_size import resized_presynapse

__all__ = ["CropSource", "View", "look_at", "view", "views"]

_SHOULD_BE_THERE = {"no_vesicles": ("vesicles",), "no_cleft": ("cleft", "cleft2")}
"""Why a mask that wants one of these has nothing to show; either label of the cleft is a cleft."""


class CropSource(Protocol):
    """The crops of a study, with one row of `sites` each, as a CropSet has them."""

    recipe: CropRecipe
    sites: pd.DataFrame

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Crop: ...


@dataclass(frozen=True, eq=False)
class View:
    """What is shown of one crop.

    key: "dataset/volume/id". values: (s, s, s) float32 between `limits`. mask: (s, s, s) bool, what is not under grey.
    flags: "border" (part of it has no tissue), "undetermined" (which side is presynaptic was taken from a rule),
    "target_unreachable" (the presynapse could not get its size), "no_contrast". shift: voxel v here is voxel v + shift of the
    crop; not 0 for presets 12 and 13.
    """

    key: str
    values: np.ndarray
    mask: np.ndarray
    flags: tuple[str, ...] = ()
    shift: Int3 = (0, 0, 0)
    limits: tuple[float, float] = (0.0, 1.0)


def view(
    crop: Crop, look: CropLook, *, undetermined: bool = False, on_undetermined: str = "discard", pad: str = "grey"
) -> View | Discarded:
    """What a look shows of a crop, or why it shows nothing.

    undetermined: which side is presynaptic is not known; a mask with pre or post then discards the site, or takes side 2 for the
    presynapse if on_undetermined is "side2". pad: as in CropRecipe; with "grey" voxels without tissue are grey and in no mask.
    Reasons: undetermined_side, no_vesicles, no_cleft, those of `boxes.BOX_REASONS`, empty_mask. Raises ExpressionError.
    """
    shown = look_at(crop, (look,), undetermined=undetermined, on_undetermined=on_undetermined, pad=pad)
    return next(shown)


def look_at(
    crop: Crop, looks: Iterable[CropLook], *, undetermined: bool = False, on_undetermined: str = "discard", pad: str = "grey"
) -> Iterator[View | Discarded]:
    """Several looks at one crop, in their order. As `view` for each, but what they share is worked out once."""
    if on_undetermined not in ("discard", "side2"):
        raise UnknownNameError("answer to an undetermined side", on_undetermined, ("discard", "side2"))
    scene = _Scene(crop, undetermined=undetermined, side2=on_undetermined == "side2", padded=pad != "grey")
    return (scene.view(look) for look in looks)


def views(crops: CropSource, look: CropLook) -> Iterator[View | Discarded]:
    """One look at every crop of a study, in the order of its rows.

    Sides and padding are those that the crops were cut with; a site with an undetermined side is discarded with its margin.
    """
    recipe = crops.recipe
    told: dict[str, Any] = {"on_undetermined": recipe.on_undetermined, "pad": recipe.pad}
    unknown = crops.sites["pre_side"].to_numpy() == 0
    for i in range(len(crops)):
        shown = view(crops[i], look, undetermined=bool(unknown[i]), **told)
        if isinstance(shown, Discarded) and shown.reason == "undetermined_side":
            margin = float(crops.sites["margin"].iloc[i])
            shown = Discarded(shown.key, shown.step, shown.reason, margin, recipe.least_margin)
        yield shown


class _Scene:
    """A crop with all that different looks at it have in common."""

    def __init__(self, crop: Crop, *, undetermined: bool, side2: bool, padded: bool) -> None:
        self._crop, self._side2, self._padded = crop, side2, padded
        self._plain = Masks(crop)
        self._valid = self._plain(Operand("valid"))
        self._whole = bool(self._valid.all())
        # Older tables do not say it, but then neither side was painted.
        self._undetermined = undetermined or not (crop.has("pre") or crop.has("post"))
        self._greys: dict[str, tuple[np.ndarray, bool]] = {}
        self._sized: dict[tuple[float, float], tuple[Masks, bool]] = {}

    def view(self, look: CropLook) -> View | Discarded:
        expression, box = resolve(look.mask, self._crop.names)
        if missing := self._missing(expression, boxed=bool(box)):
            return missing
        masks, flags = self._masks(expression, look)
        mask = masks(expression)
        shift = (0, 0, 0)
        if box:
            vesicles = masks(Operand("vesicles"))
            fit = vesicle_box(mask, look.fill) if box == "fullest" else centred_box(vesicles, mask, look.fill)
            if fit.reason:
                return Discarded(self._crop.key, "view", fit.reason, fit.value, fit.threshold)
            mask, shift = _cut(mask, fit), _to_middle(fit, self._crop.size)
        if not self._padded and not self._whole:
            mask = mask & self._valid
        if not mask.any():
            return Discarded(self._crop.key, "view", "empty_mask", 0, 1)
        return self._shown(look, mask, flags, shift)

    def _missing(self, expression: Expression, *, boxed: bool) -> Discarded | None:
        if self._undetermined and not self._side2 and named(expression) & {"pre", "post"}:
            return Discarded(self._crop.key, "view", "undetermined_side")
        # A box has to be full, whatever of.
        for reason, names in () if boxed else _SHOULD_BE_THERE.items():
            if wanted(expression) & set(names) and not any(self._plain(Operand(name)).any() for name in names):
                return Discarded(self._crop.key, "view", reason, 0, 1)
        return None

    def _masks(self, expression: Expression, look: CropLook) -> tuple[Masks, tuple[str, ...]]:
        if not named(expression) & {"pre", "post"}:
            return self._plain, ()
        masks, reached = self._with_pre(look.pre_fraction, look.pre_tolerance)
        flags = (("undetermined", self._undetermined), ("target_unreachable", not reached))
        return masks, tuple(name for name, true in flags if true)

    def _with_pre(self, fraction: float | None, tolerance: float) -> tuple[Masks, bool]:
        if fraction is None and not self._undetermined:
            return self._plain, True
        wish = (-1.0 if fraction is None else fraction, tolerance)
        if wish not in self._sized:
            pre, post = ("side2", "side1") if self._undetermined else ("pre", "post")
            mask, reached = self._plain(Operand(pre)), True
            if fraction is not None:
                free = self._plain(Operand("background"))
                mask, reached = resized_presynapse(mask, free, fraction, tolerance=tolerance, voxel_nm=self._crop.voxel_nm)
            self._sized[wish] = Masks(self._crop, {"pre": mask, "post": self._plain(Operand(post))}), reached
        return self._sized[wish]

    def _shown(self, look: CropLook, mask: np.ndarray, flags: tuple[str, ...], shift: Int3) -> View:
        values, contrast = self._grey(look.normalization)
        low, high = LIMITS.get(look.normalization, (0.0, 1.0))
        grey = low + look.grey * (high - low)
        if not self._padded and not self._whole:
            values = np.where(self._valid, values, np.float32(grey))
        if any(shift):
            values, mask = _moved(values, shift, grey), _moved(mask, shift, False)
        shown = blended(values, mask, alpha=look.alpha, grey=grey)
        if look.legacy_8bit:
            shown = in_steps(shown, (low, high))
        more = (("border", not self._whole), ("no_contrast", not contrast))
        flags += tuple(name for name, true in more if true)
        return View(self._crop.key, shown, mask, flags, shift, (low, high))

    def _grey(self, how: str) -> tuple[np.ndarray, bool]:
        if how not in self._greys:
            values = normalised_grey(self._crop.image, how, valid=self._valid, levels=self._crop.levels)
            seen = values if self._whole else values[self._valid]
            self._greys[how] = values, bool(seen.max() > seen.min())
        return self._greys[how]


def _cut(mask: np.ndarray, fit: BoxFit) -> np.ndarray:
    boxed = np.zeros_like(mask)
    cube = tuple(slice(start, start + BOX) for start in fit.corner)
    boxed[cube] = mask[cube]
    return boxed


def _to_middle(fit: BoxFit, size: int) -> Int3:
    z, y, x = (start - (size - BOX) // 2 for start in fit.corner)
    return z, y, x


def _moved(array: np.ndarray, shift: Int3, fill: float) -> np.ndarray:
    moved = np.full_like(array, fill)
    to = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(shift, array.shape, strict=True))
    of = tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(shift, array.shape, strict=True))
    moved[to] = array[of]
    return moved
