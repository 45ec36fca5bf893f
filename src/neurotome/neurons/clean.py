"""Cleaning an overlap map by itself, as the reference does between prediction and linking."""

from __future__ import annotations

import numpy as np

from neurotome.core import Probability, UnknownNameError, ValueRangeError
from neurotome.neurons.link import clean_overlap
from neurotome.neurons.voxel_graph import quantise

__all__ = ["with_clean_overlap"]


def with_clean_overlap(
    probability: Probability, *, threshold: int = 127, erosions: int = 10, skeletonise: bool = True
) -> Probability:
    """The same volume with its channel `overlap` binarised (value >= `threshold` of 255), eroded and thinned: 0 or 255.

    See `clean_overlap`. The other channels stay as they are, as uint8. The volume is read into memory.
    Raises UnknownNameError where there is no such channel, ValueRangeError for a threshold outside 1..255.
    """
    if "overlap" not in probability.channels:
        raise UnknownNameError("channel", "overlap", probability.channels)
    if not 1 <= threshold <= 255:
        raise ValueRangeError(f"Threshold {threshold}", "a grey value in 1..255", "multiply by 255 if it is a probability")
    if erosions < 0:
        raise ValueRangeError(f"{erosions} erosions", "0 or more", "give 0 to switch them off")
    data = quantise(probability.read())
    overlap = data[probability.index("overlap")]
    overlap[:] = clean_overlap(overlap >= threshold, erosions=erosions, skeletonise=skeletonise) * np.uint8(255)
    return Probability(data, probability.grid, probability.channels, probability.name)
