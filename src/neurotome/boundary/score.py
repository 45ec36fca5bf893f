"""How good is a boundary map? The ISBI-2012 scores, after thinning; for classes, how much of each agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from neurotome.boundary.targets import class_of
from neurotome.boundary.training.annotated import require_two_values
from neurotome.core import Image, InputError, Labels, Probability, Scores, UnknownNameError, ValueRangeError
from neurotome.measure import class_scores, isbi_scores

__all__ = ["inside_channels", "inside_image", "inside_map", "score", "score_classes"]


def inside_map(probability: Probability) -> np.ndarray:
    """P(inside), float64 (z, y, x), from whichever channel says it: inside, 1 - membrane, cytoplasm or in-plane affinities."""
    names = inside_channels(probability.channels)
    if not names:
        known = ("inside", "membrane", "cytoplasm", "affinity:0,1,0 + affinity:0,0,1")
        raise UnknownNameError("channel", ", ".join(probability.channels), known)
    if names == ("membrane",):
        return 1.0 - _unit(probability, "membrane")
    return np.min([_unit(probability, name) for name in names], axis=0)


def inside_channels(channels: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the channels that say what is inside a cell, the first kind there is; none where nothing says it.

    >>> inside_channels(("affinity:0,0,1", "affinity:0,1,0")), inside_channels(("overlap",))
    (('affinity:0,1,0', 'affinity:0,0,1'), ())
    """
    ways = (("inside",), ("cytoplasm",), ("membrane",), ("affinity:0,1,0", "affinity:0,0,1"))
    return next((way for way in ways if set(way) <= set(channels)), ())


def inside_image(probability: Probability) -> Image:
    """`inside_map` as an image of float32 values, as the ISBI-2012 challenge takes it."""
    return Image(inside_map(probability).astype(np.float32), probability.grid, "inside")


def score(probability: Probability, truth: Labels, *, truth_is: Literal["instances", "inside", "membrane"]) -> Scores:
    """V_rand and V_info after thinning (Arganda-Carreras et al. 2015), best of 11 thresholds over the mean of the sections.

    Raises ShapeError or UnitError when the two do not fit, InputError when the polarity of a binary truth is wrong.
    """
    probability.grid.require_same(truth.grid, f"probability '{probability.name}'", f"truth '{truth.name}'")
    if truth_is not in ("instances", "inside", "membrane"):
        raise UnknownNameError("truth_is", truth_is, ("instances", "inside", "membrane"))
    ids = truth.read()
    inside = ids == 0 if truth_is == "membrane" else ids > 0
    if truth_is != "instances" and len(np.unique(ids)) > 2:
        raise InputError(
            f"Truth '{truth.name}' has more than two values", f"two, since it is said to be {truth_is}", "say instances"
        )
    return isbi_scores(inside_map(probability), inside).to_scores()


def score_classes(
    probability: Probability, truth: Labels, *, class_values: Mapping[str, int] | None = None, threshold: float = 0.5
) -> Scores:
    """Jaccard, Dice and conformity of each class, a voxel belonging to it where its channel is above `threshold`.

    class_values: what the values of the truth mean; class NAME is compared with channel "class:NAME", or with a channel NAME.
    Without them the truth is a mask, above 0 where the one class channel should be high.
    Raises ShapeError or UnitError when the two do not fit, UnknownNameError for a class without channel, InputError where it is
    not clear which channel is meant.
    """
    probability.grid.require_same(truth.grid, f"probability '{probability.name}'", f"truth '{truth.name}'")
    if not 0 <= threshold < 1:
        raise ValueRangeError(f"Threshold {threshold:g}", "0 or more and below 1", "0.5 is usual")
    ids = truth.read()
    masks = {name: ids == value for name, value in (class_values or {}).items()}
    if not masks:
        require_two_values(ids, truth.name, "the mask of one class")
        masks = {_only_class(probability): ids > 0}
    found = []
    for name, mask in masks.items():
        channel = name if name in probability.channels else f"class:{name}"
        predicted = _unit(probability, channel) > threshold
        found += class_scores(predicted.astype(np.uint8), mask.astype(np.uint8), {1: name})
    return Scores(tuple(found))


def _only_class(probability: Probability) -> str:
    classes = [c for c in probability.channels if class_of(c)]
    names = [str(class_of(c)) for c in classes] or (list(probability.channels) if len(probability.channels) == 1 else [])
    if len(names) != 1:
        raise InputError(
            f"Probability '{probability.name}' has the channels {', '.join(probability.channels)}",
            "one class channel, or a truth whose values have names",
            "give --channel class:NAME, or --class-value NAME=VALUE for each class of the truth",
        )
    return names[0]


def _unit(probability: Probability, channel: str) -> np.ndarray:
    values = probability.read((channel,))[0]
    return values / 255.0 if values.dtype == np.uint8 else values.astype(np.float64)
