"""Which features know the planted types of synapses: learnt by contrast, of untrained networks, or measured?

    python benchmarks/zoo/synapse_trunk.py make OUT          the crops, once
    python benchmarks/synapse_features.py OUT                the table; OUT keeps what is finished
    python benchmarks/synapse_features.py OUT --trainings 2 --steps 400      with so many further, shorter trainings

On the held-out phantom study: 306 synapses of 6 types in 3 volumes of different brightness. Each family of features is scaled as
`group_synapses` does it. Types are told by the 5 nearest neighbours among synapses of other presynaptic neurons (ten folds, three
seeds), and among those of other volumes (three folds). Accuracies are means over types and, where weights are random, networks;
intervals (95 %) are of presynaptic neurons drawn anew. ARI: clusters by k-means beside the types, k given and found.
Prints Markdown and writes OUT/features.csv.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import torch

from neurotome.cluster import ProbeSettings, choose_k, partition_rows, probe
from neurotome.cluster.agreement import adjusted_rand, cross_table
from neurotome.nn.vgg3d import VGG3D
from neurotome.synapses.analysis.feature_matrix import feature_matrix
from neurotome.synapses.analysis.grouping import QUICK_CHOICE
from neurotome.synapses.contrastive import Cubes, Trunk, contrastive_features, cubes_of, load_trunk
from neurotome.synapses.crops import CropSet
from neurotome.synapses.features import feature_network, network_features
from neurotome.synapses.morphometry import measure_crops
from zoo.synapse_trunk import RECIPE, crops_and_truth, told, train

FOLDS = {"neurons": ProbeSettings(scaling="none", seeds=(0, 1, 2)), "volumes": ProbeSettings(scaling="none", folds=3, seeds=(0,))}
DRAWS = 2000
TYPES = 6


@dataclass(frozen=True)
class Options:
    out: Path
    model: str
    trainings: int
    minutes: float
    steps: int
    vgg3d: int


@dataclass(frozen=True, eq=False)
class Judged:
    """hits: how often each synapse got its type, per kind of folds, averaged over networks; ari: with k given and found."""

    hits: Mapping[str, np.ndarray]
    ari: tuple[float, float]
    k: tuple[int, ...]
    networks: int
    columns: int


def main() -> None:
    """All families, or those asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", default="synapse-trunk")
    parser.add_argument("--trainings", type=int, default=0, help="further trainings, of other seeds")
    parser.add_argument("--minutes", type=float, default=0.0, help="for each of these, at most; 0 for all its steps")
    parser.add_argument("--steps", type=int, default=200, help="for each of these")
    parser.add_argument("--vgg3d", type=int, default=1, help="untrained VGG3D; each takes a second per synapse or more")
    options = Options(**vars(parser.parse_args()))
    torch.set_num_threads(1)
    crops, truth = crops_and_truth(options.out, "held-out")
    judged = {}
    for family, tables in families(crops, options).items():
        judged[family] = judge([table() for table in tables], truth)
        print(family, {name: round(balanced(hits, truth), 3) for name, hits in judged[family].hits.items()}, flush=True)
    report(judged, truth, options.out)


def families(crops: CropSet, options: Options) -> dict[str, list[Callable[[], Any]]]:
    """Of each family what makes a table; several where weights are random."""
    cubes = cubes_of(crops, RECIPE.cubes, progress=told)
    looks = {"its own look": RECIPE.cubes.look}
    trained = [lambda: learnt(crops, cubes, load_trunk(options.model))]
    shorter = [lambda seed=seed: learnt(crops, cubes, trained_again(options, seed)) for seed in range(1, options.trainings + 1)]
    return {
        "contrastive": trained,
        **({f"contrastive, {options.steps} steps": shorter} if shorter else {}),
        "its trunk, untrained": [lambda seed=seed: learnt(crops, cubes, untrained(options, seed)) for seed in range(3)],
        **{
            f"VGG3D, untrained, {name}": [
                lambda seed=seed, look=look: vgg3d(crops, look, options, seed) for seed in range(options.vgg3d)
            ]
            for name, look in looks.items()
            if options.vgg3d
        },
        "morphometry": [lambda: measured(crops, options)],
    }


def learnt(crops: CropSet, cubes: Cubes, trunk: Trunk) -> Any:
    return contrastive_features(crops, trunk, cubes=cubes)[0]


def untrained(options: Options, seed: int) -> Trunk:
    trained = load_trunk(options.model)
    torch.manual_seed(seed)
    return Trunk(VGG3D(trained.network.config).eval(), trained.card, trained.seen)


def trained_again(options: Options, seed: int) -> Trunk:
    folder = f"again{seed}_{options.steps}"
    train(options.out, folder, minutes=options.minutes, steps=options.steps, seed=seed)
    return load_trunk(options.out / folder)


