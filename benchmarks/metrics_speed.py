"""Every segmentation metric on two volumes of 73 million voxels, on one core, beside scikit-image in the same run.

    python benchmarks/metrics_speed.py [--repeats 3]

Truth: the SNEMI3D labels at hand (NEUROTOME_DATA, or ../shared/data beside the checkout). Segmentation: a perturbed copy,
the same in every run: objects renamed in pairs (merges), cut by a grid of 256 x 256 pixels (splits), moved by two pixels (wrong
outlines), every seventh object lost (predicted 0). Files are decoded before the clock starts, kernels compiled on a small crop;
the process is tied to one core. Prints Markdown.
"""

import argparse
import math
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from skimage.metrics import adapted_rand_error, variation_of_information

from neurotome.core import Box, Grid, Labels
from neurotome.measure import CONVENTIONS, compare, comparison_scores, contingency, error_table, object_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="the fastest of so many runs counts, for both sides")
    repeats = parser.parse_args().repeats
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    truth, segmentation = volumes()
    warm_up(truth, segmentation)
    ours = our_steps(truth, segmentation, repeats)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    theirs = their_steps(truth, segmentation, repeats)
    report(truth, segmentation, ours, theirs, memory)


def volumes() -> tuple[Labels, Labels]:
    root = Path(os.environ.get("NEUROTOME_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
    truth = tifffile.imread(root / "snemi3d" / "train-labels.ome.tif")
    grid = Grid(truth.shape, (30.0, 6.0, 6.0))
    return Labels(truth, grid, name="truth"), Labels(perturbed(truth), grid, name="perturbed copy")


def perturbed(truth: np.ndarray) -> np.ndarray:
    _, height, width = truth.shape
    tile = (np.arange(height) // 256)[:, None] * 16 + np.arange(width) // 256
    ids = truth.astype(np.uint64) // 2 * 256 + tile.astype(np.uint64)
    ids[(truth == 0) | (truth % 7 == 3)] = 0
    return np.ascontiguousarray(np.roll(ids, 2, axis=2))


def warm_up(truth: Labels, segmentation: Labels) -> None:
    box = Box((0, 0, 0), (2, truth.grid.shape[1], truth.grid.shape[2]))
    for parts in ("as given", "components"):
        comparison = compare(segmentation.crop(box), truth.crop(box), truth_parts=parts)
        error_table(comparison)
        object_table(comparison)


def timed(work: Callable, repeats: int):
    """The fastest of so many runs, and the last result."""
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def our_steps(truth: Labels, segmentation: Labels, repeats: int) -> dict:
    table_s, _ = timed(lambda: contingency(truth.data, segmentation.data), repeats)
    compare_s, comparison = timed(lambda: compare(segmentation, truth), repeats)
    score_s, scores = timed(lambda: comparison_scores(comparison, conventions=CONVENTIONS), repeats)
    error_s, errors = timed(lambda: error_table(comparison), repeats)
    object_s, objects = timed(lambda: object_table(comparison), repeats)
    cut_s, _ = timed(lambda: compare(segmentation, truth, truth_parts="components"), repeats)
    return {
        "table": table_s,
        "compare": compare_s,
        "scores": score_s,
        "errors": error_s,
        "objects": object_s,
        "components": cut_s,
        "found": (len(comparison.table), errors.found, sum(row.contact_voxels == 0 for row in errors), len(objects)),
        "rand": {s.convention: s.value for s in scores if s.metric == "adapted_rand_error"},
        "voi": (scores["voi_split"], scores["voi_merge"]),
    }


def their_steps(truth: Labels, segmentation: Labels, repeats: int) -> dict:
    rand_s, rand = timed(lambda: adapted_rand_error(truth.data, segmentation.data), repeats)
    voi_s, voi = timed(lambda: variation_of_information(truth.data, segmentation.data, ignore_labels=(0,)), repeats)
    return {"rand_s": rand_s, "voi_s": voi_s, "rand": rand[0], "voi": tuple(voi)}


def report(truth: Labels, segmentation: Labels, ours: dict, theirs: dict, memory_gb: float) -> None:
    same = math.isclose(ours["rand"]["skimage"], theirs["rand"], abs_tol=1e-9) and np.allclose(
        ours["voi"], theirs["voi"], atol=1e-9
    )
    if not same:
        raise SystemExit(f"The two disagree: {ours['rand']['skimage']}, {ours['voi']} and {theirs['rand']}, {theirs['voi']}")
    mvoxel = truth.grid.size / 1e6
    pairs, errors, apart, objects = ours["found"]
    metrics_s = ours["compare"] + ours["scores"]
    everything = metrics_s + ours["errors"] + ours["objects"]
    two = theirs["rand_s"] + theirs["voi_s"]
    types = f"{np.dtype(truth.data.dtype)} and {np.dtype(segmentation.data.dtype)}"
    rows = [
        (f"contingency table, {pairs} pairs", ours["table"]),
        ("all metrics: ARE in 4 conventions, VOI in 2, ARI in 2, split / merge errors, foreground, CREMI", metrics_s),
        ("the same with the truth cut into components (table only)", ours["components"]),
        (f"error table: {errors} errors, {apart} of them between parts that do not touch", ours["errors"]),
        (f"object table: {objects} objects", ours["objects"]),
        ("**everything: metrics, error table, object table**", everything),
        ("scikit-image adapted_rand_error", theirs["rand_s"]),
        ("scikit-image variation_of_information", theirs["voi_s"]),
        ("scikit-image, both", two),
    ]
    print(f"Two volumes of {mvoxel:.1f} Mvoxel ({types}), one core, decoding not counted, equal results to 1e-9.\n")
    print("| step | seconds | Mvoxel/s | scikit-image, both / this |\n|---|---|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.2f} | {mvoxel / seconds:.0f} | {two / seconds:.1f} |")
    print(f"\nPeak memory with both volumes loaded, before scikit-image ran: {memory_gb:.2f} GB. Target for everything: 10 s.")


if __name__ == "__main__":
    main()
