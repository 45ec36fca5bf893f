"""A folder of stacks -> which of them to label and train on: scores, names, and a picture of the chosen ones."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from neurotome.core import Image, InputError, MissingFileError, Progress, ShapeError, ValueRangeError, silent
from neurotome.core.geometry import Nm3
from neurotome.io import RunFolder, absolute_path, atomic_write_text, open_image, open_labels
from neurotome.report.selection import Thumbnail, thumbnail, write_selection_picture
from neurotome.tracing.on_blocks.values import ValuesFile
from neurotome.tracing.select import choose_dhpr, choose_label_free, dhpr_scores, label_free_scores

__all__ = ["select_images"]

TABLE, NAMES, PICTURE = "selection.csv", "selected.txt", "selection.png"


def select_images(
    images: Path,
    out: Path,
    *,
    labels: Path | None = None,
    probability: Path | None = None,
    count: int = 300,
    voxel_nm: Nm3 | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = silent,
) -> pd.DataFrame:
    """`neurotome tracing select`: by the DHPR rule with labels, else by the rule without. Returns the table, by name.

    labels, probability: folders with a file of the same name for each image. seed: of the background voxels that DHPR looks at.
    An image that cannot be scored (labels empty or everywhere, constant) is a row with a note.

    Raises InputError for files without partner and where none of the images can be chosen.
    """
    if labels is not None and probability is not None:
        raise InputError("Both labels and probability are given", "one of them", "labels are enough for the DHPR rule")
    files = _files(images)
    partners = _partners(files, labels or probability, images)
    config = {"images": absolute_path(images), "rule": "dhpr" if labels else "label_free", "count": count, "voxel_nm": voxel_nm}
    inputs = {"images": images} | ({"partners": partner} if (partner := labels or probability) else {})
    start = {"inputs": inputs, "seed": seed, "overwrite": overwrite, "progress": progress}
    with RunFolder.start(out, command="tracing select", config=config, **start) as run, run.step("select"):
        rows, seen = [], {}
        for done, (name, path) in enumerate(files.items()):
            progress("images", done, len(files))
            image = open_image(path, voxel_nm=voxel_nm)
            scores = _scores(image, name, partners.get(name), labelled=labels is not None, seed=seed)
            rows.append({"name": name, **scores})
            seen[name] = thumbnail(image)
        progress("images", len(files), len(files))
        table = _chosen(rows, count, labelled=labels is not None)
        _write(run, table, seen)
    return table


def _scores(image: Image, name: str, partner: Path | None, *, labelled: bool, seed: int) -> dict[str, Any]:
    """One row of the table; empty scores and a note for an image that has none."""
    values, voxel_nm = image.read(), image.grid.voxel_nm
    other = None
    if partner is not None:
        volume = open_labels(partner, voxel_nm=voxel_nm) if labelled else ValuesFile(str(partner), voxel_nm=voxel_nm).open()
        if volume.grid.shape != image.grid.shape:
            raise ShapeError(
                f"Image '{name}' has shape {image.grid.shape}, '{partner}' has {volume.grid.shape}",
                "the same shape",
                "check that they belong together",
            )
        other = volume.read()
    try:
        return asdict(
            dhpr_scores(values, other, seed=seed) if labelled and other is not None else label_free_scores(values, other)
        )
    except ValueRangeError as error:
        nothing = float("nan")
        return dict.fromkeys(("d", "n", "h") if labelled else ("d", "n", "h", "u", "p50", "p99"), nothing) | {"note": error.given}


def _chosen(rows: list[dict[str, Any]], count: int, *, labelled: bool) -> pd.DataFrame:
    if not any("note" not in row for row in rows):
        raise InputError(f"None of {len(rows)} images can be scored ({rows[0]['note']})", "neurite in them", "look at the files")
    table = pd.DataFrame(rows)
    table["note"] = table["note"].fillna("") if "note" in table else ""
    chosen = (choose_dhpr if labelled else choose_label_free)(table, count)
    if not chosen["selected"].any():
        raise InputError(
            f"None of {len(rows)} images has more noise than their median",
            "at least two images of different noise",
            "give more images, or leave out --labels for the rule that needs no labels",
        )
    return chosen


def _write(run: RunFolder, table: pd.DataFrame, seen: dict[str, Thumbnail]) -> None:
    """Table, names, picture."""
    scores = [column for column in ("d", "n", "h", "u", "p50", "p99") if column in table]
    columns = ["name", *scores, "r", "kept", "selected", "note"]
    names = table["name"][table["selected"]].tolist()
    atomic_write_text(run / TABLE, table[columns].to_csv(index=False))
    atomic_write_text(run / NAMES, "".join(f"{name}\n" for name in names))
    captions = {
        row.name: f"r {row.r:.2f}  d {row.d:.2f}  h {row.h:.2f}" for row in table[table["selected"]].itertuples(index=False)
    }
    write_selection_picture([(name, captions[name], seen[name]) for name in names], run / PICTURE)
    run.keep({"images": len(table), "selected": len(names)})


def _files(folder: Path) -> dict[str, Path]:
    """The images of a folder by file name. Raises MissingFileError, InputError."""
    if not folder.exists():
        raise MissingFileError(f"'{folder}' does not exist", "a folder of images", "check the path")
    if not folder.is_dir() or folder.suffix == ".zarr":
        raise InputError(f"'{folder}' is one image", "a folder of images to choose from", "give the folder it lies in")
    found = {path.name: path for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    if not found:
        raise InputError(f"Folder '{folder}' is empty", "images to choose from", "check the path")
    return found


def _partners(files: dict[str, Path], folder: Path | None, images: Path) -> dict[str, Path]:
    """The labels or probabilities of the same names. Raises InputError naming what has no partner."""
    if folder is None:
        return {}
    there = _files(folder)
    if alone := sorted(files.keys() ^ there.keys()):
        missing = folder if alone[0] in files else images
        raise InputError(f"'{missing}' has no '{alone[0]}'", "a file of the same name for each image", "rename or remove it")
    return there
