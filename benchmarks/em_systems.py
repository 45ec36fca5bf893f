"""The two reference EM systems against this package, under equal conditions: the tables of docs/em-systems.md.

    python benchmarks/em_systems.py --folder SCRATCH [--minutes 12] [--unet-minutes 15] [--write FILE.md] [--picture FILE.png]

Routes (SNEMI3D, quadrants as in experiment_8): each recipe trains on quadrants a and b for the same wall time, two at once with
one thread each, and is scored on quadrant c. Where a threshold is chosen, it is chosen on the middle sections of quadrant d.
U-Nets (ISBI-2012): the reference's and ours train on sections 0-17 for the same wall time, at once, one thread each; sections
18-23 are scored. Then the shipped networks on what they were not made for (transfer.py). A script that was interrupted goes on;
what is finished in SCRATCH is not done again.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import transfer
from neurotome import boundary, datasets, neurons
from neurotome.core import Image, Labels, Probability
from neurotome.flows import read_experiment
from neurotome.io import open_image, open_labels, open_probability
from neurotome.measure import isbi_scores, label_scores

RECIPES = Path(__file__).parent.parent / "recipes"
ROUTES = ("experiment_8", "affinities_quadrants", "experiment_8_fixed", "membrane_quadrants")
METRICS = ("adapted_rand_error", "voi_split", "voi_merge", "split_errors", "merge_errors", "ari_all_voxels")
SWEEP = {"threshold": tuple(round(0.1 + 0.05 * k, 2) for k in range(17))}
UNETS = {
    "reference U-Net": {
        "family": "unet_zambare",
        "augmentation": {"preset": "zambare"},
        "loss": "bce",
        "normalization": "unit",
        "channels": ["inside"],
        "fit": {"batch": 2, "optimizer": "adam", "learning_rate": 1e-4, "schedule": "constant", "warmup": 0, "average": 0},
    },
    "ours, `unet2d`": {"family": "unet2d", "network": {"sections": 1, "widths": [32, 64, 96, 128, 192]}, "fit": {"batch": 4}},
}
OUR_TRAINING = {
    "augmentation": {"rotation_deg": 45.0, "scale": 0.3, "displacement_px": 8.0},
    "loss": "bce_dice",
    "channels": ["membrane"],
}
NO_END = 1_000_000
CONCLUSIONS = "## What this says\n"


def main() -> None:
    options = _options()
    lines = [f"# The two EM reference systems, under equal conditions\n\n{HEAD}"]
    lines += routes(options.folder / "routes", options.minutes)
    lines += unets(options.folder / "unets", options.unet_minutes)
    lines += elsewhere(options.picture)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write:
        options.write.write_text(text + _conclusions(options.write))


HEAD = """Printed by `python benchmarks/em_systems.py --folder SCRATCH`. Training times are wall times of one thread
on a busy two-core machine without accelerator: minutes, where the references took hours on a GPU. So this compares what each
system makes of the same short time on the same tissue, not what it could become."""
ERRORS = """Error against the connected parts of the truth, convention `isbi`; VOI in bits; "ARI, all voxels" is the number
that the reference reports (truth as given, background is a cluster).
"""
TRANSFER = """Unchanged, on tissue, voxel sizes and grey values they were not made for; nothing is trained or tuned here.
"As is": voxel for voxel. "Rescaled": brought to the network's pixel size, sections left alone (`--rescale`). "Sections mixed":
resampled along z as well. "One scale": the mean and spread of the whole stack instead of each section's own."""
SCORES = """The weights after the last step; no epoch is chosen. V_rand per section: mean +- SD of 6 sections at the best
threshold.
"""


# -- routes ------------------------------------------------------------


