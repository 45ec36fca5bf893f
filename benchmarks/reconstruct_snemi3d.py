"""Real data end to end: `neurotome reconstruct` of the whole SNEMI3D volume at hand, timed, with its peak memory and scores.

    python benchmarks/reconstruct_snemi3d.py [-o OUT] [--averaging 4]

The command runs in a process of its own. Scores are given for the whole volume (the network trained on sections 0-59 of it) and
for sections 60-69 alone, which it never saw; both against the connected parts of the truth, convention isbi.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from neurotome import datasets
from neurotome.core import Box
from neurotome.io import open_labels
from neurotome.measure import label_scores

METRICS = ("adapted_rand_error", "voi_split", "voi_merge", "split_errors", "merge_errors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--averaging", default="4")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp()) / "snemi3d"
    folder = datasets.data_root() / "snemi3d"
    command = [sys.executable, "-m", "neurotome.cli.main", "reconstruct", str(folder / "train-input.ome.tif"), "-o", str(out)]
    command += ["--truth", str(folder / "train-labels.ome.tif"), "--averaging", options.averaging, "--overwrite"]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    minutes = (time.perf_counter() - start) / 60
    record = json.loads((out / "run.json").read_text())
    labels, truth = open_labels(out / "neurons.ome.zarr"), open_labels(folder / "train-labels.ome.tif")
    voxels = labels.grid.size / 1e6
    print(
        f"\n{voxels:.1f} Mvoxel on {os.cpu_count()} cores: {minutes:.1f} min, peak {record['peak_memory_bytes'] / 1e9:.2f} GB\n"
    )
    print("| step | seconds | Mvoxel/s |\n|---|---|---|")
    for step, seconds in record["seconds"].items():
        print(f"| {step} | {seconds:.1f} | {voxels / max(seconds, 1e-3):.1f} |")
    print("\n| support | " + " | ".join(METRICS) + " |\n|---" + "|---" * len(METRICS) + "|")
    unseen = Box((60, 0, 0), labels.grid.shape)
    for name, a, b in (
        ("sections 0-69 (0-59 seen in training)", labels, truth),
        ("sections 60-69 (never seen)", labels.crop(unseen), truth.crop(unseen)),
    ):
        scores = label_scores(a, b, truth_parts="components")
        print(f"| {name} | " + " | ".join(f"{scores[m]:.4f}" for m in METRICS) + " |")


if __name__ == "__main__":
    main()
