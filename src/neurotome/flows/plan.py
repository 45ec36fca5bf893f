"""What a reconstruction would take, before anything is written."""

from __future__ import annotations

from pathlib import Path

from neurotome import boundary
from neurotome.blocks import Plan, PlannedStep, blocks_of
from neurotome.core import Block
from neurotome.flows.prepare import Job, ReconstructSettings, prepare
from neurotome.flows.workers import Workforce
from neurotome.io import ome_zarr
from neurotome.neurons.blockwise import memory_of

__all__ = ["plan_of", "planned"]

PREDICT_RATE, PIECES_RATE, PAINT_RATE, OTHER_RATE = 0.7e6, 15e6, 30e6, 100e6
"""Voxels per second and core that have been measured (docs/benchmarks.md); prediction per symmetry, with the shipped network."""
BYTES_PER_VOXEL = {"boundary": 0.35, "pieces": 0.25, "graph": 0.7, "labels": 0.35}
"""Disk, compressed as has been seen; boundary per channel."""


def planned(settings: ReconstructSettings, out: Path, workforce: Workforce) -> Plan:
    """Blocks, memory of a worker, disk and time of the steps of `reconstruct`; bad input raises what it would raise there."""
    job = prepare(settings, Path(out).absolute(), workforce, grey_values=False)
    return plan_of(job, settings, workforce)


def plan_of(job: Job, settings: ReconstructSettings, workforce: Workforce) -> Plan:
    """The same for a job that is prepared."""
    return Plan((_prediction(job, settings), *_segmentation(job)), workforce.workers)


def _prediction(job: Job, settings: ReconstructSettings) -> PlannedStep:
    grid, channels = job.ready.image.grid, len(job.ready.channels)
    blocks = blocks_of(grid, ome_zarr.SHARD)
    largest = max((b.write.shape for b in blocks), key=lambda shape: shape[0] * shape[1] * shape[2])
    return PlannedStep(
        "predict",
        len(blocks),
        grid.size,
        boundary.predict_bytes(job.ready.card, largest, channels),
        int(grid.size * channels * BYTES_PER_VOXEL["boundary"]),
        PREDICT_RATE / settings.averaging,
    )


def _segmentation(job: Job) -> list[PlannedStep]:
    rows = []
    for step in job.segmentation.steps():
        voxels = sum(b.read.size for b in step.blocks)
        rate = {"pieces": PIECES_RATE, "paint": PAINT_RATE}.get(step.name, OTHER_RATE)
        disk = {"pieces": BYTES_PER_VOXEL["pieces"], "contacts": BYTES_PER_VOXEL["graph"], "paint": BYTES_PER_VOXEL["labels"]}
        bytes_on_disk = int(job.segmentation.grid.size * disk.get(step.name, 0.0))
        rows.append(
            PlannedStep(step.name, len(step.blocks), voxels, memory_of(step.name, _largest(step.blocks)), bytes_on_disk, rate)
        )
    return rows


def _largest(blocks: list[Block]) -> int:
    return max(b.read.size for b in blocks)
