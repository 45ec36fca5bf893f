"""What a reconstruction would take, before anything is written."""

from __future__ import annotations

import math
from pathlib import Path

from neurotome import boundary
from neurotome.blocks import Plan, PlannedStep, blocks_of
from neurotome.flows.prepare import Job, ReconstructSettings, prepare
from neurotome.flows.workers import Workforce
from neurotome.io import ome_zarr
from neurotome.neurons.blockwise import memory_of

__all__ = ["plan_of", "planned"]

PREDICT_RATE = 0.7e6
RATES = {"pieces": 17e6, "contacts": 45e6, "merge-0": 31e6, "dust-0": 36e6, "paint": 23e6}
OTHER_RATE = 130e6
"""Voxels per second and core that have been measured (docs/benchmarks.md); prediction per symmetry, with the shipped network."""
BYTES_ON_DISK = {"pieces": 1.8, "contacts": 1.5, "merge-0": 1.0, "paint": 0.25}
BOUNDARY_BYTES = 0.5
"""Bytes per voxel on disk while a run works, compressed as has been seen; of probabilities per channel."""


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
    largest = max((b.write.shape for b in blocks), key=math.prod)
    return PlannedStep.of(
        "predict",
        blocks,
        bytes_per_worker=boundary.predict_bytes(job.ready.card, largest, channels, grid.shape[1:]),
        disk_bytes=int(grid.size * channels * BOUNDARY_BYTES),
        voxels_per_s=PREDICT_RATE / settings.averaging,
    )


def _segmentation(job: Job) -> list[PlannedStep]:
    return [
        PlannedStep.of(
            step.name,
            step.blocks,
            bytes_per_worker=memory_of(step.name, max(b.read.size for b in step.blocks)),
            disk_bytes=int(job.segmentation.grid.size * BYTES_ON_DISK.get(step.name, 0.0)),
            voxels_per_s=RATES.get(step.name, OTHER_RATE),
        )
        for step in job.segmentation.steps()
    ]
