"""How fast Voxel Scooping is: the kernel alone on three shapes, and the whole chain on a large probability map.

    python benchmarks/tracing_speed.py                 # kernel, chain on 512 x 512 x 512, scikit-image's skeletonize on the same
    python benchmarks/tracing_speed.py --side 256      # a smaller map

The chain is scoop, prune, rayburst, smooth_radii, reduce_nodes of every component with at least 50 voxels, on one core, from
uint8 in memory. Seconds are processor time of the one thread, of the shortest of --repeats runs after one that compiles; memory
is the peak of the process above what it held before, the input counted in. Peer: skeletonize (Lee 1994) of scikit-image on the
mask, which gives voxels, no tree. The map is drawn, not predicted: trees of random capsules with soft edges, about 1.5 %
foreground.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from skimage.morphology import skeletonize

from neurotome.core import Skeleton
from neurotome.tracing.scooping import Visited, prune, rayburst, reduce_nodes, scoop, smooth_radii
from neurotome.tracing.sparse.bricks import Bricks

VOXEL_NM = (300.0, 300.0, 300.0)
MIN_VOXELS = 50
THRESHOLD = 128


def main() -> None:
    options = _options()
    kernel_table(options.repeats)
    chain_table(options.side, options.repeats, peer=not options.no_peer)


def kernel_table(repeats: int) -> None:
    """Voxels per second of scoop on one component."""
    print("| shape | object voxels | nodes | seconds | million voxels/s |\n|---|---|---|---|---|")
    for name, volume, start in _shapes():
        bricks = Bricks.of(volume, VOXEL_NM)
        scoop(bricks, start)
        seconds, tree = _shortest(lambda bricks=bricks, start=start: scoop(bricks, start), repeats)
        voxels = int(tree.features["cluster_voxels"].sum())
        print(f"| {name} | {voxels:,} | {len(tree):,} | {seconds:.3f} | {voxels / seconds / 1e6:.2f} |")


def chain_table(side: int, repeats: int, *, peer: bool) -> None:
    """Seconds of each step on a whole map."""
    volume = capsule_trees((side,) * 3, share=0.015)
    mask_voxels = int(np.count_nonzero(volume >= THRESHOLD))
    print(f"\n{side}^3 map, {mask_voxels:,} object voxels ({mask_voxels / volume.size:.2%})")
    chain(volume[:64, :64, :64])
    with _Peak() as peak:
        total, (trees, steps) = _shortest(lambda: chain(volume), repeats)
    print("| step | seconds |\n|---|---|")
    for step, seconds in steps.items():
        print(f"| {step} | {seconds:.2f} |")
    print(f"| all | {total:.2f} |\n{len(trees)} trees, {sum(map(len, trees)):,} nodes")
    print(f"peak memory, with the input: {1 + peak.bytes / volume.nbytes:.2f} x input")
    if peer:
        lee, _ = _shortest(lambda: skeletonize(volume >= THRESHOLD), 1)
        print(f"skeletonize: {lee:.2f} s, {lee / total:.1f} x the chain, {lee / steps['scoop']:.1f} x scoop")


def chain(volume: np.ndarray) -> tuple[list[Skeleton], dict[str, float]]:
    """The trees of a map, and how long each step took."""
    steps: dict[str, float] = {}

    def timed(step: str, work: Callable):
        begin = time.thread_time()
        result = work()
        steps[step] = steps.get(step, 0.0) + time.thread_time() - begin
        return result

    bricks = timed("bricks", lambda: Bricks.of(volume, VOXEL_NM, floor=THRESHOLD))
    visited = timed("bricks", lambda: Visited.of(bricks))
    trees = timed("scoop", lambda: _grow_all(bricks, visited))
    finished = []
    for raw in trees:
        tree = timed("prune", lambda raw=raw: prune(raw))
        sizes = tree.features["cluster_size_nm"]
        radii = timed("rayburst", lambda t=tree, s=sizes: rayburst(bricks, t.points_nm, THRESHOLD, cluster_size_nm=s))
        tree = timed("smooth, reduce", lambda t=tree, r=radii: smooth_radii(replace(t, radii_nm=r)))
        finished.append(timed("smooth, reduce", lambda t=tree: reduce_nodes(t, smallest_nm=min(VOXEL_NM))))
    return finished, steps


def _grow_all(bricks: Bricks, visited: Visited) -> list[Skeleton]:
    corners = np.argwhere(bricks.table >= 0) * 32
    trees = []
    for slot, corner in enumerate(corners):
        while True:
            left = np.flatnonzero((bricks.values[slot] >= THRESHOLD) & (visited.mask[slot] == 0))
            if not len(left):
                break
            start = tuple(int(i) for i in corner + np.array(np.unravel_index(left[0], (32, 32, 32))))
            tree = scoop(bricks, start, visited=visited)
            if tree.features["cluster_voxels"].sum() >= MIN_VOXELS:
                trees.append(tree)
    return trees


def capsule_trees(shape: tuple[int, int, int], share: float, random_state: int = 0) -> np.ndarray:
    """A probability map of branching fibres until this share of the voxels is foreground."""
    rng = np.random.default_rng(random_state)
    volume = np.zeros(shape, np.uint8)
    wanted, drawn = share * volume.size, 0.0
    while drawn < wanted:
        tips = [(rng.uniform(0, 1, 3) * shape, _direction(rng), rng.uniform(2, 4))]
        for _ in range(200):
            if not tips or drawn >= wanted:
                break
            place, way, radius = tips.pop(int(rng.integers(len(tips))))
            way = way + 0.3 * _direction(rng)
            following = place + 12 * way / np.linalg.norm(way)
            if (following < 0).any() or (following >= shape).any():
                continue
            draw_capsule(volume, place, following, radius)
            drawn += np.pi * radius**2 * 12
            thinner = max(1.2, 0.99 * radius)
            tips.append((following, way, thinner))
            if rng.random() < 0.1:
                tips.append((following, way + _direction(rng), max(1.2, 0.8 * radius)))
    return volume


def draw_capsule(volume: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float) -> None:
    """Raise the values around the line from a to b: 255 inside, half at the radius, 0 one voxel on."""
    low = np.maximum(np.floor(np.minimum(a, b) - radius - 1).astype(int), 0)
    high = np.minimum(np.ceil(np.maximum(a, b) + radius + 2).astype(int), volume.shape)
    grid = np.meshgrid(*(np.arange(i, j) for i, j in zip(low, high)), indexing="ij", sparse=True)
    along = sum((g - p) * (q - p) for g, p, q in zip(grid, a, b)) / ((b - a) ** 2).sum()
    along = np.clip(along, 0, 1)
    distance = np.sqrt(sum((g - (p + along * (q - p))) ** 2 for g, p, q in zip(grid, a, b)))
    value = (255 * np.clip(radius + 0.5 - distance, 0, 1)).astype(np.uint8)
    part = volume[tuple(slice(i, j) for i, j in zip(low, high))]
    np.maximum(part, value, out=part)


def _direction(rng: np.random.Generator) -> np.ndarray:
    way = rng.normal(size=3)
    return way / np.linalg.norm(way)


def _shapes() -> list[tuple[str, np.ndarray, tuple[int, int, int]]]:
    """Name, volume and start voxel: fibres of radius 1.5 in a grid, a thick snake, a solid block."""
    thin = np.zeros((200, 400, 400), np.uint8)
    for x in range(10, 390, 20):
        draw_capsule(thin, np.array([100, 10, x]), np.array([100, 390, x]), 1.5)
        for y in range(10, 390, 20):
            draw_capsule(thin, np.array([20, y, x]), np.array([180, y, x]), 1.5)
    draw_capsule(thin, np.array([100, 10, 10]), np.array([100, 10, 390]), 1.5)
    thick = np.zeros((200, 400, 400), np.uint8)
    for x in range(40, 380, 40):
        draw_capsule(thick, np.array([100, 20, x]), np.array([100, 380, x]), 10)
    draw_capsule(thick, np.array([100, 20, 40]), np.array([100, 20, 360]), 10)
    block = np.zeros((168, 168, 168), np.uint8)
    block[4:164, 4:164, 4:164] = 255
    return [
        ("thin tree, r = 1.5", thin, (100, 10, 10)),
        ("thick tubes, r = 10", thick, (100, 20, 40)),
        ("solid block", block, (84, 84, 4)),
    ]


def _shortest(work: Callable, repeats: int):
    best, result = float("inf"), None
    for _ in range(repeats):
        begin = time.thread_time()
        now = work()
        seconds = time.thread_time() - begin
        if seconds < best:
            best, result = seconds, now
    return best, result


class _Peak:
    """The most memory the process held above what it held at the beginning, looked at every few milliseconds."""

    def __enter__(self) -> _Peak:
        self.before, self.bytes, self._on = _resident(), 0, True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False
        self._thread.join()

    def _watch(self) -> None:
        while self._on:
            self.bytes = max(self.bytes, _resident() - self.before)
            time.sleep(0.005)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true", help="leave out skeletonize, which takes minutes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
