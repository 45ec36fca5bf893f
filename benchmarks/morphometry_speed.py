"""How fast synapses are measured on one core, where the time goes, and what a general toolbox needs for a part of it.

    python benchmarks/morphometry_speed.py [--crops FOLDER] [--count 24] [--repeats 3]

FOLDER is a set of crops as `neurotome synapses` makes it; without, a phantom study is made and cut first. The toolbox is what one
would take without this room: scikit-image (regionprops, euler_number, marching cubes on the masks) and SciPy
(distance_transform_edt), for the volumes, axes, holes, areas and distances of the same masks; no sheets, contacts, single
vesicles or grey values. The same crops, in the same process; the fastest of the repeats counts, in CPU seconds. Prints Markdown.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.measure import euler_number, marching_cubes, mesh_surface_area, regionprops

from neurotome.core import Crop, CropRecipe
from neurotome.datasets.synapse_phantoms import StudySpec, make_study
from neurotome.measure.surfaces import crofton_area
from neurotome.synapses.crops import CropSet, make_crops
from neurotome.synapses.morphometry import MEASURES, measure_crop
from neurotome.synapses.morphometry.measures import Measure, Synapse
from neurotome.synapses.morphometry.scene import NotMeasurableError

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("rest: volumes, axes, counts", ("",)),
    ("single vesicles", ("vesicle_count", "vesicle_diameter", "vesicle_density", "vesicle_docked_count", "dense_core")),
    ("grey values", ("cleft_intensity", "vesicle_intensity", "post_density", "pre_density", "density_asymmetry")),
    ("surfaces of bodies", ("vesicle_surface", "vesicle_sphericity", "pre_surface", "post_surface")),
)
"""What remains to be timed once distances and the sheet are there; later entries win."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, help="a folder of crops")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as scratch:
        crops = CropSet.open(options.crops) if options.crops else phantom_crops(Path(scratch), options.count)
        taken = [crops[int(row)] for row in np.linspace(0, len(crops) - 1, min(options.count, len(crops)))]
    measure_crop(taken[0])
    report_rates(taken, options.repeats)
    report_parts(taken)
    report_balls()


def phantom_crops(folder: Path, count: int) -> CropSet:
    study = make_study(StudySpec(n_per_type=max(1, count // 6), volumes=1))
    return make_crops({volume.name: volume for volume in study.volumes}, study.sites, CropRecipe(), folder / "crops.zarr")[0]


def report_rates(crops: list[Crop], repeats: int) -> None:
    ours = fastest(lambda: [measure_crop(crop) for crop in crops], repeats) / len(crops)
    theirs = fastest(lambda: [by_toolbox(crop) for crop in crops], repeats) / len(crops)
    print(f"\n## {len(crops)} crops of {crops[0].size}³, one core\n")
    print("| | measures | CPU ms per synapse | synapses per second |\n|---|---|---|---|")
    print(f"| neurotome | {len(MEASURES)} | {ours * 1000:.0f} | {1 / ours:.1f} |")
    print(f"| scikit-image and SciPy | {len(by_toolbox(crops[0]))} | {theirs * 1000:.0f} | {1 / theirs:.1f} |")
    print(f"\nRatio: {theirs / ours:.1f}")


def by_toolbox(crop: Crop) -> dict[str, float]:
    """Volumes, axes, holes, areas and distances, each as the toolbox's manual does it."""
    masks = {name: crop.operand(name) for name in ("cleft", "vesicles", "pre", "post")}
    found: dict[str, float] = {}
    for name, mask in masks.items():
        region = regionprops(mask.astype(np.uint8), spacing=crop.voxel_nm)[0]
        moments = region.inertia_tensor_eigvals
        vertices, triangles, _, _ = marching_cubes(np.pad(mask, 1), 0.5, spacing=crop.voxel_nm)
        found[f"{name} volume"] = float(region.area)
        found[f"{name} elongation"] = float(np.sqrt(moments[0] / moments[1]))
        found[f"{name} area"] = float(mesh_surface_area(vertices, triangles))
    found["cleft holes"] = 1 - float(euler_number(masks["cleft"], connectivity=3))
    away = distance_transform_edt(~masks["cleft"], sampling=crop.voxel_nm)
    found["vesicles to cleft"] = float(away[masks["vesicles"]].mean())
    for side in ("pre", "post"):
        found[f"{side} near cleft"] = float((away[masks[side]] <= 300).sum())
        found[f"{side} radius"] = float(distance_transform_edt(masks[side], sampling=crop.voxel_nm).max())
    between = [distance_transform_edt(~masks[side], sampling=crop.voxel_nm) for side in ("pre", "post")]
    found["gap"] = float(np.add(*between)[masks["cleft"]].mean())
    return found


def report_parts(crops: list[Crop]) -> None:
    """Each part on synapses whose earlier parts are there already."""
    synapses = [Synapse(crop) for crop in crops]
    shares = {
        "three distance transforms": seconds(
            lambda s: (s.scene.from_cleft_nm, *map(s.scene.signed_nm, ("pre", "post"))), synapses
        ),
        "the surface between the sides": seconds(lambda s: (s.scene.between, s.scene.cleft_sheet), synapses),
    }
    chosen = {m.name: part for part, starts in PARTS for m in MEASURES if m.name.startswith(starts)}
    for part, _ in reversed(PARTS):
        of = [measure for measure in MEASURES if chosen[measure.name] == part]
        shares[part] = seconds(lambda s, of=of: [attempted(measure, s) for measure in of], synapses)
    total = sum(shares.values())
    print("\n| part | CPU ms per synapse | share |\n|---|---|---|")
    for part, spent in shares.items():
        print(f"| {part} | {1000 * spent / len(crops):.1f} | {100 * spent / total:.0f} % |")


def attempted(measure: Measure, synapse: Synapse) -> None:
    with contextlib.suppress(NotMeasurableError):
        measure.of(synapse)


def report_balls() -> None:
    """Area of balls over the true one, isotropic and at 4:1, by either method."""
    print("\n| radius, voxel (nm) | Crofton | marching cubes |\n|---|---|---|")
    for radius, voxel in ((80.0, (8.0, 8.0, 8.0)), (160.0, (8.0, 8.0, 8.0)), (640.0, (32.0, 8.0, 8.0))):
        ratios = [areas_of_ball(radius, voxel, seed) for seed in range(5)]
        ours, theirs = (statistics.mean(column) / (4 * np.pi * radius**2) for column in zip(*ratios, strict=True))
        print(f"| {radius:g}, {' x '.join(f'{side:g}' for side in voxel)} | {ours:.3f} | {theirs:.3f} |")


def areas_of_ball(radius: float, voxel: tuple[float, float, float], seed: int) -> tuple[float, float]:
    centre = np.random.default_rng(seed).uniform(-0.5, 0.5, 3)
    grid = np.ogrid[tuple(slice(-int(radius / side) - 3, int(radius / side) + 4) for side in voxel)]
    mask = sum(((along - off) * side) ** 2 for along, off, side in zip(grid, centre, voxel, strict=True)) <= radius**2
    vertices, triangles, _, _ = marching_cubes(mask, 0.5, spacing=voxel)
    return crofton_area(mask, voxel), float(mesh_surface_area(vertices, triangles))


def seconds(work: Callable[[Synapse], object], synapses: list[Synapse]) -> float:
    start = time.process_time()
    for synapse in synapses:
        work(synapse)
    return time.process_time() - start


def fastest(work: Callable[[], object], repeats: int) -> float:
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


if __name__ == "__main__":
    main()
