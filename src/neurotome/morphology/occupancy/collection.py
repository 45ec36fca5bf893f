"""The grids of a whole set of neurons as one Zarr array: made once, read in any order.

PATH/zarr.json   (n, size, size, size / 8) uint8, eight voxels along the last axis in a byte, the first one in its highest bit;
                 float32 (n, size, size, size) for soft grids and distances. Names, frames and settings are its attributes.
PATH/c/...       sixteen neurons in a file
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import FormatError, Frame, InputError, MissingFileError, Occupancy, Progress, silent
from neurotome.io import atomic_target, atomic_write_json
from neurotome.io.atomic import require_free_space
from neurotome.io.store import kvstore, open_store, read_box
from neurotome.morphology.occupancy.frames import frame_of
from neurotome.morphology.occupancy.matter import Shape, shape_sha256
from neurotome.morphology.occupancy.settings import GridSettings
from neurotome.morphology.occupancy.voxelise import voxelise

__all__ = ["OccupancyCollection", "write_collection"]

FORMAT = 1
ROWS = 16
"""Neurons in a file."""
_KEYS = {"format", "names", "frames", "settings"}


@dataclass(frozen=True, eq=False)
class OccupancyCollection:
    """Grids on disk, in the order they were written. settings: that all of them were made with."""

    path: Path
    names: tuple[str, ...]
    frames: tuple[Frame, ...]
    settings: GridSettings

    @classmethod
    def open(cls, path: Path | str, settings: GridSettings | None = None) -> OccupancyCollection:
        """A collection that `write_collection` made.

        Raises MissingFileError, FormatError for what is none, InputError where it was made with other settings than these.
        """
        path = Path(path)
        if not (path / "zarr.json").is_file():
            raise MissingFileError(f"'{path}' is no collection of occupancy grids", "a folder with a zarr.json", "check the path")
        try:
            held = json.loads((path / "zarr.json").read_text())["attributes"]["neurotome"]
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"'{path}' is another Zarr array", "one made by write_collection", "check the path") from error
        if held.keys() != _KEYS or held["format"] != FORMAT:
            raise FormatError(
                f"'{path}' has format {held.get('format')}", f"format {FORMAT}", "write the collection again with this version"
            )
        found = cls(
            path, tuple(held["names"]), tuple(map(Frame.from_json, held["frames"])), GridSettings.from_json(held["settings"])
        )
        if settings is not None:
            _require_same(path, found.settings, settings)
        return found

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, row: int) -> Occupancy:
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        row %= len(self)
        return Occupancy(self._read(row, row + 1)[0], self.frames[row], self.names[row])

    def row_of(self, name: str) -> int:
        """Raises InputError for a name that is not there."""
        if name not in self._rows:
            raise InputError(f"'{self.path}' has no neuron '{name}'", f"one of its {len(self)}", "look at its names")
        return self._rows[name]

    def stack(self, rows: Sequence[int] | np.ndarray | slice = slice(None)) -> np.ndarray:
        """The grids of these rows, (n, size, size, size), z, y, x: bool, or float32 for soft grids and distances."""
        wanted = np.arange(len(self))[rows]
        size = self.settings.size
        found = np.empty((len(wanted), size, size, size), np.float32 if _is_real(self.settings) else np.bool_)
        for file in np.unique(wanted // ROWS).tolist():
            held = self._read(file * ROWS, min((file + 1) * ROWS, len(self)))
            places = np.flatnonzero(wanted // ROWS == file)
            found[places] = held[wanted[places] - file * ROWS]
        return found

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def _array(self) -> Any:
        return open_store({"driver": "zarr3", "kvstore": kvstore(self.path)}, open=True)

    def _read(self, start: int, stop: int) -> np.ndarray:
        values = read_box(self.path, self._array, ((start, stop), *((0, int(n)) for n in self._array.shape[1:])))
        return values if _is_real(self.settings) else np.unpackbits(values, axis=-1).view(np.bool_)


def write_collection(
    path: Path | str, shapes: Iterable[Shape], settings: GridSettings, *, progress: Progress = silent
) -> OccupancyCollection:
    """Put shapes on grids and write them: complete or not at all, one file's neurons in memory at a time.

    What was written there with the same settings is written anew. Each frame says which data it was made from (`source_sha256`).
    Raises InputError for a folder with something else in it, or with grids of other settings, for no shapes, and for a name that
    occurs twice.
    """
    path = Path(path)
    if path.exists():
        OccupancyCollection.open(path, settings)
    frames: dict[str, Frame] = {}
    total = len(shapes) if isinstance(shapes, Sized) else 0
    with atomic_target(path, most_bytes=_bytes(settings) * total or None) as temporary:
        require_free_space(path, _bytes(settings) * ROWS)
        array = open_store(_spec(temporary, settings))
        waiting: list[np.ndarray] = []
        for shape in shapes:
            if shape.name in frames:
                raise InputError(f"Two neurons are called '{shape.name}'", "names that occur once", "rename one of them")
            found = _made(shape, settings)
            frames[shape.name] = found.frame
            waiting.append(found.data if _is_real(settings) else np.packbits(found.data, axis=-1))
            if len(waiting) == ROWS:
                array = _append(array, waiting, len(frames))
                waiting = []
            progress("put neurons on grids", len(frames), max(total, len(frames)))
        if not frames:
            raise InputError("A collection of no neurons", "at least one", "name files")
        if waiting:
            _append(array, waiting, len(frames))
        _describe(temporary, settings, frames)
    return OccupancyCollection(path, tuple(frames), tuple(frames.values()), settings)


def _made(shape: Shape, settings: GridSettings) -> Occupancy:
    return voxelise(shape, settings, replace(frame_of(shape, settings), source_sha256=shape_sha256(shape)))


def _append(array: Any, grids: list[np.ndarray], end: int) -> Any:
    """The array, longer."""
    longer = array.resize(exclusive_max=(end, None, None, None)).result()
    longer[end - len(grids) : end].write(np.stack(grids)).result()
    return longer


def _describe(path: Path, settings: GridSettings, frames: dict[str, Frame]) -> None:
    metadata = json.loads((path / "zarr.json").read_text())
    about = {
        "format": FORMAT,
        "settings": settings.to_json(),
        "names": list(frames),
        "frames": [frame.to_json() for frame in frames.values()],
    }
    atomic_write_json(path / "zarr.json", {**metadata, "attributes": {"neurotome": about}})


def _is_real(settings: GridSettings) -> bool:
    return settings.mode in ("soft", "edt")


def _bytes(settings: GridSettings) -> int:
    """Of one neuron, before compression."""
    return settings.size**3 * 4 if _is_real(settings) else settings.size**3 // 8


def _spec(path: Path, settings: GridSettings) -> dict[str, Any]:
    size = settings.size
    real = _is_real(settings)
    inner = (size, size, size if real else size // 8)
    return {
        "driver": "zarr3",
        "kvstore": kvstore(path),
        "create": True,
        "metadata": {
            "shape": [0, *inner],
            "data_type": "float32" if real else "uint8",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [ROWS, *inner]}},
            "dimension_names": ["neuron", "z", "y", "x"],
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}} if real else {"name": "bytes"},
                {"name": "zstd", "configuration": {"level": 3}},
                {"name": "crc32c"},
            ],
        },
    }


def _require_same(path: Path, held: GridSettings, wanted: GridSettings) -> None:
    there, here = held.to_json(), wanted.to_json()
    if other := [key for key in here if there[key] != here[key]]:
        raise InputError(
            f"'{path}' was made with {', '.join(f'{key}={there[key]}' for key in other)}",
            ", ".join(f"{key}={here[key]}" for key in other),
            "write to another folder, or remove that one",
        )
