"""The main job: EM stack in, neurons out.

image --predict--> boundary.ome.zarr --segment--> fragments, region graph, merges --> neurons.ome.zarr, neurons.csv
                                              truth --score--> scores.json, errors.csv, objects.csv, threshold_curve.csv
                                                       report --> report.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from neurotome import boundary, neurons
from neurotome.core import Image, Labels, ModelCard, Progress, silent
from neurotome.core.geometry import Nm3
from neurotome.flows.predict import least_bytes, model_id, model_input, predict_step
from neurotome.flows.score import headline, open_truth, write_scores
from neurotome.flows.segment import kept_segmentation, method_settings, segment_volume, write_neurons
from neurotome.io import RunFolder, absolute_path, atomic_write_text, open_image, open_labels, require_free_space
from neurotome.nn import Predictor
from neurotome.report import write_report

__all__ = ["ReconstructSettings", "reconstruct"]


CURVE = tuple(n / 20 for n in range(2, 19))
"""Thresholds of threshold_curve.csv: to look at, never to choose by."""


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
    options: Mapping[str, Any] = field(default_factory=dict)


def reconstruct(
    settings: ReconstructSettings, out: Path, *, overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Everything from image to report, in the folder `out`; goes on where an interrupted run stopped.

    Returns the number of neurons and, with a truth, the headline scores.
    Bad input is found before anything is written: see the errors of `io.open_image`, `boundary.predictor` and `neurons.segment`.
    """
    model = settings.model or boundary.DEFAULT_MODEL
    image = open_image(settings.image, voxel_nm=settings.voxel_nm, channel=settings.channel)
    truth = _truth(settings, image)
    seen, card = model_input(image, model, rescale=settings.rescale)
    how = method_settings(
        settings.method, card.segmentation, threshold=settings.threshold, min_voxels=settings.min_voxels, options=settings.options
    )
    channels = tuple(card.segmentation.get("channels", ())) or None
    ready = boundary.predictor(seen, model, channels=channels, averaging=settings.averaging)
    require_free_space(out, least_bytes(seen.grid, len(ready.channels)))
    config = {
        **asdict(settings),
        "image": absolute_path(settings.image),
        "truth": absolute_path(settings.truth) if settings.truth else None,
        "voxel_nm": image.grid.voxel_nm,
        "model": model_id(model),
        "threshold": how.threshold,  # type: ignore[attr-defined]
        "settings": vars(how),
    }
    inputs = {"image": settings.image} | ({"truth": settings.truth} if settings.truth else {})
    start = {"inputs": inputs, "overwrite": overwrite, "progress": progress, "device": ready.device}
    with RunFolder.start(out, command="reconstruct", config=config, **start) as run:
        labels = _neurons(run, ready, seen, image, card, how, progress)
        if truth is not None and not run.done("score"):
            _score(run, labels, truth, how, progress)
        with run.step("report"):
            write_report(out, progress=progress)
    # Once more, now that the record is complete: the page shows the time and memory of every step.
    write_report(out)
    return {k: run.facts[k] for k in ("neurons", "scores") if k in run.facts}


def _truth(settings: ReconstructSettings, image: Image) -> Labels | None:
    if settings.truth is None:
        return None
    truth = open_truth(settings.truth, settings.truth_voxel_nm, image.grid)
    truth.grid.require_same(image.grid, f"truth '{settings.truth}'", f"image '{settings.image}'")
    return truth


def _neurons(
    run: RunFolder, ready: Predictor, seen: Image, image: Image, card: ModelCard, how: neurons.SegmentSettings, progress: Progress
) -> Labels:
    if run.done("neurons"):
        return open_labels(run / "neurons.ome.zarr")
    probability = predict_step(run, ready, seen, progress)
    segmentation = segment_volume(run, probability, how, progress)
    labels = segmentation.labels if seen is image else boundary.labels_on_grid(segmentation.labels, image.grid)
    run.keep({"neurons": write_neurons(run, labels, progress), "channels": ready.channels, "model_card": card.to_json()})
    return labels


def _score(run: RunFolder, labels: Labels, truth: Labels, how: neurons.SegmentSettings, progress: Progress) -> None:
    with run.step("score"):
        scores = write_scores(run, labels, truth, progress)
        stored = kept_segmentation(run.path, labels, how)
        if stored is not None:
            curve = neurons.threshold_table(stored, truth, CURVE)
            atomic_write_text(run / "threshold_curve.csv", curve.to_csv(index=False))
        run.keep({"scores": headline(scores)})
