"""Affinities to labels on one core: neurotome's `agglomerate` against waterz, on the same affinities in the same run.

    python benchmarks/affinities_to_labels.py                                  # predicts SNEMI3D sections 60:70 itself
    python benchmarks/affinities_to_labels.py --probability val.npz            # affinities (c, z, y, x), channels, truth
    python benchmarks/affinities_to_labels.py --waterz FOLDER                  # where waterz was installed, see below

waterz (MIT) is no dependency. Install it beside: pip install --no-deps --target FOLDER waterz==0.10.0

Time is the processor time of one thread from uint8 affinities in memory (float32 at the upper voxel for waterz, converted outside
the clock, each system in the form it takes) to labels at one threshold: the shortest of --repeats runs, which take turns.
The adapted Rand error (convention isbi, against the 6-connected components of the truth) is measured on the half of each section
that did not choose: the left half picks threshold and settings for the right half, the right half for the left.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np

from neurotome.core import Box, Grid, Probability
from neurotome.measure import adapted_rand, contingency, equal_label_components, variation_of_information
from neurotome.neurons import AgglomerateSettings, recut, segment

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
SNEMI3D_VALIDATION = (60, 70)


@dataclass
class Contestant:
    """One system with one choice of settings. `run` gives labels at one threshold, `sweep` at all of them."""

    system: str
    settings: str
    run: Callable[[float], np.ndarray]
    sweep: Callable[[], Iterator[tuple[float, np.ndarray]]]
    errors: dict[float, tuple[float, float]] = field(default_factory=dict)
    information: dict[float, tuple[float, float]] = field(default_factory=dict)
    seconds: float = float("inf")

    def best(self, half: int) -> float:
        return min(self.errors, key=lambda t: self.errors[t][half])


def main() -> None:
    options = _options()
    probability, truth = _load(options.probability) if options.probability else _predict(options.model)
    voxels = probability.grid.size / 1e6
    parts = equal_label_components(truth)
    contestants = list(_ours(probability)) + list(_waterz(probability, options.waterz))
    for contestant in contestants:
        _score(contestant, parts)
    for _ in range(options.repeats):
        for contestant in contestants:
            started = time.process_time()
            with _no_output():
                contestant.run(contestant.best(0))
            contestant.seconds = min(contestant.seconds, time.process_time() - started)
    print(f"\n{voxels:.1f} Mvoxel, {', '.join(probability.channels)}\n")
    _print_all(contestants, voxels)
    _print_best(contestants, voxels)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probability", type=Path, help=".npz with affinities (c, z, y, x) uint8, channels, truth")
    parser.add_argument("--model", default=None, help="zoo model or model folder (default: the package's default)")
    parser.add_argument("--waterz", type=Path, help="folder waterz was installed into with pip --target")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def _load(path: Path) -> tuple[Probability, np.ndarray]:
    with np.load(path) as data:
        affinities = np.ascontiguousarray(data["affinities"])
        grid = Grid(affinities.shape[1:], (30, 6, 6))
        return Probability(affinities, grid, tuple(str(c) for c in data["channels"])), data["truth"]


def _predict(model: str | None) -> tuple[Probability, np.ndarray]:
    from neurotome import boundary
    from neurotome.datasets import load

    part = load("snemi3d", "labelled")
    first, last = SNEMI3D_VALIDATION
    halo = 2  # sections the network sees on either side
    box = Box((first - halo, 0, 0), (last, *part.image.grid.shape[1:]))
    options = {} if model is None else {"model": model}
    predicted = boundary.predict(part.image.crop(box), **options)
    inside = Box((halo, 0, 0), predicted.grid.shape)
    truth = part.labels.read(Box((first, 0, 0), (last, *part.image.grid.shape[1:])))
    cropped = np.ascontiguousarray(predicted.read(box=inside))
    return Probability(cropped, predicted.grid.crop(inside), predicted.channels), truth


def _ours(probability: Probability) -> Iterator[Contestant]:
    far = any(c not in ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1") for c in probability.channels)
    for t_high, smooth, long_range in product((250, 254), (0.0, 1.5), (False, True) if far else (False,)):
        settings = AgglomerateSettings(t_high=t_high, smooth=smooth, long_range=long_range)

        def run(threshold: float, settings: AgglomerateSettings = settings) -> np.ndarray:
            return segment(probability, settings=_at(settings, threshold)).labels.data

        def sweep(settings: AgglomerateSettings = settings) -> Iterator[tuple[float, np.ndarray]]:
            whole = segment(probability, settings=settings)
            for threshold in THRESHOLDS:
                yield threshold, recut(whole, threshold).labels.data

        name = f"t_high {t_high}, smooth {smooth:g}{', long range' if long_range else ''}"
        yield Contestant("neurotome", name, run, sweep)


def _at(settings: AgglomerateSettings, threshold: float) -> AgglomerateSettings:
    from dataclasses import replace

    return replace(settings, threshold=threshold)


def _waterz(probability: Probability, folder: Path | None) -> Iterator[Contestant]:
    if folder is not None:
        sys.path.append(str(folder))
    try:
        import waterz
    except ImportError:
        print(
            "waterz is not installed: pip install --no-deps --target FOLDER waterz==0.10.0, then --waterz FOLDER", file=sys.stderr
        )
        return
    affinities = _at_upper_voxel(probability)
    for high, queue in product((0.9999, 250 / 255), (0, 256)):
        options = {"aff_threshold_high": high, "discretize_queue": queue}

        def run(threshold: float, options: dict = options) -> np.ndarray:
            return next(waterz.agglomerate(affinities, [1 - threshold], **options))

        def sweep(options: dict = options) -> Iterator[tuple[float, np.ndarray]]:
            falling = THRESHOLDS[::-1]
            with _no_output():
                yield from zip(falling, waterz.agglomerate(affinities, [1 - t for t in falling], **options))

        yield Contestant(f"waterz {waterz.__version__}", f"high {high:.4f}, {queue or 'exact'} queue", run, sweep)


def _at_upper_voxel(probability: Probability) -> np.ndarray:
    lower = probability.read(("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1")).astype(np.float32) / 255
    upper = np.zeros_like(lower)
    upper[0, 1:], upper[1, :, 1:], upper[2, :, :, 1:] = lower[0, :-1], lower[1, :, :-1], lower[2, :, :, :-1]
    return upper


@contextlib.contextmanager
def _no_output() -> Iterator[None]:
    """Hide what compiled code writes to standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def _score(contestant: Contestant, truth: np.ndarray) -> None:
    middle = truth.shape[2] // 2
    for threshold, labels in contestant.sweep():
        tables = [contingency(truth[:, :, half], labels[:, :, half]) for half in (slice(None, middle), slice(middle, None))]
        contestant.errors[threshold] = tuple(adapted_rand(table).error for table in tables)
        whole = variation_of_information(tables[0] + tables[1])
        contestant.information[threshold] = (whole.split, whole.merge)


