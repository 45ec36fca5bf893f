"""Real neurons rendered at five noise levels: tracing with the network, tracing raw intensity, and ridge filters, against truth.

    python benchmarks/tracing_rendered.py [--methods network raw sato] [--model NAME-OR-FOLDER] [--workers 2] [--results FILE.csv]

60 morphologies, 30 of fly medulla and 30 of rat cortex, from the part of the archives that no network was trained on; windows of
64 x 192 x 192 voxels of 500 nm, neurites of 1 to 3 voxels in radius, at SNR 2, 3, 5, 7 and 10. Score: F1 at 2 voxels, by length.
The thresholds of all methods are chosen on renders of 12 training morphologies, by mean F1: those of the ridge filters and of raw
intensity for each noise level anew, though nobody who has one stack knows it; that of the network once for all levels.
Every result is a row of the CSV file, and what is there is not done again: a script that was interrupted goes on, and another
network adds its own rows.
"""

from __future__ import annotations

import os

# Before NumPy and Numba: processes side by side, a thread each.
os.environ.update({"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})

import argparse
import csv
import hashlib
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import Image, InputError, Skeleton
from neurotome.datasets.fluorescence import FluorescencePhantom, FluorescenceSpec, fluorescence
from neurotome.datasets.swc_collection import COLLECTIONS, named_collection
from neurotome.measure.trees import compare_trees
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.trace import TraceSettings, trace
from ridge_filters import ridges, tree_of_ridges

LEVELS = (2.0, 3.0, 5.0, 7.0, 10.0)
COUNTS = {"training": 6, "test": 30}
VOXEL_NM = (500.0, 500.0, 500.0)
COLUMNS = ("method", "part", "level", "neuron", "candidate", "f1", "precision", "recall", "esa", "bridges", "seconds")
RESULTS = Path("runs/tracing-rendered/rendered.csv")


@dataclass(frozen=True)
class Method:
    """A way from an image to a tree: what is computed once per stack, and the tree for a candidate threshold.

    per_level: whether the threshold is chosen for each noise level, or once for all.
    """

    values: Callable[[Image], Any]
    tree: Callable[[Any, Any], Skeleton | None]
    candidates: tuple[Any, ...]
    per_level: bool = True


def probability_of(image: Image, model: str) -> np.ndarray:
    import torch

    from neurotome.tracing.predict import DEFAULT_NEURITE_MODEL, neurite_probability

    torch.set_num_threads(1)
    return np.asarray(neurite_probability(image, model or DEFAULT_NEURITE_MODEL).data[0])


def traced(values: np.ndarray, threshold: int) -> Skeleton | None:
    """The trees of the package's `trace`, all other settings as they come."""
    try:
        found = trace(Bricks.of(values, VOXEL_NM), TraceSettings(threshold=int(np.clip(threshold, 1, 255)))).skeleton
    except InputError:
        return None
    return found if found.length_nm > 0 else None


def above_background(image: np.ndarray, deviations: float) -> Skeleton | None:
    """Raw intensity, traced above the background's mean and so many standard deviations; three rounds leave the signal out."""
    kept = image.astype(np.float32).ravel()
    for _ in range(3):
        kept = kept[np.abs(kept - kept.mean()) <= 3 * kept.std()]
    return traced(image, int(np.floor(kept.mean() + deviations * kept.std())) + 1)


def methods(names: Sequence[str], model: str) -> dict[str, Method]:
    ridge = tuple((threshold, smallest) for threshold in (3, 4, 5, 6, 8, 10, 13, 17, 22) for smallest in (30, 100))
    every = {
        "network": Method(partial(probability_of, model=model), traced, (24, 32, 48, 64, 96, 128, 160), per_level=False),
        "raw": Method(lambda image: image.data, above_background, (2.2, 2.35, 2.5, 2.75, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)),
    }
    for name in ("sato", "frangi"):
        every[name] = Method(lambda image, name=name: ridges(name, image.data), _ridge_tree, ridge)
    return {_named(name, model): every[name] for name in names}


def _ridge_tree(response: np.ndarray, candidate: tuple[float, int]) -> Skeleton | None:
    return tree_of_ridges(response, *candidate, VOXEL_NM)


def _named(method: str, model: str) -> str:
    """Networks are told apart by their weights, so that rows of another one are not taken for theirs."""
    if method != "network":
        return method
    from neurotome.nn import load_card
    from neurotome.tracing.predict import DEFAULT_NEURITE_MODEL

    card, _ = load_card(model or DEFAULT_NEURITE_MODEL)
    return f"network {card.name} {card.weights_sha256[:8]}"


def neurons(part: str) -> list[tuple[str, str]]:
    """(collection, file) of the morphologies of a part: the first ones in the order of a hash, which nobody has chosen."""
    found = []
    for name in COLLECTIONS:
        files = sorted(named_collection(name).files(part), key=_hash)
        found += [(name, file) for file in files[: COUNTS[part]]]
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(f"rendered {text}".encode()).hexdigest()


def rendered(archive: str, file: str, level: float) -> FluorescencePhantom:
    """The stack of a morphology; all levels show the same window and the same labelling."""
    spec = FluorescenceSpec(
        voxel_nm=VOXEL_NM,
        psf_nm=(800.0, 400.0, 400.0),
        seed=int(_hash(file)[:7], 16),
        snr=level,
        source=named_collection(archive).load(file),
        cable_vox=1000.0,
        radius_vox=(1.0, 3.0),
        background=0.5,
        haze=0.05,
        fading=0.3,
        gaps=2,
        beads=0.2,
        neighbours=0,
        specks=3,
    )
    return fluorescence(spec)


def _rows(task: tuple[str, float, str, str, dict[str, list[Any]], str]) -> list[dict[str, Any]]:
    """The rows of one stack: every method with its candidates."""
    part, level, archive, file, wanted, model = task
    logging.disable(logging.WARNING)
    stack = rendered(archive, file, level)
    rows = []
    for name, candidates in wanted.items():
        method = methods([name.split()[0]], model)[name]
        begin = time.perf_counter()
        values = method.values(stack.image)
        spent = time.perf_counter() - begin
        for candidate in candidates:
            begin = time.perf_counter()
            tree = method.tree(values, candidate)
            seconds = spent + time.perf_counter() - begin
            rows.append(
                {"method": name, "part": part, "level": level, "neuron": f"{archive}/{file}", "candidate": str(candidate)}
                | _scores(tree, stack)
                | {"seconds": round(seconds, 2)}
            )
    return rows


def _scores(tree: Skeleton | None, stack: FluorescencePhantom) -> dict[str, Any]:
    if tree is None:
        return {"f1": 0.0, "precision": 0.0, "recall": 0.0, "esa": "", "bridges": 0}
    found = compare_trees(tree, stack.neurites, voxel_nm=VOXEL_NM).voxel
    near = {"f1": found.agreement.f1, "precision": found.agreement.precision, "recall": found.agreement.recall}
    bridges = int(np.sum(tree.features.get("jump", 0)))
    return {key: round(value, 5) for key, value in near.items()} | {"esa": round(found.apart.esa, 4), "bridges": bridges}


class Results:
    """The rows so far, in a file that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(",".join(COLUMNS) + "\n")
        self.table = pd.read_csv(path, dtype={"candidate": str})

    def lacks(self, method: str, part: str, level: float, neuron: str, candidates: Iterable[Any]) -> list[Any]:
        here = self.table.query("method == @method and part == @part and level == @level and neuron == @neuron")["candidate"]
        return [c for c in candidates if str(c) not in set(here)]

    def add(self, rows: list[dict[str, Any]]) -> None:
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS).writerows(rows)
        self.table = pd.concat([self.table, pd.DataFrame(rows, columns=list(COLUMNS))], ignore_index=True)


def _fill(
    results: Results, part: str, wanted: Callable[[str, float], list[Any]], names: Iterable[str], run: argparse.Namespace
) -> None:
    """Do what is missing, several stacks at once; a stack that is done is in the file."""
    tasks = []
    for archive, file in neurons(part)[:: run.every]:
        for level in LEVELS:
            lacking = {n: results.lacks(n, part, level, f"{archive}/{file}", wanted(n, level)) for n in names}
            if any(lacking.values()):
                tasks.append((part, level, archive, file, {n: c for n, c in lacking.items() if c}, run.model))
    with multiprocessing.get_context("spawn").Pool(run.workers) as pool:
        for done, rows in enumerate(pool.imap_unordered(_rows, tasks), start=1):
            results.add(rows)
            print(f"{part}: {done} of {len(tasks)} stacks", flush=True)


def chosen(results: Results, name: str, method: Method) -> dict[float, Any]:
    """The candidate of each level with the best mean F1 on the training renders, the first of equals."""
    rows = results.table.query("method == @name and part == 'training'")
    best = {}
    for level in LEVELS:
        of_level = rows[rows.level == level] if method.per_level else rows
        mean = of_level.groupby("candidate")["f1"].mean()
        best[level] = max(method.candidates, key=lambda c, mean=mean: mean.get(str(c), -1.0))
    return best


def table(results: Results, names: dict[str, Method]) -> Iterator[str]:
    """Markdown: mean and standard deviation of F1, and means of the rest, by method and level."""
    yield "| method | SNR | F1, mean ± sd | P | R | ESA, voxels | n | threshold | s per stack |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, method in names.items():
        for level, candidate in chosen(results, name, method).items():
            of_test = results.table[(results.table.method == name) & (results.table.part == "test")]
            rows = of_test[(of_test.level == level) & (of_test.candidate == str(candidate))]
            if not len(rows):
                continue
            esa = pd.to_numeric(rows.esa).mean()
            yield (
                f"| {name} | {level:g} | {rows.f1.mean():.3f} ± {rows.f1.std():.3f} | {rows.precision.mean():.3f} |"
                f" {rows.recall.mean():.3f} | {esa:.2f} | {len(rows)} | {candidate} | {rows.seconds.mean():.1f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=("network", "raw", "sato", "frangi"), default=["network", "raw", "sato"])
    parser.add_argument("--model", default="", help="zoo model or model folder (default: the package's default)")
    parser.add_argument("--workers", type=int, default=2, help="processes, a thread each")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--every", type=int, default=1, help="take every n-th neuron only, for a quick look")
    run = parser.parse_args()
    names = methods(run.methods, run.model)
    results = Results(run.results)
    _fill(results, "training", lambda n, _: list(names[n].candidates), names, run)
    best = {name: chosen(results, name, method) for name, method in names.items()}
    _fill(results, "test", lambda n, level: [best[n][level]], names, run)
    print("\n".join(table(results, names)))


if __name__ == "__main__":
    main()
