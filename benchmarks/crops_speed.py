"""How fast crops with all their masks are made, beside the reference's way of making one of them; whole processes.

    python benchmarks/crops_speed.py [--study FOLDER] [--per-type 17] [--sites 6]

The study: a phantom of three volumes, written as the reference wants it (folders of TIFF slices, an Excel table per volume), or
one that `write_sce_layout` has written (and legend.yaml). Each row of the printed table is a process of its own, from its first
import to its last file; one after the other, so that they do not share the cores.

neurotome: `make_crops` with the default recipe: windows of the slices, closest components, side, centre, 14 operands per voxel,
written to disk. The reference's way, written for this benchmark after the description of SynapseClusterEM and not copied from it:
volumes are loaded slice by slice with imageio and kept whole; per site the structures are compared in the whole volume, labelled
in twice the crop and in the crop with scipy, components are measured one after the other, and the mask of preset 11 is built in
whole volumes. It has one mask at the end, not all. "in the crop": the same, but everything after loading is done in the crop and
its window only, which the reference does not do; for those who would rewrite that part. Its loading time counts in full, that of
its sites is measured on `--sites` of them and scaled to all.
"""

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SIZE = 80
WEIGHT = 0.7
VOXEL_NM = (8.0, 8.0, 8.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, help="a folder in the reference's layout, with legend.yaml; none makes one")
    parser.add_argument("--per-type", type=int, default=17, help="synapses of each of 6 types in each of 3 volumes")
    parser.add_argument("--sites", type=int, default=6, help="so many sites are cut in the reference's way")
    parser.add_argument("--role", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        ROLES[options.role](options.study, options.sites)
        return
    with tempfile.TemporaryDirectory() as scratch:
        study = options.study or made_study(Path(scratch), options.per_type)
        report(study, options.sites)


def made_study(folder: Path, per_type: int) -> Path:
    import yaml

    from neurotome.datasets.sce_layout import write_sce_layout
    from neurotome.datasets.synapse_phantoms import StudySpec, make_study

    study = make_study(StudySpec(per_type))
    written = write_sce_layout(folder / "study", study.volumes, study.sites)
    legend = {volume.name: {name: list(ids) for name, ids in volume.structures.items()} for volume in study.volumes}
    (written / "legend.yaml").write_text(yaml.safe_dump(legend))
    return written


def report(study: Path, sites: int) -> None:
    rows = {role: run(role, study, sites) for role in ROLES}
    print(f"\n{rows['one']['sites']} sites, {SIZE}^3, {multiprocessing.cpu_count()} cores\n")
    print("| process | seconds | CPU seconds | loading | per site | crops/s | against the reference |")
    print("|---|---|---|---|---|---|---|")
    slowest = rows["reference"]["seconds"]
    for role, told in rows.items():
        times = [f"{told[k]:.1f}" for k in ("seconds", "cpu")]
        cells = [*times, *(f"{told[k]:.3f}" if k in told else "" for k in ("loading", "per_site"))]
        rate, ratio = told["sites"] / told["seconds"], slowest / told["seconds"]
        print(f"| {NAMES[role]} | {' | '.join(cells)} | {rate:.2f} | {ratio:.1f}x |")


def run(role: str, study: Path, sites: int) -> dict[str, float]:
    """What a process of its own says of itself; `seconds` is the time that passed here, other sites added."""
    command = [sys.executable, __file__, "--study", str(study), "--sites", str(sites), "--role", role]
    begun, used = time.perf_counter(), cpu_of_children()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, cpu = time.perf_counter() - begun, cpu_of_children() - used
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    others = told["sites"] - told.get("cut", told["sites"])
    return {**told, "seconds": seconds + told.get("per_site", 0) * others, "cpu": cpu + told.get("per_site_cpu", 0) * others}


def cpu_of_children() -> float:
    """Less than the time that passed where others use the cores too."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# neurotome


def ours(workers: int) -> Callable[[Path, int], None]:
    def role(study: Path, sites: int) -> None:
        from neurotome.core import CropRecipe
        from neurotome.synapses.crops import make_crops

        volumes, table = opened(study)
        with tempfile.TemporaryDirectory() as scratch:
            crops, discarded = make_crops(volumes, table, CropRecipe(), Path(scratch) / "crops.zarr", workers=workers)
        print(json.dumps({"sites": len(crops) + len(discarded)}))

    return role


def opened(study: Path) -> tuple[dict[str, Any], Any]:
    from neurotome.core import SynapseVolume
    from neurotome.io import open_image, open_labels
    from neurotome.synapses.study.legend import read_legend
    from neurotome.synapses.study.site_table import read_sites

    volumes = {}
    for name, structures in read_legend(study / "legend.yaml").items():
        raw, seg, mask = (study / kind / folder for kind, folder in folders(name).items())
        labels = [open_labels(path, voxel_nm=VOXEL_NM) for path in (seg, mask)]
        volumes[name] = SynapseVolume(name, open_image(raw, voxel_nm=VOXEL_NM), labels[0], labels[1], structures)
    return volumes, read_sites(study / "excel", columns="sce")


def folders(volume: str) -> dict[str, str]:
    """Where the reference looks for the slices of a volume."""
    return {"raw": volume, "seg": volume, "mask": volume.replace("bbox", "bbox_")}


# The reference's way


@dataclass(frozen=True)
class Scene:
    """Arrays of one size and what is asked of them: the whole volume, or a part of it with the site in it."""

    neurons: np.ndarray
    organelles: np.ndarray
    ids: dict[str, int]


def reference(*, whole: bool) -> Callable[[Path, int], None]:
    def role(study: Path, sites: int) -> None:
        import pandas as pd
        import yaml

        begun = time.perf_counter()
        legend = yaml.safe_load((study / "legend.yaml").read_text())
        volumes = {name: [loaded(study / kind / at) for kind, at in folders(name).items()] for name in legend}
        rows = [(n, row) for n in legend for row in pd.read_excel(study / "excel" / f"{n}.xlsx").to_dict("records")]
        loading = time.perf_counter() - begun
        chosen = [rows[k] for k in np.linspace(0, len(rows) - 1, sites).astype(int)]
        begun, used = time.perf_counter(), time.process_time()
        for name, row in chosen:
            raw, neurons, organelles = volumes[name]
            ids = {structure: np.atleast_1d(held)[0] for structure, held in legend[name].items()}
            points = [np.array([row[f"{what}_coord_{k}"] for k in (3, 2, 1)]) for what in ("central", "side_1", "side_2")]
            if whole:
                image, mask = made(raw, Scene(neurons, organelles, ids), points)
            else:
                # What lies within a crop and a half of the site holds every window and every crop around it.
                low = np.maximum(points[0] - SIZE * 3 // 2, 0)
                part = tuple(slice(a, b) for a, b in zip(low, points[0] + SIZE * 3 // 2, strict=True))
                image, mask = made(raw[part], Scene(neurons[part], organelles[part], ids), [p - low for p in points])
            assert image.shape == mask.shape
        per_site = (time.perf_counter() - begun) / len(chosen)
        cpu = (time.process_time() - used) / len(chosen)
        print(json.dumps({"sites": len(rows), "cut": len(chosen), "loading": loading, "per_site": per_site, "per_site_cpu": cpu}))

    return role


def loaded(folder: Path) -> np.ndarray:
    """All slices of a volume, one after the other."""
    import imageio.v3 as iio

    files = sorted(folder.glob("slice_*.tif"), key=lambda file: int(file.stem.split("_")[1]))
    return np.stack([iio.imread(file) for file in files])


def made(raw: np.ndarray, scene: Scene, points: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Image and mask of preset 11, of the same shape; side and centre are found on the way."""
    from scipy import ndimage

    site = points[0]
    sides = [scene.neurons == scene.neurons[tuple(p)] for p in points[1:]]
    pre = presynapse(scene, sides, window(site, SIZE, raw.shape), site)
    around = window(site, SIZE, raw.shape)
    voxels = np.argwhere(pre[around])
    centre = (site * (1 - WEIGHT) + (voxels.mean(0) + [s.start for s in around]) * WEIGHT).astype(int)
    crop = window(centre, SIZE // 2, raw.shape)
    pre = presynapse(scene, sides, crop, centre)
    cleft = closest(scene.organelles == scene.ids["cleft"], crop, centre)
    mitochondria = ndimage.binary_dilation(scene.organelles == scene.ids["mitochondria"], iterations=2)
    mask = (cleft | pre) & ~mitochondria
    image = np.where(mask[crop], raw[crop] / 255.0, 0.6)
    return image, mask[crop]


def presynapse(scene: Scene, sides: list[np.ndarray], part: tuple[slice, ...], target: np.ndarray) -> np.ndarray:
    """The side with more voxels of the vesicle cloud."""
    cloud = closest(scene.organelles == scene.ids["vesicles"], part, target)
    first, second = (np.sum(side & cloud) for side in sides)
    return sides[0] if first > second else sides[1]


def closest(mask: np.ndarray, part: tuple[slice, ...], target: np.ndarray) -> np.ndarray:
    """The component inside a part that has the voxel nearest to a target, in an array as large as the mask."""
    from scipy import ndimage

    labels, count = ndimage.label(mask[part])
    found = np.zeros_like(mask)
    nearest = np.inf
    for k in range(1, count + 1):
        voxels = np.argwhere(labels == k) + [s.start for s in part]
        distance = np.sqrt(((voxels - target) ** 2).sum(1)).min()
        if distance < nearest:
            nearest = distance
            found[part] = labels == k
    return found


def window(middle: np.ndarray, reach: int, shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(max(0, int(c) - reach), min(n, int(c) + reach)) for c, n in zip(middle, shape, strict=True))


ROLES = {"one": ours(1), "two": ours(2), "in_crop": reference(whole=False), "reference": reference(whole=True)}
NAMES = {
    "one": "neurotome, one worker",
    "two": "neurotome, two workers",
    "in_crop": "the reference's way, in the crop",
    "reference": "the reference's way",
}

if __name__ == "__main__":
    main()