def vgg3d(crops: CropSet, look: Any, options: Options, seed: int) -> Any:
    """Whole crops at 80 voxels along a side, layer 20, as the reference takes it."""
    network = feature_network(random_weights=True, seed=seed)
    return network_features(crops, look, network, layer=20, batch=16, keep=options.out / "vgg3d", progress=told)[0]


def measured(crops: CropSet, options: Options) -> Any:
    """Kept as plain columns: measuring takes minutes."""
    path = options.out / "morphometry.npz"
    if not path.is_file():
        table = measure_crops(crops, progress=told)
        var = {name: table.var[name].astype(str).to_numpy(str) for name in table.var}
        np.savez(path, values=table.X, names=np.array(table.var_names, str), **var)
    with np.load(path) as kept:
        var = pd.DataFrame({name: kept[name] for name in kept.files if name not in ("values", "names")}, index=kept["names"])
        return anndata.AnnData(kept["values"], obs=crops.sites.copy(), var=var)


def judge(tables: list[Any], truth: pd.DataFrame) -> Judged:
    """The same synapses in each table."""
    hits: dict[str, list[np.ndarray]] = {name: [] for name in FOLDS}
    ari, found = [], []
    for table in tables:
        known = truth.loc[list(table.obs_names)]
        values = feature_matrix(table, None).values
        groups = {"neurons": known["pre_id"].to_numpy(), "volumes": table.obs["volume"].astype(str).to_numpy()}
        for name, settings in FOLDS.items():
            told_apart = probe(values, known["kind"].to_numpy(), settings, groups=groups[name])
            hits[name].append((told_apart.predictions == told_apart.truth).mean(0))
        k = choose_k(values, QUICK_CHOICE).k
        found.append(k)
        ari.append([_ari(values, known["type"].to_numpy(), n) for n in (TYPES, k)])
    given, chosen = np.mean(ari, axis=0)
    mean = {name: np.mean(each, axis=0) for name, each in hits.items()}
    return Judged(mean, (float(given), float(chosen)), tuple(found), len(tables), tables[0].n_vars)


def _ari(values: np.ndarray, types: np.ndarray, k: int) -> float:
    labels = partition_rows(values, "kmeans", k).labels if k > 1 else np.zeros(len(types), np.int64)
    return adjusted_rand(cross_table(labels, types))


def balanced(hits: np.ndarray, truth: pd.DataFrame) -> float:
    return float(pd.Series(hits).groupby(truth["kind"].to_numpy()).mean().mean())


def drawn(hits: np.ndarray, truth: pd.DataFrame) -> np.ndarray:
    """Balanced accuracies where presynaptic neurons are drawn anew; the same draws for all features."""
    rng = np.random.default_rng(0)
    neuron = pd.factorize(truth["pre_id"])[0]
    kind, names = pd.factorize(truth["kind"])
    weights = rng.multinomial(neuron.max() + 1, np.full(neuron.max() + 1, 1 / (neuron.max() + 1)), size=DRAWS)[:, neuron]
    of_kind = [(weights[:, kind == k] @ hits[kind == k]) / np.maximum(weights[:, kind == k].sum(1), 1) for k in range(len(names))]
    return np.mean(of_kind, axis=0)


def report(judged: Mapping[str, Judged], truth: pd.DataFrame, out: Path) -> None:
    """One row per family; the differences to the first with their intervals."""
    first = next(iter(judged.values()))
    rows = []
    for name, one in judged.items():
        row: dict[str, Any] = {"features": name, "columns": one.columns, "networks": one.networks}
        for folds, hits in one.hits.items():
            low, high = np.percentile(drawn(hits, truth), (2.5, 97.5))
            row[f"kNN, other {folds}"] = f"{balanced(hits, truth):.3f} ({low:.3f} to {high:.3f})"
            lower, upper = np.percentile(drawn(first.hits[folds], truth) - drawn(hits, truth), (2.5, 97.5))
            ahead = balanced(first.hits[folds], truth) - balanced(hits, truth)
            row[f"contrastive ahead, other {folds}"] = f"{ahead:+.3f} ({lower:+.3f} to {upper:+.3f})"
        row[f"ARI, k = {TYPES}"], row["ARI, k found"] = f"{one.ari[0]:.3f}", f"{one.ari[1]:.3f}"
        rows.append(row | {"k found": ", ".join(map(str, one.k))})
    table = pd.DataFrame(rows)
    table.to_csv(out / "features.csv", index=False)
    print(f"| {' | '.join(table)} |\n|{'---|' * table.shape[1]}")
    for values in table.to_numpy():
        print(f"| {' | '.join(map(str, values))} |")
    print(f"\nChance is {1 / truth['kind'].nunique():.3f}.")


if __name__ == "__main__":
    main()
