"""Peak memory and time of a training step that decodes everything, a few cubes as the reference does, and a few as we do.

    python benchmarks/nlat_memory.py --threads 2 --out nlat_memory.csv

Each row is a process of its own: two steps of the reference network (forward, focal loss, backward, AdamW) in single precision on
grids with random walks as thick as neurites; the second step is timed. MB: the most memory the process had, less what it had
before the network was made.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

RUNS = {
    "dense": {},
    "nlat, as the reference (a dense pass for metrics)": {"cubes": 10, "legacy": True, "dense_pass": True},
    "nlat, the reference's cubes, no dense pass": {"cubes": 10, "legacy": True},
    "nlat, own cubes": {"cubes": 10, "norm": "group"},
    "nlat, own cubes, one stage recomputed": {"cubes": 10, "norm": "group", "recomputed": 1},
    "nlat, own cubes, two stages recomputed": {"cubes": 10, "norm": "group", "recomputed": 2},
    "dense, two stages recomputed": {"recomputed": 2},
}
SIZES = ("64x4", "64x8", "128x1")


def measured(grid: int, batch: int, threads: int, how: dict) -> dict[str, float]:
    """Peak memory above the start in MB, seconds of the second step, voxels decoded."""
    import torch

    from neurotome.io.run_folder import peak_memory_bytes
    from neurotome.morphology.training.autoencoder_task import AutoencoderTask, Decoding
    from neurotome.nn import FitSettings
    from neurotome.nn.losses import occupancy_loss
    from neurotome.nn.occupancy.residual import VoxelAutoencoder, VoxelAutoencoderConfig
    from neurotome.nn.task import optimizer_of

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    grids = walks(grid, batch)
    before = peak_memory_bytes()
    config = VoxelAutoencoderConfig(grid=grid, decoder_norm=how.get("norm", "batch"))
    network = VoxelAutoencoder(config)
    network.recomputed = how.get("recomputed", 0)
    decoding = Decoding(how.get("cubes"), how.get("legacy", False), dense_pass=how.get("dense_pass", False))
    settings = FitSettings(precision="32-true", average=0.0)
    task = AutoencoderTask(network, occupancy_loss("focal"), settings, decoding).train()
    optimizer = optimizer_of(network.parameters(), settings)
    for _ in range(2):
        start = time.perf_counter()
        logits, target, weight = task.decoded(grids)
        task.loss(logits, target, weight).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.perf_counter() - start
    return {"mb": (peak_memory_bytes() - before) / 2**20, "seconds": seconds, "decoded": logits.numel() // batch}


def walks(grid: int, batch: int):
    """(b, g, g, g) float32 with a random walk of 8 g steps each."""
    import numpy as np
    import torch

    rng = np.random.default_rng(0)
    grids = np.zeros((batch, grid, grid, grid), np.float32)
    for one in grids:
        places = np.cumsum(rng.integers(-1, 2, (8 * grid, 3)), 0) + grid // 2
        one[tuple(np.clip(places, 0, grid - 1).T)] = 1
    return torch.from_numpy(grids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="grid x batch, such as 64x4")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(**json.loads(given.one))))
        return
    rows = []
    for grid, batch in (map(int, size.split("x")) for size in given.sizes):
        for name, how in RUNS.items():
            asked = json.dumps({"grid": grid, "batch": batch, "threads": given.threads, "how": how})
            answer = subprocess.run([sys.executable, __file__, "--one", asked], capture_output=True, text=True, check=True).stdout
            found = json.loads(answer.splitlines()[-1])
            rows.append({"grid": grid, "batch": batch, "step": name, **{key: round(value, 2) for key, value in found.items()}})
            share = found["mb"] / next(r["mb"] for r in rows if (r["grid"], r["batch"], r["step"]) == (grid, batch, "dense"))
            print(
                f"{grid:4d} x {batch:2d}  {name:50s} {found['mb']:8.0f} MB ({share:4.0%}) {found['seconds']:7.2f} s", flush=True
            )
    if given.out:
        with given.out.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
