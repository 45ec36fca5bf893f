"""All tracers on the same foregrounds: how well they follow the neuron, and how fast.

    python benchmarks/tracers.py                      # rendered neurons, and the real stacks where there are any
    python benchmarks/tracers.py --neurons 8 --real FOLDER --threshold 40

mask      the voxels of rendered neurons themselves: what a tracer does with a perfect foreground
image     the rendered stack, smoothed, less its surroundings, above three standard deviations: bumps, holes, gaps, neighbours
real      the stacks `*.tif` of a folder (default: `tracing` in the data folder) and the tracings `*.swc` of the same names

Every component of at least --least voxels is traced, each tracer from the same start, the deepest voxel, and nothing is bridged.
Precision, recall, F1 and PDS are at 2 voxels, by length; tips and branches are counts over the true tree's. Means over stacks;
the rate is million foreground voxels per second of processor time of one thread, by the second of two runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from scipy import ndimage

from neurotome import datasets
from neurotome.core import Skeleton
from neurotome.core.geometry import Nm3
from neurotome.datasets.fluorescence import NEURON, FluorescenceSpec, fluorescence, joined
from neurotome.io.swc import read_swc
from neurotome.measure.trees import compare_trees, tree_scores, worst_tree_scores
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.starting.foreground import Level, choose_level, foreground
from neurotome.tracing.tracers import TRACERS, tracer_settings

SCORES = ("precision", "recall", "f1", "pds")


@dataclass(frozen=True)
class Stack:
    kind: str
    name: str
    volume: np.ndarray
    threshold: int
    voxel_nm: Nm3
    gold: Skeleton


def main() -> None:
    options = _options()
    rows = []
    for stack in (*_rendered(options.neurons, options.snr), *_real(options.real, options.threshold)):
        for tracer in TRACERS:
            rows.append(_row(stack, tracer, options.least))
            print(f"{stack.kind} {stack.name} {tracer}: F1 {rows[-1]['f1']:.3f}", flush=True)
    table = pd.DataFrame(rows)
    means = table.drop(columns="stack").groupby(["kind", "tracer"], sort=False).mean()
    print(f"\n{means.round(3).to_string()}")
    if (table.kind == "real").any():
        by_stack = table[table.kind == "real"].set_index(["stack", "tracer"]).drop(columns="kind")
        print(f"\n{by_stack.round(3).to_string()}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=6, help="rendered neurons")
    parser.add_argument("--snr", type=float, default=5.0, help="signal-to-noise ratio of the rendered stacks")
    parser.add_argument("--real", type=Path, default=datasets.data_root() / "tracing", help="folder with stacks and tracings")
    parser.add_argument("--threshold", type=int, default=1, help="grey value of the foreground of real stacks")
    parser.add_argument("--least", type=int, default=50, help="voxels of the smallest component that is traced")
    return parser.parse_args()


def _rendered(neurons: int, snr: float) -> Iterator[Stack]:
    for seed in range(neurons):
        made = fluorescence(FluorescenceSpec(seed=seed, snr=snr))
        grid, name = made.image.grid, f"neuron {seed}"
        mask = (np.asarray(made.mask.data) == NEURON).astype(np.uint8) * 255
        yield Stack("mask", name, mask, 128, grid.voxel_nm, made.skeleton)
        image = np.asarray(made.image.data, np.float32)
        image = ndimage.gaussian_filter(image, (0.5, 1, 1)) - ndimage.gaussian_filter(image, (4, 8, 8))
        image = np.clip(np.rint(128 + 127 * image / image.max()), 0, 255).astype(np.uint8)
        threshold = choose_level(Bricks.of(image, grid.voxel_nm), "automatic").value
        yield Stack("image", name, image, threshold, grid.voxel_nm, made.neurites)


def _real(folder: Path, threshold: int) -> Iterator[Stack]:
    for path in sorted(folder.glob("*.tif")):
        gold = read_swc(path.with_suffix(".swc"), unit="voxel", voxel_nm=(1000.0,) * 3).skeleton
        yield Stack("real", path.stem, tifffile.imread(path), threshold, (1000.0,) * 3, gold)


def _row(stack: Stack, tracer: str, least: int) -> dict[str, float | str]:
    bricks = Bricks.of(stack.volume, stack.voxel_nm)
    found = foreground(bricks, Level(stack.threshold))
    starts = found.voxels.positions[found.starts(distance_to_background(found.voxels))[found.sizes >= least]].tolist()
    settings = tracer_settings(tracer, threshold=stack.threshold)
    for _ in range(2):
        begin = time.process_time()
        trees = [TRACERS[tracer](bricks, tuple(start), settings) for start in starts]
        seconds = time.process_time() - begin
    row = {"kind": stack.kind, "stack": stack.name, "tracer": tracer} | _scores(trees, stack)
    return row | {"Mvoxel/s": int(found.sizes[found.sizes >= least].sum()) / 1e6 / seconds}


def _scores(trees: Sequence[Skeleton], stack: Stack) -> dict[str, float]:
    tree = joined(trees, "traced") if trees else Skeleton.of([], np.zeros((0, 3)))
    scores = tree_scores(compare_trees(tree, stack.gold, voxel_nm=stack.voxel_nm)) if tree.length_nm else worst_tree_scores()
    counts = {f"{name} / gold": _count(tree, name) / max(1, _count(stack.gold, name)) for name in ("tips", "branches")}
    return {name: scores[name] for name in SCORES} | {"length / gold": tree.length_nm / stack.gold.length_nm} | counts


def _count(tree: Skeleton, what: str) -> int:
    inner = tree.parents >= 0
    return int(((tree.children == 0) & inner).sum() if what == "tips" else (tree.children + inner >= 3).sum())


if __name__ == "__main__":
    main()
