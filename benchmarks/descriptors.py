"""What hand-made descriptors know of a neuron's type, and how long they take.

    python benchmarks/descriptors.py FOLDER [FOLDER ...] [--least 5] [--seeds 5]

FOLDER holds SWC files in um and labels.csv with the columns name and cell_type. Types with fewer than `--least` members are left
out. Prints Markdown: balanced accuracy (mean over types of the share of their members found) of the 1 and 5 nearest neighbours,
leave one out, and of a multinomial logistic regression in ten folds, for each descriptor alone and all together; beside chance
and the same with shuffled labels. Columns are standardised on the training rows of each fold, descriptors put together weigh
alike; the strength of the regression's penalty is chosen on inner folds. Intervals: 95 %, bootstrap over neurons within types;
±: standard deviation over seeds. The NBLAST-like scores, of neighbours only, are those of `morphology.nblast`.
"""

import argparse
import csv
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from neurotome.core import Skeleton
from neurotome.io.swc import read_swc
from neurotome.morphology.descriptors import DESCRIPTORS, DensitySettings, DescriptorSettings, describe
from neurotome.morphology.similarity import AnalyticScores, nblast

FOLDS = 10
PENALTIES = (1.0, 10.0, 100.0)
BOOTSTRAPS = 2000
NBLAST_POINTS = 500
NBLAST_SIGMA = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--least", type=int, default=5, help="members of a type")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    for folder in options.folders:
        skeletons, types = collection(folder)
        report_speed(folder.name, skeletons)
        report(skeletons, types, options.least, options.seeds)


def collection(folder: Path) -> tuple[list[Skeleton], dict[str, str]]:
    with (folder / "labels.csv").open() as file:
        types = {row["name"]: row["cell_type"] for row in csv.DictReader(file)}
    return [read_swc(folder / f"{name}.swc", unit="um").skeleton for name in types], types


def members(types: dict[str, str], least: int) -> list[str]:
    """Names of the neurons of types with enough members, ascending."""
    kinds, counts = np.unique(list(types.values()), return_counts=True)
    kept = set(kinds[counts >= least].tolist())
    return sorted(name for name, kind in types.items() if kind in kept)


def report_speed(what: str, skeletons: list[Skeleton]) -> None:
    nodes = sum(map(len, skeletons))
    describe(skeletons[:1])
    print(f"\n## {what}: {len(skeletons)} neurons of {nodes / len(skeletons):,.0f} nodes on average\n")
    print("| descriptor | CPU ms per neuron | per 3,000 nodes |\n|---|---|---|")
    for names in [*([name] for name in DESCRIPTORS), list(DESCRIPTORS)]:
        start = time.process_time()
        describe(skeletons, names)
        ms = (time.process_time() - start) * 1000
        print(f"| {' + '.join(names)} | {ms / len(skeletons):.2f} | {ms / nodes * 3000:.2f} |")


def report(skeletons: list[Skeleton], types: dict[str, str], least: int, seeds: int) -> None:
    names = members(types, least)
    kinds, labels = np.unique([types[name] for name in names], return_inverse=True)
    chosen = [skeleton for skeleton in skeletons if skeleton.name in set(names)]
    tables = {name: table.to_numpy() for name, table in describe(chosen).items()}
    as_it_lies = DescriptorSettings(density=DensitySettings(orientation="given"))
    lying = describe(chosen, ["density"], settings=as_it_lies)["density"].to_numpy()
    print(f"\n{len(names)} neurons of {len(kinds)} types; chance {1 / len(kinds):.3f}\n")
    print("| descriptor | columns | nearest neighbour | 5 nearest | logistic regression | shuffled |\n|---|---|---|---|---|---|")
    for what, blocks in {
        **{name: [table] for name, table in tables.items()},
        "all four": list(tables.values()),
        "density, as neurons lie": [lying],
        "all, density as neurons lie": [*(table for name, table in tables.items() if name != "density"), lying],
    }.items():
        distances = distances_of(blocks)
        cells = [shown(nearest(distances, labels, k)[None] == labels, labels) for k in (1, 5)]
        cells.append(shown(np.array([regression(blocks, labels, seed) for seed in range(seeds)]) == labels, labels))
        shuffled = np.random.default_rng(0).permutation(labels)
        cells.append(f"{balanced(regression(blocks, shuffled, 0) == shuffled, shuffled):.3f}")
        print(f"| {what} | {sum(block.shape[1] for block in blocks)} | {' | '.join(cells)} |", flush=True)
    similar = nblast(chosen, points=NBLAST_POINTS, frame="centred", scores=AnalyticScores(nblast_sigma_nm(chosen))).to_numpy()
    cells = [shown(nearest(1 - similar, labels, k)[None] == labels, labels) for k in (1, 5)]
    print(f"| NBLAST-like, as neurons lie, centred | | {' | '.join(cells)} | | |")


