"""Probability -> neurons, table and region graph; and the choice of the threshold on validation data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurotome import neurons
from neurotome.blocks import Engine, Step, blocks_of
from neurotome.core import Grid, InputError, MissingFileError, Progress, RunFailedError, RunFolderError, ValueRangeError, silent
from neurotome.core.geometry import Nm3
from neurotome.flows.score import open_truth
from neurotome.flows.workers import Workforce, chosen_block, engine_of, pyramid_step
from neurotome.io import (
    RunFolder,
    absolute_path,
    atomic_write_json,
    atomic_write_text,
    load_merge_list,
    load_region_graph,
    ome_zarr,
    open_labels,
    open_probability,
    save_merge_list,
    save_region_graph,
)
from neurotome.neurons.blockwise import BlockSegmentation, ProbabilityFile
from neurotome.nn import load_card

__all__ = ["cut_run", "method_settings", "segment_file", "segment_step", "stored_segmentation", "table_step", "tidy", "tune_file"]

NEURONS, RECIPE = "neurons.ome.zarr", "segmentation/segmentation.json"
LAST_FOUND = "seen.npy"
"""Of what a cut needs of a run, the file that is written last."""
ON_MODEL_GRID = "on_model_grid"
"""With --rescale: the folder of what lies on the network's voxels and not on the image's."""
WHOLE_GRAPH_VOXELS = 300_000_000
"""Up to this size the region graph and the merge tree are also kept as one file each, and other thresholds are scored."""


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
    workforce: Workforce | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> int:
    """`neurotome neurons segment`: returns the number of neurons."""
    force = workforce or Workforce()
    volume = open_probability(probability, voxel_nm=voxel_nm, channels=channels)
    settings = method_settings(method, {}, threshold=threshold, min_voxels=min_voxels, options=options)
    neurons.check_evidence(volume, settings)
    config = {
        "probability": absolute_path(probability),
        "voxel_nm": volume.grid.voxel_nm,
        "channels": volume.channels,
        "method": method,
        "settings": vars(settings),
        "block": chosen_block(volume.grid, force.block),
    }
    source = ProbabilityFile(absolute_path(probability), voxel_nm, channels)
    segmentation = BlockSegmentation(source, volume.grid, settings, Path(out).absolute(), config["block"])
    start = {"inputs": {"probability": probability}, "overwrite": overwrite, "progress": progress}
    return _segmented_run(out, "neurons segment", config, start, segmentation, force, progress)


def _segmented_run(
    out: Path,
    command: str,
    config: Mapping[str, Any],
    start: Mapping[str, Any],
    segmentation: BlockSegmentation,
    workforce: Workforce,
    progress: Progress,
) -> int:
    with RunFolder.start(out, command=command, config=config, **start) as run:
        if not run.done("neurons"):
            with workforce.executor() as executor:
                engine = engine_of(run, executor, progress)
                segment_step(run, segmentation, engine)
                table_step(run, engine, segmentation.neurons)
        tidy(run, segmentation)
    return int(run.facts["neurons"])


def segment_step(run: RunFolder, segmentation: BlockSegmentation, engine: Engine) -> None:
    """Neurons and fragments of a probability volume, with pyramids; what a cut at another threshold needs stays in segmentation/.

    Raises RunFailedError when there is no neuron.
    """
    with run.step("segment"):
        if segmentation.run(engine) == 0:
            raise RunFailedError(
                "No neuron was found", "at least one segment", "lower --min-voxels, or look at boundary.ome.zarr"
            )
        for path in (segmentation.neurons, segmentation.fragments):
            if path is not None:
                pyramid_step(engine, path)
        if segmentation.fragments is not None and segmentation.grid.size <= WHOLE_GRAPH_VOXELS:
            whole = segmentation.whole_graph()
            save_region_graph(segmentation.folder / "region_graph.npz", whole)
            save_merge_list(segmentation.folder / "merges.npz", neurons.agglomerate(whole, t_min=_list_end(segmentation)))
        # Last, because it says that all of it is there; with the key, because another run in this folder is another source.
        atomic_write_json(segmentation.folder / RECIPE, {**_recipe(segmentation), "key": engine.key})


def _list_end(segmentation: BlockSegmentation) -> float:
    """Where the stored merge list ends: asking for less than the usual end means a longer list."""
    return min(segmentation.settings.threshold, segmentation.settings.t_min)  # type: ignore[attr-defined]


def table_step(run: RunFolder, engine: Engine, labels: Path) -> None:
    """neurons.csv, and the number of neurons among the facts of the run."""
    with run.step("neurons"):
        grid = open_labels(labels).grid
        work = neurons.TableBlock(labels, (run / "table").absolute())
        step = Step("table", blocks_of(grid, ome_zarr.SHARD), work, "table of neurons")
        engine.run(step)
        table = neurons.table_from(work.files(step.blocks), grid)
        atomic_write_text(run / "neurons.csv", table.to_csv(index=False))
        run.keep({"neurons": len(table)})


def tidy(run: RunFolder, segmentation: BlockSegmentation) -> None:
    """Remove what served only to go on after an interruption."""
    for name in ("blocks", "table", "counts"):
        shutil.rmtree(run / name, ignore_errors=True)
    segmentation.tidy()


def stored_segmentation(folder: Path) -> neurons.Segmentation | None:
    """What a run by `agglomerate` kept, opened again; None where it kept no merge tree, or its neurons lie on another grid."""
    if not (folder / "merges.npz").is_file():
        return None
    labels, fragments = open_labels(folder / NEURONS), open_labels(folder / "fragments.ome.zarr")
    if fragments.grid != labels.grid:
        return None
    recipe = _read_recipe(folder)
    settings = neurons.make_settings(recipe["method"], recipe["settings"])
    graph, merges = load_region_graph(folder / "region_graph.npz"), load_merge_list(folder / "merges.npz")
    return neurons.Segmentation(labels, settings, fragments, graph, merges)


def cut_run(
    source: Path,
    out: Path,
    *,
    threshold: float,
    workforce: Workforce | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> int:
    """`neurotome neurons cut`: the neurons of another run at another threshold, from its fragments and their region graph."""
    recipe = _read_recipe(source)
    if recipe["method"] != "agglomerate":
        raise RunFolderError(f"'{source}' is a run by `{recipe['method']}`", "a run by `agglomerate`", "segment it again")
    known = recipe["settings"]
    settings = method_settings("agglomerate", {k: v for k, v in known.items() if k != "threshold"}, threshold=threshold)
    grid = Grid(**recipe["grid"])
    config = {"run": absolute_path(source), "threshold": threshold, "voxel_nm": grid.voxel_nm}
    segmentation = BlockSegmentation(
        ProbabilityFile(**recipe["source"]),
        grid,
        settings,
        Path(out).absolute(),
        tuple(recipe["block"]),
        found=_found(source, recipe),
    )
    start = {"inputs": {"segmentation": source / RECIPE}, "overwrite": overwrite}
    return _segmented_run(out, "neurons cut", config, start, segmentation, workforce or Workforce(), progress)


def _recipe(segmentation: BlockSegmentation) -> dict[str, Any]:
    """How a segmentation was made, for `cut_run`."""
    return {
        "method": segmentation.settings.method,
        "settings": vars(segmentation.settings),
        "source": vars(segmentation.source),
        "grid": vars(segmentation.grid),
        "block": segmentation.block_shape,
        "found": segmentation.found,
    }


def _read_recipe(folder: Path) -> dict[str, Any]:
    if not (folder / RECIPE).is_file():
        rescaled = folder / ON_MODEL_GRID
        remedy = (
            f"give '{rescaled}', in the voxels of the network"
            if (rescaled / RECIPE).is_file()
            else "let the run finish, or segment by `agglomerate`"
        )
        raise MissingFileError(f"'{folder}' keeps no finished segmentation", "a finished run by `agglomerate`", remedy)
    return dict(json.loads((folder / RECIPE).read_text(encoding="utf-8")))


def _found(source: Path, recipe: Mapping[str, Any]) -> Path:
    """Where the fragments and contacts of a run lie: in its folder, or for a cut in that of the run it was cut from."""
    found = Path(recipe["found"] or Path(source).absolute() / "segmentation")
    if not (found / LAST_FOUND).is_file():
        raise MissingFileError(
            f"'{found / LAST_FOUND}' does not exist, on which '{source}' rests",
            "fragments and region graph of a finished run",
            "put that run back where it was, or segment it again",
        )
    return found


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
