"""What a reconstruction is asked to do, and everything that is decided and checked before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from neurotome import boundary, measure
from neurotome.core import Grid, Image
from neurotome.core.geometry import Nm3
from neurotome.flows.predict import RESULT as BOUNDARY
from neurotome.flows.predict import image_file, model_id
from neurotome.flows.score import truth_file
from neurotome.flows.segment import ON_MODEL_GRID, method_settings
from neurotome.flows.workers import Workforce, chosen_block
from neurotome.io import absolute_path, open_image
from neurotome.neurons.blockwise import BlockSegmentation, ProbabilityFile
from neurotome.nn import load_card

__all__ = ["Job", "ReconstructSettings", "prepare"]


@dataclass(frozen=True)
class ReconstructSettings:
    """What decides the result. None means: as the network's card says, where it was chosen on validation data."""

    image: str
    voxel_nm: Nm3 | None = None
    truth: str | None = None
    truth_voxel_nm: Nm3 | None = None
    model: str | Path | None = None
    method: str = "agglomerate"
    threshold: float | None = None
    averaging: int = 4
    min_voxels: int | None = None
    rescale: bool = False
    channel: str | None = None
    skeletons: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Job:
    """A reconstruction of which all that can be wrong has been checked."""

    ready: boundary.Prediction
    image_grid: Grid
    truth: measure.LabelFile | None
    segmentation: BlockSegmentation
    skeletons: bool
    config: Mapping[str, Any]

    @property
    def steps(self) -> list[str]:
        """What has to be done before the page can be written."""
        return ["neurons", *(["skeletons"] if self.skeletons else []), *(["score"] if self.truth else [])]


def prepare(settings: ReconstructSettings, out: Path, workforce: Workforce, *, grey_values: bool = True) -> Job:
    """Check everything and decide everything; nothing is written.

    grey_values: also look at those of an image that is small enough for that (see `boundary.prepared`).
    """
    model = settings.model or boundary.DEFAULT_MODEL
    image = open_image(settings.image, voxel_nm=settings.voxel_nm, channel=settings.channel)
    truth = _truth(settings, image)
    card, _ = load_card(model)
    how = method_settings(
        settings.method, card.segmentation, threshold=settings.threshold, min_voxels=settings.min_voxels, options=settings.options
    )
    seen = image_file(settings.image, model, voxel_nm=settings.voxel_nm, channel=settings.channel, rescale=settings.rescale)
    channels = tuple(card.segmentation.get("channels", ())) or None
    ready = boundary.prepared(seen, model, channels=channels, averaging=settings.averaging, grey_values=grey_values)
    block = chosen_block(ready.image.grid, workforce.block)
    config = {
        **asdict(settings),
        "image": absolute_path(settings.image),
        "truth": absolute_path(settings.truth) if settings.truth else None,
        "voxel_nm": image.grid.voxel_nm,
        "model": model_id(model),
        "threshold": how.threshold,  # type: ignore[attr-defined]
        "settings": vars(how),
        "block": block,
    }
    folder = out / ON_MODEL_GRID if settings.rescale else out
    segmentation = BlockSegmentation(ProbabilityFile(str(out / BOUNDARY)), ready.image.grid, how, folder, block)
    return Job(ready, image.grid, truth, segmentation, settings.skeletons, config)


def _truth(settings: ReconstructSettings, image: Image) -> measure.LabelFile | None:
    if settings.truth is None:
        return None
    truth = truth_file(absolute_path(settings.truth), settings.truth_voxel_nm, image.grid)
    truth.open().grid.require_same(image.grid, f"truth '{settings.truth}'", f"image '{settings.image}'")
    return truth
