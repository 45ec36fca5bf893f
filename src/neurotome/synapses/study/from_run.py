"""A run of `reconstruct` as a volume of a study: its image and its neurons, with clefts or organelles from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from neurotome.core import FormatError, Labels, MissingFileError, Progress, silent
from neurotome.core.geometry import Int3
from neurotome.io import open_labels
from neurotome.io.open import require_exists
from neurotome.synapses.study.from_clefts import sites_from_clefts
from neurotome.synapses.study.volumes import PathLike, VolumeEntry

__all__ = ["entry_of_run", "sites_of_run"]

NEURONS, RECORD = "neurons.ome.zarr", "run.json"


def entry_of_run(
    run: Path | str, organelles: PathLike | Mapping[str, PathLike], *, name: str | None = None, origin_vox: Int3 = (0, 0, 0)
) -> VolumeEntry:
    """The volume of a run: the image that it read, the neurons that it found, and organelles on the same grid.

    name: what the volume is called (default: the folder). Raises MissingFileError and FormatError for what is no finished run.
    """
    run = require_exists(Path(run))
    neurons = _neurons(run)
    try:
        image = json.loads((run / RECORD).read_text(encoding="utf-8"))["config"]["image"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"'{run / RECORD}' names no image ({error})", "the record of a run of reconstruct", "give its folder"
        ) from error
    voxel_nm = open_labels(neurons).grid.voxel_nm
    return VolumeEntry(name or run.name, image, neurons, organelles, voxel_nm=voxel_nm, origin_vox=origin_vox)


def sites_of_run(
    run: Path | str,
    clefts: Labels | Path | str,
    *,
    ids: Sequence[int] | None = None,
    min_voxels: int = 100,
    dataset: str = "study",
    volume: str | None = None,
    progress: Progress = silent,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sites and discarded pieces of a cleft label between the neurons of a run, as `sites_from_clefts` finds them.

    A run holds no synapses of its own; for a table of partners with the run's ids see `sites_from_partners`.
    """
    run = require_exists(Path(run))
    neurons = open_labels(_neurons(run))
    if not isinstance(clefts, Labels):
        clefts = open_labels(clefts, voxel_nm=neurons.grid.voxel_nm)
    name = volume or run.name
    return sites_from_clefts(clefts, neurons, ids=ids, min_voxels=min_voxels, dataset=dataset, volume=name, progress=progress)


def _neurons(run: Path) -> Path:
    if not (run / NEURONS).exists():
        raise MissingFileError(
            f"The run '{run}' holds no {NEURONS}", "a finished run of reconstruct", "finish it, or check the path"
        )
    return run / NEURONS
