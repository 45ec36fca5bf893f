"""Data sets by name."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from neurotome.core import Progress, UnknownNameError, silent
from neurotome.datasets import drosophila_vnc, isbi2012, snemi3d
from neurotome.datasets.download import Download
from neurotome.datasets.facts import DataPart, Facts
from neurotome.datasets.folder import is_local

__all__ = ["facts", "fetch", "known", "load", "local"]

_MODULES = {m.FACTS.name: m for m in (drosophila_vnc, isbi2012, snemi3d)}


def known() -> tuple[str, ...]:
    """The names of all data sets.

    >>> known()
    ('drosophila_vnc', 'isbi2012', 'snemi3d')
    """
    return tuple(_MODULES)


def facts(name: str) -> Facts:
    """What is known about a data set; UnknownNameError names the known ones and the closest."""
    facts_of_name: Facts = _module(name).FACTS
    return facts_of_name


def load(name: str, part: str = "train", *, root: Path | str | None = None) -> DataPart:
    """A part of a data set from the local folder; see the data set's own file for its parts."""
    loaded: DataPart = _module(name).load(part, root=root)
    return loaded


def fetch(name: str, target: Path | str | None = None, *, progress: Progress = silent) -> Download:
    """Download a data set from its official address into the folder `target` (default: its place below `data_root`)."""
    received: Download = _module(name).fetch(target, progress=progress)
    return received


def local(name: str, root: Path | str | None = None) -> bool:
    """Whether all files of a data set are in the local folder."""
    return is_local(facts(name), root)


def _module(name: str) -> ModuleType:
    if name not in _MODULES:
        raise UnknownNameError("data set", name, _MODULES)
    return _MODULES[name]
