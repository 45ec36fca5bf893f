"""The numbers that rivuletpy prints, so that published ones can be checked. Not fit for comparing tracings.

Its recall divides hits among test nodes by those plus missed gold nodes, so it rises with the number of nodes: half a neuron
sampled finely scores above a whole one sampled coarsely. Elsewhere neurotome uses lengths, never node counts.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from neurotome.measure.trees.distances import Agreement

__all__ = ["rivuletpy_compat"]


def rivuletpy_compat(test: np.ndarray, gold: np.ndarray, tolerance: float = 4.0) -> Agreement:
    """Precision = hits / test nodes, recall = hits / (hits + missed gold nodes), node to node; points (n, 3) in voxels.

    A hit is a test node nearer than `tolerance` to a gold node; a gold node is missed when no test node is within `tolerance`.

    >>> gold = np.column_stack([np.zeros(101), np.zeros(101), np.arange(101.0)])
    >>> round(rivuletpy_compat(gold[::10], gold, 2.0).f1, 3)
    0.306
    """
    hits = int((cKDTree(gold).query(test)[0] < tolerance).sum())
    missed = int((cKDTree(test).query(gold)[0] > tolerance).sum())
    return Agreement(hits / len(test), hits / (hits + missed) if hits + missed else 0.0)
