"""Ways to divide data into parts for training and judging: quadrants of a section, runs of sections, named files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from neurotome.core import Box, InputError, ShapeError
from neurotome.core.geometry import Int3

__all__ = ["QUADRANTS", "folds", "quadrants", "train_test"]

QUADRANTS = ("a", "b", "c", "d")


def quadrants(shape: Int3) -> dict[str, Box]:
    """The four quarters of the sections of a volume (z, y, x), by the names that neuron3d gives them; all sections each.

        +-------+-------+
        |   c   |   b   |      y down, x to the right
        +-------+-------+
        |   d   |   a   |
        +-------+-------+

    Raises ShapeError for an odd height or width, which has no middle. Source: mweber95/neuron3d, experiment_8.

    >>> quadrants((2, 4, 6))["b"]
    Box(start=(0, 0, 3), stop=(2, 2, 6))
    """
    sections, height, width = shape
    if height % 2 or width % 2:
        raise ShapeError(
            f"Sections of {height} x {width} pixels", "an even height and width, to be cut in two", "crop a row or column"
        )
    y, x = height // 2, width // 2
    corners = {"a": (y, x), "b": (0, x), "c": (0, 0), "d": (y, 0)}
    return {name: Box((0, *corner), (sections, corner[0] + y, corner[1] + x)) for name, corner in corners.items()}


def folds(sections: int, k: int) -> tuple[tuple[int, int], ...]:
    """`k` runs of neighbouring sections, half-open, that cover a stack; the first ones are longer where it does not divide.

    Neighbouring sections are nearly alike, so random ones would leave the answer in the training data.
    Raises InputError for fewer sections than folds, or fewer than two folds.

    >>> folds(10, 3)
    ((0, 4), (4, 7), (7, 10))
    """
    if k < 2 or sections < k:
        raise InputError(f"{k} folds of {sections} sections", "at least two folds, and a section for each", "ask for other folds")
    size, longer = divmod(sections, k)
    starts = [fold * size + min(fold, longer) for fold in range(k + 1)]
    return tuple(pairwise(starts))


def train_test(names: Sequence[str], share: float, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names drawn at random for training, round(share x number) of them, and the rest; each in the order given.

    The same names, share and seed give the same parts. For things that do not depend on each other (files of different
    tissue); for the sections of one stack see `folds`.
    Raises InputError for a share that leaves one part empty, and for names that repeat.

    >>> train_test(["s1", "s2", "s3", "s4"], 0.5, seed=0)
    (('s1', 's3'), ('s2', 's4'))
    """
    if len(set(names)) != len(names):
        raise InputError(f"{len(names)} names, {len(set(names))} of them different", "each name once", "remove the repeated ones")
    count = round(share * len(names))
    if not 0 < count < len(names):
        raise InputError(
            f"A share of {share:g} of {len(names)} names", "something in both parts", "choose a share between 0 and 1"
        )
    chosen = set(np.random.default_rng(seed).permutation(len(names))[:count].tolist())
    parts: tuple[list[str], list[str]] = ([], [])
    for n, name in enumerate(names):
        parts[n not in chosen].append(name)
    return tuple(parts[0]), tuple(parts[1])
