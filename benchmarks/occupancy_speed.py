"""How fast neurons become grids, on one core: SWC files, the reference rule on clouds, and varied views for training.

    python benchmarks/occupancy_speed.py [--files FOLDER ...] [--count 1000] [--clouds 20] [--repeats 5]

The files: folders of SWC files in micrometres, gone through again until `count` are read; without any, as many generated neurons
are written first. The reference rule: clouds of 100,000 points on grown trees, beside plain NumPy that follows the definition
line by line (subtract the lowest point, divide, floor, unique, pad), and beside NumPy that leaves out `unique`; the grids are
compared voxel by voxel. CPU seconds are those of the processor: equal to seconds where nobody else is on the core.
Prints Markdown.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from neurotome.core import Skeleton
from neurotome.io import read_swc, write_swc
from neurotome.morphology.occupancy import GridSettings, Variation, frame_of, varied, voxelise
from neurotome.morphology.occupancy.points import legacy_voxels

POINTS = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="folders of SWC files")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--clouds", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5, help="the fastest of so many runs counts, for both sides")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as scratch:
        files = [file for folder in options.files for file in sorted(folder.glob("*.swc"))] or written(Path(scratch))
        report_files(files, options.count)
    report_legacy(options.clouds, options.repeats)
    report_views(options.repeats)


def grown(nodes: int, seed: int) -> Skeleton:
    """Steps of about 2 um that keep their direction for a while and branch once in thirty."""
    rng = np.random.default_rng(seed)
    parents, points, headings = np.full(nodes, -1), np.zeros((nodes, 3)), np.zeros((nodes, 3))
    headings[0, 2] = 1
    for row in range(1, nodes):
        parents[row] = row - 1 if rng.random() > 1 / 30 else rng.integers(row)
        heading = headings[parents[row]] + 0.3 * rng.normal(size=3)
        headings[row] = heading / np.linalg.norm(heading)
        points[row] = points[parents[row]] + 2000 * headings[row]
    kinds = np.where(np.arange(nodes) == 0, 1, 3)
    return Skeleton.of(parents, points, np.where(kinds == 1, 6000, rng.uniform(100, 600, nodes)), kinds, name=f"grown{seed}")


def written(folder: Path) -> list[Path]:
    files = [folder / f"{seed}.swc" for seed in range(50)]
    for seed, file in enumerate(files):
        write_swc(file, grown(3000, seed))
    return files


def report_files(files: list[Path], count: int) -> None:
    settings = GridSettings(size=64)
    voxelise(grown(100, 0), settings)  # compiles
    read_swc(files[0], unit="um", repair=True)
    seconds = {what: np.zeros(2) for what in ("read", "frame", "voxels")}
    nodes = 0
    for file in islice(cycle(files), count):
        times = [now()]
        skeleton = read_swc(file, unit="um").skeleton
        times.append(now())
        frame = frame_of(skeleton, settings)
        times.append(now())
        voxelise(skeleton, settings, frame)
        times.append(now())
        nodes += len(skeleton)
        for what, before, after in zip(seconds, times, times[1:], strict=False):
            seconds[what] += after - before
    print(f"{count:,} SWC files ({len(files):,} different ones, {nodes:,} nodes) to 64-grids, one core:\n")
    print("| step | seconds | CPU seconds |\n|---|---|---|")
    for what, (wall, processor) in [*seconds.items(), ("all", sum(seconds.values()))]:
        print(f"| {what} | {wall:.2f} | {processor:.2f} |")


def now() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


def plain_legacy(points: np.ndarray, voxel: float, size: int) -> np.ndarray:
    """The reference rule as it is defined."""
    index = np.unique(np.floor((points - points.min(0)) / voxel).astype(np.int64), axis=0)
    extent = index.max(0) + 1
    before = np.floor((size - extent) / 2).astype(np.int64)
    index = index + before
    index = index[((index >= 0) & (index < size)).all(1)]
    grid = np.zeros((size,) * 3, np.uint8)
    grid[tuple(index.T)] = 1
    return grid


def direct_legacy(points: np.ndarray, voxel: float, size: int) -> np.ndarray:
    """The same, as fast as NumPy goes: a voxel may be set twice."""
    index = ((points - points.min(0)) / voxel).astype(np.int64)
    index += (size - index.max(0) - 1) // 2
    index = index[((index >= 0) & (index < size)).all(1)]
    grid = np.zeros(size**3, np.uint8)
    grid[np.ravel_multi_index(tuple(index.T), (size,) * 3)] = 1
    return grid.reshape((size,) * 3)


def cloud(seed: int) -> np.ndarray:
    """Points about the nodes of a grown tree, in units of its box, -1 to 1."""
    rng = np.random.default_rng(seed)
    tree = grown(3000, seed)
    points = tree.points_nm[rng.integers(len(tree), size=POINTS)] + rng.normal(scale=300, size=(POINTS, 3))
    low, high = points.min(), points.max()
    return 2 * (points - low) / (high - low) - 1


def fastest(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def report_legacy(clouds: int, repeats: int) -> None:
    print(f"\nThe reference rule, {clouds} clouds of {POINTS:,} points, milliseconds per cloud, same run, same core:\n")
    print("| grid | rule | ms | times neurotome | voxels that differ |\n|---|---|---|---|---|")
    peers = {"neurotome": by_kernel, "NumPy, by definition": plain_legacy, "NumPy without unique": direct_legacy}
    for size in (64, 128):
        took: dict[str, list[float]] = {peer: [] for peer in peers}
        differ = dict.fromkeys(peers, 0)
        for points in map(cloud, range(clouds)):
            for peer, rule in peers.items():
                work = partial(rule, points, 2 / size, size)
                differ[peer] += int((work() != by_kernel(points, 2 / size, size)).sum())
                took[peer].append(fastest(work, repeats))
        for peer, times in took.items():
            ratio = statistics.median(t / ours for t, ours in zip(times, took["neurotome"], strict=True))
            print(f"| {size} | {peer} | {1e3 * statistics.median(times):.2f} | {ratio:.1f} | {differ[peer]} |")


def by_kernel(points: np.ndarray, voxel: float, size: int) -> np.ndarray:
    return legacy_voxels(points, voxel, size)[0]


def report_views(repeats: int) -> None:
    tree, settings, rng = grown(3000, 0), GridSettings(size=64), np.random.default_rng(0)
    cut = Variation(jitter_nm=1000, tips=0.3)
    all_of_it = Variation(jitter_nm=1000, tips=0.3, branches=0.3, scale=(0.9, 1.1), step_nm=(2e3, 1e4), flip=(0, 2))
    voxelise(varied(tree, all_of_it, rng), settings)  # compiles
    print("\nA varied view of a neuron of 3,000 nodes on a 64-grid, milliseconds, mean of 50:\n")
    print("| variation | ms |\n|---|---|")
    for what, variation in (("turned, jittered, tips left out", cut), ("every change there is", all_of_it)):
        took = fastest(lambda v=variation: [voxelise(varied(tree, v, rng), settings) for _ in range(50)], repeats)
        print(f"| {what} | {1e3 * took / 50:.2f} |")


if __name__ == "__main__":
    main()
