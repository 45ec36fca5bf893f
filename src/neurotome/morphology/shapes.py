"""Neurons from files of any kind, by unique names; a large collection stays on disk until one of them is asked for."""

from __future__ import annotations

import difflib
import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import overload

import numpy as np

from neurotome.core import SOMA, InputError, Progress, Skeleton, UnknownNameError, silent
from neurotome.core.geometry import Nm3
from neurotome.io.label_table import listed, read_soma_table
from neurotome.morphology.occupancy.frames import Shape, require_plausible
from neurotome.morphology.occupancy.matter import shape_sha256
from neurotome.morphology.shape_file import Reading, ShapeFile
from neurotome.morphology.shape_sources import shape_files

__all__ = ["ShapeFiles", "Skipped", "read_shapes", "with_soma"]

_log = logging.getLogger(__name__)

_FAR_NM = 20_000.0


@dataclass(frozen=True)
class Skipped:
    """A file that could not be read, and why."""

    source: str
    message: str


@dataclass(frozen=True)
class ShapeFiles(Sequence[Shape]):
    """Neurons in the order of their names, each read when it is asked for.

    files: one per neuron. somata: positions to add, by name. on_error: whether a file that cannot be read stops an iteration or
    is left out and noted in `skipped`; an index that is asked for always raises. sha256: of names and data, where all were read.
    """

    files: tuple[ShapeFile, ...]
    somata: Mapping[str, Nm3] = field(default_factory=dict)
    on_error: str = "stop"
    skipped: list[Skipped] = field(default_factory=list, compare=False)
    sha256: str = field(default="", compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(file.name for file in self.files)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(file.source for file in self.files)

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, row: int) -> Shape: ...

    @overload
    def __getitem__(self, row: slice) -> ShapeFiles: ...

    def __getitem__(self, row: int | slice) -> Shape | ShapeFiles:
        if isinstance(row, slice):
            return replace(self, files=self.files[row])
        file = self.files[row]
        shape = file.read()
        if shape.name != file.name:
            shape = replace(shape, name=file.name)
        # Again where it is given a frame, but here a collection can do without it.
        require_plausible(shape)
        return with_soma(shape, self.somata[file.name]) if file.name in self.somata else shape

    def __iter__(self) -> Iterator[Shape]:
        """The neurons that can be read. Raises InputError where on_error is "skip" and none can."""
        return (shape for _, shape in self._read(silent))

    def readable(self, progress: Progress = silent) -> ShapeFiles:
        """Those that can be read, found by reading each once; the others are in `skipped`."""
        digest = hashlib.sha256()
        rows = []
        for row, shape in self._read(progress):
            digest.update(f"{shape.name}\0{shape_sha256(shape)}\0".encode())
            rows.append(row)
        return replace(self, files=tuple(self.files[row] for row in rows), sha256=digest.hexdigest())

    def take(self, names: Sequence[str]) -> ShapeFiles:
        """Some neurons, in the order of their names. Raises InputError that lists unknown ones."""
        return replace(self, files=_chosen(self.files, names))

    def _read(self, progress: Progress) -> Iterator[tuple[int, Shape]]:
        read = 0
        for row, file in enumerate(self.files):
            progress("read neurons", row, len(self.files))
            try:
                shape = self[row]
            except InputError as error:
                if self.on_error == "stop":
                    raise
                self._skip(file, error)
                continue
            read += 1
            yield row, shape
        progress("read neurons", len(self.files), len(self.files))
        if self.files and not read:
            raise InputError(
                f"None of {len(self.files)} neurons can be read, the first because: {self.skipped[0].message}",
                "one at least",
                "see the message",
            )

    def _skip(self, file: ShapeFile, error: InputError) -> None:
        note = Skipped(file.source, str(error))
        if note not in self.skipped:
            self.skipped.append(note)
            _log.warning("'%s' is left out: %s", file.source, error)


def read_shapes(
    paths: Path | str | Iterable[Path | str],
    *,
    unit: str | None = None,
    voxel_nm: Nm3 | None = None,
    soma_table: Path | str | Mapping[str, Nm3] | None = None,
    ids: Iterable[str | int] | None = None,
    on_error: str = "stop",
) -> ShapeFiles:
    """The neurons of files, folders, archives, runs and volumes (see `shape_sources`), sorted by name, read one by one later.

    A neuron is named by the stem of its file, or its id in a volume. unit, voxel_nm: for files that state none. soma_table: a CSV
    (see `io.read_soma_table`), or positions (z, y, x) by name. ids: the neurons wanted, None for all. on_error: "stop", or "skip"
    files that cannot be read.

    Raises InputError for names that occur twice (naming both files), ids that are not there and soma positions of which none is
    of these neurons; FormatError, MissingFileError. Reading a neuron raises what the readers do, and UnitError for an extent that
    no neuron has.
    """
    if on_error not in ("stop", "skip"):
        raise UnknownNameError("way to treat errors", on_error, ("stop", "skip"))
    reading = Reading(unit, voxel_nm)
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    found = [file for path in dict.fromkeys(map(Path, given)) for file in shape_files(path, reading)]
    files = _unique(found)
    if ids is not None:
        files = _chosen(files, [str(name) for name in ids])
    if not files:
        raise InputError("No neurons are given", "at least one file", "check the paths")
    somata = dict(soma_table) if isinstance(soma_table, Mapping) else read_soma_table(soma_table) if soma_table else {}
    if somata and not somata.keys() & {file.name for file in files}:
        raise InputError(
            f"The somata are of other neurons: {listed(somata)}",
            f"names such as {listed([f.name for f in files])}",
            "check the ids",
        )
    return ShapeFiles(files, somata, on_error)


def with_soma(shape: Shape, soma_nm: Nm3) -> Shape:
    """The shape with its soma there; of a skeleton that has no soma node, the nearest node becomes one."""
    if not isinstance(shape, Skeleton):
        return replace(shape, soma_nm=soma_nm)
    if not len(shape) or (shape.kinds == SOMA).any():
        return shape
    squares = ((shape.points_nm - np.asarray(soma_nm)) ** 2).sum(1)
    row = int(squares.argmin())
    if squares[row] > _FAR_NM**2:
        _log.warning("The soma of '%s' is %.0f um from its nearest node", shape.name, np.sqrt(squares[row]) / 1000)
    kinds = shape.kinds.copy()
    kinds[row] = SOMA
    return replace(shape, kinds=kinds)


def _unique(files: Sequence[ShapeFile]) -> tuple[ShapeFile, ...]:
    """Sorted by name. Raises InputError for two of the same name."""
    ordered = sorted(files, key=lambda file: (file.name, file.source))
    for one, other in pairwise(ordered):
        if one.name == other.name:
            raise InputError(
                f"Two neurons are called '{one.name}': '{one.source}' and '{other.source}'", "unique names", "rename one file"
            )
    return tuple(ordered)


def _chosen(files: Sequence[ShapeFile], names: Sequence[str]) -> tuple[ShapeFile, ...]:
    known = {file.name for file in files}
    missing = [name for name in names if name not in known]
    if missing:
        close = difflib.get_close_matches(missing[0], known, n=1)
        raise InputError(
            f"There are no neurons {listed(missing)}",
            f"names such as {listed(sorted(known))}",
            f"did you mean '{close[0]}'" if close else "check the ids",
        )
    wanted = set(names)
    return tuple(file for file in files if file.name in wanted)
