"""Collections of real neurons: a folder or zip archive of SWC files with a table of labels beside them.

    NAME.swc ...           one neuron each, in any folder of the archive
    labels.csv             columns name, and what is known of the neurons, such as cell_type

By name: those of the data folder, in micrometres; source NeuroMorpho.Org, cite the archives.

    fly_medulla            379 neurons of the fly medulla, 89 cell types; <data root>/swc/fly_medulla.zip
    rat_cortex             200 cells of rat cortex, interneurons and principal cells; <data root>/swc/rat_cortex.zip

Which part a neuron belongs to follows from its file name alone, so that no network has seen a morphology it is judged on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from neurotome.core import FormatError, InputError, MissingFileError, Skeleton, UnknownNameError
from neurotome.datasets.folder import data_root
from neurotome.io.archive import archive_files, is_clutter, read_archived
from neurotome.io.label_table import labels_for, read_label_table
from neurotome.io.open import require_exists
from neurotome.io.swc import read_swc

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["COLLECTIONS", "PARTS", "SwcCollection", "named_collection", "part_of", "swc_collection"]

COLLECTIONS = ("fly_medulla", "rat_cortex")
PARTS = ("training", "test")
LABELS = "labels.csv"
_TRAINING_TENTHS = 7


@dataclass(frozen=True, eq=False)
class SwcCollection:
    """Neurons by name. path: a folder or archive. files_by_name: the file of each, in the order of the files.

    unit: of files that state none.
    """

    path: Path
    files_by_name: Mapping[str, str]
    unit: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.files_by_name)

    def __len__(self) -> int:
        return len(self.files_by_name)

    def files(self, part: str | None = None) -> tuple[str, ...]:
        """The SWC files of a part ("training" or "test"), or all, sorted."""
        if part is not None and part not in PARTS:
            raise UnknownNameError("part", part, PARTS)
        return tuple(file for file in self.files_by_name.values() if part is None or part_of(PurePosixPath(file).name) == part)

    def load(self, name: str) -> Skeleton:
        """A neuron by its name or file; repaired where the file needs it. Raises UnknownNameError."""
        file = name if name in self.files_by_name.values() else self.files_by_name.get(name)
        if file is None:
            raise UnknownNameError(f"neuron of {self.path.stem}", name, self.names)
        read = partial(read_swc, unit=self.unit)
        found = read(self.path / file) if self.path.is_dir() else read_archived(self.path, file, read)
        return found.skeleton

    @cached_property
    def labels(self) -> DataFrame:
        """What is known of the neurons, a row for each in the order of the names. Raises MissingFileError, InputError."""
        return labels_for(self.names, self._label_table())

    def _label_table(self) -> DataFrame:
        if self.path.is_dir():
            return read_label_table(self.path / LABELS)
        member = next((file for file in archive_files(self.path) if PurePosixPath(file).name == LABELS), None)
        if member is None:
            raise MissingFileError(f"'{self.path}' holds no {LABELS}", "a table of labels", "use it without labels")
        return read_archived(self.path, member, read_label_table)


def swc_collection(path: Path | str, *, unit: str | None = None) -> SwcCollection:
    """The SWC files of a folder (and folders in it) or archive; unit: of files that state none.

    Raises FormatError for one without SWC files, InputError for two neurons of one name, MissingFileError.
    """
    path = require_exists(Path(path))
    if path.is_dir():
        inside = sorted(file.relative_to(path) for file in path.rglob("*.swc"))
        files = [file.as_posix() for file in inside if not is_clutter(file)]
    else:
        files = [file for file in archive_files(path) if file.endswith(".swc")]
    if not files:
        raise FormatError(f"'{path}' holds no neurons", "files that end in .swc", "check the path")
    by_name: dict[str, str] = {}
    for file in files:
        if (other := by_name.setdefault(PurePosixPath(file).stem, file)) != file:
            raise InputError(f"Two neurons have one name: '{other}' and '{file}' in '{path}'", "unique names", "rename one file")
    return SwcCollection(path, by_name, unit)


def named_collection(name: str, *, root: Path | str | None = None) -> SwcCollection:
    """A collection of the data folder. Raises UnknownNameError, MissingFileError where the archive is not here."""
    if name not in COLLECTIONS:
        raise UnknownNameError("collection of neurons", name, COLLECTIONS)
    path = (Path(root) if root is not None else data_root()) / "swc" / f"{name}.zip"
    if not path.is_file():
        raise MissingFileError(
            f"No archive '{path}'",
            "SWC files of real neurons in it",
            "set NEUROTOME_DATA to the folder that holds swc/, or grow trees",
        )
    return swc_collection(path, unit="um")


def part_of(file: str) -> str:
    """The part of a neuron, by its file name without folder: seven in ten are for training.

    >>> [part_of(n) for n in ("207375.swc", "214.swc", "VD130423-IDA.CNG.swc")]
    ['training', 'test', 'training']
    """
    return PARTS[0] if hashlib.sha256(file.encode()).digest()[0] * 10 < 256 * _TRAINING_TENTHS else PARTS[1]
