"""How fast VGG3D says something of a crop at layer 20, beside the reference's way, in the same run.

    python benchmarks/vgg3d_speed.py [--crops CROPS.ZARR] [--count 4] [--repeats 3] [--threads 2]

The crops: the first of a set, or that of the phantom P1. The reference's way (alim98/SynapseClusterEM): float32, batches of 2,
modules 0 to 20 one after the other; also with a hook in a forward pass of all features. Every row of the table is run once per
round and the rounds are gone through in turn, so that what else the machine does falls on all; the fastest of `repeats` counts.
Differences are the largest of any feature, in standard deviations of the features of the reference's way over all its values.
Prints Markdown.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from neurotome.core import CropLook, CropRecipe
from neurotome.datasets import synapse_phantoms
from neurotome.nn.vgg3d import VGG3D, FeatureExtractor
from neurotome.synapses.crops import CropSet, make_crops
from neurotome.synapses.discarded import Discarded
from neurotome.synapses.features import feature_network
from neurotome.synapses.views import View, view

LAYER = 20
LOOKS = {
    "everything (0)": CropLook("0"),
    "cleft and presynapse (11)": CropLook("11"),
    "vesicles and cleft (9)": CropLook("9"),
    "vesicles (6)": CropLook("6"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, help="a set of crops of 80 voxels; without it that of phantom P1")
    parser.add_argument("--count", type=int, default=4, help="how many of them, an even number")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = feature_network(random_weights=True).network
    with tempfile.TemporaryDirectory() as scratch:
        crops = CropSet.open(options.crops) if options.crops else of_p1(Path(scratch))
        shown = {name: views_of(crops, look, options.count) for name, look in LOOKS.items()}
    capable = "yes" if torch.cpu._is_avx512_bf16_supported() else "no"
    print(f"{options.count} crops a round, {options.threads} threads, PyTorch {torch.__version__}; bfloat16: {capable}.\n")
    report(network, shown, options.repeats)


def of_p1(folder: Path) -> CropSet:
    fixture = synapse_phantoms.p1()
    return make_crops({fixture.volume.name: fixture.volume}, fixture.sites, CropRecipe(), folder / "crops.zarr")[0]


def views_of(crops: CropSet, look: CropLook, count: int) -> list[View]:
    """As many as asked for, from the beginning again if the set has fewer."""
    found = [one for k in range(min(len(crops), 4 * count)) if not isinstance(one := view(crops[k], look), Discarded)]
    return [found[k % len(found)] for k in range(count)]


def reference(network: VGG3D, cubes: np.ndarray) -> np.ndarray:
    return np.concatenate([step_by_step(network, torch.from_numpy(cubes[k : k + 2, None])) for k in range(0, len(cubes), 2)])


def step_by_step(network: VGG3D, x: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        for module in network.features[: LAYER + 1]:
            # The reference's ReLU works in place.
            x = torch.relu_(x) if isinstance(module, torch.nn.ReLU) else module(x)
        return x.reshape(*x.shape[:2], -1).mean(2).numpy()


def hooked(network: VGG3D, cubes: np.ndarray) -> np.ndarray:
    rows: list[np.ndarray] = []
    hook = network.features[LAYER].register_forward_hook(lambda _, __, out: rows.append(out.flatten(2).mean(2).numpy()))
    with torch.no_grad():
        for k in range(0, len(cubes), 2):
            network.features(torch.from_numpy(cubes[k : k + 2, None]))
    hook.remove()
    return np.concatenate(rows)


def report(network: VGG3D, shown: dict[str, list[View]], repeats: int) -> None:
    everything = np.stack([one.values for one in shown["everything (0)"]])
    ways: dict[str, Callable[[], np.ndarray]] = {
        "the reference's way: float32, batch 2": lambda: reference(network, everything),
        "the same, all features with a hook": lambda: hooked(network, everything),
    }
    expected = {name: reference(network, everything) for name in ways}
    for precision in ("float32", "bfloat16"):
        extract = FeatureExtractor(network, LAYER, precision=precision)
        for name, views in shown.items():
            cubes = np.stack([one.values for one in views])
            ways[f"neurotome, {precision}, {name}"] = lambda extract=extract, cubes=cubes: extract(cubes)
            expected[f"neurotome, {precision}, {name}"] = reference(network, cubes)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            took[name].append(time.perf_counter() - start)
    slow = min(next(iter(took.values())))
    print("| way | ms per crop | times the reference | difference / SD |\n|---|---|---|---|")
    for name, way in ways.items():
        per_crop = 1e3 * min(took[name]) / len(everything)
        error = np.abs(way() - expected[name]).max() / expected[name].std()
        print(f"| {name} | {per_crop:.0f} | {slow / min(took[name]):.2f} | {error:.1g} |")


if __name__ == "__main__":
    main()
