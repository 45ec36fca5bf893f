"""How a tree divides at its forks: into equal or unequal parts, into thinner branches."""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd

from neurotome.core import SOMA, Skeleton

__all__ = ["fork_asymmetry", "rall_ratio"]


def fork_asymmetry(parent_rows: np.ndarray, below: np.ndarray, least: float = 0.0) -> np.ndarray:
    """(n,) float64 |a - b| / (a + b - 2 least) of what hangs on the two children of each fork; NaN for rows that are no fork.

    The mean over the pairs of children where there are more than two; a pair with nothing above `least` has 0. below: (n,), what
    hangs on each row, itself included: tips with `least` 1 (partition asymmetry, van Pelt et al. 1992), or cable with `least` 0.

    >>> fork_asymmetry(np.array([-1, 0, 0, 1, 1]), np.array([3.0, 2, 1, 1, 1]), 1.0)[:2].tolist()
    [1.0, 0.0]
    """
    return np.asarray(_asymmetry(np.ascontiguousarray(parent_rows, np.int64), np.ascontiguousarray(below, np.float64), least))


def rall_ratio(skeleton: Skeleton, branch_table: pd.DataFrame) -> np.ndarray:
    """(f,) float64 sum of the daughters' radii ** 1.5 over that of the parent branch, per fork that is no soma.

    1 where Rall's law holds. Radii are means along branches, so that how densely nodes lie changes nothing. Forks with an
    unknown radius are left out, and so are roots, which have no parent branch. branch_table: of the same skeleton.
    Source: Rall 1959.
    """
    power = branch_table["mean_radius_um"].to_numpy() ** 1.5
    rows = skeleton.rows_of(branch_table["end_id"].to_numpy(np.int64))
    own = np.full(len(skeleton), np.nan)
    own[rows] = power
    starts = skeleton.rows_of(branch_table["start_id"].to_numpy(np.int64))
    daughters = np.bincount(starts, power, len(skeleton))
    forks = np.unique(starts[skeleton.kinds[starts] != SOMA])
    ratio = daughters[forks] / own[forks]
    return np.asarray(ratio[np.isfinite(ratio)])


@numba.njit(cache=True, nogil=True)
def _asymmetry(parents, below, least):  # type: ignore[no-untyped-def]
    n = len(parents)
    first, following = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for row in range(n - 1, -1, -1):
        if parents[row] >= 0:
            following[row] = first[parents[row]]
            first[parents[row]] = row
    result = np.full(n, np.nan)
    for row in range(n):
        total, pairs, one = 0.0, 0, first[row]
        while one >= 0:
            other = following[one]
            while other >= 0:
                whole = below[one] + below[other] - 2 * least
                total += abs(below[one] - below[other]) / whole if whole > 0 else 0.0
                pairs += 1
                other = following[other]
            one = following[one]
        if pairs:
            result[row] = total / pairs
    return result
