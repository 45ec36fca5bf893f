"""What fills a grid: grey values, probabilities, labels. Arrays may be lazy; `read` brings a box into memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from neurotome.core.errors import InputError, ShapeError, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Box, Grid

__all__ = ["ArrayLike", "Image", "Labels", "Legend", "Probability"]


class ArrayLike(Protocol):
    """All that a lazy array must offer: its shape, its type, and slices that NumPy can convert."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> Any: ...

    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Image:
    """Grey values, shape (z, y, x)."""

    data: ArrayLike
    grid: Grid
    name: str = "image"

    def __post_init__(self) -> None:
        _require_shape(self.data, self.grid, self.name, channels=None)
        if _dtype(self.data).kind not in "uif":
            raise ValueRangeError(
                f"Image '{self.name}' has type {_dtype(self.data)}", "uint8, uint16 or float32", "convert it to grey values"
            )

    def read(self, box: Box | None = None) -> np.ndarray:
        """The grey values of `box` (default: all) as a NumPy array (z, y, x)."""
        return np.asarray(self.data[(box or self.grid.box).slices])

    def crop(self, box: Box) -> Image:
        return Image(self.data[box.slices], self.grid.crop(box), self.name)


@dataclass(frozen=True, eq=False)
class Probability:
    """Probabilities in [0, 1], shape (c, z, y, x), with a name per channel; uint8 stores 255 p, rounded."""

    data: ArrayLike
    grid: Grid
    channels: tuple[str, ...]
    name: str = "probability"

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        _require_shape(self.data, self.grid, self.name, channels=len(self.channels))
        dtype = _dtype(self.data)
        if dtype != np.uint8 and dtype.kind != "f":
            raise ValueRangeError(
                f"Probability '{self.name}' has type {dtype}", "float in [0, 1] or uint8 (255 = 1)", "divide by the largest value"
            )
        if dtype.kind == "f" and isinstance(self.data, np.ndarray) and self.data.size:
            require_unit_interval(self.data, self.name)

    def read(self, channels: tuple[str, ...] | None = None, box: Box | None = None) -> np.ndarray:
        """The named channels of `box` (default: all) as a NumPy array (c, z, y, x), type as stored."""
        z, y, x = (box or self.grid.box).slices
        indices = [self.index(c) for c in channels or self.channels]
        return np.stack([np.asarray(self.data[i, z, y, x]) for i in indices])

    def index(self, channel: str) -> int:
        if channel not in self.channels:
            raise UnknownNameError("channel", channel, self.channels)
        return self.channels.index(channel)

    def crop(self, box: Box) -> Probability:
        return Probability(self.data[(slice(None), *box.slices)], self.grid.crop(box), self.channels, self.name)


@dataclass(frozen=True)
class Legend:
    """What the label ids of one volume mean; read from a file, never written in code."""

    names: Mapping[int, str] = field(default_factory=dict)

    def id_of(self, name: str) -> int:
        for label, known in self.names.items():
            if known == name:
                return label
        raise UnknownNameError("label name", name, self.names.values())


@dataclass(frozen=True, eq=False)
class Labels:
    """Object ids, shape (z, y, x), any unsigned or signed integer type up to 64 bit; 0 is background, none is negative."""

    data: ArrayLike
    grid: Grid
    legend: Legend = field(default_factory=Legend)
    name: str = "labels"

    def __post_init__(self) -> None:
        _require_shape(self.data, self.grid, self.name, channels=None)
        dtype = _dtype(self.data)
        if dtype.kind not in "uib":
            raise ValueRangeError(f"Labels '{self.name}' have type {dtype}", "whole numbers", "convert the labels to integers")
        if dtype.kind == "i" and isinstance(self.data, np.ndarray) and self.data.size and int(self.data.min()) < 0:
            raise ValueRangeError(
                f"Labels '{self.name}' have smallest id {int(self.data.min())}",
                "ids of 0 and more",
                "shift the ids, 0 is background",
            )

    def read(self, box: Box | None = None) -> np.ndarray:
        """The ids of `box` (default: all) as a NumPy array (z, y, x), type as stored."""
        return np.asarray(self.data[(box or self.grid.box).slices])

    def crop(self, box: Box) -> Labels:
        return Labels(self.data[box.slices], self.grid.crop(box), self.legend, self.name)


def require_unit_interval(values: np.ndarray, name: str) -> None:
    """Raise unless every value lies in [0, 1] (not a number never does)."""
    low, high = float(values.min()), float(values.max())
    if not (low >= 0.0 and high <= 1.0):
        raise ValueRangeError(
            f"Probability '{name}' has values from {low:g} to {high:g}",
            "values in [0, 1], or uint8 with 255 = 1",
            "divide by the largest possible value, or apply the sigmoid that is missing",
        )


def _dtype(data: ArrayLike) -> np.dtype[Any]:
    # tensorstore has a type class of its own that knows its NumPy twin.
    dtype: np.dtype[Any] = np.dtype(getattr(data.dtype, "numpy_dtype", data.dtype))
    return dtype


def _require_shape(data: ArrayLike, grid: Grid, name: str, channels: int | None) -> None:
    expected = grid.shape if channels is None else (channels, *grid.shape)
    if tuple(data.shape) != expected:
        raise ShapeError(f"'{name}' has shape {tuple(data.shape)}", f"{expected}, as its grid says", "make data and grid agree")
    if not isinstance(grid, Grid):
        raise InputError(f"Grid of '{name}' is a {type(grid).__name__}", "a Grid", "make one with Grid(shape, voxel_nm)")
