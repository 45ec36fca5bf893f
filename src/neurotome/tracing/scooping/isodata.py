"""The threshold between dark and bright around one node (ISODATA, Ridler and Calvard 1978), and how far apart the two are."""

from __future__ import annotations

import numba
import numpy as np

from neurotome.tracing.sparse.bricks import value_at

__all__ = ["SAMPLES", "histogram_around", "isodata", "rethreshold"]

SAMPLES = 1000
"""So many voxels of the cube are looked at, at most."""

# Steps of a sequence that fills a cube evenly (Roberts 2018): the powers of 1 / g, g the root of g^4 = g + 1.
_STEP_Z, _STEP_Y, _STEP_X = 0.8191725133961645, 0.6710436067037893, 0.5497004779019703


@numba.njit(cache=True, nogil=True)
def rethreshold(volume, rule, origin, node):
    """Give a node the threshold of its surroundings, tempered by its parent's; False where they show no two sides."""
    s = volume.spacing
    half = np.maximum(3, np.ceil(3 * node.scoop / s)).astype(np.int64)
    centre = np.empty(3, np.int64)
    centre[0], centre[1], centre[2] = round(node.z / s[0]), round(node.y / s[1]), round(node.x / s[2])
    counts = histogram_around(volume.table, volume.values, volume.shape, origin + centre, half)
    now, share = isodata(counts)
    if share < rule.least_share:
        return False
    fresh, old = rule.memory * counts.sum(), (1 - rule.memory) * node.evidence
    node.threshold = max(1.0, (fresh * now + old * node.threshold) / (fresh + old))
    node.evidence = fresh + old
    return True


@numba.njit(cache=True, nogil=True)
def isodata(histogram):
    """Threshold and share of the variance that lies between the two sides of it.

    histogram: (256,) counts. The threshold is half way between the means of what lies below it and of the rest.

    >>> counts = np.zeros(256, np.int64)
    >>> counts[[10, 20, 100, 120]] = 50
    >>> threshold, share = isodata(counts)
    >>> threshold, round(share, 3)
    (62.5, 0.973)
    """
    total, weight = histogram.sum(), 0.0
    for v in range(256):
        weight += v * histogram[v]
    if total == 0:
        return 0.0, 0.0
    mean = weight / total
    spread = 0.0
    for v in range(256):
        spread += histogram[v] * (v - mean) ** 2
    if spread == 0:
        return mean, 0.0
    threshold, between = mean, 0.0
    for _ in range(256):
        below, low = 0, 0.0
        for v in range(int(np.ceil(threshold))):
            below += histogram[v]
            low += v * histogram[v]
        low_mean, high_mean = low / below, (weight - low) / (total - below)
        between = below * (low_mean - mean) ** 2 + (total - below) * (high_mean - mean) ** 2
        if threshold == (low_mean + high_mean) / 2:
            break
        threshold = (low_mean + high_mean) / 2
    return threshold, between / spread


@numba.njit(cache=True, nogil=True)
def histogram_around(table, values, shape, centre, half):
    """Counts of the values in the box of `half` voxels to each side of a voxel, as far as it lies in the volume.

    All voxels of a small box, SAMPLES evenly spread ones of a large one: the same ones every time.
    """
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half + 1, shape)
    size = high - low
    counts = np.zeros(256, np.int64)
    if size[0] * size[1] * size[2] <= SAMPLES:
        for z in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                for x in range(low[2], high[2]):
                    counts[value_at(table, values, z, y, x)] += 1
        return counts
    for i in range(SAMPLES):
        z = low[0] + int(size[0] * ((0.5 + i * _STEP_Z) % 1.0))
        y = low[1] + int(size[1] * ((0.5 + i * _STEP_Y) % 1.0))
        x = low[2] + int(size[2] * ((0.5 + i * _STEP_X) % 1.0))
        counts[value_at(table, values, z, y, x)] += 1
    return counts
