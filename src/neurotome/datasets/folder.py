"""Where data sets live on this computer, and cutting named parts out of their files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from neurotome.core import Box, Image, Labels, MissingFileError, ShapeError, UnknownNameError
from neurotome.datasets.facts import Facts

__all__ = ["cut", "data_root", "folder_of", "is_local", "require_files", "sections_of"]

Volume = TypeVar("Volume", Image, Labels)


def data_root() -> Path:
    """The folder with one sub-folder per data set.

    The environment variable NEUROTOME_DATA, else `../shared/data` beside a source checkout, else `~/.cache/neurotome/data`.
    """
    if given := os.environ.get("NEUROTOME_DATA"):
        return Path(given).expanduser()
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    return beside if beside.is_dir() else Path.home() / ".cache" / "neurotome" / "data"


def folder_of(facts: Facts, root: Path | str | None = None) -> Path:
    """The folder of one data set below `root` (default: `data_root`)."""
    return (Path(root) if root is not None else data_root()) / facts.name


def is_local(facts: Facts, root: Path | str | None = None) -> bool:
    """Whether every file of the data set is there."""
    return all((folder_of(facts, root) / name).is_file() for name in facts.files)


def require_files(facts: Facts, root: Path | str | None = None) -> Path:
    """The folder of a data set; raises MissingFileError, naming what is missing and how to get it."""
    folder = folder_of(facts, root)
    if missing := [name for name in facts.files if not (folder / name).is_file()]:
        raise MissingFileError(
            f"Data set '{facts.name}' is not complete in '{folder}': no {', '.join(missing)}",
            f"the files {', '.join(facts.files)}",
            f"run `neurotome data fetch {facts.name}`, or set NEUROTOME_DATA to the folder that holds '{facts.name}'",
        )
    return folder


def sections_of(facts: Facts, part: str) -> range:
    """The sections of a named part, or UnknownNameError."""
    if part not in facts.parts:
        raise UnknownNameError(f"part of {facts.name}", part, facts.parts)
    return facts.parts[part]


def cut(volume: Volume, sections: range, what: str) -> Volume:
    """These sections of a volume; ShapeError where the file holds fewer, which a partial copy may."""
    depth, height, width = volume.grid.shape
    if sections.stop > depth:
        raise ShapeError(
            f"The local copy of {what} has sections 0 to {depth - 1}",
            f"sections {sections.start} to {sections.stop - 1}",
            "fetch the official volume into another folder and point NEUROTOME_DATA at it",
        )
    return volume.crop(Box((sections.start, 0, 0), (sections.stop, height, width)))
