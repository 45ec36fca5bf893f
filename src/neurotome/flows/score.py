"""Result and truth -> scores, and where the worst errors are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from neurotome import boundary, measure
from neurotome.blocks import Engine, Step, blocks_of
from neurotome.core import Grid, InputError, Labels, Progress, Record, Score, Scores, silent
from neurotome.core.geometry import Nm3
from neurotome.flows.workers import Workforce
from neurotome.io import RunFolder, absolute_path, atomic_write_json, describe, ome_zarr, open_probability, write_csv
from neurotome.report import with_links

__all__ = [
    "compare_step",
    "headline",
    "open_truth",
    "require_json",
    "score_boundary_file",
    "score_files",
    "truth_file",
    "write_comparison",
]

WORST = 200
COUNTS = "counts"


def score_files(
    prediction: str,
    truth: str,
    out: Path,
    *,
    voxel_nm: Nm3 | None = None,
    conventions: tuple[str, ...] = ("isbi",),
    support: str = "full",
    truth_parts: measure.TruthParts = "as given",
    border_nm: float | None = None,
    force: bool = False,
    workforce: Workforce | None = None,
    progress: Progress = silent,
) -> Scores:
    """`neurotome score`: writes `out` (JSON), with errors.csv and objects.csv beside it.

    Both volumes are read three times, box by box (once for the scores, twice for the places of the worst errors), never whole.
    """
    require_json(out)
    labels = measure.LabelFile(absolute_path(prediction), voxel_nm)
    believed = truth_file(absolute_path(truth), None, labels.open().grid)
    rules = {"support": support, "truth_parts": truth_parts, "border_nm": border_nm, "force": force}
    measure.comparison_rules(labels.open(), believed.open(), **rules)  # type: ignore[arg-type]  # raises before anything is written
    out.parent.mkdir(parents=True, exist_ok=True)
    # Counting takes minutes, so it is not worth being gone on with: what the blocks count is thrown away.
    with TemporaryDirectory(dir=out.parent, prefix=".scoring-") as folder, (workforce or Workforce()).executor() as executor:
        engine = Engine(Path(folder), key="", executor=executor, progress=progress)
        comparison = compare_step(engine, labels, believed, **rules)  # type: ignore[arg-type]
    scores = measure.comparison_scores(comparison, conventions=conventions)
    _write_errors(comparison, out.parent, progress)
    atomic_write_json(out, scores.to_json())
    return scores


def truth_file(path: str, voxel_nm: Nm3 | None, grid: Grid) -> measure.LabelFile:
    """Labels to compare with a volume on `grid`: where their file states no voxel size, it is taken to be the same."""
    if voxel_nm is None and describe(path).voxel_nm is None:
        voxel_nm = grid.voxel_nm
    return measure.LabelFile(path, voxel_nm)


def open_truth(path: str, voxel_nm: Nm3 | None, grid: Grid) -> Labels:
    """The same, opened."""
    return truth_file(path, voxel_nm, grid).open()


def score_boundary_file(
    prediction: str,
    truth: str,
    out: Path,
    *,
    truth_is: str,
    voxel_nm: Nm3 | None = None,
    channels: tuple[str, ...] | None = None,
    class_values: Mapping[str, int] | None = None,
    threshold: float = 0.5,
) -> Scores:
    """`neurotome boundary score`: V_rand and V_info after thinning; for classes Jaccard, Dice and conformity."""
    require_json(out)
    probability = open_probability(prediction, voxel_nm=voxel_nm, channels=channels)
    believed = open_truth(truth, None, probability.grid)
    if truth_is == "classes":
        scores = boundary.score_classes(probability, believed, class_values=class_values, threshold=threshold)
    elif class_values:
        raise InputError("--class-value was given, and the truth is said to be " + truth_is, "--truth-is classes", "say so")
    else:
        scores = boundary.score(probability, believed, truth_is=truth_is)  # type: ignore[arg-type]
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_json(out, scores.to_json())
    return scores


def compare_step(
    engine: Engine,
    prediction: measure.LabelFile,
    truth: measure.LabelFile,
    *,
    support: str = "full",
    truth_parts: measure.TruthParts = "as given",
    border_nm: float | None = None,
    force: bool = False,
) -> measure.Comparison:
    """`measure.compare` of two files as step "score" of an engine: each block counts into a file in the folder `counts`."""
    labels, believed = prediction.open(), truth.open()
    rules = measure.comparison_rules(labels, believed, support=support, truth_parts=truth_parts, border_nm=border_nm, force=force)
    work = measure.CompareBlock(prediction, truth, rules, engine.folder / COUNTS)
    blocks = blocks_of(labels.grid, ome_zarr.SHARD)
    engine.run(Step("score", blocks, work, "compare labels"))
    return measure.merged_comparison(work.files(blocks), labels, believed, rules, progress=engine.progress)


def write_comparison(run: RunFolder, parts: measure.Comparison, progress: Progress) -> Scores:
    """scores.json, errors.csv and objects.csv of a run, from a comparison with the truth in components.

    The headline is against the connected parts of the truth, because a crop cuts neurons apart and nothing inside it can tell;
    the truth as it was given follows.
    """
    found = [*measure.comparison_scores(parts, conventions=("isbi", "cremi")), *measure.comparison_scores(parts.as_given())]
    scores = Scores(tuple(found))
    _write_errors(parts, run.path, progress, run.record)
    atomic_write_json(run / "scores.json", scores.to_json())
    return scores


def _write_errors(comparison: measure.Comparison, folder: Path, progress: Progress, record: Record | None = None) -> None:
    """errors.csv and objects.csv; in a run folder each error carries the way to look at it."""
    rows = measure.error_table(comparison, limit=WORST, progress=progress).to_rows()
    if record is not None:
        rows = with_links(folder, record.to_json(), rows)
    write_csv(folder / "errors.csv", rows, measure.ERROR_COLUMNS)
    write_csv(folder / "objects.csv", measure.object_table(comparison).to_rows(), measure.OBJECT_COLUMNS)


def require_json(out: Path) -> None:
    """Scores must not land on a volume by a slip of the keyboard."""
    if out.suffix != ".json":
        raise InputError(f"Scores file '{out}'", "a name that ends in .json", "choose another --out")


def headline(scores: Scores) -> Mapping[str, float]:
    """The handful of numbers worth a line on the terminal."""
    wanted = ("adapted_rand_error", "voi_split", "voi_merge", "split_errors", "merge_errors")
    first: dict[str, Score] = {}
    for score in scores:
        first.setdefault(score.metric, score)
    return {name: first[name].value for name in wanted if name in first}
