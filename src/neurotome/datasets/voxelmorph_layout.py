"""The layout of files that the VoxelMorph project trained on, so that its data can be used as they are.

    coords/ID.npz              key data: points x, y, z in micrometres, float16; times 1000 gives nm
    normals/ID.npz             key data: normals x, y, z, optional
    idsplit2soma.pkl           ID -> soma x, y, z
    normalizing_constants.pkl  centring -> min and max over the training set
    splits/train.npy ...       lists of IDs: train, val, test
    a CSV of labels            columns segment_split (the ID), assigned_layer, ...; read it with `io.read_label_table`

An ID is SEGMENT_SPLIT, such as 864691135581551213_0: pieces of one segment. Float16 has steps of half a unit above 512 and is
infinite above 65,504. A pickle can run any code: it is read only where that is allowed, and then only plain values and arrays.
Source: lucas-mohrhagen/VoxelMorph.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import FormatError, InputError, PointCloud, UnitError, UnknownNameError
from neurotome.core.geometry import Nm3
from neurotome.datasets.neuron_splits import SPLITS, checked_split
from neurotome.io.label_table import listed
from neurotome.io.open import require_exists
from neurotome.io.point_cloud_files import checked_points, npz_arrays, read_point_cloud

__all__ = ["VoxelMorphData", "open_voxelmorph"]

_log = logging.getLogger(__name__)

SOMATA, CONSTANTS, KEY = "idsplit2soma.pkl", "normalizing_constants.pkl", "data"
_NM = {"nm": 1.0, "um": 1000.0}
_SOMA_MARGIN_NM = 100_000.0
"""How far a soma may be from its points: those of a piece may begin well away from it."""


@dataclass(frozen=True, eq=False)
class VoxelMorphData:
    """Clouds by id. unit, soma_unit: "um" or "nm", of coordinates and somata. allow_pickle: whether somata are read."""

    folder: Path
    names: tuple[str, ...]
    unit: str = "um"
    soma_unit: str = "um"
    allow_pickle: bool = False

    def __len__(self) -> int:
        return len(self.names)

    def load(self, name: str) -> PointCloud:
        """The points of an id in nm, with normals and soma where they are there (the soma only with allow_pickle).

        Raises UnknownNameError, FormatError for float16 that has overflown, ValueRangeError with the first point that is not
        finite, UnitError for a soma far from the points.
        """
        if name not in self.names:
            raise UnknownNameError("neuron", name, self.names)
        cloud = read_point_cloud(self.folder / "coords" / f"{name}.npz", unit=self.unit, axes="xyz")
        normals = self.folder / "normals" / f"{name}.npz"
        if normals.is_file():
            cloud = replace(cloud, normals=_array(normals)[:, ::-1])
        soma = self.somata.get(name) if self.allow_pickle else None
        return cloud if soma is None else replace(cloud, soma_nm=_near(soma, cloud))

    @cached_property
    def somata(self) -> dict[str, Nm3]:
        """Soma positions (z, y, x) in nm by id; {} without a file. Raises InputError without allow_pickle, FormatError."""
        path = self.folder / SOMATA
        if not path.is_file():
            return {}
        stored = _unpickled(path, allowed=self.allow_pickle)
        try:
            points = {str(name): np.asarray(place, np.float64).reshape(3) * _NM[self.soma_unit] for name, place in stored.items()}
        except (ValueError, TypeError) as error:
            raise FormatError(
                f"'{path}' has a soma that is not three numbers ({error})", "id -> x, y, z", "write it again"
            ) from error
        return {name: (float(z), float(y), float(x)) for name, (x, y, z) in points.items() if np.isfinite([x, y, z]).all()}

    @cached_property
    def constants(self) -> dict[str, tuple[float, float]]:
        """centring -> (min, max) over the training set, in the unit of the file. Raises as `somata` does."""
        path = require_exists(self.folder / CONSTANTS)
        try:
            return {str(k): (float(v["min"]), float(v["max"])) for k, v in _unpickled(path, allowed=self.allow_pickle).items()}
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"'{path}' is not as expected ({error})", "centring -> min and max", "write it again") from error

    @cached_property
    def splits(self) -> dict[str, str]:
        """The part of every neuron. Raises FormatError, InputError for ids in two parts or none, or torn from their segment."""
        members = {part: _ids(self.folder / "splits" / f"{part}.npy") for part in SPLITS}
        return checked_split(members, self.names, str(self.folder / "splits"))


def open_voxelmorph(folder: Path | str, *, unit: str = "um", soma_unit: str = "um", allow_pickle: bool = False) -> VoxelMorphData:
    """The data in a folder, ids sorted. Raises MissingFileError, FormatError for a folder without clouds, UnknownNameError."""
    folder = require_exists(Path(folder))
    for what in (unit, soma_unit):
        if what not in _NM:
            raise UnknownNameError("unit", what, _NM)
    names = tuple(sorted(file.stem for file in require_exists(folder / "coords").glob("*.npz")))
    if not names:
        raise FormatError(f"'{folder / 'coords'}' holds no .npz", "one for each neuron", "check the path")
    if not allow_pickle and (folder / SOMATA).is_file():
        _log.warning("'%s' is a pickle and is not read: the neurons have no somata (allow_pickle=True reads it)", folder / SOMATA)
    return VoxelMorphData(folder, names, unit, soma_unit, allow_pickle)


def _array(path: Path) -> np.ndarray:
    arrays = npz_arrays(path)
    if KEY not in arrays:
        raise FormatError(f"'{path}' has the keys {listed(arrays)}", KEY, "write it again")
    return checked_points(path, arrays[KEY])


def _ids(path: Path) -> list[str]:
    try:
        values = np.load(require_exists(path), allow_pickle=False)
    except ValueError as error:
        raise FormatError(f"'{path}' is not readable ({error})", "an array of ids without pickles", "save it as text") from error
    return [str(value) for value in values.ravel()]


def _near(soma: Nm3, cloud: PointCloud) -> Nm3:
    low, high = cloud.points_nm.min(0), cloud.points_nm.max(0)
    away = float(np.maximum(np.maximum(low - soma, np.asarray(soma) - high), 0).max())
    if away > _SOMA_MARGIN_NM:
        raise UnitError(
            f"The soma of '{cloud.name}' is {away / 1000:g} um outside of its points",
            "both in the unit that is said",
            "give soma_unit='nm' or 'um', unit='nm' or 'um'",
        )
    return soma


class _PlainUnpickler(pickle.Unpickler):
    """Lets in NumPy's arrays and numbers, and nothing that could do more than hold values."""

    _NUMPY = frozenset({"dtype", "ndarray", "scalar", "_reconstruct", "_frombuffer"})

    def find_class(self, module: str, name: str) -> Any:
        if (module.partition(".")[0] == "numpy" and name in self._NUMPY) or (module, name) == ("collections", "OrderedDict"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it wants {module}.{name}")


def _unpickled(path: Path, *, allowed: bool) -> Mapping[Any, Any]:
    if not allowed:
        raise InputError(f"'{path}' is a pickle, which can run code", "your consent", "give allow_pickle=True if you trust it")
    try:
        with path.open("rb") as file:
            stored = _PlainUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, ImportError, IndexError) as error:
        raise FormatError(
            f"'{path}' is not readable ({error})", "a dictionary of plain values and arrays", "write it again"
        ) from error
    if not isinstance(stored, Mapping):
        raise FormatError(f"'{path}' holds a {type(stored).__name__}", "a dictionary", "write it again")
    return stored
