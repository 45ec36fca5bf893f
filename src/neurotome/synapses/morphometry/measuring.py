"""Measures of one crop, and of all crops of a study as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome.core import Crop, InputError, Progress, ValueRangeError, silent
from neurotome.synapses.morphometry.measures import MEASURES, Synapse
from neurotome.synapses.morphometry.scene import NotMeasurableError

if TYPE_CHECKING:
    from anndata import AnnData

    from neurotome.synapses.crops import CropSet

__all__ = ["UNMEASURED_COLUMNS", "Measured", "measure_crop", "measure_crops"]

UNMEASURED_COLUMNS = ("key", "measure", "reason")
FAMILY = "morphometry"
_BATCH = 8
"""Crops that a worker takes at a time."""


@dataclass(frozen=True)
class Measured:
    """Values of one crop by measure, NaN where there is none, and for each of these why."""

    values: dict[str, float]
    reasons: dict[str, str]


def measure_crop(crop: Crop, labelled: Collection[str] | None = None) -> Measured:
    """Every measure of `MEASURES`; what a crop does not let be computed is NaN with a reason, never 0.

    labelled: names of the structures that are labelled in the crop's volume, None for all. The volume of mitochondria that were
    looked for and are not there is 0. All is measured among the valid voxels; the two neurons are taken to go on beyond them.
    """
    synapse = Synapse(crop, labelled)
    values, reasons = {}, {}
    for measure in MEASURES:
        try:
            values[measure.name] = float(measure.of(synapse))
        except NotMeasurableError as unmeasured:
            values[measure.name], reasons[measure.name] = np.nan, str(unmeasured)
    return Measured(values, reasons)


def measure_crops(crops: CropSet, *, workers: int = 1, progress: Progress = silent) -> AnnData:
    """A table with a row per crop and a column per measure that is no quality, float32, unscaled.

    obs: the crops' sites, and the measures of quality. var: family, unit, formula, transform. uns["unmeasured"]: a row for each
    missing value, `UNMEASURED_COLUMNS`. workers: processes; more than one need crops that can be sent to them. The values do not
    depend on their number. Raises InputError for no crops, ValueRangeError.
    """
    if not len(crops):
        raise InputError("No crops to measure", "at least one", "see why sites were discarded")
    if workers < 1:
        raise ValueRangeError(f"{workers} workers", "1 or more")
    measured = []
    for done, found in enumerate(_each(crops, workers), 1):
        measured.append(found)
        progress("measures", done, len(crops))
    return _as_table(crops.sites, measured)


def _each(crops: CropSet, workers: int) -> Iterator[Measured]:
    if workers == 1:
        yield from (_measure_row(crops, at) for at in range(len(crops)))
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    batches = [range(start, min(start + _BATCH, len(crops))) for start in range(0, len(crops), _BATCH)]
    # Started anew and not forked: threads of other libraries may hold locks here.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_keep, initargs=(crops,)) as pool:
        for batch in pool.map(_measure_rows, batches):
            yield from batch


_kept: list[CropSet] = []
"""In a worker: the crops that it reads from, sent once."""


def _keep(crops: CropSet) -> None:
    _kept[:] = [crops]


def _measure_rows(rows: Iterable[int]) -> list[Measured]:
    return [_measure_row(_kept[0], at) for at in rows]


def _measure_row(crops: CropSet, at: int) -> Measured:
    return measure_crop(crops[at], crops.volumes[str(crops.sites["volume"].iloc[at])].structures)


def _as_table(sites: pd.DataFrame, measured: list[Measured]) -> AnnData:
    from anndata import AnnData

    values = pd.DataFrame([one.values for one in measured], index=sites.index.astype(str))
    features = [measure for measure in MEASURES if not measure.quality]
    var = pd.DataFrame(
        [(FAMILY, measure.unit, measure.formula, measure.transform) for measure in features],
        index=[measure.name for measure in features],
        columns=["family", "unit", "formula", "transform"],
    )
    quality = values[[measure.name for measure in MEASURES if measure.quality]]
    table = AnnData(values[var.index].to_numpy(np.float32), obs=pd.concat([sites, quality], axis=1), var=var)
    missing = [(key, name, reason) for key, one in zip(values.index, measured) for name, reason in one.reasons.items()]
    table.uns["unmeasured"] = pd.DataFrame(missing, columns=list(UNMEASURED_COLUMNS)).astype(str)
    return table
