"""Scoring and the neuron table on volumes of growing sections, read from OME-Zarr: time per voxel and peak memory must stay flat.

    python benchmarks/metrics_stream.py [--gvoxel 1] [--growth 8] [--depth 64] [--folder DIR]

Truth: leaning columns of tissue-like size, each cut in depth. Segmentation: the same with wrong outlines, merges, splits and
lost objects. Both are written shard by shard, in two sizes of equal depth whose sections differ by the factor --growth, and
scored by a process of its own, on one thread. Prints Markdown.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from neurotome.core import Box, Grid
from neurotome.io import ome_zarr, open_labels
from neurotome.measure import compare, comparison_scores, error_table, object_table
from neurotome.neurons import neuron_table

SIDE, LENGTH = 96, 48
WORST = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gvoxel", type=float, default=1.0, help="voxels of the larger volume, in thousand millions")
    parser.add_argument("--growth", type=float, default=8.0, help="how many times larger its sections are than the smaller one's")
    parser.add_argument("--depth", type=int, default=64)
    parser.add_argument("--folder", type=Path, help="where volumes are made (default: a temporary folder)")
    parser.add_argument("--make", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--score", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.folder, tuple(options.make))
        return
    if options.score:
        print(json.dumps(scored(options.folder)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        sizes = [options.gvoxel * 1e9 / options.growth, options.gvoxel * 1e9]
        report(
            [measured(Path(folder), (options.depth, side, side)) for side in (round((n / options.depth) ** 0.5) for n in sizes)]
        )


def measured(folder: Path, shape: tuple[int, int, int]) -> dict:
    # Making is another process too: a child's peak memory begins with that of its parent.
    child("--make", *map(str, shape), folder=folder)
    return json.loads(child("--score", folder=folder))


def child(*options: str, folder: Path) -> str:
    one = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "--folder", str(folder), *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | one).stdout


def make(folder: Path, shape: tuple[int, int, int]) -> None:
    """Write both volumes, one shard after the other."""
    grid = Grid(shape, (30.0, 6.0, 6.0))
    arrays = [
        ome_zarr.create(folder / f"{name}.ome.zarr", shape=shape, dtype=np.uint64, grid=grid, kind="labels", overwrite=True)
        for name in ("truth", "segmentation")
    ]
    for box in grid.box.tiles(ome_zarr.shard_shape(arrays[0])):
        for array, ids in zip(arrays, volumes(box, shape), strict=True):
            ome_zarr.write_box(array, box, ids)


def volumes(box: Box, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Ids of truth and segmentation in a box; the same whatever the box."""
    z, y, x = (np.arange(a, b) for a, b in zip(box.start, box.stop, strict=True))
    per_row = shape[2] // SIDE + 8
    truth = columns(z, y, x, per_row)
    moved = columns(z, y + 2, x, per_row)
    split = np.where(moved % 5 == 1, (x // (SIDE // 2) % 2).astype(np.uint64), np.uint64(0))
    merged = np.where(moved % 11 == 3, moved - np.uint64(1), moved)
    segmentation = np.where((moved == 0) | (moved % 13 == 7), np.uint64(0), 2 * merged + split)
    return truth, segmentation


def columns(z: np.ndarray, y: np.ndarray, x: np.ndarray, per_row: int) -> np.ndarray:
    """Square columns with membranes of 4 pixels, leaning by a pixel per section."""
    down, along = y[None, :] + z[:, None], x[None, :] + (z // 2)[:, None]
    layer = (z // LENGTH).astype(np.uint64)[:, None, None] * np.uint64(per_row * per_row)
    ids = ((down // SIDE).astype(np.uint64) * np.uint64(per_row))[:, :, None] + (along // SIDE + 1).astype(np.uint64)[:, None, :]
    inside = (down % SIDE >= 4)[:, :, None] & (along % SIDE >= 4)[:, None, :]
    return np.where(inside, ids + layer, np.uint64(0))


def scored(folder: Path) -> dict:
    """Everything about the two volumes, with seconds per step and the peak memory of this process in GB."""
    truth, segmentation = (open_labels(folder / f"{name}.ome.zarr") for name in ("truth", "segmentation"))
    corner = Box((0, 0, 0), (2, 256, 256))
    run(truth.crop(corner), segmentation.crop(corner))  # compiles
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = run(truth, segmentation)
    return found | {"before_gb": before, "gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def run(truth, segmentation) -> dict:
    seconds = {}

    def timed(name, work):
        start = time.perf_counter()
        result = work()
        seconds[name] = time.perf_counter() - start
        return result

    timed("scores", lambda: comparison_scores(compare(segmentation, truth)))
    parts = timed("scores, truth in components", lambda: compare(segmentation, truth, truth_parts="components"))
    errors = timed(f"places of the {WORST} worst errors", lambda: error_table(parts, limit=WORST))
    timed("object table", lambda: object_table(parts))
    table = timed("neuron table", lambda: neuron_table(segmentation))
    return {
        "shape": truth.grid.shape,
        "seconds": seconds,
        "pairs": len(parts.table),
        "errors": errors.found,
        "neurons": len(table),
    }


def report(results: list[dict]) -> None:
    names = [" x ".join(map(str, r["shape"])) for r in results]
    mvoxels = [np.prod(r["shape"]) / 1e6 for r in results]
    print("Two uint64 label volumes in OME-Zarr (chunks of 16 x 256 x 256), one thread, reading included.\n")
    print(f"| Mvoxel/s | {' | '.join(names)} |\n|---|---|---|")
    for step in results[0]["seconds"]:
        if step != "object table":
            speeds = (f"{m / r['seconds'][step]:.0f}" for m, r in zip(mvoxels, results, strict=True))
            print(f"| {step} | {' | '.join(speeds)} |")
    whole = [sum(r["seconds"].values()) for r in results]
    rows = {
        "**all of it: seconds**": [f"{s:.1f}" for s in whole],
        "peak memory, GB": [f"{r['gb']:.2f}" for r in results],
        "pairs, errors, neurons": [f"{r['pairs']}, {r['errors']}, {r['neurons']}" for r in results],
    }
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")
    larger, longer, more = mvoxels[1] / mvoxels[0], whole[1] / whole[0], results[1]["gb"] / results[0]["gb"]
    print(f"\n{larger:.1f} times the voxels: {longer:.1f} times as long, {more:.2f} times the memory")
    print(f"({results[0]['before_gb']:.2f} GB before the volumes were read).")


if __name__ == "__main__":
    main()
