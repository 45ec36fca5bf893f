"""Does Grad-CAM find the organelle that two planted types of synapse differ in, and what does it show without learning?

    python benchmarks/attention_phantom.py [--folder FOLDER] [--per-type 34] [--steps 400] [--draws 10] [--picture]

The synapses: three phantom volumes with two planted types that are alike in all but one thing, a mitochondrion in the presynapse.
A small VGG3D with one linear layer on its mean over space learns which is which, on cubes of 32 voxels with grey over all but
clefts and presynapse, in two of the volumes; a sixth of their synapses chooses the step and the layer of attention; the third
volume judges. `explain` makes the maps as in a run of a study, for the logit of the type that has the organelle. Beside them:
networks with random weights, and darkness of what is shown, since a mitochondrion is dark. How maps rank blocks of the crop is
compared with what hiding the blocks does. A folder keeps crops and network, so that they are made once.
--picture writes docs/pictures/synapse_attention.png. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from anndata import AnnData
from PIL import Image, ImageDraw, ImageFont
from torch import nn

from neurotome.core import Crop, CropLook, CropRecipe, ModelCard
from neurotome.datasets.synapse_phantoms import ONE_KIND, StudySpec, make_study, study
from neurotome.io.store import kvstore, open_store
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig
from neurotome.report.synapses.attention import heat
from neurotome.synapses.attention import AttentionSettings, Explained, RankedMap, TrunkAttention, compare_map, explain
from neurotome.synapses.contrastive import CubeSettings, Trunk, cubes_of
from neurotome.synapses.crops import CropSet, make_crops
from neurotome.synapses.views import evaluate

KINDS = replace(ONE_KIND, name="without", mitochondrion=False), replace(ONE_KIND, name="with")
ORGANELLE = "mitochondria & pre"
SEEN = CubeSettings(side=32, extent_nm=640.0, look=CropLook(mask="clefts | pre"))
CONFIG = VGG3DConfig(size=32, widths=(8, 16, 32, 64), convs=(1, 1, 2, 2))
LAYERS = 6, 10, 13, 17, 20
"""After the ReLUs of stages 2 to 4."""
TEST_VOLUME, VALIDATION_SHARE, BATCH, EVERY = "v3", 6, 16, 20
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "synapse_attention.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where crops and network are kept; without it nowhere")
    parser.add_argument("--per-type", type=int, default=34, help="synapses of each of 2 types in each of 3 volumes")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--draws", type=int, default=10, help="networks with random weights")
    parser.add_argument("--blocks", type=int, default=4, help="along a side of the crop, to be hidden one after the other")
    parser.add_argument("--picture", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        crops = planted(folder / "crops.zarr", options.per_type)
        parts = split(crops.sites)
        network = learnt(folder / "network.pt", crops, parts, options.steps)
        report(network, crops, parts, options, folder)


# Two types of synapse, and a network that tells them apart


def planted(path: Path, per_type: int) -> CropSet:
    if path.exists():
        return CropSet.open(path)
    # Studies have the kinds of the room; these two are for this question alone.
    with patch.object(study, "KINDS", KINDS):
        made = make_study(StudySpec(per_type, types=2, volumes=3, seed=7))
    sites = made.sites.assign(planted=made.truth["mitochondrion"].astype(int))
    return make_crops({volume.name: volume for volume in made.volumes}, sites, CropRecipe(), path)[0]


def split(sites: pd.DataFrame) -> dict[str, np.ndarray]:
    """Rows that train, choose and judge."""
    judges = (sites["volume"] == TEST_VOLUME).to_numpy()
    others = np.random.default_rng(0).permutation(np.flatnonzero(~judges))
    few = len(others) // VALIDATION_SHARE
    return {"training": others[few:], "validation": others[:few], "test": np.flatnonzero(judges)}


class TwoTypes(TrunkAttention):
    """Logits of the two types: one linear layer on what a trunk says of a cube."""

    def __init__(self, trunk: Trunk, head: nn.Linear) -> None:
        super().__init__(trunk)
        self.head, self.classes = head, 2

    def forward(self, cubes: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(super().forward(cubes))
        return logits

    def randomised(self, seed: int) -> TwoTypes:
        trunk = TrunkAttention(self.trunk).randomised(seed).trunk
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return TwoTypes(trunk, nn.Linear(CONFIG.widths[-1], 2))


def untrained() -> TwoTypes:
    card = ModelCard("two types", "vgg3d", {}, ("features",), (20.0, 20.0, 20.0), "percentile", (0, 0, 0))
    return TwoTypes(Trunk(VGG3D(CONFIG), card, SEEN), nn.Linear(CONFIG.widths[-1], 2)).randomised(0)


@dataclass(frozen=True, eq=False)
class Learning:
    """cubes (n, 1, s, s, s) and types (n,) of all synapses, and which of them train and choose."""

    cubes: torch.Tensor
    types: torch.Tensor
    parts: Mapping[str, np.ndarray]

    def right(self, network: nn.Module, part: str) -> tuple[float, float]:
        """Share of right answers, and cross entropy."""
        network.eval()
        rows = self.parts[part]
        with torch.no_grad():
            logits = torch.cat([network(self.cubes[some]) for some in np.array_split(rows, len(rows) // BATCH + 1)])
        types = self.types[rows]
        return float((logits.argmax(1) == types).float().mean()), float(F.cross_entropy(logits, types))


def learnt(path: Path, crops: CropSet, parts: Mapping[str, np.ndarray], steps: int) -> TwoTypes:
    """The step with the lowest cross entropy of the validation synapses; says how often it is right."""
    network = untrained()
    cubes = torch.from_numpy(cubes_of(crops, SEEN).shown(SEEN.look))[:, None]
    assert len(cubes) == len(crops)
    told = Learning(cubes, torch.from_numpy(crops.sites["planted"].to_numpy().copy()), parts)
    begun = time.perf_counter()
    if not path.exists():
        fit(network, told, steps, path)
        print(f"{steps} steps in {time.perf_counter() - begun:.0f} s, {torch.get_num_threads()} threads.\n")
    network.load_state_dict(torch.load(path, weights_only=True))
    for part, rows in parts.items():
        share, loss = told.right(network, part)
        print(f"{part}: {len(rows)} synapses, {share:.3f} right, cross entropy {loss:.3f}")
    return network


def fit(network: TwoTypes, told: Learning, steps: int, path: Path) -> None:
    rng, best = np.random.default_rng(0), np.inf
    optimizer = torch.optim.AdamW(network.parameters(), 4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for step in range(1, steps + 1):
        network.train()
        rows = rng.choice(told.parts["training"], BATCH, replace=False)
        loss = F.cross_entropy(network(varied(told.cubes[rows], rng)), told.types[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % EVERY == 0 and (found := told.right(network, "validation")[1]) < best:
            best = found
            torch.save(network.state_dict(), path)


def varied(cubes: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Turned and mirrored, with other contrast around the grey."""
    turned = []
    for cube in cubes:
        axes = [axis + 1 for axis in range(3) if rng.random() < 0.5]
        turned.append(cube.permute(0, *(rng.permutation(3) + 1)).flip(axes))
    contrast = torch.from_numpy(rng.uniform(0.8, 1.25, (len(cubes), 1, 1, 1, 1)).astype(np.float32))
    return (torch.stack(turned) - SEEN.look.grey) * contrast + SEEN.look.grey


