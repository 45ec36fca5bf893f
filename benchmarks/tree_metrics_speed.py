"""Point to segment distances between two trees of 100,000 nodes, on one core, beside scipy's cKDTree from node to node.

    python benchmarks/tree_metrics_speed.py [--nodes 100000] [--repeats 3]

The trees are grown: steps of 1.5 voxels that keep their direction for a while and branch once in a hundred; the test tree is
the gold tree with every node moved by a voxel. cKDTree answers an easier question, how far the nearest *node* is, whose answer
depends on how densely nodes were set; it is the peer because tracing metrics elsewhere are built on it. Prints Markdown.
"""

import argparse
import math
import os
import time
from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from neurotome.core import Skeleton
from neurotome.measure.trees import compare_trees, tree_scores
from neurotome.measure.trees.nearest import nearest_segment, nearest_segments
from neurotome.measure.trees.sampling import edge_samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3, help="the fastest of so many runs counts, for both sides")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    gold = grown(options.nodes, np.random.default_rng(0))
    moved = gold.points_nm + np.random.default_rng(1).normal(size=gold.points_nm.shape)
    test = Skeleton(gold.ids, gold.parents, moved, gold.radii_nm, gold.kinds, name="moved")
    small = grown(100, np.random.default_rng(0))
    tree_scores(compare_trees(small, small, voxel_nm=(1, 1, 1)))  # compiles
    require_exact(test, gold)
    report(test, gold, options.repeats)


def grown(nodes: int, rng: np.random.Generator) -> Skeleton:
    parents, points, headings = np.full(nodes, -1), np.zeros((nodes, 3)), np.zeros((nodes, 3))
    headings[0, 2] = 1
    for row in range(1, nodes):
        parents[row] = row - 1 if rng.random() > 0.01 else rng.integers(row)
        heading = headings[parents[row]] + 0.3 * rng.normal(size=3)
        headings[row] = heading / np.linalg.norm(heading)
        points[row] = points[parents[row]] + 1.5 * headings[row]
    return Skeleton.of(parents, points, name="grown")


def segments(tree: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    edges = np.flatnonzero(tree.parent_rows >= 0)
    return tree.points_nm[tree.parent_rows[edges]], tree.points_nm[edges]


def sampled(tree: Skeleton) -> np.ndarray:
    return edge_samples(tree.points_nm, tree.parent_rows, 0.5).points


def both_ways(test: Skeleton, gold: Skeleton) -> None:
    nearest_segments(sampled(test), *segments(gold))
    nearest_segments(sampled(gold), *segments(test))


def node_to_node(a: np.ndarray, b: np.ndarray) -> None:
    cKDTree(b).query(a)
    cKDTree(a).query(b)


def require_exact(test: Skeleton, gold: Skeleton) -> None:
    queries = sampled(test)[:: max(1, len(test) // 50)]
    found = nearest_segments(queries, *segments(gold)).distance
    true = np.array([nearest_segment(point, *segments(gold)) for point in queries])
    if not np.allclose(found, true, rtol=0, atol=1e-9):
        raise SystemExit(f"Not exact: off by {np.abs(found - true).max()}")


def timed(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """The fewest seconds by the clock, and of the processor: equal where nobody else is on the core."""
    best = [math.inf, math.inf]
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        work()
        best = [min(best[0], time.perf_counter() - start[0]), min(best[1], time.process_time() - start[1])]
    return best[0], best[1]


def report(test: Skeleton, gold: Skeleton, repeats: int) -> None:
    a, b = sampled(test), sampled(gold)
    unit = (1000.0, 1000.0, 1000.0)
    um = [Skeleton(t.ids, t.parents, t.points_nm * 1000, t.radii_nm, t.kinds, name=t.name) for t in (test, gold)]
    points = len(a) + len(b)
    rows = [
        ("neurotome: sampling, and every sample to its nearest segment, both ways", points, lambda: both_ways(test, gold)),
        ("cKDTree: every sample to its nearest sample, both ways", points, lambda: node_to_node(a, b)),
        ("cKDTree: node to node, both ways", 2 * len(gold), lambda: node_to_node(test.points_nm, gold.points_nm)),
        ("neurotome: all metrics, in voxels and in um", points, lambda: tree_scores(compare_trees(*um, voxel_nm=unit))),
    ]
    print(f"Two trees of {len(gold):,} nodes, {len(a):,} and {len(b):,} samples of at most half a voxel, one core.\n")
    print("| work | queries | seconds | CPU seconds |\n|---|---|---|---|")
    for name, queries, work in rows:
        wall, processor = timed(work, repeats)
        print(f"| {name} | {queries:,} | {wall:.2f} | {processor:.2f} |")


if __name__ == "__main__":
    main()
