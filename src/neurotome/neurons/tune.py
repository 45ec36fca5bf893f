"""Choose settings on a validation volume, never on the one that is reported: a table of scores per threshold, and a pick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import InputError, Labels, Probability, Progress, UnknownNameError, ValueRangeError, silent
from neurotome.measure import (
    Contingency,
    adapted_rand,
    contingency,
    equal_label_components,
    split_merge_errors,
    variation_of_information,
)
from neurotome.neurons.segment import Segmentation, labels_of_fragments, recut, require_merges, segment
from neurotome.neurons.settings import AgglomerateSettings, SegmentSettings, settings_for

__all__ = ["CRITERIA", "Tuning", "pick", "threshold_table", "tune"]

CRITERIA = {"are": "adapted_rand_error", "voi": "voi_sum", "merge_errors": "voi_sum"}
_TRUTH_PARTS = ("as given", "components")


@dataclass(frozen=True, eq=False)
class Tuning:
    """table: one row per combination tried. row: the best one's place in it. settings: those of the best row."""

    table: pd.DataFrame
    row: int
    settings: SegmentSettings


def tune(
    probability: Probability,
    truth: Labels,
    method: str = "agglomerate",
    *,
    settings: SegmentSettings | None = None,
    sweep: Mapping[str, Sequence[Any]] | None = None,
    by: str = "are",
    max_merge_errors: int | None = None,
    truth_parts: str = "components",
    progress: Progress = silent,
) -> Tuning:
    """Try thresholds, and other settings where asked, against a truth.

    Parameters
    ----------
    probability, truth
        A validation volume that the network was not trained on.
    settings
        What is not swept.
    sweep
        Setting -> values, e.g. ``{"threshold": (0.2, 0.3), "t_high": (250, 256)}``. Thresholds that are not given run from 0.05
        to 0.95 in steps of 0.05 (for the method "link" as grey values), those below t_min left out. For "agglomerate" all
        thresholds come from one merge list.
    by, max_merge_errors
        See `pick`.
    truth_parts
        "components": the truth is cut into its 6-connected components, because what a crop has disconnected no method can
        join. "as given": it is not.

    Raises
    ------
    ShapeError, UnitError
        If truth and probability do not lie on the same grid.
    UnknownNameError
        For an unknown setting, criterion or treatment of the truth.
    """
    settings = settings_for(method, settings)
    _require_known("criterion", by, CRITERIA)
    probability.grid.require_same(truth.grid, "probability", "truth")
    ids = _truth_ids(truth, truth_parts)
    swept = dict(sweep or {})
    for name in swept:
        _require_known(f"setting of method '{method}'", name, [f.name for f in fields(settings)])
    thresholds = swept.pop("threshold", None) or _default_thresholds(settings)
    combinations = [dict(zip(swept, values)) for values in product(*swept.values())]
    tables = []
    for done, combination in enumerate(combinations):
        progress("tuning", done, len(combinations))
        table = _scored(probability, ids, replace(settings, **combination), thresholds)
        tables.append(table.assign(**combination)[[*combination, *table.columns]])
    progress("tuning", len(combinations), len(combinations))
    table = pd.concat(tables, ignore_index=True)
    row = pick(table, by=by, max_merge_errors=max_merge_errors)
    best = {name: table[name].tolist()[row] for name in (*swept, "threshold")}
    return Tuning(table, row, replace(settings, **best))


def threshold_table(
    segmentation: Segmentation, truth: Labels, thresholds: Sequence[float], *, truth_parts: str = "components"
) -> pd.DataFrame:
    """Scores of a segmentation by `agglomerate` at many thresholds, from its one merge list.

    Voxels are counted once, against the fragments; each threshold then only adds up rows of that table. (Filling holes and
    growing change voxels: with these settings each threshold is counted anew.)

    Columns: threshold, adapted_rand_error, precision, recall (convention isbi), voi_split, voi_merge, voi_sum (bits),
    split_errors, merge_errors (overlaps above 10 voxels), segments (all of them, also outside the truth).
    """
    segmentation.labels.grid.require_same(truth.grid, "segmentation", "truth")
    return _merge_list_table(segmentation, _truth_ids(truth, truth_parts), thresholds)


