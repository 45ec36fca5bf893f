"""How good is a boundary map? The ISBI-2012 scores, after thinning."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neurotome.core import InputError, Labels, Probability, Scores, UnknownNameError
from neurotome.measure import isbi_scores

__all__ = ["inside_map", "score"]


def inside_map(probability: Probability) -> np.ndarray:
    """P(inside), float64 (z, y, x), from whichever channel says it: inside, 1 - membrane, cytoplasm or in-plane affinities."""
    channels = probability.channels
    if "inside" in channels or "cytoplasm" in channels:
        return _unit(probability, "inside" if "inside" in channels else "cytoplasm")
    if "membrane" in channels:
        return 1.0 - _unit(probability, "membrane")
    if {"affinity:0,1,0", "affinity:0,0,1"} <= set(channels):
        return np.minimum(_unit(probability, "affinity:0,1,0"), _unit(probability, "affinity:0,0,1"))
    raise UnknownNameError("channel", ", ".join(channels), ("inside", "membrane", "cytoplasm", "affinity:0,1,0 + affinity:0,0,1"))


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


def _unit(probability: Probability, channel: str) -> np.ndarray:
    values = probability.read((channel,))[0]
    return values / 255.0 if values.dtype == np.uint8 else values.astype(np.float64)
