"""A run, or one volume -> a folder that neuroglancer opens from any web server: image, labels, surfaces, skeletons.

source --scales--> image/, labels/ (precomputed, sharded)  labels --mesh--> labels/mesh/   skeletons --> labels/skeletons/, trees/
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import asdict
from pathlib import Path

from neurotome.blocks import Engine, Step
from neurotome.core import Block, Progress, RunFolderError, ValueRangeError, silent
from neurotome.core.geometry import Nm3
from neurotome.flows.workers import Workforce, engine_of
from neurotome.io import (
    SKELETON_FOLDER,
    MeshFragments,
    MeshManifests,
    PrecomputedScale,
    RunFolder,
    VolumeSource,
    absolute_path,
    announce_meshes,
    announce_skeletons,
    create_scales,
    guess_kind,
    least_bytes,
    read_swc,
    require_free_space,
    scale_grid,
    surface_level,
    write_skeletons,
)
from neurotome.report import Results, read_results

__all__ = ["export"]

_log = logging.getLogger(__name__)

RECORD = "run.json"


def export(
    source: str,
    out: Path,
    *,
    voxel_nm: Nm3 | None = None,
    channel: str | None = None,
    meshes: bool = True,
    mesh_level: int | None = None,
    overwrite: bool = False,
    workforce: Workforce | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """`neurotome export`: image, neurons and skeletons of a run folder, or one volume. Goes on where one stopped.

    meshes: surfaces of the labels, made of scale `mesh_level` (default: see `io.surface_level`).
    workforce: who does the blocks (default: this process); the result is the same.

    Returns the folders to open. Raises what opening the volumes raises, UnitError for an origin off the voxel lattice,
    ValueRangeError for a mesh level that is not there, DiskFullError.
    """
    results = read_results(source) if (Path(source) / RECORD).is_file() else None
    parts = _parts_of_run(results) if results else _only_part(source, voxel_nm, channel)
    volumes = [part.open() for part in parts.values()]
    require_free_space(out, sum(least_bytes(volume, "precomputed") for volume in volumes))
    config = {
        "source": absolute_path(source),
        "parts": {name: asdict(part) for name, part in parts.items()},
        "meshes": meshes,
        "mesh_level": mesh_level,
    }
    inputs = {name: part.path for name, part in parts.items()}
    with (
        (workforce or Workforce()).executor() as executor,
        RunFolder.start(out, command="export", config=config, inputs=inputs, overwrite=overwrite, progress=progress) as run,
    ):
        engine = engine_of(run, executor, progress)
        for name, part in parts.items():
            scales = _write_scales(run, engine, name, part)
            if name == "labels" and meshes:
                _write_meshes(run, engine, scales, mesh_level)
        written = [out / name for name in parts]
        if results is not None:
            written += _write_skeletons(run, results)
        # What is left is for a web server.
        shutil.rmtree(run / "blocks", ignore_errors=True)
    return written


def _only_part(source: str, voxel_nm: Nm3 | None, channel: str | None) -> dict[str, VolumeSource]:
    kind = guess_kind(source)
    return {"labels" if kind == "labels" else "image": VolumeSource(absolute_path(source), kind, voxel_nm, channel)}


def _parts_of_run(results: Results) -> dict[str, VolumeSource]:
    """What there is to export of a run, by the name of its folder."""
    for line in results.missing:
        _log.warning("Not exported. %s", line)
    parts = {}
    if results.image is not None:
        config = results.config
        parts["image"] = VolumeSource(absolute_path(config["image"]), "image", results.image.grid.voxel_nm, config.get("channel"))
    if results.neurons is not None:
        parts["labels"] = VolumeSource(absolute_path(results.folder / "neurons.ome.zarr"), "labels")
    if not parts:
        raise RunFolderError(f"'{results.folder}' has neither image nor neurons", "a run with one of them", "let the run finish")
    return parts


def _write_skeletons(run: RunFolder, results: Results) -> list[Path]:
    """Of a reconstruction, the skeletons of its labels; of a tracing, its trees. Returns folders to be opened by themselves."""
    assert results.grid is not None
    if results.trees is not None:
        trees = results.trees
        one_by_one = {n + 1: trees.take(trees.trees == n) for n in range(len(trees.roots))}
        write_skeletons(run / "trees", one_by_one, voxel_nm=results.grid.voxel_nm)
        return [run / "trees"]
    files = [path for path in (results.folder / "skeletons").glob("*.swc") if path.stem.isdecimal()]
    if files and results.neurons is not None:
        of_labels = {int(path.stem): read_swc(path).skeleton for path in files}
        write_skeletons(run / "labels" / SKELETON_FOLDER, of_labels, voxel_nm=results.grid.voxel_nm)
        announce_skeletons(run / "labels")
    return []


def _write_scales(run: RunFolder, engine: Engine, name: str, source: VolumeSource) -> int:
    """All scales of a volume, one after the other. Returns their number."""
    folder = run.path.absolute() / name
    folder.mkdir(exist_ok=True)
    count = create_scales(folder, source.open())
    if not run.done(name):
        with run.step(name):
            for scale in range(count):
                work = PrecomputedScale(folder, scale, source)
                engine.run(Step(f"{name}-{scale}", work.blocks(), work, f"{name}, scale {scale}"))
    return count


def _write_meshes(run: RunFolder, engine: Engine, scales: int, level: int | None) -> None:
    if level is not None and not 0 <= level < scales:
        raise ValueRangeError(f"Mesh level {level}", f"0 to {scales - 1}, the scales of these labels", "choose another level")
    if run.done("meshes"):
        return
    folder = run.path.absolute() / "labels"
    grids = [scale_grid(folder, scale) for scale in range(scales)]
    level = surface_level(grids) if level is None else level
    with run.step("meshes"):
        announce_meshes(folder)
        pieces = MeshFragments(folder, level)
        engine.run(Step("meshes", pieces.blocks(), pieces))
        whole = Block(grids[level].box, grids[level].box)
        engine.run(Step("mesh-lists", [whole], MeshManifests(folder), "lists of meshes"))
    run.keep({"mesh_level": level})
