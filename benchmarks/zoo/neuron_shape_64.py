"""The zoo network `neuron-shape-64`: a neuron's shape in 256 numbers, of which 64 stay when it is turned, mirrored or trimmed.

    python benchmarks/zoo/neuron_shape_64.py views OUT                  varied copies of the training neurons (about 2 minutes)
    python benchmarks/zoo/neuron_shape_64.py whole OUT --minutes 20     trains the bottleneck into OUT/whole, or goes on there
    python benchmarks/zoo/neuron_shape_64.py codes OUT --minutes 15     the same of the codes of cubes, into OUT/codes
    python benchmarks/zoo/neuron_shape_64.py export OUT ZOO             best epoch so far, thresholds, scores, card
    python benchmarks/zoo/neuron_shape_64.py judge ZOO                  all scores again, and beside hand-made descriptors
    python benchmarks/zoo/neuron_shape_64.py steady ZOO                 how far an embedding moves when a neuron is turned, ...

Learnt from the training part of the collections in the data folder (seven tenths of each, by a hash of the file name); no
label is used in training. An eighth of the training part is for validation: thresholds are chosen there. The test part is shown
to the network for the first time in `export` and `judge`.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import Dataset

from neurotome.cluster import ProbeSettings, probe
from neurotome.core import ModelCard, Skeleton
from neurotome.datasets.swc_collection import COLLECTIONS, named_collection, part_of
from neurotome.io.run_folder import peak_memory_bytes
from neurotome.measure.occupancy import best_threshold, bootstrap_interval, occupied, overlap, threshold_sweep, tolerant_overlap
from neurotome.morphology.descriptors import describe
from neurotome.morphology.embedding import embed, log_extent
from neurotome.morphology.encoders import ShapeEncoder, load_encoder
from neurotome.morphology.occupancy import (
    GridSettings,
    Variation,
    random_rotation,
    resampled,
    rotated,
    varied,
    voxelise,
    without_tips,
)
from neurotome.morphology.training.cube_task import CubeLoss, CubeTask
from neurotome.nn import FitSettings, fit_task, load_card, load_model, save_model
from neurotome.nn.occupancy.cube_autoencoder import CubeAutoencoder, CubeAutoencoderConfig

LEAST = 5
"""Members of a cell type that is asked for."""

SETTINGS = GridSettings(size=64, centring="soma", orientation="principal", scale="per_shape")
VARIATION = Variation(turn="none", flip=(2,), scale=(0.9, 1.1), jitter_nm=500.0, tips=0.4, branches=0.4)
VIEWS = 40
"""Varied copies of a neuron that are made once and drawn from; making them anew takes longer than a training step."""
CONFIG = CubeAutoencoderConfig(depth=3, steady=64, dropout=0.1)
DESCRIPTORS = {"morphometrics": None, "sholl": None, "persistence": 32, "density": 32}
"""What z is to know, and how many principal components of it."""
FIT = {
    "whole": FitSettings(
        steps=4000,
        batch=32,
        validate_every=200,
        learning_rate=2e-3,
        weight_decay=0.05,
        average=0.995,
        precision="32-true",
        device="cpu",
        loggers=("csv",),
    )
}
FIT["codes"] = replace(FIT["whole"], learning_rate=3e-3, weight_decay=0.0)
LOSS = {
    "whole": CubeLoss(codes=0.0, apart=0.2, cubes=512),
    "codes": CubeLoss(cubes_of_z=0.0, voxels_of_z=0.0, contrast=0.0, descriptors=0.0, apart=0.0, cubes=512),
}
"""The codes of cubes share no weight with the rest, so they are learnt by themselves, in a third of the time a step takes."""


def real(part: str | None = None) -> list[Skeleton]:
    """Neurons of a part of the collections, or all."""
    found = []
    for name in COLLECTIONS:
        neurons = named_collection(name)
        found += [neurons.load(file) for file in neurons.files(part)]
    return found


def labels() -> pd.DataFrame:
    """collection, cell_type and part of each real neuron, by name; types of fewer than five members are left out."""
    tables = []
    for name in COLLECTIONS:
        neurons = named_collection(name)
        table = neurons.labels.assign(collection=name)
        table["part"] = [part_of(Path(neurons.files_by_name[n]).name) for n in table.index]
        counts = table.cell_type.value_counts()
        tables.append(table.assign(cell_type=table.cell_type.where(table.cell_type.map(counts) >= LEAST)))
    return pd.concat(tables)


def is_validation(name: str) -> bool:
    """An eighth, by a hash of the name."""
    return hashlib.sha256(f"validation {name}".encode()).digest()[0] < 32


def make_views(out: Path) -> None:
    """Varied copies of the neurons of the training part, a bit per voxel, and what z is to know of each neuron."""
    neurons = sorted(real("training"), key=lambda n: n.name)
    bits, extents = [], []
    for row, neuron in enumerate(neurons):
        rng = np.random.default_rng((0, row))
        drawn = [voxelise(varied(neuron, VARIATION, rng), SETTINGS) for _ in range(VIEWS)]
        bits.append([np.packbits(one.data.astype(bool)) for one in drawn])
        extents.append([log_extent(one.frame) for one in drawn])
    names = [n.name for n in neurons]
    train = np.array([not is_validation(name) for name in names])
    tables = {name: table.loc[names].to_numpy() for name, table in describe(neurons, tuple(DESCRIPTORS)).items()}
    known = np.concatenate([wanted(tables[name], train, most) for name, most in DESCRIPTORS.items()], 1)
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / "views.npz", bits=np.array(bits), extents=np.array(extents, np.float32), known=known, train=train)


def wanted(table: np.ndarray, train: np.ndarray, most: int | None) -> np.ndarray:
    """(n, p) standardised by the training neurons, cut at 4 deviations; where `most` is given, principal components."""
    deviation = table[train].std(0)
    unit = ((table - table[train].mean(0)) / np.where(deviation > 0, deviation, 1))[:, deviation > 0]
    if most is not None:
        axes = np.linalg.svd(unit[train], full_matrices=False)[2][:most]
        unit = unit @ axes.T
        unit /= unit[train].std(0).mean()
    return np.clip(unit, -4, 4)


class Views(Dataset[dict[str, Any]]):
    """Two views, or one, of each neuron of a part in random order; item i of an epoch is the same on every machine."""

    def __init__(self, kept: dict[str, np.ndarray], rows: np.ndarray, length: int, views: int, seed: int) -> None:
        self.kept, self.rows, self.length, self.views, self.seed = kept, rows, length, views, seed
        self.epoch = torch.zeros((), dtype=torch.int64)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, item: int) -> dict[str, Any]:
        if item >= self.length:
            raise IndexError(item)
        turn, at = divmod(int(self.epoch) * self.length + item, len(self.rows))
        row = int(self.rows[np.random.default_rng((self.seed, turn)).permutation(len(self.rows))[at]])
        views = np.random.default_rng((self.seed, turn, at)).choice(VIEWS, self.views, replace=False)
        grids = np.unpackbits(self.kept["bits"][row, views], axis=1).reshape(self.views, *(CONFIG.grid,) * 3)
        return {"grids": torch.from_numpy(grids), "log_extent": torch.from_numpy(self.kept["extents"][row, views]), "row": row}


def train(out: Path, what: str, minutes: float) -> None:
    """Fit the bottleneck ("whole") or the codes of cubes from the views in OUT, into OUT/what."""
    torch.set_num_threads(1)
    with np.load(out / "views.npz") as file:
        kept = dict(file)
    fit, count = replace(FIT[what], minutes=minutes), 2 if what == "whole" else 1
    torch.manual_seed(fit.seed)
    network = CubeAutoencoder(CONFIG)
    task = CubeTask(network, fit, LOSS[what], kept["known"] if what == "whole" else None)
    rows = {part: np.flatnonzero(kept["train"] == part) for part in (True, False)}
    training = Views(kept, rows[True], fit.batch * fit.validate_every, count, seed=0)
    validation = Views(kept, rows[False], len(rows[False]), count, seed=1)
    done = fit_task(task, training, validation, out / what, fit, progress=told)
    told_of = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "steps": done.steps,
        "minutes": round(done.seconds / 60, 1),
    }
    card = ModelCard(
        name="neuron-shape-64",
        family="cube_autoencoder",
        config=asdict(CONFIG),
        channels=("occupied",),
        voxel_nm=(0.0, 0.0, 0.0),
        normalization="none",
        halo_vox=(0, 0, 0),
        summary="Shapes of neurons on a grid of 64 along their principal axes, in 256 numbers, of which 64 are steady",
        training={
            **told_of,
            "kept_step": done.kept_step,
            "peak_memory_mb": round(peak_memory_bytes() / 2**20),
            "loss": asdict(LOSS[what]),
            "fit": {name: getattr(fit, name) for name in ("batch", "learning_rate", "weight_decay", "average", "seed")},
            "variation": VARIATION.to_json(),
            "views": VIEWS,
        },
        frame=SETTINGS.to_json(),
        licence="weights MIT; learnt from NeuroMorpho.Org reconstructions",
        cite=("NeuroMorpho.Org; Ascoli et al. 2007, J. Neurosci. 27",),
    )
    save_model(out / what, task.answering(), card, half=False)


def told(what: str, done: int, total: int) -> None:
    if done % 100 == 0:
        print(what, done, "of", total, flush=True)


def on_grids(encoder: ShapeEncoder, neurons: Iterable[Skeleton]) -> tuple[np.ndarray, np.ndarray]:
    drawn = [voxelise(neuron, encoder.settings) for neuron in neurons]
    return np.stack([one.data for one in drawn]), np.array([log_extent(one.frame) for one in drawn], np.float32)


def chosen_thresholds(encoder: ShapeEncoder) -> dict[str, float]:
    """From the validation neurons, for each way to reconstruct."""
    grids, extents = on_grids(encoder, [n for n in real("training") if is_validation(n.name)])
    found = {}
    for source in encoder.reconstructions:
        usual = source == encoder.reconstructions[0]
        sweep = threshold_sweep(encoder.reconstruct(grids, extents, source), grids > 0)
        found["threshold" if usual else f"threshold_{source}"] = best_threshold(sweep)
    return found


def reconstruction_scores(encoder: ShapeEncoder) -> list[dict[str, Any]]:
    """Means over the test neurons, at the thresholds of the card."""
    grids, extents = on_grids(encoder, real("test"))
    rows = []
    for source in encoder.reconstructions:
        threshold = encoder.threshold(source)
        found = occupied(encoder.reconstruct(grids, extents, source), threshold)
        exact = [overlap(a, b > 0) for a, b in zip(found, grids, strict=True)]
        near = [tolerant_overlap(a, b > 0) for a, b in zip(found, grids, strict=True)]
        f1 = np.array([one.f1 for one in exact])
        low, high = bootstrap_interval(f1)
        rows.append(
            {
                "metric": "f1",
                "value": round(float(f1.mean()), 4),
                "low": round(low, 4),
                "high": round(high, 4),
                "iou": round(float(np.mean([one.iou for one in exact])), 4),
                "f1_1vox": round(float(np.mean([one.f1 for one in near])), 4),
                "threshold": threshold,
                "convention": f"rebuilt from its {source}",
                "support": f"{len(grids)} test neurons",
            }
        )
    return rows


def probe_scores(features: dict[str, np.ndarray], names: list[str], *, quick: bool = False) -> list[dict[str, Any]]:
    """Ten folds, five seeds, over all neurons with a type; beside chance."""
    known = labels().loc[names]
    rows = []
    for name in COLLECTIONS:
        own = (known.collection == name).to_numpy() & known.cell_type.notna().to_numpy()
        target = known.cell_type[own].to_numpy().astype(str)
        for kind in ("knn", "linear"):
            settings = ProbeSettings(
                kind=kind, small="spread", seeds=(0,) if quick else (0, 1, 2, 3, 4), permutations=2 if quick else 10
            )
            rows += [probe(x[own], target, settings).row(what, f"{name} cell_type") for what, x in features.items()]
    return rows


def judge(model: str | Path) -> None:
    """Reconstruction and probes, printed."""
    encoder, neurons = load_encoder(model), real()
    for row in reconstruction_scores(encoder):
        print(row)
    tables = {p: embed(neurons, encoder, pooling=p) for p in encoder.poolings}
    names = list(tables["bottleneck"].obs_names)
    features = {p: np.asarray(t.X) for p, t in tables.items()} | {
        k: v.loc[names].to_numpy() for k, v in describe(neurons).items()
    }
    print(pd.DataFrame(probe_scores(features, names)).round(3).to_string())


def steadiness(model: str | Path) -> None:
    """How far an embedding moves, as a share of the distance to the nearest neuron of another type: medians, test neurons."""
    encoder, rng, known = load_encoder(model), np.random.default_rng(0), labels()
    neurons = sorted(real(), key=lambda n: n.name)
    tested = [n for n in neurons if known.part[n.name] == "test" and isinstance(known.cell_type[n.name], str)]
    changes = {
        "any rotation": lambda n: rotated(n, random_rotation(rng)),
        "nodes 1 um apart": lambda n: resampled(n, 1000.0),
        "30 % of tips lost": lambda n: without_tips(n, 0.3, rng),
    }
    for pooling in ("steady", "bottleneck"):
        at = embed(neurons, encoder, pooling=pooling)
        types = known.cell_type[list(at.obs_names)].astype(str).to_numpy()
        for what, change in changes.items():
            moved = embed([change(n) for n in tested], encoder, pooling=pooling)
            shares = []
            for name, row in zip(moved.obs_names, np.asarray(moved.X), strict=True):
                place = list(at.obs_names).index(name)
                far = np.linalg.norm(np.asarray(at.X)[types != types[place]] - at.X[place], axis=1)
                shares.append(np.linalg.norm(row - at.X[place]) / far.min())
            below = np.mean(np.array(shares) < 1)
            print(f"{pooling}, {what}: median {np.median(shares):.3f}, below 1 for {below:.2f} of {len(shares)}")


def as_score(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a table of probes as a score of a card."""
    numbers = {name: round(float(row[name]), 4) for name in ("value", "low", "high", "chance")}
    return {
        "metric": row["measure"],
        **numbers,
        "convention": f"{row['target']}, {row['folds']} folds, from the {row['features']}",
        "support": f"{row['n']} neurons of {row['classes']} types",
    }


