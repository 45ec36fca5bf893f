"""Affinities to labels on volumes larger than a worker's memory: time, memory per worker, and how both grow.

    python benchmarks/larger_than_memory.py --probability RUN/boundary.ome.zarr --folder SCRATCH [--blocks 1 8 64] [--workers 2]

The affinities are real: a prediction of the shipped network, continued by mirroring to the size asked for (an edge between a
voxel and its mirror image is 255, so neurites run on through all copies: the hard case for everything that joins blocks).
Blocks are 64 x 1024 x 1024; 64 of them are 1024 x 2048 x 2048 = 4.3 Gvoxel. Each block notes its time and the peak memory of
its process.
The scratch folder needs some 2 bytes per voxel. --scaling runs eight blocks with one and with two workers, alternating.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from neurotome.blocks import Engine, Step, Work, make_executor
from neurotome.core import Block, Grid, Probability
from neurotome.io import ome_zarr, open_probability
from neurotome.neurons import make_settings
from neurotome.neurons.blockwise import BlockSegmentation, ProbabilityFile

BLOCK = (64, 1024, 1024)
VOLUMES = {1: (64, 1024, 1024), 8: (128, 2048, 2048), 64: (1024, 2048, 2048), 512: (2048, 4096, 4096)}
NEAREST = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1")
SETTINGS = {"t_high": 250, "smooth": 1.0, "threshold": 0.4, "min_voxels": 1000, "small": "zero", "long_range": False}


def main() -> None:
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.scaling:
        _scaling(options)
        return
    rows = []
    for blocks in options.blocks:
        notes, seconds, neurons = _labelled(options, blocks, options.workers)
        rows.append(_row(blocks, options.workers, notes, seconds, neurons))
        print(_per_step(notes, blocks), flush=True)
        print(_markdown(pd.DataFrame(rows)), flush=True)


def _scaling(options: argparse.Namespace) -> None:
    rows = []
    for _ in range(options.repeats):
        for workers in (1, 2):
            notes, seconds, neurons = _labelled(options, 8, workers)
            rows.append(_row(8, workers, notes, seconds, neurons))
            print(_markdown(pd.DataFrame(rows)), flush=True)
    one, two = (np.array([r["seconds"] for r in rows if r["workers"] == n]) for n in (1, 2))
    ratio = one / two
    print(f"from 1 to 2 workers: {ratio.mean():.2f} times as fast (n = {len(ratio)}, {ratio.min():.2f} to {ratio.max():.2f})")


def _labelled(options: argparse.Namespace, blocks: int, workers: int) -> tuple[pd.DataFrame, float, int]:
    """Notes of every block of every step, seconds from first block to last, number of neurons."""
    source = tiled(options.probability, options.folder / f"affinities-{blocks}.ome.zarr", VOLUMES[blocks], options.workers)
    out = options.folder / f"labels-{blocks}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    segmentation = BlockSegmentation(
        ProbabilityFile(str(source.absolute())),
        open_probability(source).grid,
        make_settings("agglomerate", SETTINGS),
        out.absolute(),
        BLOCK,
    )
    # Every executor works in processes of its own, one thread each, so that one worker and two are the same thing.
    with _processes(workers) as executor:
        engine = Noting(out.absolute(), key="benchmark", executor=executor)
        start = time.perf_counter()
        neurons = segmentation.run(engine)
        seconds = time.perf_counter() - start
    notes = pd.DataFrame([json.loads(line) for file in (out / "notes").iterdir() for line in file.read_text().splitlines()])
    if not options.keep:
        shutil.rmtree(out)
    return notes, seconds, neurons


def _processes(workers: int):  # type: ignore[no-untyped-def]
    if workers > 1:
        return make_executor(workers=workers)
    from neurotome.blocks import cluster

    return cluster.local(1)


class Noting(Engine):
    """An engine whose blocks note what they took."""

    def run(self, step: Step) -> None:
        super().run(Step(step.name, step.blocks, Noted(step.work, step.name, self.folder / "notes"), step.what))


@dataclass(frozen=True)
class Noted:
    """Work that notes its time and the peak memory of its process, one file per process."""

    work: Work
    step: str
    folder: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        import os

        wall, processor = time.perf_counter(), time.process_time()
        files = self.work(block)
        note = {
            "step": self.step,
            "wall": time.perf_counter() - wall,
            "processor": time.process_time() - processor,
            "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        }
        self.folder.mkdir(exist_ok=True)
        with (self.folder / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(note) + "\n")
        return files


def tiled(probability: Path, path: Path, shape: tuple[int, int, int], workers: int) -> Path:
    """The nearest affinities of a prediction, continued by mirroring to `shape`; written once."""
    done = path.with_name(path.name + ".done")
    if not done.exists():
        grid = Grid(shape, open_probability(probability).grid.voxel_nm)
        shutil.rmtree(path, ignore_errors=True)
        ome_zarr.create(path, shape=(3, *shape), dtype="uint8", grid=grid, channels=NEAREST)
        folder = path.with_name(path.name + ".work")
        blocks = [Block(box, box) for box in grid.box.tiles(ome_zarr.SHARD)]
        with make_executor(workers=workers) as executor:
            Engine(folder, key="tiles", executor=executor).run(
                Step("tiles", blocks, Mirror(probability.absolute(), path.absolute()))
            )
        shutil.rmtree(folder)
        done.touch()
    return path


@dataclass(frozen=True)
class Mirror:
    """Fills a block of the tiled volume."""

    probability: Path
    path: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        source = open_probability(self.probability)
        values = np.stack([_mirrored(source, axis, block) for axis in range(3)])
        ome_zarr.write_box(ome_zarr.reopen(self.path), block.write, values)
        return ome_zarr.shard_files(self.path, block.write)


def _mirrored(source: Probability, axis: int, block: Block) -> np.ndarray:
    index, seam = [], np.zeros(0, np.int64)
    for a, n in enumerate(source.grid.shape):
        at, following = (_reflected(np.arange(block.write.start[a], block.write.stop[a]) + step, n) for step in (0, 1))
        if a == axis:
            # The mirrored edge is stored at the lower of its two voxels; a voxel is joined to its own image.
            at, seam = np.minimum(at, following), np.flatnonzero(at == following)
        index.append(at)
    values = source.read((NEAREST[axis],))[0][np.ix_(*index)]
    values[tuple(seam if a == axis else slice(None) for a in range(3))] = 255
    return values


def _reflected(index: np.ndarray, n: int) -> np.ndarray:
    index = index % (2 * n)
    return np.where(index < n, index, 2 * n - 1 - index)


def _row(blocks: int, workers: int, notes: pd.DataFrame, seconds: float, neurons: int) -> dict[str, object]:
    voxels = np.prod(VOLUMES[blocks]) / 1e6
    return {
        "blocks": blocks,
        "Mvoxel": round(voxels),
        "workers": workers,
        "seconds": round(seconds, 1),
        "Mvoxel/s": round(voxels / seconds, 1),
        "Mvoxel/s per core": round(voxels / notes.processor.sum(), 1),
        "peak GB per worker": round(notes.peak_gb.max(), 2),
        "largest step": notes.loc[notes.peak_gb.idxmax(), "step"],
        "neurons": neurons,
    }


def _per_step(notes: pd.DataFrame, blocks: int) -> str:
    voxels = np.prod(VOLUMES[blocks]) / 1e6
    table = notes.groupby("step", sort=False).agg(
        parts=("wall", "size"), seconds=("processor", "sum"), slowest=("wall", "max"), peak_gb=("peak_gb", "max")
    )
    table["share"] = table.seconds / table.seconds.sum()
    table["Mvoxel/s"] = voxels / table.seconds
    return _markdown(table.reset_index().round(2))


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(map(str, table.columns)), ["---"] * len(table.columns), *(list(map(str, r)) for r in table.values.tolist())]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probability", type=Path, required=True, help="prediction to continue by mirroring (OME-Zarr)")
    parser.add_argument("--folder", type=Path, required=True, help="scratch folder")
    parser.add_argument("--blocks", type=int, nargs="+", default=[1, 8, 64], choices=sorted(VOLUMES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scaling", action="store_true", help="one worker against two, on eight blocks")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the labels")
    return parser.parse_args()


if __name__ == "__main__":
    main()
