"""The zoo network `synapse-trunk`: what a synapse looks like in 128 numbers, learnt from phantom synapses without their types.

    python benchmarks/zoo/synapse_trunk.py make OUT                 crops of the phantom studies (some minutes)
    python benchmarks/zoo/synapse_trunk.py train OUT                trains into OUT/trunk, or goes on there (half an hour)
    python benchmarks/zoo/synapse_trunk.py export OUT ZOO           best epoch, scores on another study, card
    python benchmarks/zoo/synapse_trunk.py judge OUT ZOO            these scores again

Study 11: four volumes to train on, a fifth to choose the best epoch by. No type is used in training. Scores are of study 0, other
synapses in other volumes. `benchmarks/synapse_features.py` compares with other features.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from neurotome.cluster import ProbeSettings, probe
from neurotome.core import CropRecipe, ModelCard
from neurotome.datasets.synapse_phantoms import StudySpec, make_study
from neurotome.nn import load_model, save_model
from neurotome.synapses.contrastive import ContrastRecipe, contrastive_features, load_trunk, train_trunk
from neurotome.synapses.crops import CropSet, make_crops

STUDIES = {
    "training": StudySpec(n_per_type=20, volumes=5, seed=11),
    "held-out": StudySpec(n_per_type=17, volumes=3, seed=0),
}
RECIPE = replace(
    ContrastRecipe(),
    summary="Synapses in cubes of 640 nm at 20 nm: vesicles and the zone of the cleft in 128 numbers, learnt from phantoms",
    # Half the time where a CPU has bfloat16; the seed gives the same weights on machines of one kind only.
    fit=replace(ContrastRecipe().fit, steps=600, precision="bf16-mixed", device="cpu", loggers=("csv",)),
)


def make(out: Path) -> None:
    """Crops and truth of each study, into OUT/{name}."""
    for name, spec in STUDIES.items():
        study = make_study(spec, progress=told)
        (out / name).mkdir(parents=True, exist_ok=True)
        study.truth.to_csv(out / name / "truth.csv")
        make_crops({v.name: v for v in study.volumes}, study.sites, CropRecipe(), out / name / "crops.zarr", progress=told)


def crops_and_truth(out: Path, name: str) -> tuple[CropSet, pd.DataFrame]:
    crops = CropSet.open(out / name / "crops.zarr")
    return crops, pd.read_csv(out / name / "truth.csv", index_col=0).loc[list(crops.sites.index)]


def train(out: Path, folder: str = "trunk", *, minutes: float = 0.0, steps: int = 0, seed: int = 0) -> ModelCard:
    """Fit a trunk to the training study, into OUT/{folder}."""
    torch.set_num_threads(1)
    fit = replace(RECIPE.fit, minutes=minutes, steps=steps or RECIPE.fit.steps, seed=seed)
    return train_trunk(CropSet.open(out / "training" / "crops.zarr"), out / folder, replace(RECIPE, fit=fit), progress=told)


def told(what: str, done: int, total: int) -> None:
    if done % 100 == 0:
        print(what, done, "of", total, flush=True)


def scores(out: Path, model: str | Path) -> list[dict[str, Any]]:
    """Planted types by the 5 nearest neighbours, on synapses of presynaptic neurons, or of volumes, that are not their own."""
    crops, truth = crops_and_truth(out, "held-out")
    table, _ = contrastive_features(crops, load_trunk(model), progress=told)
    known = truth.loc[list(table.obs_names)]
    types, volumes = known["kind"].to_numpy(), table.obs["volume"].astype(str).to_numpy()
    rows = []
    for what, groups, folds in (("presynaptic neurons", known["pre_id"].to_numpy(), 10), ("volumes", volumes, 3)):
        found = probe(table.X, types, ProbeSettings(folds=folds), groups=groups).row("clr", "planted type")
        numbers = {name: round(float(found[name]), 4) for name in ("value", "low", "high", "chance")}
        convention = f"{found['measure']}, {folds} folds of {what}"
        rows.append({"metric": "balanced_accuracy", **numbers, "convention": convention, "support": f"{len(table)} synapses"})
    return rows


def export(out: Path, zoo: Path) -> ModelCard:
    """The trained trunk with scores on its card."""
    network, card = load_model(out / "trunk")
    save_model(zoo, network, card)
    spec, other = STUDIES["training"], STUDIES["held-out"]
    per_volume, made = spec.per_volume, "neurotome.datasets.synapse_phantoms"
    card = replace(
        card,
        scores=tuple(scores(out, zoo)),
        trained_on=(f"{made}, seed {spec.seed}: {spec.volumes - 1} volumes of {per_volume} synapses; no labels",),
        validated_on=(
            f"a fifth volume of that study (best epoch); scores are of seed {other.seed}, {other.volumes} volumes of "
            f"{other.per_volume} synapses",
        ),
        licence="weights MIT; learnt from synthetic volumes",
    )
    return save_model(zoo, network, card)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("make", "train", "export", "judge"))
    parser.add_argument("out", type=Path)
    parser.add_argument("zoo", type=Path, nargs="?", default=Path("src/neurotome/zoo/synapse-trunk"))
    parser.add_argument("--minutes", type=float, default=0.0, help="at most; 0 for all its steps")
    given = parser.parse_args()
    if given.part == "make":
        make(given.out)
    elif given.part == "train":
        train(given.out, minutes=given.minutes)
    else:
        for row in export(given.out, given.zoo).scores if given.part == "export" else scores(given.out, given.zoo):
            print(row)


if __name__ == "__main__":
    main()