def routes(folder: Path, minutes: float) -> list[str]:
    """Train and score every recipe; the same maps also go through the other methods."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in ROUTES if not (folder / name / "scores.json").exists()]
    in_parallel([_experiment_command(name, folder, minutes) for name in missing])
    done = [Route(folder / name, name) for name in ROUTES]
    reference, affinities, fixed, membrane = done
    link = {"bridge": "none", "grow": 2}
    rows = [
        row("**reference**: its networks, `link`, erosions, skeleton", reference, "link", reference.settings),
        row("its networks, `link`, no erosions, grown back", reference, "link", link),
        row("its networks, agglomeration", reference, "agglomerate", {}),
        row("corrected networks, `link`", fixed, "link", link),
        row("corrected networks, agglomeration", fixed, "agglomerate", {}),
        row("one membrane network, agglomeration", membrane, "agglomerate", membrane.settings),
        row("**affinities, agglomeration**", affinities, "agglomerate", affinities.settings),
    ]
    shape = " x ".join(map(str, affinities.truth("c").grid.shape))
    title = f"\n## Routes: SNEMI3D quadrant c ({shape}), trained on a and b for {minutes:g} minutes each\n"
    return [title, ERRORS, *table(rows)]


@dataclass(frozen=True)
class Route:
    """A finished experiment."""

    folder: Path
    name: str

    @property
    def config(self) -> Any:
        return read_experiment(RECIPES / f"{self.name}.yaml")

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.config.segment.settings)

    def truth(self, quadrant: str) -> Labels:
        return open_labels(self.folder / "quadrants" / f"{quadrant}-truth.ome.zarr")

    def probability(self, quadrant: str) -> Probability:
        """What the networks say of a quadrant: stage after stage, as the experiment does it."""
        if quadrant == self.config.test_on:
            return open_probability(self.folder / "boundary.ome.zarr")
        answers: dict[str, Probability] = {}
        for stage in self.config.stages:
            if stage.source == "image":
                image = open_image(self.folder / "quadrants" / f"{quadrant}-image.ome.zarr")
            else:
                before = answers[stage.source]
                image = Image(before.read(before.channels[:1])[0], before.grid, stage.source)
            answers[stage.name] = boundary.predict(image, self.folder / "models" / stage.name, averaging=stage.averaging)
        return boundary.combined([answers[name] for name in self.config.segment.of])

    def cards(self) -> Iterator[dict[str, Any]]:
        for stage in self.config.stages:
            yield json.loads((self.folder / "models" / stage.name / "card.json").read_text())


def row(name: str, route: Route, method: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Segment quadrant c; a threshold that is not given is chosen on quadrant d."""
    found = dict(settings)
    if "threshold" not in found:
        sweep = SWEEP if method == "agglomerate" else None
        tuned = neurons.tune(
            route.probability("d"), route.truth("d"), method, settings=neurons.make_settings(method, found), sweep=sweep
        )
        found["threshold"] = tuned.settings.threshold  # type: ignore[attr-defined]
    probability = route.probability("c")
    start = time.perf_counter()
    labels = neurons.segment(probability, method, settings=neurons.make_settings(method, found)).labels
    seconds = time.perf_counter() - start
    truth = route.truth("c")
    scores = label_scores(labels, truth, truth_parts="components")
    as_given = label_scores(labels, truth)
    cards = list(route.cards())
    return {
        "route": name,
        "threshold": found["threshold"],
        **{metric.replace("_", " "): scores[metric] for metric in METRICS[:5]},
        "ARI, all voxels": as_given["ari_all_voxels"],
        "parameters": f"{sum(c['training']['parameters'] for c in cards):,}",
        "training min": sum(c["training"]["minutes"] for c in cards),
        "steps": " + ".join(str(c["training"]["steps"]) for c in cards),
        "segment Mvoxel/s": labels.grid.size / 1e6 / seconds,
    }


def _experiment_command(name: str, folder: Path, minutes: float) -> list[str]:
    part = datasets.data_root() / "snemi3d"
    return [
        *("experiment", str(RECIPES / f"{name}.yaml"), "--image", str(part / "train-input.ome.tif")),
        *("--truth", str(part / "train-labels.ome.tif"), "-o", str(folder / name), "--minutes", f"{minutes:g}"),
    ]


