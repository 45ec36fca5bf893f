"""Who does the work of a run, and the engine that hands it out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neurotome.blocks import Engine, Executor, Step, block_shape, make_executor
from neurotome.core import Grid, Progress, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.io import PyramidLevel, RunFolder, ome_zarr

__all__ = ["BLOCK_VOXELS", "Workforce", "chosen_block", "engine_of", "pyramid_step"]

BLOCK_VOXELS = 70_000_000
"""The most one worker holds at a time, unless told otherwise: needs less than two gigabytes."""


@dataclass(frozen=True)
class Workforce:
    """workers: processes of this machine (1: this process), or jobs with slurm. scheduler: address of a Dask scheduler.

    block: shape of the blocks (z, y, x), by default such that a worker needs less than two gigabytes. None of it changes a
    result.
    """

    workers: int = 1
    scheduler: str | None = None
    slurm: Mapping[str, str] | None = None
    block: Int3 | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueRangeError(f"{self.workers} workers", "at least one", "give --workers 1 or more")
        if self.block is not None and min(self.block) < 1:
            raise ValueRangeError(f"Blocks of {self.block} voxels", "at least one along each axis", "give --block Z Y X")

    def executor(self) -> Executor:
        """Start the workers; leaving the executor's `with` ends them."""
        return make_executor(workers=self.workers, scheduler=self.scheduler, slurm=self.slurm)


def chosen_block(grid: Grid, wanted: Int3 | None) -> Int3:
    """The shape of blocks: as wanted, or whole shards of at most BLOCK_VOXELS."""
    z, y, x = (min(w, n) for w, n in zip(wanted or block_shape(grid, ome_zarr.SHARD, BLOCK_VOXELS), grid.shape))
    return z, y, x


def engine_of(run: RunFolder, executor: Executor, progress: Progress) -> Engine:
    """The engine of a run. Its key is a hash of everything that decides the result: configuration and inputs."""
    record = run.record
    decisive = [record.command, record.config, record.inputs, record.seed]
    key = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return Engine(run.path, key=key, executor=executor, progress=progress)


def pyramid_step(engine: Engine, path: Path) -> None:
    """Fill the coarser levels of a volume in the folder of the engine, each from the one before."""
    # The whole way to it: two folders of a run may hold a volume of the same name.
    name = "-".join(path.relative_to(engine.folder).parts).removesuffix(".ome.zarr")
    for level in range(1, ome_zarr.read(path).levels):
        work = PyramidLevel(path, level)
        engine.run(Step(f"{name}-level-{level}", work.blocks(), work, f"pyramid of {name}, {level}"))
