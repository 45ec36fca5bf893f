"""Tracing of volumes larger than memory: seconds and memory of each step, and the same bytes for any blocks.

    python benchmarks/trace_large.py --folder SCRATCH                         # 1024 x 2048 x 2048, then 512 x 512 x 512
    python benchmarks/trace_large.py --folder SCRATCH --shape 256 1024 1024   # a smaller one
    python benchmarks/trace_large.py --folder SCRATCH --no-large              # the 512 x 512 x 512 alone

The probability maps are drawn, not predicted: trees of random capsules with soft edges, --share of the voxels, written shard
by shard as OME-Zarr (uint8). Each is traced by `neurotome trace MAP --probability MAP` in a process of its own. Given are the
seconds of the whole command and of its steps (from run.json), and the most memory that the process and its workers held at a
time; Python and its packages take about half a gigabyte of it per process. Block shapes are compared on a map of --compare:
every file that a run leaves, except run.json and report.html, which hold times.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from neurotome.core import Box, Grid
from neurotome.io import ome_zarr
from tracing_speed import draw_capsule

VOXEL_NM = (300.0, 300.0, 300.0)
BLOCKS = ((64, 512, 512), (128, 128, 128), (32, 1024, 256), (100, 300, 500), (256, 64, 640))
"""Whole bricks, cubes, sheets and two that cut bricks."""
STEP_VOX, TIP_REACH = 24.0, 400
WITH_TIMES = ("run.json", "report.html")
COMMAND = "from neurotome.cli.main import main; main()"

Segment = tuple[np.ndarray, np.ndarray, float]


def main() -> None:
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"load average at the start {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, {options.workers} workers\n")
    volumes = [] if options.no_large else [tuple(options.shape)]
    steps_table([*volumes, tuple(options.small)], options)
    if not options.no_compare:
        bytes_table(tuple(options.compare), options)


def steps_table(shapes: list[tuple[int, int, int]], options: argparse.Namespace) -> None:
    """One line per volume: seconds of the steps and of the whole command, memory, and what was found."""
    print(
        "| volume | Mvoxel | gather s | trace s | project s | report s | command s | peak GB | peak / input | trees | length mm |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for shape in shapes:
        source = written_map(options.folder, shape, options.share, options.seed)
        out = options.folder / f"traced-{_name(shape)}"
        seconds, peak = traced(source, out, "--workers", str(options.workers))
        record = json.loads((out / "run.json").read_text())
        steps, facts, size = record["seconds"], record["facts"], float(np.prod(shape))
        cells = [*(f"{steps[step]:.1f}" for step in ("gather", "trace", "project", "report")), f"{seconds:.1f}"]
        cells += [f"{peak / 1e9:.2f}", f"{peak / size:.1f}", f"{facts['trees']:,}", f"{facts['length_um'] / 1000:,.1f}"]
        print(f"| {_name(shape)} | {size / 1e6:,.0f} | {' | '.join(cells)} |", flush=True)
        shutil.rmtree(out)


def bytes_table(shape: tuple[int, int, int], options: argparse.Namespace) -> None:
    """Whether every file is the same for each shape of blocks, and what the shape costs."""
    source = written_map(options.folder, shape, options.share, options.seed)
    print(f"\n| blocks of {_name(shape)} | workers | command s | peak GB | SWC sha256 | files as in the first |")
    print("|---|---|---|---|---|---|")
    first: dict[str, str] = {}
    for number, block in enumerate(BLOCKS):
        out, workers = options.folder / f"traced-blocks-{number}", 1 + number % 2
        seconds, peak = traced(source, out, "--workers", str(workers), "--block", *map(str, block))
        hashes = file_hashes(out)
        first = first or hashes
        swc = next(value for name, value in hashes.items() if name.endswith(".swc"))
        same = f"{sum(first.get(name) == value for name, value in hashes.items())} of {len(first | hashes)}"
        print(f"| {_name(block)} | {workers} | {seconds:.1f} | {peak / 1e9:.2f} | {swc[:12]} | {same} |", flush=True)
        shutil.rmtree(out)
        if hashes != first:
            sys.exit(f"blocks of {block} give other files")


def traced(source: Path, out: Path, *words: str) -> tuple[float, int]:
    """Seconds of the command and the most memory that it and its workers held at a time, in bytes."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-c", COMMAND, "trace", str(source), "--probability", str(source), "-o", str(out), *words]
    begin, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, _resident(process.pid))
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - begin, peak