def export(out: Path, zoo: Path) -> ModelCard:
    """Best epoch so far with thresholds and scores on its card."""
    network, card = load_model(out / "whole")
    network.code.load_state_dict(load_model(out / "codes")[0].code.state_dict())
    card = replace(card, training={**card.training, "codes": dict(load_card(out / "codes")[0].training)})
    save_model(zoo, network, card)
    save_model(zoo, network, replace(card, segmentation=chosen_thresholds(load_encoder(zoo))))
    encoder = load_encoder(zoo)
    table = embed(real(), encoder)
    probes = probe_scores({encoder.poolings[0]: np.asarray(table.X)}, list(table.obs_names), quick=True)
    card = replace(
        encoder.card,
        scores=(*reconstruction_scores(encoder), *map(as_score, probes)),
        trained_on=(
            "NeuroMorpho.Org, fly medulla and rat cortex: seven eighths of the training part (7 in 10 by a hash of the name); "
            "no labels",
        ),
        validated_on=(
            "an eighth of the training part (thresholds); kNN of cell types within the training part, to choose among settings; "
            "reconstruction scores are of the test part, probes of all neurons with a type of five members or more",
        ),
    )
    return save_model(zoo, network, card)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("views", "whole", "codes", "export", "judge", "steady"))
    parser.add_argument("out", type=Path, nargs="?", default=Path("src/neurotome/zoo/neuron-shape-64"))
    parser.add_argument("zoo", type=Path, nargs="?", default=Path("src/neurotome/zoo/neuron-shape-64"))
    parser.add_argument("--minutes", type=float, default=25)
    given = parser.parse_args()
    if given.part == "views":
        make_views(given.out)
    elif given.part in FIT:
        train(given.out, given.part, given.minutes)
    elif given.part == "export":
        for row in export(given.out, given.zoo).scores:
            print(row)
    elif given.part == "judge":
        judge(given.out)
    else:
        steadiness(given.out)


if __name__ == "__main__":
    main()
