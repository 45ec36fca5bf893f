"""Where a curve bends."""

from __future__ import annotations

import numpy as np

__all__ = ["farthest_below_chord"]


def farthest_below_chord(x: np.ndarray, y: np.ndarray) -> int:
    """The place where the curve (x, y), both scaled to 0...1, lies farthest below the line from its first to its last point.

    The first of equals; 0 for a straight or a constant curve. Source: Satopaa et al. 2011.

    >>> farthest_below_chord(np.array([1, 2, 3, 4, 5]), np.array([100.0, 40, 10, 8, 6]))
    2
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    height = float(y.max() - y.min())
    if len(x) < 3 or height == 0:
        return 0
    along = (x - x[0]) / (x[-1] - x[0])
    below = (y[0] + along * (y[-1] - y[0]) - y) / height
    return int(np.argmax(np.round(below, 12)))