def _resident(pid: int) -> int:
    """Memory of a process and its descendants; 0 once it has ended."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def file_hashes(out: Path) -> dict[str, str]:
    files = (path for path in sorted(out.rglob("*")) if path.is_file() and path.name not in WITH_TIMES)
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def written_map(folder: Path, shape: tuple[int, int, int], share: float, seed: int) -> Path:
    """The map of this size, written once."""
    path = folder / f"map-{_name(shape)}-{share:g}-{seed}.ome.zarr"
    done = path.with_name(path.name + ".done")
    if done.exists():
        return path
    shutil.rmtree(path, ignore_errors=True)
    grid = Grid(shape, VOXEL_NM)
    ome_zarr.create(path, shape=shape, dtype="uint8", grid=grid)
    boxes = list(grid.box.tiles(ome_zarr.SHARD))
    by_box = _by_box(list(trees_of_segments(shape, share, seed)), boxes)
    found = 0
    for box, segments in zip(boxes, by_box, strict=True):
        values = np.zeros(box.shape, np.uint8)
        for a, b, radius in segments:
            draw_capsule(values, a - box.start, b - box.start, radius)
        found += int(np.count_nonzero(values >= 128))
        ome_zarr.write_box(ome_zarr.reopen(path), box, values)
    done.write_text("")
    print(f"{path.name}: {found / 1e6:,.1f} million object voxels, {found / np.prod(shape, dtype=float):.2%}\n", file=sys.stderr)
    return path


def trees_of_segments(shape: tuple[int, int, int], share: float, seed: int) -> Iterator[Segment]:
    """Pieces of branching fibres (ends in voxels, radius) until they take this share of the volume."""
    rng = np.random.default_rng(seed)
    wanted, drawn, far = share * float(np.prod(shape, dtype=float)), 0.0, np.array(shape)
    while drawn < wanted:
        tips = [(rng.uniform(0, 1, 3) * far, _direction(rng), rng.uniform(2, 4))]
        for _ in range(TIP_REACH):
            if not tips or drawn >= wanted:
                break
            place, way, radius = tips.pop(int(rng.integers(len(tips))))
            way = way + 0.3 * _direction(rng)
            following = place + STEP_VOX * way / np.linalg.norm(way)
            if (following < 0).any() or (following >= far).any():
                continue
            yield place, following, radius
            drawn += np.pi * radius**2 * STEP_VOX
            tips.append((following, way, max(1.2, 0.99 * radius)))
            if rng.random() < 0.1:
                tips.append((following, way + _direction(rng), max(1.2, 0.8 * radius)))


def _by_box(segments: list[Segment], boxes: list[Box]) -> list[list[Segment]]:
    """The segments that reach into each box."""
    reach = np.array([radius + 2 for _, _, radius in segments])[:, None]
    low = np.array([np.minimum(a, b) for a, b, _ in segments]) - reach
    high = np.array([np.maximum(a, b) for a, b, _ in segments]) + reach
    inside = ((low < box.stop).all(1) & (high > box.start).all(1) for box in boxes)
    return [[segments[i] for i in np.flatnonzero(some)] for some in inside]


def _direction(rng: np.random.Generator) -> np.ndarray:
    way = rng.normal(size=3)
    return way / np.linalg.norm(way)


def _name(shape: tuple[int, int, int]) -> str:
    return "x".join(map(str, shape))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="scratch folder")
    parser.add_argument("--shape", type=int, nargs=3, default=[1024, 2048, 2048], help="the large volume")
    parser.add_argument(
        "--small", type=int, nargs=3, default=[512, 512, 512], help="the one whose memory is compared with its size"
    )
    parser.add_argument(
        "--compare", type=int, nargs=3, default=[256, 512, 512], help="the one on which block shapes are compared"
    )
    parser.add_argument("--share", type=float, default=0.007, help="of the voxels that are foreground")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-large", action="store_true")
    parser.add_argument("--no-compare", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