# Where it looks


def report(network: TwoTypes, crops: CropSet, parts: Mapping[str, np.ndarray], options: argparse.Namespace, folder: Path) -> None:
    having = {part: [str(crops.sites.index[r]) for r in rows if crops.sites["planted"].iloc[r]] for part, rows in parts.items()}
    chosen = explained(network, crops, having["validation"], LAYERS, folder / "validation")
    by_layer = organelle_auc(chosen).groupby("layer")["auc"].mean()
    layer = str(by_layer.idxmax())
    print(f"\nLayer, AUC of {len(having['validation'])} validation synapses:", by_layer.round(3).to_dict(), "->", layer)
    keys = having["test"]
    found = explained(network, crops, keys, (layer,), folder / "test", blocks=options.blocks)
    rows = {"learnt": aucs(folder / "test", crops, keys)}
    draws, sanity = [], found.sanity
    some = keys[:: len(keys) // 12 or 1]
    for seed in range(1, options.draws + 1):
        drawn = network.randomised(seed)
        other = explained(drawn, crops, some, (layer,), folder / "random", blocks=options.blocks if seed <= 3 else 0)
        draws.append(aucs(folder / "random", crops, some))
        sanity = pd.concat([sanity, other.sanity.assign(draw=seed)])
    rows["darkness"] = darkness(crops, keys)
    table(rows, draws)
    print_sanity(found, sanity)
    if options.picture:
        draw_picture(network, crops, keys, rows["learnt"]["crop"], layer, folder)


def explained(
    network: TwoTypes, crops: CropSet, keys: list[str], layers: tuple[int | str, ...], path: Path, blocks: int = 0
) -> Explained:
    settings = AttentionSettings(layers=layers, target="class:1", operands=(ORGANELLE,), keys=tuple(keys), blocks=blocks)
    return explain(crops, AnnData(obs=crops.sites), network, path, settings)


def organelle_auc(found: Explained) -> pd.DataFrame:
    return found.statistics[found.statistics["operand"] == ORGANELLE]


def aucs(path: Path, crops: CropSet, keys: list[str]) -> dict[str, np.ndarray]:
    """Of each map: among all voxels of the crop, and among those that the network is shown."""
    maps = open_store({"driver": "zarr3", "kvstore": kvstore(path / "maps")}, open=True)
    return judged(((maps[at, 0].read().result(), crops[crops.row(key)]) for at, key in enumerate(keys)))


def darkness(crops: CropSet, keys: list[str]) -> dict[str, np.ndarray]:
    from scipy import ndimage

    def dark(crop: Crop) -> np.ndarray:
        shown = evaluate(SEEN.look.mask, crop)
        # At the size of a mitochondrion, so that vesicles do not count one by one.
        smooth = ndimage.gaussian_filter(np.where(shown, crop.image, 0).astype(np.float32), 5.0)
        share = ndimage.gaussian_filter(shown.astype(np.float32), 5.0)
        return np.where(shown, 255 - smooth / np.maximum(share, 1e-3), 0)

    return judged((dark(crop), crop) for crop in (crops[crops.row(key)] for key in keys))


def judged(pairs) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    found = []
    for values, crop in pairs:
        organelle, shown = evaluate(ORGANELLE, crop), evaluate(SEEN.look.mask, crop)
        whole = compare_map(RankedMap.of(values), organelle.ravel())
        within = compare_map(RankedMap.of(values[shown]), organelle[shown])
        found.append((whole["auc"], within["auc"], whole["enrichment"]))
    return dict(zip(("crop", "shown", "enrichment"), np.array(found).T, strict=True))


def table(rows: Mapping[str, Mapping[str, np.ndarray]], draws: list[dict[str, np.ndarray]]) -> None:
    print(
        f"\nAUC of maps of {len(rows['learnt']['crop'])} test synapses against their organelle: mean (5 % to 95 % of synapses)\n"
    )
    print("| map | all voxels | voxels that are shown | share of attention / of volume |")
    print("|---|---|---|---|")
    for name, found in rows.items():
        cells = [f"{v.mean():.3f} ({np.quantile(v, 0.05):.2f} to {np.quantile(v, 0.95):.2f})" for v in found.values()]
        print(f"| {name} | {' | '.join(cells)} |")
    if draws:
        cells = []
        for what in draws[0]:
            means = np.array([np.nanmean(draw[what]) for draw in draws])
            cells.append(f"{means.mean():.3f} ({means.min():.2f} to {means.max():.2f})")
        name = f"random weights, {len(draws[0]['crop'])} of these synapses: mean of {len(draws)} networks (least to most)"
        print(f"| {name} | {' | '.join(cells)} |")


def print_sanity(found: Explained, sanity: pd.DataFrame) -> None:
    own = sanity[sanity["draw"].isna()] if "draw" in sanity else sanity
    print(f"\nSpearman's rank correlation over blocks, mean of {len(own)} synapses:")
    print(f"- learnt map with what hiding a block does to the learnt network: {own['occlusion_r'].mean():.3f}")
    if "draw" in sanity:
        drawn = sanity[sanity["draw"].notna()]
        print(f"- random map with what hiding a block does to that random network: {drawn['occlusion_r'].mean():.3f}")
    print(f"- learnt map with that of random weights: {own['random_r'].mean():.3f}")
    fall = found.occlusion[ORGANELLE]
    print(f"Hiding the organelle takes {fall.mean():.2f} ({fall.min():.2f} to {fall.max():.2f}) off the logit of its type.")


# The picture

ZOOM, GAP, TITLE, OUTLINE, COLOURS = 4, 8, 26, (90, 220, 255), 200


def draw_picture(network: TwoTypes, crops: CropSet, keys: list[str], auc: np.ndarray, layer: str, folder: Path) -> None:
    """The synapse with the median AUC, in the section with most of its organelle."""
    at = int(np.argsort(auc)[len(auc) // 2])
    crop = crops[crops.row(keys[at])]
    organelle, shown = evaluate(ORGANELLE, crop), evaluate(SEEN.look.mask, crop)
    z = int(organelle.sum((1, 2)).argmax())
    low, high = crop.levels
    tissue = np.clip((crop.image[z] - low) / (high - low), 0, 1)
    seen = np.where(shown[z], tissue, SEEN.look.grey)
    panels = [("tissue", grey(tissue)), ("what the network sees", grey(seen))]
    for name, one in (("attention, learnt", network), ("attention, random weights", network.randomised(1))):
        explained(one, crops, [keys[at]], (layer,), folder / "picture")
        maps = open_store({"driver": "zarr3", "kvstore": kvstore(folder / "picture" / "maps")}, open=True)
        values = maps[0, 0].read().result()
        here = RankedMap.of(values)
        score = compare_map(here, organelle.ravel())["auc"]
        share = values[z] / max(float(values.max()), 1e-9)
        panels.append((f"{name}: AUC {score:.2f}", blended(grey(tissue), share)))
    picture = composed([(name, outlined(values, organelle[z])) for name, values in panels])
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    # Few colours are in it; as a palette it is a third as large.
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"\n{PICTURE.name}: {keys[at]}, section {z}, {picture.size}, {PICTURE.stat().st_size / 1000:.0f} kB")


def blended(tissue: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The more attention, the less tissue is seen below it."""
    cover = (0.3 + 0.4 * share)[..., None]
    return (1 - cover) * tissue + cover * heat(share)


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(255 * values[..., None], 3, -1)


def outlined(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Four times as large, with a line around the mask."""
    large = np.asarray(
        Image.fromarray(values.clip(0, 255).astype(np.uint8)).resize(
            [n * ZOOM for n in mask.shape[::-1]], Image.Resampling.BICUBIC
        )
    )
    inside = mask.repeat(ZOOM, 0).repeat(ZOOM, 1)
    edge = np.zeros_like(inside)
    for axis in (0, 1):
        edge |= inside != np.roll(inside, 1, axis)
    edge |= np.roll(edge, 1, 0) | np.roll(edge, 1, 1)
    return np.where(edge[..., None], np.array(OUTLINE, np.uint8), large)


def composed(panels: list[tuple[str, np.ndarray]]) -> Image.Image:
    side = panels[0][1].shape[1]
    whole = Image.new("RGB", (len(panels) * (side + GAP) - GAP, side + TITLE), "white")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(15)
    for place, (name, values) in enumerate(panels):
        whole.paste(Image.fromarray(values), (place * (side + GAP), TITLE))
        draw.text((place * (side + GAP) + 2, 4), name, fill=(31, 38, 48), font=font)
    return whole


if __name__ == "__main__":
    main()
