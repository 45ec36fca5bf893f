"""The zoo network `neurite-voxresnet`: where neurites run in light-microscopy stacks, learnt from rendered neurons only.

    python benchmarks/zoo/neurite_voxresnet.py phantoms OUT            stacks and masks, OME-TIFF (about 3 minutes)
    python benchmarks/zoo/neurite_voxresnet.py train OUT --minutes 75  trains into OUT/model, or goes on there
    python benchmarks/zoo/neurite_voxresnet.py judge OUT               Dice on neurons that were not used, beside raw intensity
    python benchmarks/zoo/neurite_voxresnet.py export OUT ZOO          best weights so far, in half precision, with their card
    python benchmarks/zoo/neurite_voxresnet.py settle OUT ZOO --threshold 48   what `trace` uses, into the card; chosen by
                                                                               benchmarks/tracing_rendered.py on training renders

Half of the neurons are grown at random; the other half are real ones, from the training part of the collections in the data
folder (`neurotome.datasets.swc_collection`). Without these, all are grown. The judged ones are from the test part.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import yaml
from scipy import ndimage

from neurotome.core import Labels, MissingFileError, ModelCard, Skeleton
from neurotome.datasets.fluorescence import FluorescencePhantom, FluorescenceSpec, fluorescence, random_spec
from neurotome.datasets.swc_collection import COLLECTIONS, named_collection
from neurotome.io import save
from neurotome.nn import load_card, load_model, save_model
from neurotome.tracing.predict import neurite_probability
from neurotome.tracing.training import NeuriteRecipe, train
from neurotome.tracing.training.recipe import with_paths_from
from neurotome.tracing.training.task import VoxelCounts

RECIPE = Path(__file__).parents[2] / "recipes" / "neurite_voxresnet.yaml"
SHAPE = (64, 160, 160)
TRAINING, CLEANED, JUDGED = 300, 80, 40
SEEDS = {"training": 20_261, "test": 20_262, "cleaned": 20_263}
CUT = 0.15
"""Share of the stacks that are thresholded harder than `random_spec` does: 2 to 6 deviations of the noise over the background."""

STRENGTHS = ((2, 3), (3, 5), (5, 10))

SEEN = (
    f"{TRAINING + CLEANED} rendered stacks of {' x '.join(map(str, SHAPE))} voxels: half grown neurons, half real morphologies "
    "(fly medulla and rat cortex, training part); signal-to-noise ratio 2 to 10, a third thresholded, a fifth cut out by hand",
    "an eighth of these stacks (choice of epoch); the scores are those of neurons of the test part",
)


def morphologies(part: str) -> list[Skeleton]:
    """Real neurons of a part, 60 of each collection; none where the data are absent."""
    try:
        return [c.load(file) for c in map(named_collection, COLLECTIONS) for file in c.files(part)[:60]]
    except MissingFileError as error:
        print(f"only grown neurons: {error}")
        return []


def specs(part: str, count: int) -> Iterator[FluorescenceSpec]:
    """Random specs of a part, the same on every machine that has the same data."""
    neurons = morphologies(part)
    for seed in np.random.SeedSequence(SEEDS[part]).spawn(count):
        rng = np.random.default_rng(seed)
        spec = random_spec(rng, shape=SHAPE, morphologies=neurons)
        yield replace(spec, cut_sd=float(rng.uniform(2, 6))) if rng.random() < CUT else spec


def make_phantoms(out: Path) -> None:
    """Stacks to train on."""
    for folder in ("images", "labels"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for k, spec in enumerate(specs("training", TRAINING)):
        keep(fluorescence(spec), out, f"phantom{k:03d}.ome.tif")
    rng = np.random.default_rng(SEEDS["cleaned"])
    for k, spec in enumerate(specs("training", TRAINING + CLEANED)):
        if k >= TRAINING:
            keep(cleaned(fluorescence(replace(spec, cut_sd=None)), rng), out, f"cleaned{k - TRAINING:03d}.ome.tif")


def keep(phantom: FluorescencePhantom, out: Path, name: str) -> None:
    """Write a stack and its mask."""
    mask = (np.asarray(phantom.mask.data) > 0).astype(np.uint8)
    save(phantom.image, out / "images" / name, overwrite=True)
    save(Labels(mask, phantom.mask.grid), out / "labels" / name, overwrite=True)


def cleaned(phantom: FluorescencePhantom, rng: np.random.Generator) -> FluorescencePhantom:
    """As stacks are that somebody cut out by hand: nothing but the neurons and up to two voxels around them, of any contrast."""
    grey, mask = np.asarray(phantom.image.data).astype(np.float64), np.asarray(phantom.mask.data) > 0
    around = int(rng.integers(0, 3))
    left = ndimage.binary_dilation(mask, ndimage.generate_binary_structure(3, 1), around) if around else mask
    low, high = np.percentile(grey[left], (0.5, 99.5))
    shown = np.clip((grey - low) / (high - low), 0.02, 1) ** rng.uniform(0.7, 3.0)
    data = np.where(left, np.maximum(1, np.floor(255 * shown)), 0).astype(np.uint8)
    return replace(phantom, image=replace(phantom.image, data=data))


def recipe_for(out: Path, minutes: float, changes: dict[str, object]) -> NeuriteRecipe:
    """The recipe of the zoo, for stacks in `out`."""
    data = yaml.safe_load(RECIPE.read_text())
    data["images"] = [{"image": "images", "labels": "labels"}]
    data["fit"] = {**data["fit"], "minutes": minutes, **changes.pop("fit", {})}  # type: ignore[dict-item]
    return with_paths_from(NeuriteRecipe(**{**data, **changes}), out)


def judge(model: Path | str, count: int = JUDGED) -> list[dict[str, object]]:
    """Dice of the network and of the best threshold on raw grey values, pooled over stacks of similar signal-to-noise ratio.

    The threshold on grey values is chosen for each stack from its own truth, so it is better than anybody could do.
    """
    pooled = {pair: (VoxelCounts(), VoxelCounts()) for pair in STRENGTHS}
    for spec in specs("test", count):
        phantom = fluorescence(spec)
        truth = torch.from_numpy(np.asarray(phantom.mask.data) > 0)
        answer = torch.from_numpy(neurite_probability(phantom.image, model).read()[0] >= 128)
        by_network, by_grey = next(counts for (low, high), counts in pooled.items() if low <= spec.snr <= high)
        by_network.add(answer, truth)
        by_grey.add(torch.from_numpy(best_threshold(phantom)), truth)
    return [
        {
            "metric": "dice",
            "value": round(network.scores()["dice"], 4),
            "recall": round(network.scores()["recall"], 4),
            "precision": round(network.scores()["precision"], 4),
            "raw_intensity": round(grey.scores()["dice"], 4),
            "support": f"rendered neurons that were not trained on, signal-to-noise ratio {low} to {high}",
        }
        for (low, high), (network, grey) in pooled.items()
        if int(network.matrix.sum())
    ]


def best_threshold(phantom: FluorescencePhantom) -> np.ndarray:
    """The mask of the threshold on grey values with the highest Dice."""
    grey, truth = np.asarray(phantom.image.data), np.asarray(phantom.mask.data) > 0
    order = np.argsort(grey, axis=None, kind="stable")[::-1]
    hits = np.cumsum(truth.reshape(-1)[order])
    dice = 2 * hits / (np.arange(1, grey.size + 1) + truth.sum())
    return grey >= grey.reshape(-1)[order[int(dice.argmax())]]


def export(out: Path, zoo: Path, model: str = "model", count: int = JUDGED, note: str = "") -> ModelCard:
    """The best epoch there is so far, judged, in half precision. The training may still be running."""
    from neurotome.tracing.training.train import best_so_far

    network, card = best_so_far(recipe_for(out, 1, {}), out / model)
    card = save_model(zoo, network, replace(card, training={**card.training, **({"note": note} if note else {})}))
    card = replace(card, scores=tuple(judge(zoo, count)), trained_on=SEEN[:1], validated_on=SEEN[1:])
    return save_model(zoo, load_model(zoo)[0], card)


def settle(zoo: Path, threshold: int) -> None:
    """Write into the card with which settings its network should be used."""
    network, card = load_model(zoo)
    save_model(zoo, network, replace(card, segmentation={"threshold": threshold}))


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("phantoms", "train", "judge", "export", "settle"))
    parser.add_argument("out", type=Path)
    parser.add_argument("zoo", type=Path, nargs="?", default=Path("src/neurotome/zoo/neurite-voxresnet"))
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--changes", type=json.loads, default={}, help="Keys of the recipe to replace, as JSON.")
    parser.add_argument("--model", default="model", help="Folder inside OUT.")
    parser.add_argument("--note", default="", help="What the card should say of the training besides.")
    parser.add_argument("--count", type=int, default=JUDGED, help="Stacks to judge by.")
    parser.add_argument("--threshold", type=int, default=128, help="1..255, for settle.")
    given = parser.parse_args()
    if given.part == "settle":
        settle(given.zoo, given.threshold)
    elif given.part == "phantoms":
        make_phantoms(given.out)
    elif given.part == "train":
        print(train(recipe_for(given.out, given.minutes, given.changes), given.out / given.model).training)
    elif given.part == "judge":
        for row in judge(given.out / given.model, given.count):
            print(row)
    else:
        for row in export(given.out, given.zoo, given.model, given.count, given.note).scores:
            print(row)
        print(load_card(given.zoo)[0].training)


if __name__ == "__main__":
    main()
