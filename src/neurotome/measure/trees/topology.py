"""Is each gold tree one piece in the test, and each test tree part of one gold tree? Skeleton metrics after Januszewski 2018."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.measure.trees.sampling import pieces_of

__all__ = ["OMITTED", "Topology", "topology"]

OMITTED = -1
"""The label of a gold sample that no test tree covers."""


@dataclass(frozen=True, eq=False)
class Topology:
    """How the trees of a test cover those of a gold tracing.

    splits: label changes between neighbouring gold samples. omits: connected gold pieces without label; omitted: their share of
    the length. merges: test trees that cover more than one gold tree. edge_accuracy: share of gold length that is covered by a
    tree which is no merge, and by the same one as the sample above it. erl: expected run length, sum L_k^2 / sum L over the gold
    pieces between splits and omits, merged pieces counting 0; erl_best: of a perfect test. labels: (n,) per gold sample.
    """

    splits: int
    omits: int
    omitted: float
    merges: int
    edge_accuracy: float
    erl: float
    erl_best: float
    labels: np.ndarray

    @property
    def erl_share(self) -> float:
        return self.erl / self.erl_best


def topology(
    labels: np.ndarray,
    above: np.ndarray,
    weights: np.ndarray,
    gold_trees: np.ndarray,
    merge_um: float,
    weights_um: np.ndarray | None = None,
) -> Topology:
    """Splits, omits, merges, edge accuracy and expected run length.

    labels: (n,), per gold sample the number of the nearest test tree, or OMITTED. above: neighbours, see `samples_above`.
    weights: lengths of the samples. gold_trees: (n,), the gold tree of each. merge_um: a test tree that covers so much of each of
    two gold trees merges them, by the lengths `weights_um` (default: the weights).

    >>> one, half = np.ones(4), np.array([0, 0, 1, 1])
    >>> found = topology(half, np.array([-1, 0, 1, 2]), one, np.zeros(4, int), 2.0)
    >>> found.splits, found.edge_accuracy, found.erl, found.erl_best
    (1, 0.75, 2.0, 4.0)
    """
    covered = labels != OMITTED
    below_split = (above >= 0) & covered & (labels[above] != labels) & (labels[above] != OMITTED)
    merging = _merging(labels, weights if weights_um is None else weights_um, gold_trees, merge_um)
    merged = np.isin(labels, merging)
    pieces = pieces_of(labels, above)
    runs = np.bincount(pieces[covered & ~merged], weights[covered & ~merged])
    gold_lengths = np.bincount(gold_trees, weights)
    right = covered & ~merged & ~below_split
    gaps = pieces_of(np.where(covered, -1, 0), above)
    return Topology(
        splits=int(below_split.sum()),
        omits=int(gaps.max(initial=-1)) + 1,
        omitted=float(weights[~covered].sum() / weights.sum()),
        merges=len(merging),
        edge_accuracy=float(weights[right].sum() / weights.sum()),
        erl=float((runs**2).sum() / weights.sum()),
        erl_best=float((gold_lengths**2).sum() / weights.sum()),
        labels=labels,
    )


def _merging(labels: np.ndarray, weights: np.ndarray, gold_trees: np.ndarray, merge_um: float) -> np.ndarray:
    """The labels that cover at least `merge_um` of more than one gold tree."""
    covered = labels != OMITTED
    if not covered.any():
        return np.zeros(0, np.int64)
    golds = int(gold_trees.max()) + 1
    pairs, place = np.unique(labels[covered] * golds + gold_trees[covered], return_inverse=True)
    lengths = np.bincount(place, weights[covered])
    of_test, trees = np.unique(pairs[lengths >= merge_um - 1e-7] // golds, return_counts=True)
    return np.asarray(of_test[trees > 1])
