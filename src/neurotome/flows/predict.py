"""Image file -> boundary.ome.zarr in a run folder, block by block, going on after an interruption."""

from __future__ import annotations

from pathlib import Path

from neurotome import boundary
from neurotome.blocks import Ledger, write_boxes
from neurotome.core import Box, Grid, Image, ModelCard, Probability, Progress, silent
from neurotome.core.geometry import Nm3
from neurotome.io import RunFolder, absolute_path, ome_zarr, open_image, open_probability, require_free_space
from neurotome.nn import Predictor, load_card

__all__ = ["least_bytes", "model_id", "model_input", "predict_file", "predict_step"]

RESULT = "boundary.ome.zarr"


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
    progress: Progress = silent,
) -> Path:
    """`neurotome boundary predict`: all channels of the network for one image. Returns the path of the volume."""
    model = model or boundary.DEFAULT_MODEL
    source, _ = model_input(open_image(image, voxel_nm=voxel_nm, channel=channel), model, rescale=rescale)
    ready = boundary.predictor(source, model, averaging=averaging)
    require_free_space(out, least_bytes(source.grid, len(ready.channels)))
    config = {
        "image": absolute_path(image),
        "truth": None,
        "voxel_nm": source.grid.voxel_nm,
        "model": model_id(model),
        "averaging": averaging,
    }
    start = {"inputs": {"image": image}, "overwrite": overwrite, "device": ready.device}
    with RunFolder.start(out, command="boundary predict", config={**config, "rescale": rescale}, **start) as run:
        predict_step(run, ready, source, progress)
    return out / RESULT


def least_bytes(grid: Grid, channels: int) -> int:
    """The least room a run takes: probabilities and two label volumes, compressed as well as has been seen."""
    return channels * grid.size // 20 + 2 * 8 * grid.size // 200


def predict_step(run: RunFolder, ready: Predictor, image: Image, progress: Progress) -> Probability:
    """Write the probability volume; finished blocks of an interrupted run are kept."""
    path, ledger_path = run / RESULT, run / "boundary.blocks"
    if not run.done("predict"):
        with run.step("predict"):
            if not path.exists():
                ledger_path.unlink(missing_ok=True)
                ome_zarr.create(
                    path, shape=(len(ready.channels), *image.grid.shape), dtype="uint8", grid=image.grid, channels=ready.channels
                )
            volume = ome_zarr.reopen(path)
            ledger = Ledger(ledger_path, key=ready.card.weights_sha256)

            def write(box: Box, values: object) -> None:
                ome_zarr.write_box(volume, box, values)
                ledger.add(box)

            todo = ledger.todo(write_boxes(image.grid, ome_zarr.shard_shape(volume)))
            boundary.predict_blocks(ready, todo, write, progress=progress)
        ledger_path.unlink(missing_ok=True)
    return open_probability(path)


def model_input(image: Image, model: str | Path, *, rescale: bool) -> tuple[Image, ModelCard]:
    """The image as the network wants to see it: as it is, or (rescale) brought to the network's voxel size."""
    card, _ = load_card(model)
    if rescale:
        return boundary.resampled_image(image, card.voxel_nm), card
    boundary.check_voxel_size(image, card)
    return image, card


def model_id(model: str | Path) -> str:
    """Name and weights of a network: two networks of one name are still two."""
    card, _ = load_card(model)
    return f"{card.name}@{card.weights_sha256[:12]}"