# -- U-Nets ------------------------------------------------------------


def unets(folder: Path, minutes: float) -> list[str]:
    """Train each U-Net for the same time on ISBI-2012 and score it on sections that none of them saw."""
    folder.mkdir(parents=True, exist_ok=True)
    commands = []
    for k, recipe in enumerate(UNETS.values()):
        path = folder / f"unet{k}.yaml"
        path.write_text(yaml.safe_dump(_unet_recipe(k, recipe, minutes), sort_keys=False))
        if not (folder / f"unet{k}" / "card.json").exists():
            commands.append(["boundary", "train", str(path), "-o", str(folder / f"unet{k}")])
    in_parallel(commands, at_once=len(UNETS))
    held_out = datasets.load("isbi2012", "validation")
    truth = held_out.labels.read() > 0
    rows = [unet_row(name, folder / f"unet{k}", held_out.image, truth) for k, name in enumerate(UNETS)]
    return [f"\n## U-Nets: ISBI-2012 sections 18-23, trained on 0-17 for {minutes:g} minutes each\n", SCORES, *table(rows)]


def _unet_recipe(k: int, recipe: dict[str, Any], minutes: float) -> dict[str, Any]:
    part = datasets.data_root() / "isbi2012"
    volume = {
        "image": str(part / "train-volume.ome.tif"),
        "truth": str(part / "train-labels.ome.tif"),
        "truth_is": "inside",
        "train": "0:18",
        "validate_on": "18:24",
    }
    # One epoch, so that nothing but the end of the time decides which weights are kept.
    fit = {**recipe["fit"], "minutes": minutes, "steps": NO_END, "validate_every": NO_END}
    return {"name": f"unet{k}", "volumes": [volume], **OUR_TRAINING, **recipe, "fit": fit}


def unet_row(name: str, model: Path, image: Any, truth: np.ndarray) -> dict[str, Any]:
    start = time.perf_counter()
    answer = boundary.predict(image, model)
    seconds = time.perf_counter() - start
    scores = isbi_scores(boundary.inside_map(answer), truth)
    best = scores.best_threshold()
    each = np.array([r["v_rand"] for r in scores.to_rows() if abs(r["threshold"] - best) < 1e-9])
    training = json.loads((model / "card.json").read_text())["training"]
    return {
        "network": name,
        "V_rand": scores.v_rand,
        "V_info": scores.v_info,
        "V_rand per section": f"{each.mean():.4f} +- {each.std(ddof=1):.4f}",
        "parameters": f"{training['parameters']:,}",
        "training min": training["minutes"],
        "steps": training["steps"],
        "predict Mvoxel/s": image.grid.size / 1e6 / seconds,
    }


# -- elsewhere ------------------------------------------------------------


def elsewhere(picture: Path | None) -> list[str]:
    printed = io.StringIO()
    with redirect_stdout(printed):
        transfer.tables(averaging=4, picture=picture)
    return ["\n## The shipped networks elsewhere\n", TRANSFER, printed.getvalue()]


# -- all ------------------------------------------------------------


def in_parallel(commands: list[list[str]], at_once: int = 2) -> None:
    """Run neurotome commands, a few at a time, one thread each."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    waiting, running = list(commands), []
    while waiting or running:
        while waiting and len(running) < at_once:
            command = [sys.executable, "-m", "neurotome.cli.main", *waiting.pop(0)]
            running.append((command, subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)))
        time.sleep(1)
        for command, process in [r for r in running if r[1].poll() is not None]:
            if process.returncode:
                raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
            running.remove((command, process))


def table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return lines + ["| " + " | ".join(_cell(v) for v in row.values()) + " |" for row in rows]


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _conclusions(page: Path) -> str:
    """What somebody wrote below the tables stays."""
    _, mark, rest = page.read_text().partition(CONCLUSIONS) if page.exists() else ("", "", "")
    return mark + rest


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--unet-minutes", type=float, default=15)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--picture", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
