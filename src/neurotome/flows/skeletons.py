"""Labels -> skeletons/ID.swc, one for every neuron of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

from neurotome import tracing
from neurotome.blocks import Engine, Step, block_shape, blocks_of
from neurotome.flows.workers import BLOCK_VOXELS
from neurotome.io import RunFolder, ome_zarr, pyramid_grids

__all__ = ["skeleton_step"]

SKELETONS, TEMPORARY = "skeletons", "label_bricks"


def skeleton_step(run: RunFolder, engine: Engine, labels: Path) -> None:
    """Trace every neuron of neurons.csv, on the level of the pyramid that is fine enough for it."""
    with run.step("skeletons"):
        grids = pyramid_grids(ome_zarr.grid_of(labels))
        level = tracing.labels_level(grids)
        grid, side = grids[level], tracing.SIDE
        shape = tracing.brick_aligned(block_shape(grid, (side, 16 * side, 16 * side), BLOCK_VOXELS))
        blocks = blocks_of(grid, shape)
        found = tracing.LabelBricks(labels / str(level), (run / TEMPORARY).absolute())
        engine.run(Step("label-bricks", blocks, found, "bricks of neurons"))
        factor = tuple(round(a / b) for a, b in zip(grid.voxel_nm, grids[0].voxel_nm, strict=True))
        work = tracing.SkeletonBlock(
            labels / str(level),
            (run / "neurons.csv").absolute(),
            factor,  # type: ignore[arg-type]
            found.folder,
            tuple(blocks),
            (run / SKELETONS).absolute(),
            tracing.LABEL_SETTINGS,
        )
        engine.run(Step("skeletons", blocks, work, "skeletons"))
        shutil.rmtree(run / TEMPORARY, ignore_errors=True)
        run.keep({"skeletons_level": level})
