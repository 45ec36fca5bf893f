"""HDF5: one dataset of a file, `file.h5:/dataset`; voxel size and channel names are attributes of the dataset."""

from __future__ import annotations

import json
import math
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurotome.core import FormatError, Legend, Progress, UnitError, UnknownNameError, silent
from neurotome.core.geometry import Nm3
from neurotome.io.lazy import LazyArray, Ranges
from neurotome.io.source import UNIT_TOLERANCE, MaybeNm3, Source, Volume, channels_of, kind_of, legend_of, numpy_dtype, show_nm

__all__ = ["MAIN", "SUFFIXES", "has_dataset", "read", "write"]

SUFFIXES = (".h5", ".hdf5", ".hdf")
CHUNK = (16, 256, 256)
MAIN = "main"
# Attribute of the dataset -> nanometres per unit. `resolution` is CREMI's, `element_size_um` that of ilastik and Fiji.
VOXEL_ATTRIBUTES = {"voxel_nm": 1.0, "resolution": 1.0, "element_size_um": 1e3}
ORIGIN_ATTRIBUTES = {"origin_nm": 1.0, "offset": 1.0}


def read(path: Path, dataset: str = "") -> Source:
    """Describe a dataset; without a name, the only one in the file.

    Raises FormatError, listing the datasets, when there are several and none is named.
    """
    with _opened(path) as file:
        name = dataset.strip("/") or _only_dataset(path, file)
        if name not in file or not isinstance(file[name], h5py.Dataset):
            raise UnknownNameError(f"dataset in '{path}'", name, [f"/{n}" for n in _datasets(file)])
        found = file[name]
        axes = _axes(path, found)
        return Source(
            path=path,
            format="HDF5",
            data=_canonical(path, name, found, axes),
            axes=axes.upper(),
            voxel_nm=_voxel_nm(path, found, axes),
            origin_nm=_first_triple(found, ORIGIN_ATTRIBUTES, axes) or (0.0, 0.0, 0.0),
            channels=tuple(_texts(found.attrs.get("channels", ()))),
            kind=_text(found.attrs.get("kind")),  # type: ignore[arg-type]
            legend=Legend({int(k): v for k, v in json.loads(_text(found.attrs.get("legend")) or "{}").items()}),
            chunk=found.chunks,
            notes=(f"dataset /{name}",),
        )


def write(volume: Volume, path: Path, dataset: str = MAIN, progress: Progress = silent) -> None:
    """Add one dataset to a file (made if absent), replacing a dataset of that name."""
    shape = tuple(int(n) for n in volume.data.shape)
    lead = (1,) * (len(shape) - 3)
    chunk = lead + tuple(min(c, n) for c, n in zip(CHUNK, shape[-3:], strict=True))
    with h5py.File(path, "a") as file:
        if dataset in file:
            del file[dataset]
        target = file.create_dataset(
            dataset, shape, numpy_dtype(volume.data), chunks=chunk, compression="gzip", compression_opts=1, shuffle=True
        )
        _describe(target, volume)
        slabs = list(product(range(shape[0]) if lead else [None], range(0, shape[-3], chunk[-3])))
        for done, (channel, z) in enumerate(slabs):
            at = (slice(z, z + chunk[-3]),) if channel is None else (channel, slice(z, z + chunk[-3]))
            target[at] = np.asarray(volume.data[at])
            progress("write HDF5", done + 1, len(slabs))


def has_dataset(path: Path, dataset: str) -> bool:
    """Whether the file holds something of that name."""
    with _opened(path) as file:
        return dataset.strip("/") in file


def _describe(target: h5py.Dataset, volume: Volume) -> None:
    target.attrs["voxel_nm"] = target.attrs["resolution"] = volume.grid.voxel_nm
    target.attrs["element_size_um"] = [v / 1e3 for v in volume.grid.voxel_nm]
    target.attrs["origin_nm"] = target.attrs["offset"] = volume.grid.origin_nm
    target.attrs["axes"] = "czyx" if channels_of(volume) else "zyx"
    target.attrs["kind"] = kind_of(volume)
    if channels_of(volume):
        target.attrs["channels"] = list(channels_of(volume))
    if names := legend_of(volume).names:
        target.attrs["legend"] = json.dumps({str(k): v for k, v in names.items()})


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise FormatError(
            f"'{path}' cannot be read as HDF5 ({error})", "a complete HDF5 file", "copy or download it again"
        ) from error


def _datasets(file: h5py.File) -> list[str]:
    """Names of all datasets of at least two axes."""
    names: list[str] = []

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and len(item.shape or ()) >= 2:
            names.append(name)

    file.visititems(collect)
    return sorted(names)