def nblast_sigma_nm(skeletons: list[Skeleton]) -> float:
    """These neurons lie in no atlas: a twentieth of the median extent."""
    return NBLAST_SIGMA * float(np.median([np.ptp(skeleton.points_nm, axis=0).max() for skeleton in skeletons]))


def scaled(blocks: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """All rows, standardised by `rows`; each block with a mean square distance of its own that is the same for all."""
    parts = []
    for block in blocks:
        spread = block[rows].std(0)
        varies = spread > 1e-9 * np.maximum(np.abs(block[rows]).max(0), 1e-300)
        parts.append((block[:, varies] - block[rows][:, varies].mean(0)) / spread[varies] / np.sqrt(max(varies.sum(), 1)))
    return np.hstack(parts)


def distances_of(blocks: list[np.ndarray]) -> np.ndarray:
    """(n, n), row i standardised by all others."""
    n, found = len(blocks[0]), []
    for row in range(n):
        values = scaled(blocks, np.delete(np.arange(n), row))
        found.append(((values - values[row]) ** 2).sum(1))
    return np.array(found)


def nearest(distances: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """(n,) the label that most of the k nearest others have; of equally many, the one with the nearest neighbour."""
    found = np.empty(len(labels), np.int64)
    for row in range(len(labels)):
        order = np.argsort(distances[row], kind="stable")
        near = labels[order[order != row][:k]]
        votes = np.bincount(near)
        found[row] = next(label for label in near if votes[label] == votes.max())
    return found


def folds_of(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """(n,) the fold of each row: the members of each type are dealt out in turn, those of a small one to some folds."""
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)])
    fold = np.empty(len(labels), np.int64)
    fold[order] = (np.arange(len(labels)) + rng.integers(folds)) % folds
    return fold


def regression(blocks: list[np.ndarray], labels: np.ndarray, seed: int) -> np.ndarray:
    """(n,) the label that a regression trained on the other folds gives each row, the penalty chosen on three folds of those."""
    fold, found = folds_of(labels, FOLDS, seed), np.empty(len(labels), np.int64)
    for held_out in range(FOLDS):
        train, test = np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)
        inner = folds_of(labels[train], 3, seed)
        scores = np.mean([_scored(blocks, labels, train[inner != i], train[inner == i]) for i in range(3)], axis=0)
        found[test] = predicted(blocks, labels, train, test, [PENALTIES[int(scores.argmax())]])[0]
    return found


def _scored(blocks: list[np.ndarray], labels: np.ndarray, train: np.ndarray, test: np.ndarray) -> list[float]:
    return [balanced(found == labels[test], labels[test]) for found in predicted(blocks, labels, train, test, PENALTIES)]


def predicted(
    blocks: list[np.ndarray], labels: np.ndarray, train: np.ndarray, test: np.ndarray, penalties: Sequence[float]
) -> list[np.ndarray]:
    """For each C the labels of the test rows."""
    values = scaled(blocks, train)
    # The penalty sees only the span of the training rows: turned into it, thousands of columns become as many as rows.
    basis = np.linalg.svd(values[train], full_matrices=False)[2]
    known, asked = values[train] @ basis.T, values[test] @ basis.T
    models = (LogisticRegression(C=c, max_iter=2000, class_weight="balanced", tol=1e-3) for c in penalties)
    return [model.fit(known, labels[train]).predict(asked) for model in models]


def balanced(hits: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean([hits[labels == label].mean() for label in np.unique(labels)]))


def shown(hits: np.ndarray, labels: np.ndarray) -> str:
    """hits: (seeds, n) bool."""
    share, rng = hits.mean(0), np.random.default_rng(0)
    groups = [share[labels == label] for label in np.unique(labels)]
    drawn = np.mean([rng.choice(group, (BOOTSTRAPS, len(group))).mean(1) for group in groups], axis=0)
    low, high = np.percentile(drawn, (2.5, 97.5))
    seeds = [balanced(row, labels) for row in hits]
    spread = f" ± {np.std(seeds, ddof=1):.3f}" if len(seeds) > 1 else ""
    return f"{np.mean(seeds):.3f}{spread} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
