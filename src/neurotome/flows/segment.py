"""Probability -> neurons, table and merge tree; and the choice of the threshold on validation data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurotome import neurons
from neurotome.core import InputError, Labels, Probability, Progress, RunFailedError, RunFolderError, ValueRangeError, silent
from neurotome.core.geometry import Nm3
from neurotome.flows.score import open_truth
from neurotome.io import (
    RunFolder,
    absolute_path,
    atomic_write_text,
    load_merge_list,
    load_region_graph,
    open_labels,
    open_probability,
    save,
    save_merge_list,
    save_region_graph,
)
from neurotome.nn import load_card

__all__ = ["cut_run", "kept_segmentation", "method_settings", "segment_file", "segment_volume", "tune_file", "write_neurons"]


def segment_file(
    probability: str,
    out: Path,
    *,
    voxel_nm: Nm3 | None = None,
    channels: tuple[str, ...] | None = None,
    method: str = "agglomerate",
    threshold: float | None = None,
    min_voxels: int | None = None,
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> int:
    """`neurotome neurons segment`: returns the number of neurons."""
    volume = open_probability(probability, voxel_nm=voxel_nm, channels=channels)
    settings = method_settings(method, {}, threshold=threshold, min_voxels=min_voxels, options=options)
    config = {
        "probability": absolute_path(probability),
        "voxel_nm": volume.grid.voxel_nm,
        "method": method,
        "settings": vars(settings),
    }
    inputs = {"probability": probability}
    with RunFolder.start(out, command="neurons segment", config=config, inputs=inputs, overwrite=overwrite) as run:
        if not run.done("neurons"):
            segmentation = segment_volume(run, volume, settings, progress)
            run.keep({"neurons": write_neurons(run, segmentation.labels, progress)})
    return int(run.facts["neurons"])


def cut_run(source: Path, out: Path, *, threshold: float, overwrite: bool = False, progress: Progress = silent) -> int:
    """`neurotome neurons cut`: the neurons of another run at another threshold, from its merge tree."""
    neurons_path, merges_path = source / "neurons.ome.zarr", source / "merges.npz"
    labels = open_labels(neurons_path)
    stored = kept_segmentation(source, labels, neurons.make_settings("agglomerate", {}))
    if stored is None:
        raise RunFolderError(
            f"'{source}' keeps no merge tree on the grid of its neurons", "a run by `agglomerate`", "segment it again"
        )
    neurons.merges_above(stored.merges, threshold)  # type: ignore[arg-type]  # raises for a threshold below the end of the list
    config = {"run": absolute_path(source), "threshold": threshold, "voxel_nm": labels.grid.voxel_nm}
    with RunFolder.start(out, command="neurons cut", config=config, inputs={"merges": merges_path}, overwrite=overwrite) as run:
        if not run.done("neurons"):
            new = neurons.recut(stored, threshold, progress=progress)
            run.keep({"neurons": write_neurons(run, new.labels, progress)})
    return int(run.facts["neurons"])


def method_settings(
    method: str,
    tuned: Mapping[str, Any],
    *,
    threshold: float | None = None,
    min_voxels: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> neurons.SegmentSettings:
    """Settings of a method: its defaults, over them those tuned for the network (for `agglomerate`), over them the user's.

    Raises UnknownNameError for the method or an option, ValueRangeError for values it does not allow.
    """
    chosen = {k: v for k, v in tuned.items() if k != "channels"} if method == "agglomerate" else {}
    if threshold is not None:
        if not 0 <= threshold <= 1:
            raise ValueRangeError(f"Threshold {threshold:g}", "a number in [0, 1]", "divide by 255 if it is a grey value")
        chosen["threshold"] = threshold if method != "link" else round(threshold * 255)
        if method == "agglomerate":
            # Asking for less than the usual end of the merge list means a longer list.
            chosen["t_min"] = min(threshold, chosen.get("t_min", 0.1))
    if min_voxels is not None:
        chosen["min_voxels"] = min_voxels
    return neurons.make_settings(method, {**chosen, **(options or {})})


def segment_volume(
    run: RunFolder, probability: Probability, settings: neurons.SegmentSettings, progress: Progress
) -> neurons.Segmentation:
    """Segment, and keep fragments, region graph and merges where the method has them."""
    with run.step("segment"):
        segmentation = neurons.segment(probability, settings.method, settings=settings, progress=progress)
        if segmentation.fragments is not None:
            save(segmentation.fragments, run / "fragments.ome.zarr", overwrite=True, progress=progress)
        if segmentation.graph is not None:
            save_region_graph(run / "region_graph.npz", segmentation.graph)
        if segmentation.merges is not None:
            save_merge_list(run / "merges.npz", segmentation.merges)
    return segmentation


def kept_segmentation(folder: Path, labels: Labels, settings: neurons.SegmentSettings) -> neurons.Segmentation | None:
    """What `segment_volume` kept, opened again; None where the method keeps no merge list or worked on another grid."""
    if not (folder / "merges.npz").exists():
        return None
    fragments = open_labels(folder / "fragments.ome.zarr")
    if fragments.grid != labels.grid:
        return None
    graph, merges = load_region_graph(folder / "region_graph.npz"), load_merge_list(folder / "merges.npz")
    return neurons.Segmentation(labels, settings, fragments, graph, merges)


def write_neurons(run: RunFolder, labels: Labels, progress: Progress) -> int:
    """neurons.ome.zarr and neurons.csv; returns the number of neurons."""
    with run.step("neurons"):
        table = neurons.neuron_table(labels, progress=progress)
        if table.empty:
            raise RunFailedError(
                "No neuron was found", "at least one segment", "lower --min-voxels, or look at boundary.ome.zarr"
            )
        save(labels, run / "neurons.ome.zarr", overwrite=True, progress=progress)
        atomic_write_text(run / "neurons.csv", table.to_csv(index=False))
    return len(table)


def tune_file(
    probability: str,
    truth: str,
    out: Path,
    *,
    voxel_nm: Nm3 | None = None,
    channels: tuple[str, ...] | None = None,
    by: str = "are",
    at_most: int | None = None,
    truth_parts: str = "as given",
    model: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> tuple[list[dict[str, Any]], float]:
    """`neurotome neurons tune`: scores per threshold, written to `out`, and the best threshold.

    What is not swept comes from the card of `model` and from `options`, so that the threshold is good for a run with the same.
    """
    if out.suffix != ".csv":
        raise InputError(f"Table '{out}'", "a name that ends in .csv", "choose another --out")
    tuned = load_card(model)[0].segmentation if model else {}
    settings = method_settings("agglomerate", tuned, options=options)
    volume = open_probability(probability, voxel_nm=voxel_nm, channels=channels)
    believed = open_truth(truth, None, volume.grid)
    limits = {"settings": settings, "truth_parts": truth_parts, "progress": progress}
    tuning = neurons.tune(volume, believed, by=by, max_merge_errors=at_most, **limits)
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(out, tuning.table.to_csv(index=False))
    return tuning.table.to_dict("records"), float(tuning.settings.threshold)  # type: ignore[attr-defined]
