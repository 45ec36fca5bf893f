"""The folders that SynapseClusterEM keeps its volumes in, so that its data can be used as they are.

    raw/VOLUME/slice_*.tif      the image, one file per section
    seg/VOLUME/slice_*.tif      the neurons
    mask/bbox_N/slice_*.tif     the organelles of volume bboxN; a volume of any other name keeps it
    excel/VOLUME.xlsx           sites: Var1 (id), central_coord_1..3, side_1_coord_1..3, side_2_coord_1..3; 1, 2, 3 are x, y, z

Sections are in the order of their numbers, 9 before 10. What the ids of organelles mean is not written anywhere in the folders: a
legend says it. Source: alim98/SynapseClusterEM.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from neurotome.core import (
    FormatError,
    Image,
    InputError,
    Labels,
    MissingExtraError,
    MissingFileError,
    Progress,
    ShapeError,
    SynapseVolume,
    UnknownNameError,
    ValueRangeError,
    silent,
)
from neurotome.io import atomic_target
from neurotome.io.open import require_exists
from neurotome.io.sections import PICTURE_SUFFIXES
from neurotome.io.tiff import SUFFIXES, largest_id

__all__ = ["SCE_TABLES", "SceFolders", "sce_columns", "sce_volumes", "write_sce_layout"]

SCE_TABLES = ("xlsx", "csv", "one")
"""How sites are written: an Excel or CSV file per volume in excel/, or one sites.csv with a column bbox_name."""

_COORDINATES = {"center": "central_coord", "side1": "side_1_coord", "side2": "side_2_coord"}


@dataclass(frozen=True)
class SceFolders:
    """The three folders of one volume, and how many sections each of them has."""

    raw: Path
    seg: Path
    mask: Path
    sections: int


def sce_volumes(raw: Path | str, seg: Path | str, mask: Path | str) -> dict[str, SceFolders]:
    """The volumes that have a folder in `raw`, in natural order (bbox2 before bbox10); those without image are left out.

    Raises MissingFileError for a volume without neurons or organelles, FormatError where there are no sections, and ShapeError
    where the three folders hold different numbers of them: both name the folders and their counts.
    """
    top = require_exists(Path(raw))
    names = sorted((p.name for p in top.iterdir() if p.is_dir() and not p.name.startswith(".")), key=_natural)
    if not names:
        raise FormatError(f"Folder '{raw}' holds no volumes", "a folder of section images per volume", "check the path")
    return {name: _folders(name, top, Path(seg), Path(mask)) for name in names}


def write_sce_layout(
    folder: Path | str,
    volumes: Iterable[SynapseVolume],
    sites: pd.DataFrame,
    *,
    tables: str = "xlsx",
    rgb: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Path:
    """Write volumes and the canonical table of their sites as SynapseClusterEM keeps them; the folder, complete or not at all.

    tables: one of SCE_TABLES. rgb: write sections as colour pictures whose colours are equal, as some of its data are.

    Raises UnknownNameError, InputError for a volume without sites, ValueRangeError for ids that colour pictures cannot hold,
    MissingExtraError.
    """
    if tables not in SCE_TABLES:
        raise UnknownNameError("kind of site table", tables, SCE_TABLES)
    with atomic_target(folder, overwrite=overwrite) as temporary:
        for volume in volumes:
            _write_tables(temporary, volume.name, sites, tables)
            _write_sections(temporary / "raw" / volume.name, volume.image, rgb=rgb, progress=progress)
            _write_sections(temporary / "seg" / volume.name, volume.neurons, rgb=rgb, progress=progress)
            _write_sections(temporary / "mask" / _mask_name(volume.name), volume.organelles, rgb=rgb, progress=progress)
    return Path(folder)


def sce_columns(sites: pd.DataFrame) -> pd.DataFrame:
    """A canonical table in the columns of SynapseClusterEM: Var1, coordinates 1, 2, 3 = x, y, z, and all that it has besides.

    >>> from neurotome.datasets.synapse_phantoms import p1
    >>> sce_columns(p1().sites)[["Var1", "central_coord_1", "central_coord_3"]].to_dict("records")
    [{'Var1': '1', 'central_coord_1': 83, 'central_coord_3': 60}]
    """
    theirs = {
        f"{ours}_{axis}": f"{name}_{number}" for ours, name in _COORDINATES.items() for number, axis in enumerate("xyz", start=1)
    }
    columns = [
        "synapse_id",
        *theirs,
        *(c for c in sites.columns if c not in theirs and c not in ("dataset", "volume", "synapse_id")),
    ]
    return sites[columns].rename(columns={"synapse_id": "Var1", **theirs}).reset_index(drop=True)


def _mask_name(volume: str) -> str:
    """What a volume is called among the organelles.

    >>> _mask_name("bbox7"), _mask_name("cortex2")
    ('bbox_7', 'cortex2')
    """
    return re.sub(r"^bbox(\d+)$", r"bbox_\1", volume)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _folders(name: str, raw: Path, seg: Path, mask: Path) -> SceFolders:
    places = (raw / name, seg / name, mask / _mask_name(name))
    counts = [_sections(place) for place in places]
    told = ", ".join(f"'{place}' {count}" for place, count in zip(places, counts, strict=True))
    if min(counts) < 0:
        missing = places[counts.index(-1)]
        raise MissingFileError(
            f"Volume '{name}' has no folder '{missing}'", "one each in raw, seg and mask", "add it or rename it"
        )
    if min(counts) == 0:
        raise FormatError(f"Volume '{name}' lacks sections: {told}", "section images in each", "check the folders")
    if len(set(counts)) > 1:
        raise ShapeError(
            f"Sections of volume '{name}' differ in number: {told}",
            "the same sections in all three",
            "add those that are missing",
        )
    return SceFolders(*places, sections=counts[0])


def _sections(folder: Path) -> int:
    """How many section images a folder holds; -1 where there is no folder."""
    if not folder.is_dir():
        return -1
    suffixes = SUFFIXES + PICTURE_SUFFIXES
    return sum(1 for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith("."))


def _write_tables(folder: Path, volume: str, sites: pd.DataFrame, tables: str) -> None:
    mine = sites[sites["volume"] == volume]
    if not len(mine):
        raise InputError(f"Volume '{volume}' has no sites", "at least one row with its name", "leave the volume out")
    table, suffix = sce_columns(mine), "csv" if tables == "one" else tables
    path = folder / f"sites.{suffix}" if tables == "one" else folder / "excel" / f"{volume}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == "xlsx":
        try:
            table.to_excel(path, index=False, engine="openpyxl")
        except ImportError as error:
            raise MissingExtraError("openpyxl", remedy="pip install openpyxl, or write CSV") from error
        return
    if tables == "one":
        table["bbox_name"] = volume
    table.to_csv(path, index=False, mode="a", header=not path.exists())


def _write_sections(folder: Path, volume: Image | Labels, *, rgb: bool, progress: Progress) -> None:
    dtype = _smallest(volume) if isinstance(volume, Labels) else np.dtype(volume.data.dtype)
    if rgb and dtype.itemsize > 2:
        raise ValueRangeError(f"'{volume.name}' has type {dtype}", "8 or 16 bits in colour pictures", "write it without rgb")
    folder.mkdir(parents=True)
    depth = volume.grid.shape[0]
    for z in range(depth):
        section = np.asarray(volume.data[z]).astype(dtype, copy=False)
        colours = np.repeat(section[..., None], 3, axis=2) if rgb else section
        # Without leading zeros, as theirs are: whoever sorts by letters gets them wrong.
        tifffile.imwrite(folder / f"slice_{z}.tif", colours, photometric="rgb" if rgb else "minisblack", compression="zlib")
        progress(f"write {folder.parent.name}/{folder.name}", z + 1, depth)


def _smallest(labels: Labels) -> np.dtype[np.unsignedinteger]:
    largest = largest_id(labels, silent)
    return np.dtype(next((t for t in (np.uint8, np.uint16, np.uint32) if largest <= np.iinfo(t).max), np.uint64))
