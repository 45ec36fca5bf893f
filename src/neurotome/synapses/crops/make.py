"""All sites -> a `CropSet` on disk, with as many processes as asked for; what an interrupted run has done is kept."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import (
    Box,
    CropRecipe,
    InputError,
    Progress,
    RunFailedError,
    SynapseVolume,
    UnknownNameError,
    ValueRangeError,
    silent,
)
from neurotome.io.atomic import is_leftover
from neurotome.synapses.crops.crop_set import CropSet
from neurotome.synapses.crops.crop_store import CropStore, read_about, require_same_recipe, table_types, write_about, write_table
from neurotome.synapses.crops.cut import operand_names, reader_of
from neurotome.synapses.crops.grey_levels import grey_levels
from neurotome.synapses.crops.shares import JOURNAL, CropWork, cut_all, cut_in_processes, read_journal
from neurotome.synapses.discarded import Discarded, discard_table

__all__ = ["make_crops"]

_ARRAYS = ("image", "bits", "instances")
_UINT64 = ("pre_label", "post_label", "side1_label", "side2_label")
_NEEDED = ("dataset", "volume", "synapse_id", *(f"{what}_{axis}" for what in ("center", "side1", "side2") for axis in "zyx"))


def make_crops(
    volumes: Mapping[str, SynapseVolume],
    sites: pd.DataFrame,
    recipe: CropRecipe,
    path: Path | str,
    *,
    workers: int = 1,
    progress: Progress = silent,
) -> tuple[CropSet, pd.DataFrame]:
    """Cut a crop around every site, or say why not.

    Parameters
    ----------
    volumes
        By name.
    sites
        A table of sites, index = key.
    recipe
        Where crops are cut and how.
    path
        The folder to make, `crops.zarr`. If it holds these very crops, nothing is done; if a part of them, the others are made.
    workers
        Processes.

    Gives the crops and the table of discarded sites; together they have as many rows as `sites`.
    Raises InputError for a folder with crops of another recipe, of other sites or volumes, UnknownNameError for a volume that is
    not given, RunFailedError where a process died.
    """
    path = Path(path)
    _require_usable(volumes, sites, workers)
    used = {name: volumes[name] for name in sorted(set(sites["volume"]))}
    identity = _identity(used, sites, recipe)
    if (path / "zarr.json").is_file():
        about = _same(path, identity, recipe)
    else:
        about = _begin(path, used, sites, recipe, identity, progress)
    if not about["complete"]:
        _go_on(path, used, sites, recipe, about, workers, progress)
    found = CropSet.open(path, recipe)
    return found, found.discarded


def _begin(
    path: Path,
    volumes: Mapping[str, SynapseVolume],
    sites: pd.DataFrame,
    recipe: CropRecipe,
    identity: Mapping[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    """Make the empty folder. What it says of itself is written last: without that it is nothing."""
    if path.exists() and any(p.name not in _ARRAYS and not is_leftover(p.name) for p in path.iterdir()):
        raise InputError(f"'{path}' holds something else", "an empty folder or a new one", "choose another name")
    names = operand_names([v.structures for v in volumes.values()])
    told = {}
    for done, (name, volume) in enumerate(volumes.items()):
        progress("grey levels", done, len(volumes))
        told[name] = {
            "voxel_nm": reader_of(volume, recipe).voxel_nm,
            "levels": grey_levels(volume.image),
            "structures": {key: list(ids) for key, ids in volume.structures.items()},
            "has_instances": volume.instances is not None,
        }
    shutil.rmtree(path, ignore_errors=True)
    CropStore.create(path, len(sites), recipe.size, _dtypes(volumes, names))
    write_about(path, {"complete": False, "recipe": asdict(recipe), "names": names, "volumes": told, **identity})
    return read_about(path)


def _go_on(
    path: Path,
    volumes: Mapping[str, SynapseVolume],
    sites: pd.DataFrame,
    recipe: CropRecipe,
    about: Mapping[str, Any],
    workers: int,
    progress: Progress,
) -> None:
    """Cut what is not yet cut, then close the books."""
    done = read_journal(path / JOURNAL)
    order = sites.reset_index(drop=True).sort_values(["volume", "center_z", "center_y", "center_x"], kind="stable")
    rows = tuple((int(place), row) for place, row in zip(order.index, order.to_dict("records"), strict=True) if place not in done)
    levels = {name: tuple(told["levels"]) for name, told in about["volumes"].items()}
    work = CropWork(path, volumes, levels, tuple(about["names"]), recipe, rows)
    progress("crops", len(done), len(sites))
    if workers == 1 or len(rows) < 2:
        cut_all(work, len(done), len(sites), progress)
    else:
        cut_in_processes(work, workers, len(sites), progress)
    _finish(path, sites, about)


def _finish(path: Path, sites: pd.DataFrame, about: Mapping[str, Any]) -> None:
    done = read_journal(path / JOURNAL)
    kept = {place: facts for place, facts in sorted(done.items()) if not isinstance(facts, Discarded)}
    lost = [why for _, why in sorted(done.items()) if isinstance(why, Discarded)]
    if len(kept) + len(lost) != len(sites):
        raise RunFailedError(f"{len(done)} of {len(sites)} sites are done", "all of them", "run the same command again")
    table = _with_facts(sites.iloc[list(kept)], list(kept.values()))
    write_table(path / "sites.csv", table)
    write_table(path / "discarded.csv", discard_table(lost).set_index("key"))
    write_about(path, {**about, "complete": True, "places": list(kept), "columns": table_types(table)})
    shutil.rmtree(path / JOURNAL, ignore_errors=True)


def _with_facts(sites: pd.DataFrame, facts: list[dict[str, Any]]) -> pd.DataFrame:
    found = pd.DataFrame(facts, index=sites.index)
    found = found.astype({name: np.uint64 for name in _UINT64 if name in found})
    return pd.concat([sites.drop(columns=[c for c in found if c in sites]), found], axis=1)


def _identity(volumes: Mapping[str, SynapseVolume], sites: pd.DataFrame, recipe: CropRecipe) -> dict[str, Any]:
    """What must be the same for a folder to be gone on with."""
    table = hashlib.sha256(sites.to_csv(lineterminator="\n").encode()).hexdigest()
    return {"recipe_key": recipe.key, "sites_sha256": table, "volumes_sha256": {n: _look(v) for n, v in volumes.items()}}


def _look(volume: SynapseVolume) -> str:
    """A hash of the volume's grid, its legend and a few voxels in its middle: reading all would take longer than the crops."""
    grid = volume.image.grid
    low = [max(0, n // 2 - half) for n, half in zip(grid.shape, (4, 64, 64), strict=True)]
    high = [min(n, n // 2 + half) for n, half in zip(grid.shape, (4, 64, 64), strict=True)]
    box = Box(tuple(low), tuple(n + (n == a) for n, a in zip(high, low, strict=True)))  # type: ignore[arg-type]
    structures = {name: sorted(ids) for name, ids in volume.structures.items()}
    told = hashlib.sha256(json.dumps([grid.shape, grid.voxel_nm, structures], sort_keys=True).encode())
    for part in (volume.image, volume.neurons, volume.organelles, volume.instances):
        if part is not None:
            told.update(np.ascontiguousarray(part.read(box)).tobytes())
    return told.hexdigest()


def _same(path: Path, identity: Mapping[str, Any], recipe: CropRecipe) -> dict[str, Any]:
    about = read_about(path)
    require_same_recipe(path, about["recipe"], recipe)
    for what, name in (("sites", "sites_sha256"), ("volumes", "volumes_sha256")):
        if about[name] != identity[name]:
            raise InputError(
                f"'{path}' was made from other {what}", f"the same {what}", "give another folder, or remove that one"
            )
    return about


def _dtypes(volumes: Mapping[str, SynapseVolume], names: Sequence[str]) -> dict[str, np.dtype[Any]]:
    """Of the arrays: types that hold the values of every volume."""
    found = {"image": _common(v.image.data for v in volumes.values()), "bits": np.dtype("u2" if len(names) <= 16 else "u4")}
    instances = [v.instances.data for v in volumes.values() if v.instances is not None]
    return {**found, "instances": _common(instances)} if instances else found


def _common(arrays: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.result_type(*(np.dtype(getattr(a.dtype, "numpy_dtype", a.dtype)) for a in arrays))
    return dtype.newbyteorder("=")


def _require_usable(volumes: Mapping[str, SynapseVolume], sites: pd.DataFrame, workers: int) -> None:
    if workers < 1:
        raise ValueRangeError(f"{workers} workers", "1 or more", "leave it out")
    if not len(sites):
        raise InputError("A table of sites without rows", "at least one site", "check the table")
    if missing := [name for name in _NEEDED if name not in sites]:
        raise InputError(f"Sites without {', '.join(missing)}", f"columns {', '.join(_NEEDED)}", "read the table with read_sites")
    if unknown := sorted(set(sites["volume"]) - set(volumes)):
        raise UnknownNameError("volume of a site", unknown[0], volumes)
    if not sites.index.is_unique:
        repeated = sites.index[sites.index.duplicated()][0]
        raise InputError(f"Two sites are called '{repeated}'", "unique keys dataset/volume/id", "rename one of them")