def _only_dataset(path: Path, file: h5py.File) -> str:
    names = _datasets(file)
    if len(names) == 1:
        return names[0]
    listed = ", ".join(f"/{n}" for n in names) or "none"
    example = names[0] if names else "dataset"
    raise FormatError(f"'{path}' holds {len(names)} datasets ({listed})", "one", f"name it: {path.name}:/{example}")


def _axes(path: Path, dataset: h5py.Dataset) -> str:
    """Axis letters in stored order: as the file says, else z, y, x with a channel first."""
    said = _text(dataset.attrs.get("axes")) or ""
    if not said and "axistags" in dataset.attrs:
        said = "".join(tag["key"] for tag in json.loads(_text(dataset.attrs["axistags"]) or "{}")["axes"])
    if not said and all(d.label for d in dataset.dims):
        said = "".join(d.label for d in dataset.dims)
    ndim = len(dataset.shape)
    axes = said.lower() or ("czyx"[-ndim:] if ndim <= 4 else "?" * ndim)
    if len(axes) != ndim or set(axes) - set("tczyx") or not {"y", "x"} <= set(axes):
        raise FormatError(
            f"'{path}:{dataset.name}' has shape {dataset.shape} and axes '{said}'",
            "(z, y, x) or (c, z, y, x)",
            "save it that way",
        )
    if not said and ndim == 4 and dataset.shape[-1] <= 4 < dataset.shape[0]:
        raise FormatError(
            f"'{path}:{dataset.name}' has shape {dataset.shape}: the channel seems to come last",
            "(c, z, y, x), or an attribute 'axes' that names them",
            "set the attribute axes = 'zyxc', or 'czyx' if the first axis is the channel",
        )
    if "t" in axes and dataset.shape[axes.index("t")] != 1:
        raise FormatError(f"'{path}:{dataset.name}' has several time points", "one", "save one time point as a file of its own")
    return axes


def _canonical(path: Path, name: str, dataset: h5py.Dataset, axes: str) -> LazyArray:
    sizes = dict(zip(axes, dataset.shape, strict=True))
    wanted = "czyx" if "c" in axes else "zyx"
    shape = tuple(sizes.get(a, 1) for a in wanted)
    return LazyArray.whole(partial(_read_box, path, name, axes, wanted), shape, dataset.dtype.newbyteorder("="), path)


def _read_box(path: Path, name: str, axes: str, wanted: str, ranges: Ranges) -> np.ndarray:
    """Read a box given along `wanted` from a dataset stored along `axes`."""
    along = dict(zip(wanted, ranges, strict=True))
    kept = [a for a in axes if a in wanted]
    stored = tuple(slice(*along[a]) if a in along else 0 for a in axes)
    with _opened(path) as file:
        try:
            values = np.asarray(file[name][stored])
        except (OSError, ValueError, RuntimeError) as error:
            raise FormatError(
                f"'{path}:/{name}' is damaged within {_show(along)} ({error})", "a complete dataset", "copy or download it again"
            ) from error
    values = values.transpose([kept.index(a) for a in wanted if a in kept])
    return values.reshape([b - a for a, b in ranges])


def _show(along: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{axis} {a}:{b}" for axis, (a, b) in along.items())


def _voxel_nm(path: Path, dataset: h5py.Dataset, axes: str) -> MaybeNm3:
    """The voxel size, from whichever known attribute is there; they must not contradict each other."""
    found = {n: _triple(dataset.attrs[n], f, axes) for n, f in VOXEL_ATTRIBUTES.items() if n in dataset.attrs}
    sizes = {n: v for n, v in found.items() if v is not None}
    if not sizes:
        return (None, None, None)
    first, *others = sizes.values()
    for other in others:
        if any(not math.isclose(a, b, rel_tol=UNIT_TOLERANCE) for a, b in zip(first, other, strict=True)):
            said = "; ".join(f"{n} = {show_nm(v)} nm" for n, v in sizes.items())
            raise UnitError(f"'{path}:{dataset.name}' contradicts itself: {said}", "one voxel size", "remove the wrong attribute")
    return first


def _first_triple(dataset: h5py.Dataset, names: dict[str, float], axes: str) -> Nm3 | None:
    for name, factor in names.items():
        if name in dataset.attrs and (triple := _triple(dataset.attrs[name], factor, axes)) is not None:
            return triple
    return None


def _triple(value: Any, factor: float, axes: str) -> Nm3 | None:
    """Three numbers in z, y, x order (one per stored axis is accepted too), in nm."""
    try:
        numbers = [round(float(v) * factor, 9) for v in np.ravel(value)]
    except (TypeError, ValueError):
        return None
    if len(numbers) == len(axes) != 3:
        by_axis = dict(zip(axes, numbers, strict=True))
        numbers = [by_axis[a] for a in "zyx" if a in by_axis]
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


def _texts(values: Any) -> list[str]:
    return [_text(v) or "" for v in np.ravel(np.asarray(values, dtype=object))]
