"""Slow, obvious versions of the kernels, written from their definition: what the fast ones must equal."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest


class Definition:
    """Plain Python; a few hundred voxels at most."""

    @staticmethod
    def voxel_edges(edges):
        """(value, key, lower, upper) of every edge, voxels as linear indices."""
        shape = edges[0].shape
        strides = (shape[1] * shape[2], shape[2], 1)
        for index in product(*map(range, shape)):
            i = int(np.ravel_multi_index(index, shape))
            for c in range(3):
                if index[c] + 1 < shape[c]:
                    yield int(edges[c][index]), 3 * i + c, i, i + strides[c]

    @classmethod
    def fragments(cls, edges, t_low, t_high):
        size = edges[0].size
        links, around = [], [[] for _ in range(size)]
        for q, key, i, j in cls.voxel_edges(edges):
            around[i].append((-q, key, j))
            around[j].append((-q, key, i))
            if q >= t_high:
                links.append((i, j))
        members = set()
        for i, incident in enumerate(around):
            best = min(incident, default=(0, 0, 0))
            if -best[0] >= t_low:
                links.append((i, best[2]))
                members |= {i, best[2]}
        root = list(range(size))
        for i, j in links:
            a, b = sorted((root[i], root[j]))
            root = [a if r == b else r for r in root]
        return np.array([root[i] + 1 if i in members else 0 for i in range(size)]).reshape(edges[0].shape)

    @classmethod
    def rows(cls, ids, edges, long_range=()):
        """{(u, v): [affinity_sum, contact]}."""
        flat, rows = ids.reshape(-1), {}
        for q, _, i, j in cls.voxel_edges(edges):
            u, v = sorted((int(flat[i]), int(flat[j])))
            if 0 < u < v:
                row = rows.setdefault((u, v), [0, 0])
                row[0] += q
                row[1] += 1
        for offset, values in long_range:
            for index in product(*map(range, ids.shape)):
                other = tuple(np.add(index, offset))
                if all(o < n for o, n in zip(other, ids.shape)):
                    pair = tuple(sorted((int(ids[index]), int(ids[other]))))
                    if pair in rows:
                        rows[pair][0] += int(values[index])
                        rows[pair][1] += 1
        return dict(sorted(rows.items()))

    @staticmethod
    def merges(rows, least):
        """[(u, v, affinity_sum, contact)] from {(u, v): [affinity_sum, contact]}."""
        open_rows = {pair: [*row, pair] for pair, row in rows.items()}
        done = []
        while open_rows:
            pair, row = min(open_rows.items(), key=lambda item: (-Fraction(item[1][0], item[1][1]), item[1][2]))
            if 256 * row[0] < least * row[1]:
                break
            done.append((*pair, row[0], row[1]))
            del open_rows[pair]
            u, v = pair
            for other in [p for p in open_rows if v in p]:
                w = other[0] if other[1] == v else other[1]
                moved = open_rows.pop(other)
                kept = open_rows.setdefault((min(u, w), max(u, w)), [0, 0, moved[2]])
                kept[:] = kept[0] + moved[0], kept[1] + moved[1], min(kept[2], moved[2])
        return done

    @staticmethod
    def components(joined_pairs, present):
        """Labels 1..n in order of smallest index from pairs of linear indices and a (z, y, x) bool mask."""
        root = np.arange(present.size)
        for i, j in joined_pairs:
            a, b = sorted((root[i], root[j]))
            root[root == b] = a
        flat = present.reshape(-1)
        order = {r: n for n, r in enumerate(sorted(set(root[flat])), start=1)}
        return np.array([order[r] if p else 0 for r, p in zip(root, flat)]).reshape(present.shape)


@pytest.fixture(scope="session")
def definition():
    return Definition
