"""Do the planted kinds of synapse come back, and only these?

    python benchmarks/synapse_kinds.py [--folder FOLDER] [--per-type 17] [--seeds 0 7] [--workers 2]

Studies of phantom synapses in three volumes of other brightness and label ids: six planted kinds, and none (sizes vary around
one). Crops are cut, measured and grouped as `neurotome synapses run` does it. The first table has a row per study and seed of the
choice of k: number of clusters, ARI with what was planted, whether labels are those of the first seed, verdicts on volumes. The
second shows the same where the measures of each volume are shifted by 1.5 standard deviations, with and without correction.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurotome import synapses
from neurotome.cluster.agreement import adjusted_rand, cross_table
from neurotome.core import CropRecipe
from neurotome.datasets.synapse_phantoms import StudySpec, make_study
from neurotome.synapses.analysis.clustering import QUICK_CHOICE

SEEDS = (42, 1, 2)


def main() -> None:
    """Make the studies, measure, group, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", type=Path, help="keeps crops; what is there is not made again")
    options.add_argument("--per-type", type=int, default=17, help="of each kind in each volume")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 7], help="of the studies with kinds")
    options.add_argument("--workers", type=int, default=2)
    asked = options.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp())
    studies = {
        f"six kinds, seed {seed}": measured(folder, StudySpec(asked.per_type, 3, types=6, seed=seed), asked.workers)
        for seed in asked.seeds
    }
    studies["none"] = measured(folder, StudySpec(asked.per_type * 6, 3, types=1, seed=1), asked.workers)
    print("| study | synapses | seed | clusters | ARI | same labels | volume effect | presynapses T, p, d | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (table, truth) in studies.items():
        first = None
        for seed in SEEDS:
            first = row(name, table.copy(), truth, seed, first)
    print()
    print("| every measure of a volume moved by | correction | clusters | ARI with kinds | ARI with volumes | verdict |")
    print("|---|---|---|---|---|---|")
    for correction in ("none", "z_per_volume"):
        shifted(*next(iter(studies.values())), correction)


def measured(folder: Path, spec: StudySpec, workers: int):
    """The table of measures of a study, and the planted kind of each row."""
    study = make_study(spec)
    volumes = {volume.name: volume for volume in study.volumes}
    path = folder / f"crops-{spec.types}-{spec.n_per_type}-{spec.seed}.zarr"
    crops, discarded = synapses.make_crops(volumes, study.sites, CropRecipe(), path, workers=1)
    assert len(crops) + len(discarded) == len(study.sites)
    table = synapses.measure_crops(crops, workers=workers)
    return table, study.truth["kind"].loc[list(table.obs_names)].to_numpy(str)


def row(name: str, table, truth: np.ndarray, seed: int, first: np.ndarray | None) -> np.ndarray:
    """One line of the first table; the labels."""
    began = time.perf_counter()
    found = synapses.group_synapses(table, choice=replace(QUICK_CHOICE, seed=seed), maps=())
    labels = table.obs["cluster"].astype(str).to_numpy()
    same = "" if first is None else "yes" if np.array_equal(labels, first) else "no"
    test = synapses.presynapse_test(table)
    verdict = found.volume_effect["uncorrected"]["verdict"]
    ari = f"{adjusted_rand(cross_table(labels, truth)):.3f}" if len(set(truth)) > 1 else "-"
    alike = f"{test.ratio:.3f}, {test.p:.4f}, {test.effect:.2f}"
    seconds = f"{time.perf_counter() - began:.0f}"
    print("|", " | ".join((name, str(table.n_obs), str(seed), str(found.k), ari, same, verdict, alike, seconds)), "|", flush=True)
    return labels if first is None else first


def shifted(table, truth: np.ndarray, correction: str) -> None:
    """One line of the second table: what a difference between volumes does that is no brightness."""
    table = table.copy()
    volumes = table.obs["volume"].astype(str).to_numpy()
    values = np.asarray(table.X, np.float64)
    rng = np.random.default_rng(0)
    for volume in sorted(set(volumes)):
        values[volumes == volume] += 1.5 * np.nanstd(values, axis=0) * rng.choice([-1, 1], values.shape[1])
    table.X = values.astype(np.float32)
    table.var["transform"] = "none"
    found = synapses.group_synapses(table, correction=correction, maps=())
    labels = table.obs["cluster"].astype(str).to_numpy()
    with_kinds, with_volumes = (adjusted_rand(cross_table(labels, other)) for other in (truth, volumes))
    verdict = found.volume_effect["uncorrected" if correction == "none" else "corrected"]["verdict"]
    print(f"| 1.5 SD | {correction} | {found.k} | {with_kinds:.3f} | {with_volumes:.3f} | {verdict} |")


if __name__ == "__main__":
    main()
