"""Traced and believed trees -> scores, and where branches are missing or too many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from neurotome.core import Grid, InputError, Scores, Skeleton, UnitError
from neurotome.core.geometry import Nm3
from neurotome.flows.score import require_json
from neurotome.io import RunFolder, SwcFile, atomic_write_json, read_swc, write_csv
from neurotome.measure.trees import (
    TREE_ERROR_COLUMNS,
    TREE_OBJECT_COLUMNS,
    TreeComparison,
    compare_trees,
    tree_errors,
    tree_objects,
    tree_scores,
    worst_tree_scores,
)

__all__ = ["are_trees", "score_trees", "write_tree_scores"]

SUFFIXES = (".swc", ".eswc")
HEADLINE = ("precision", "recall", "f1", "esa", "pds")
WRITTEN = tuple(column for column in TREE_ERROR_COLUMNS if column != "lines_nm")


def are_trees(test: str, gold: str) -> bool:
    """Whether two paths are SWC files. Raises InputError where one is and the other is not."""
    found = [Path(path).suffix.lower() in SUFFIXES for path in (test, gold)]
    if any(found) and not all(found):
        tree, other = (test, gold) if found[0] else (gold, test)
        raise InputError(
            f"'{tree}' is a tree and '{other}' is not", "two SWC files or two label volumes", "give what fits together"
        )
    return all(found)


def score_trees(test: str, gold: str, out: Path, *, unit: str | None = None, voxel_nm: Nm3 | None = None) -> Scores:
    """`neurotome score test.swc gold.swc`: writes `out` (JSON), with errors.csv and objects.csv beside it.

    unit: of the files that do not state theirs. voxel_nm: for these, and for the scores in voxels; not needed where a file states
    it. Raises UnitError where units or voxel sizes are unknown or contradict each other, InputError for a tree without length.
    """
    require_json(out)
    files = {path: _tree_file(path, unit, voxel_nm) for path in (test, gold)}
    size = voxel_nm or _common_voxel(files)
    comparison = compare_trees(files[test].skeleton, files[gold].skeleton, voxel_nm=size)
    scores = tree_scores(comparison)
    out.parent.mkdir(parents=True, exist_ok=True)
    _write_errors(comparison, out.parent, Grid((1, 1, 1), size))
    atomic_write_json(out, scores.to_json())
    return scores


def write_tree_scores(run: RunFolder, traced: Skeleton, truth: Skeleton, grid: Grid) -> Mapping[str, float]:
    """scores.json, errors.csv and objects.csv of a run; returns the headline, in voxels.

    A trace without length scores worst, with nothing listed; a truth without length raises InputError.
    """
    if traced.length_nm > 0:
        comparison = compare_trees(traced, truth, voxel_nm=grid.voxel_nm)
        scores = tree_scores(comparison)
        _write_errors(comparison, run.path, grid)
    else:
        scores = worst_tree_scores()
        write_csv(run / "errors.csv", [], WRITTEN)
        write_csv(run / "objects.csv", [], TREE_OBJECT_COLUMNS)
    atomic_write_json(run / "scores.json", scores.to_json())
    known = {score.metric for score in scores}
    return {metric: scores[metric] for metric in HEADLINE if metric in known}


def _write_errors(comparison: TreeComparison, folder: Path, grid: Grid) -> None:
    errors = tree_errors(comparison, origin_nm=grid.origin_nm)
    write_csv(folder / "errors.csv", errors[list(WRITTEN)].to_dict("records"), WRITTEN)
    write_csv(folder / "objects.csv", tree_objects(comparison).to_dict("records"), TREE_OBJECT_COLUMNS)


def _tree_file(path: str, unit: str | None, voxel_nm: Nm3 | None) -> SwcFile:
    """A file that states its unit is believed; --unit is for the other ones, so that the two may differ."""
    try:
        return read_swc(path, voxel_nm=voxel_nm)
    except UnitError:
        if unit is None:
            raise
        return read_swc(path, unit=unit, voxel_nm=voxel_nm)


def _common_voxel(files: Mapping[str, SwcFile]) -> Nm3:
    """The voxel size that the files state."""
    stated = {path: size for path, file in files.items() if (size := _stated_voxel(file)) is not None}
    if not stated:
        names = " nor ".join(f"'{path}'" for path in files)
        raise UnitError(
            f"Neither {names} states the size of a voxel",
            "the length of a voxel along z, y and x in nm, as tolerances are in voxels and in um",
            "give --voxel-nm Z Y X, for example --voxel-nm 300 300 300",
        )
    if len(set(stated.values())) > 1:
        both = " and ".join(f"'{path}' {size}" for path, size in stated.items())
        raise UnitError(f"Voxel sizes differ: {both}", "trees of one image", "say which is meant with --voxel-nm Z Y X")
    return next(iter(stated.values()))


def _stated_voxel(file: SwcFile) -> Nm3 | None:
    """From the header line `voxel_nm: z y x`, which SWC files of neurotome have."""
    for line in file.header:
        key, _, value = line.partition(":")
        if key.strip().lower() == "voxel_nm":
            z, y, x = (float(part) for part in value.replace(",", " ").split())
            return z, y, x
    return None
