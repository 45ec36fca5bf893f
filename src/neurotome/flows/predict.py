"""Image file -> boundary.ome.zarr in a run folder, block by block, going on after an interruption."""

from __future__ import annotations

import shutil
from pathlib import Path

from neurotome import boundary
from neurotome.blocks import Engine, Step, blocks_of
from neurotome.core import Grid, Progress, silent
from neurotome.core.geometry import Nm3
from neurotome.flows.workers import Workforce, engine_of, pyramid_step
from neurotome.io import RunFolder, absolute_path, ome_zarr, pyramid_grids, require_free_space
from neurotome.nn import load_card

__all__ = ["image_file", "least_bytes", "model_id", "predict_file", "predict_step"]

RESULT, GREY_SCALES = "boundary.ome.zarr", "grey_scales.npz"
SCALING = "grey-scales"


def predict_file(
    image: str,
    out: Path,
    *,
    voxel_nm: Nm3 | None = None,
    model: str | Path | None = None,
    averaging: int = 4,
    rescale: bool = False,
    channel: str | None = None,
    overwrite: bool = False,
    workforce: Workforce | None = None,
    progress: Progress = silent,
) -> Path:
    """`neurotome boundary predict`: all channels of the network for one image. Returns the path of the volume.

    workforce: who does the blocks (default: this process); the result is the same.
    """
    model = model or boundary.DEFAULT_MODEL
    source = image_file(image, model, voxel_nm=voxel_nm, channel=channel, rescale=rescale)
    ready = boundary.prepared(source, model, averaging=averaging)
    grid = ready.image.grid
    require_free_space(out, least_bytes(grid, len(ready.channels)))
    config = {
        "image": absolute_path(image),
        "truth": None,
        "voxel_nm": grid.voxel_nm,
        "model": model_id(model),
        "averaging": averaging,
        "rescale": rescale,
        "channel": channel,
    }
    with (
        (workforce or Workforce()).executor() as executor,
        RunFolder.start(
            out,
            command="boundary predict",
            config=config,
            inputs={"image": image},
            overwrite=overwrite,
            device=ready.device,
            progress=progress,
        ) as run,
    ):
        predict_step(run, ready, engine_of(run, executor, progress))
    return out / RESULT


def least_bytes(grid: Grid, channels: int) -> int:
    """The least room a run takes: probabilities and two label volumes, compressed as well as has been seen."""
    return channels * grid.size // 20 + 2 * 8 * grid.size // 200


def predict_step(run: RunFolder, ready: boundary.Prediction, engine: Engine) -> Path:
    """Write the probability volume; finished blocks of an interrupted run are kept where they are whole."""
    path = (run / RESULT).absolute()
    with run.step("predict"):
        _find_scales(run, ready, engine)
        if not path.exists():
            ready.create(path, levels=len(pyramid_grids(ready.image.grid)))
        shard = ome_zarr.shard_shape(ome_zarr.reopen(path))
        engine.run(Step("predict", blocks_of(ready.image.grid, shard), ready.work(path, run / GREY_SCALES)))
        pyramid_step(engine, path)
    return path


def _find_scales(run: RunFolder, ready: boundary.Prediction, engine: Engine) -> None:
    """The grey scale of every section of an image that was too large to be read at the start; found once in a run.

    Raises ValueRangeError for grey values that are constant or not finite.
    """
    if not ready.knows_scales(run / GREY_SCALES):
        scaling = ready.scaling(run / SCALING)
        step = Step(SCALING, blocks_of(ready.image.grid, scaling.shape()), scaling, "grey scale of every section")
        engine.run(step)
        ready.keep_scales(run / GREY_SCALES, scaling, step.blocks)
    engine.forget(SCALING)
    shutil.rmtree(run / SCALING, ignore_errors=True)


def image_file(
    image: str, model: str | Path, *, voxel_nm: Nm3 | None = None, channel: str | None = None, rescale: bool = False
) -> boundary.ImageFile:
    """The image as the network wants to see it: as it is, or (rescale) brought to the network's voxel size."""
    card, _ = load_card(model)
    return boundary.ImageFile(absolute_path(image), voxel_nm, channel, card.voxel_nm if rescale else None)


def model_id(model: str | Path) -> str:
    """Name and weights of a network: two networks of one name are still two."""
    card, _ = load_card(model)
    return f"{card.name}@{card.weights_sha256[:12]}"
