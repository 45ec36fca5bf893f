"""Real neurons by name, from the archives of SWC files in the data folder, divided once and for all into training and test.

    <data root>/swc/fly_medulla.zip   379 fly medulla neurons            <data root>/swc/rat_cortex.zip   200 cells of rat cortex

Which part a neuron belongs to follows from its file name alone, so that no network has seen a morphology it is judged on.
Source: NeuroMorpho.Org; cite the archives.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from neurotome.core import MissingFileError, Skeleton, UnknownNameError
from neurotome.datasets.folder import data_root
from neurotome.io.swc import read_swc

__all__ = ["COLLECTIONS", "PARTS", "morphology", "names", "part_of"]

COLLECTIONS = ("fly_medulla", "rat_cortex")
PARTS = ("training", "test")
_TRAINING_TENTHS = 7


def part_of(name: str) -> str:
    """The part of a neuron, by its file name without folder: seven in ten are for training.

    >>> [part_of(n) for n in ("207375.swc", "214.swc", "VD130423-IDA.CNG.swc")]
    ['training', 'test', 'training']
    """
    return PARTS[0] if hashlib.sha256(name.encode()).digest()[0] * 10 < 256 * _TRAINING_TENTHS else PARTS[1]


def names(collection: str, part: str | None = None, *, root: Path | str | None = None) -> tuple[str, ...]:
    """The SWC files of a collection, sorted; of one part, or all. Raises MissingFileError where the archive is not here."""
    if part is not None and part not in PARTS:
        raise UnknownNameError("part", part, PARTS)
    with zipfile.ZipFile(_archive(collection, root)) as archive:
        found = sorted(n for n in archive.namelist() if n.endswith(".swc"))
    return tuple(n for n in found if part is None or part_of(Path(n).name) == part)


def morphology(collection: str, name: str, *, root: Path | str | None = None) -> Skeleton:
    """A neuron of a collection, in the units of its file taken as micrometres; repaired where the file needs it.

    Raises UnknownNameError for a file that the archive does not hold.
    """
    path = _archive(collection, root)
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        if name not in archive.namelist():
            raise UnknownNameError(f"neuron of {collection}", name, names(collection, root=root))
        file = Path(folder) / Path(name).name
        file.write_bytes(archive.read(name))
        return replace(read_swc(file, unit="um").skeleton, name=Path(name).stem)


def _archive(collection: str, root: Path | str | None) -> Path:
    if collection not in COLLECTIONS:
        raise UnknownNameError("collection of neurons", collection, COLLECTIONS)
    path = (Path(root) if root is not None else data_root()) / "swc" / f"{collection}.zip"
    if not path.is_file():
        raise MissingFileError(
            f"No archive '{path}'",
            "SWC files of real neurons in it",
            "set NEUROTOME_DATA to the folder that holds swc/, or grow trees",
        )
    return path