def pick(table: pd.DataFrame, *, by: str = "are", max_merge_errors: int | None = None) -> int:
    """The place of the best row: lowest adapted Rand error ("are") or VOI sum ("voi"); the first one among equals.

    "merge_errors": the lowest VOI sum among rows with at most `max_merge_errors` merge errors. Raises ValueRangeError, naming
    the fewest there are, if no row has so few.
    """
    _require_known("criterion", by, CRITERIA)
    allowed = np.ones(len(table), bool)
    if by == "merge_errors":
        if max_merge_errors is None:
            raise InputError("Criterion 'merge_errors' without a limit", "max_merge_errors", "give max_merge_errors=0 or more")
        allowed = (table["merge_errors"] <= max_merge_errors).to_numpy()
    if not allowed.any():
        raise ValueRangeError(
            f"No row has at most {max_merge_errors} merge errors, the fewest are {table['merge_errors'].min()}",
            "a limit that one row meets",
            "raise the limit, or try higher thresholds",
        )
    return int(np.argmin(np.where(allowed, table[CRITERIA[by]].to_numpy(float), np.inf)))


def _scored(probability: Probability, truth: np.ndarray, settings: SegmentSettings, thresholds: Sequence[Any]) -> pd.DataFrame:
    if isinstance(settings, AgglomerateSettings):
        allowed = [t for t in thresholds if t >= settings.t_min]
        first = replace(settings, threshold=max(settings.threshold, settings.t_min))
        return _merge_list_table(segment(probability, settings=first), truth, allowed)
    rows = []
    for threshold in thresholds:
        segmentation = segment(probability, settings.method, settings=replace(settings, threshold=threshold))  # type: ignore[call-arg]
        ids = segmentation.labels.read()
        rows.append(_row(threshold, contingency(truth, ids), int(ids.max())))
    return pd.DataFrame(rows)


def _merge_list_table(segmentation: Segmentation, truth: np.ndarray, thresholds: Sequence[float]) -> pd.DataFrame:
    fragments, _, _ = require_merges(segmentation)
    settings = segmentation.settings
    if settings.fill_holes or settings.grow:
        cuts = (recut(segmentation, threshold).labels.read() for threshold in thresholds)
        return pd.DataFrame([_row(t, contingency(truth, ids), int(ids.max())) for t, ids in zip(thresholds, cuts)])
    table = contingency(truth, fragments.read())
    names, place = np.unique(table.segmentation, return_inverse=True)
    background = int(names[0] == 0)
    sizes = np.bincount(place, weights=table.voxels).astype(np.int64)
    sizes = sizes if background else np.concatenate([[0], sizes])
    rows = []
    for threshold in thresholds:
        label_of = labels_of_fragments(segmentation, names[background:], sizes, threshold)
        cut_table = Contingency.merge([Contingency(table.truth, label_of[place + 1 - background], table.voxels)])
        rows.append(_row(threshold, cut_table, int(label_of.max())))
    return pd.DataFrame(rows)


def _row(threshold: float, table: Contingency, segments: int) -> dict[str, Any]:
    rand, information, errors = adapted_rand(table), variation_of_information(table), split_merge_errors(table)
    return {
        "threshold": threshold,
        "adapted_rand_error": rand.error,
        "precision": rand.precision,
        "recall": rand.recall,
        "voi_split": information.split,
        "voi_merge": information.merge,
        "voi_sum": information.sum,
        "split_errors": errors.splits,
        "merge_errors": errors.merges,
        "segments": segments,
    }


def _truth_ids(truth: Labels, truth_parts: str) -> np.ndarray:
    _require_known("treatment of the truth", truth_parts, _TRUTH_PARTS)
    ids = truth.read()
    if not ids.any():
        raise ValueRangeError("Truth has no label above 0", "at least one labelled object", "check that it is the truth")
    return equal_label_components(ids) if truth_parts == "components" else ids


def _default_thresholds(settings: SegmentSettings) -> list[Any]:
    steps = [k / 20 for k in range(1, 20)]
    return [round(255 * t) for t in steps] if settings.method == "link" else steps


def _require_known(kind: str, name: str, known: Any) -> None:
    if name not in known:
        raise UnknownNameError(kind, name, known)
