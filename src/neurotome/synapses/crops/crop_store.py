"""The folder of a set of crops: arrays with one chunk per crop, and what they were made from.

crops.zarr/zarr.json       recipe, operands, grey levels and structures of the volumes, whether all crops are there
crops.zarr/image, bits     (n, size, size, size), one file per crop; instances where a volume has them
crops.zarr/sites.csv       one row per crop                    discarded.csv  one row per site without crop
crops.zarr/journal         what has been done so far; removed at the end
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import Crop, CropRecipe, FormatError, InputError, MissingFileError
from neurotome.io import atomic_write_json, atomic_write_text
from neurotome.io.atomic import disk_full_named
from neurotome.io.store import kvstore, open_store, read_box

__all__ = ["CropStore", "read_about", "read_table", "require_same_recipe", "table_types", "write_about", "write_table"]

FORMAT = 1
_AXES = ["crop", "z", "y", "x"]
_KINDS = {"b": "bool", "i": "int64", "u": "uint64", "f": "float64"}


def read_about(path: Path) -> dict[str, Any]:
    """What the folder says of itself. Raises MissingFileError, FormatError."""
    if not (path / "zarr.json").is_file():
        raise MissingFileError(f"'{path}' is no set of crops", "a folder with a zarr.json", "check the path")
    try:
        about: dict[str, Any] = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]["neurotome"]
        found = about["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"'{path}' is another Zarr folder", "a set of crops made by make_crops", "check the path") from error
    if found != FORMAT:
        raise FormatError(f"'{path}' has format {found}", f"format {FORMAT}", "make the crops again with this version")
    return about


def write_about(path: Path, about: Mapping[str, Any]) -> None:
    """Say what the folder holds; a reader sees the old or the new text."""
    attributes = {"neurotome": {"format": FORMAT, **about}}
    atomic_write_json(path / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": attributes})


def require_same_recipe(path: Path, held: Mapping[str, Any], wanted: CropRecipe) -> None:
    """Raise InputError unless the crops were cut with this recipe."""
    there = asdict(CropRecipe(**held))
    if other := [f.name for f in fields(wanted) if there[f.name] != getattr(wanted, f.name)]:
        raise InputError(
            f"'{path}' was made with {', '.join(f'{name}={there[name]}' for name in other)}",
            ", ".join(f"{name}={getattr(wanted, name)}" for name in other),
            "give another folder, or remove that one",
        )


class CropStore:
    """The arrays of one folder. `place` is the number of a site in the table that the crops were made from."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, count: int, size: int, dtypes: Mapping[str, np.dtype[Any]]) -> CropStore:
        """Make empty arrays of these names ("image", "bits", "instances")."""
        for name, dtype in dtypes.items():
            open_store(_spec(path / name, count, size, dtype))
        return cls(path)

    def write(self, place: int, crop: Crop) -> None:
        """Write one crop; returns when its files are complete."""
        with disk_full_named(self.path):
            waiting = [self._image[place].write(crop.image), self._bits[place].write(crop.bits.astype(_dtype(self._bits)))]
            if crop.instances is not None:
                waiting.append(self._instances[place].write(crop.instances))
            for written in waiting:
                written.result()

    def read(self, place: int, *, instances: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Image, bits (uint32) and instances of one crop."""
        arrays = [("image", self._image), ("bits", self._bits), *([("instances", self._instances)] if instances else [])]
        found = [
            read_box(self.path / name, array, ((place, place + 1), *((0, int(n)) for n in array.shape[1:])))[0]
            for name, array in arrays
        ]
        return found[0], found[1].astype(np.uint32), found[2] if instances else None

    @cached_property
    def _image(self) -> Any:
        return _opened(self.path / "image")

    @cached_property
    def _bits(self) -> Any:
        return _opened(self.path / "bits")

    @cached_property
    def _instances(self) -> Any:
        return _opened(self.path / "instances")


def _opened(path: Path) -> Any:
    return open_store({"driver": "zarr3", "kvstore": kvstore(path)}, open=True)


def _dtype(array: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(array.dtype.numpy_dtype)
    return dtype


def _spec(path: Path, count: int, size: int, dtype: np.dtype[Any]) -> dict[str, Any]:
    # Masks are long runs of equal numbers: bytes of equal rank side by side pack them best. Noise packs badly in any order.
    packing = {"cname": "lz4", "clevel": 1, "shuffle": "shuffle" if dtype.itemsize > 1 else "noshuffle"}
    return {
        "driver": "zarr3",
        "kvstore": kvstore(path),
        "create": True,
        "metadata": {
            "shape": [count, size, size, size],
            "data_type": dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, size, size, size]}},
            "fill_value": 0,
            "dimension_names": _AXES,
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}} if dtype.itemsize > 1 else {"name": "bytes"},
                {"name": "blosc", "configuration": {**packing, "typesize": dtype.itemsize, "blocksize": 0}},
            ],
        },
    }


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, its index first, called "key"."""
    text = io.StringIO()
    table.to_csv(text, index_label="key", lineterminator="\n")
    atomic_write_text(path, text.getvalue())


def table_types(table: pd.DataFrame) -> dict[str, str]:
    """How `read_table` is to read each column: "bool", "int64", "uint64", "float64" or "text".

    >>> table_types(pd.DataFrame({"a": [1], "b": ["x"], "c": [0.5]}))
    {'a': 'int64', 'b': 'text', 'c': 'float64'}
    """
    return {str(name): _KINDS.get(getattr(column.dtype, "kind", "O"), "text") for name, column in table.items()}


def read_table(path: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """A table as `write_table` wrote it; what was missing in a column of text is an empty text."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("key")
    return pd.DataFrame({name: _typed(table[name], kind) for name, kind in types.items()}, index=table.index)


def _typed(column: pd.Series, kind: str) -> pd.Series:
    if kind == "text":
        return column
    if kind == "bool":
        return column == "True"
    # Through Python's numbers: as floats, ids above 2**53 would come back as others.
    if kind == "float64":
        return pd.Series([float(v) if v else float("nan") for v in column], column.index, kind)
    return pd.Series([int(v) for v in column], column.index, kind)