def _held_out(contestants: list[Contestant]) -> float:
    """Mean error of the two halves, each under the settings and threshold that were best on the other."""
    errors = []
    for chooser, judge in ((0, 1), (1, 0)):
        chosen = min(contestants, key=lambda c: c.errors[c.best(chooser)][chooser])
        errors.append(chosen.errors[chosen.best(chooser)][judge])
    return sum(errors) / 2


def _print_all(contestants: list[Contestant], voxels: float) -> None:
    print("| system | settings | Mvoxel/s | threshold | ARE held out | VOI split / merge |\n|---|---|---|---|---|---|")
    for c in contestants:
        best = min(c.errors, key=lambda t: sum(c.errors[t]))
        split, merge = c.information[best]
        speed = f"{voxels / c.seconds:.1f}"
        print(f"| {c.system} | {c.settings} | {speed} | {best:g} | {_held_out([c]):.4f} | {split:.2f} / {merge:.2f} |")


def _print_best(contestants: list[Contestant], voxels: float) -> None:
    systems = {c.system: [d for d in contestants if d.system == c.system] for c in contestants}
    print("\nEach system with the settings the other half chose; speed of its fastest settings and of the most accurate ones:\n")
    print("| system | fastest Mvoxel/s | Mvoxel/s at lowest error | ARE held out |\n|---|---|---|---|")
    speeds = {}
    for system, members in systems.items():
        lowest = min(members, key=lambda c: min(sum(e) for e in c.errors.values()))
        speeds[system] = voxels / min(c.seconds for c in members), voxels / lowest.seconds
        print(f"| {system} | {speeds[system][0]:.1f} | {speeds[system][1]:.1f} | {_held_out(members):.4f} |")
    if len(speeds) == 2:
        ours, theirs = speeds.values()
        print(f"| ratio | {ours[0] / theirs[0]:.1f} | {ours[1] / theirs[1]:.1f} | |")


if __name__ == "__main__":
    main()
