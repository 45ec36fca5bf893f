"""TIFF in its three dialects: plain, OME-TIFF, ImageJ. Read page by page, written as OME-TIFF."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile

from neurotome.core import FormatError, Labels, Legend, Progress, UnitError, ValueRangeError, length_nm, silent
from neurotome.io.lazy import LazyArray, Ranges, stack_axis
from neurotome.io.source import GREY_NAMES, MaybeNm3, Source, Volume, channels_of, kind_of, legend_of, numpy_dtype

__all__ = ["SUFFIXES", "largest_id", "read", "write"]

SUFFIXES = (".tif", ".tiff", ".btf", ".tf8")
NAMESPACE = "neurotome"
CACHE_BYTES = 64 * 2**20
SLAB_BYTES = 64 * 2**20
# The 32-bit offsets of a plain TIFF end at 4 GiB; the margin is for tags.
BIGTIFF_BYTES = 2**32 - 2**25
# A camera or a paint program writes 72 dpi; no microscope section has pixels of 50 micrometres.
LARGEST_PIXEL_NM = 50e3
DAMAGE = (ValueError, RuntimeError, OSError, IndexError, KeyError, TypeError, EOFError, struct.error, AttributeError)
DAMAGE_SIGNS = ("invalid page offset", "invalid offset", "invalid value offset", "corrupted", "missing data", "failed to reshape")

_log = logging.getLogger(__name__)


def read(path: Path) -> Source:
    """Describe the first series of a TIFF file; pages are read when asked for.

    Raises FormatError for a file that is no TIFF, lacks pages, or has axes other than channel, z, y, x.
    """
    with _opened(path) as tif:
        series = _first_series(path, tif)
        layout = _Layout.of(path, series)
        data = LazyArray.whole(_PageReader(path, layout), layout.shape, series.dtype.newbyteorder("="), path)
        if layout.stack is None:
            data = _insert_z(data, has_channels=layout.channels > 0)
        facts = _ome_facts(path, tif) if tif.is_ome else _resolution_facts(tif)
        names = facts.pop("channels", ())
        page = series.keyframe
        return Source(
            path=path,
            format="OME-TIFF" if tif.is_ome else "ImageJ TIFF" if tif.is_imagej else "TIFF",
            data=data,
            axes=str(series.axes),
            channels=GREY_NAMES[: layout.channels] if layout.rgb else names if len(names) == layout.channels else (),
            rgb=layout.rgb,
            chunk=tuple(page.tile) if page.is_tiled else (int(page.rowsperstrip), int(page.imagewidth)),
            levels=len(series.levels),
            notes=_notes(tif, page),
            **facts,
        )


class _Layout:
    """Where the page of (channel, section) is, and how its pixels lie."""

    def __init__(self, path: Path, axes: str, shape: tuple[int, ...], page_axes: str, n_pages: int) -> None:
        lead = axes[: len(axes) - len(page_axes)]
        sizes = dict(zip(axes, shape, strict=True))
        self.lead_shape = tuple(sizes[a] for a in lead)
        self.stack = _stack_axis(path, axes, lead)
        self.rgb = "S" in page_axes
        self.page_axes, self.lead, self.n_pages = page_axes, lead, n_pages
        self.channels = sizes["S"] if self.rgb else sizes.get("C", 0)
        plane = (sizes["Y"], sizes["X"])
        depth = () if self.stack is None else (sizes[self.stack],)
        self.shape = (*((self.channels,) if self.channels else ()), *depth, *plane)

    @classmethod
    def of(cls, path: Path, series: Any) -> _Layout:
        page_axes = str(series.keyframe.axes)
        if set(page_axes) - set("YXS") or set("YX") - set(page_axes):
            raise FormatError(f"'{path}' has pages with axes {page_axes}", "pages of y, x", "save it as a stack of sections")
        return cls(path, str(series.axes), tuple(series.shape), page_axes, len(series.pages))

    def page(self, channel: int, z: int) -> int:
        index = [z if axis == self.stack else channel for axis in self.lead]
        return int(np.ravel_multi_index(tuple(index), self.lead_shape)) if index else 0


def _stack_axis(path: Path, axes: str, lead: str) -> str | None:
    """The axis of the pages that counts sections: Z, or the only one that is no channel."""
    others = [a for a in lead if a != "C"]
    if len(others) > 1 or ("C" in lead and "S" in axes):
        raise FormatError(
            f"'{path}' has axes {axes}", "at most channel, z, y, x", "save one time point (or position) as a file of its own"
        )
    return others[0] if others else None


def _insert_z(data: LazyArray, *, has_channels: bool) -> LazyArray:
    """A file without z axis is a stack of one section."""
    if not has_channels:
        return stack_axis(data)
    shape = (data.shape[0], 1, *data.shape[1:])
    return LazyArray.whole(partial(_read_flat, data), shape, data.dtype, data.source)


def _read_flat(data: LazyArray, ranges: Ranges) -> np.ndarray:
    c, _, y, x = (slice(a, b) for a, b in ranges)
    return np.asarray(data[c, y, x])[:, None]


class _PageReader:
    """Reads boxes, page by page, and remembers the last pages: tiles of one section come one after the other."""

    def __init__(self, path: Path, layout: _Layout) -> None:
        self.path, self.layout = path, layout
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._tif: tifffile.TiffFile | None = None
        self._owner = os.getpid()
        self._cache: OrderedDict[int, np.ndarray] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "layout": self.layout}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path, self.layout = state["path"], state["layout"]
        self._reset()

    def __del__(self) -> None:
        if getattr(self, "_tif", None) is not None and self._owner == os.getpid():
            self._tif.close()  # type: ignore[union-attr]

    def __call__(self, ranges: Ranges) -> np.ndarray:
        (y0, y1), (x0, x1) = ranges[-2:]
        z_range = ranges[-3] if self.layout.stack is not None else (0, 1)
        c_range = ranges[0] if self.layout.channels else (0, 1)
        planes = []
        for c in range(*c_range):
            for z in range(*z_range):
                page = self._page(self.layout.page(0 if self.layout.rgb else c, z))
                planes.append((page[..., c] if self.layout.rgb else page)[y0:y1, x0:x1])
        return np.stack(planes).reshape([b - a for a, b in ranges])

    def _page(self, index: int) -> np.ndarray:
        if self._owner != os.getpid():
            # A forked process shares the position in the open file with its parent: open our own.
            self._reset()
        with self._lock:
            if index not in self._cache:
                self._cache[index] = self._decode(index)
                while len(self._cache) > 1 and sum(p.nbytes for p in self._cache.values()) > CACHE_BYTES:
                    self._cache.popitem(last=False)
            self._cache.move_to_end(index)
            return self._cache[index]

    def _decode(self, index: int) -> np.ndarray:
        if self._tif is None:
            with _damage_named(self.path, "the file"):
                self._tif = tifffile.TiffFile(self.path)
        total = math.prod(self.layout.lead_shape)
        with _damage_named(self.path, f"page {index + 1} of {total}"):
            series = self._tif.series[0]
            if len(series.pages) < total:
                return _contiguous_page(self.path, series, index)
            page = series.pages[index]
            if page is None:
                raise ValueError("it is missing")
            pixels = page.asarray()
            if "S" in self.layout.page_axes:
                pixels = np.moveaxis(pixels, self.layout.page_axes.index("S"), -1)
            return np.asarray(pixels, pixels.dtype.newbyteorder("="))


def _contiguous_page(path: Path, series: Any, index: int) -> np.ndarray:
    """ImageJ writes one page header for stacks above 4 GB; the pixels of all sections follow it."""
    plane = series.keyframe.shape
    offset = int(series.dataoffset) + index * math.prod(plane) * series.dtype.itemsize
    dtype = series.dtype.newbyteorder(series.keyframe.parent.byteorder)
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=plane)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tifffile.TiffFile]:
    """An open file whose list of pages is complete. tifffile only logs what it misses; here that is an error."""
    logger, complaints = tifffile.logger(), _Complaints()
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(complaints)
    try:
        with _damage_named(path, "the file"):
            tif = tifffile.TiffFile(path)
        with tif:
            with _damage_named(path, "its list of pages"):
                n_pages, _ = len(tif.pages), tif.series
            complaints.raise_damage(path, n_pages)
            yield tif
    finally:
        logger.removeHandler(complaints)
        logger.propagate = propagate


@contextlib.contextmanager
def _damage_named(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            f"'{path}' cannot be read: {what} is damaged ({error})", "a complete TIFF", "copy or download it again"
        ) from error


class _Complaints(logging.Handler):
    """Collects what tifffile says about a file."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def raise_damage(self, path: Path, n_pages: int) -> None:
        for message in self.messages:
            if any(sign in message for sign in DAMAGE_SIGNS):
                what = f"'{path}' is damaged after page {n_pages} ({message})"
                raise FormatError(what, "a complete TIFF", "copy or download it again")
            _log.warning("'%s': %s", path, message)


def _first_series(path: Path, tif: tifffile.TiffFile) -> Any:
    series = list(tif.series)
    if not series or 0 in series[0].shape:
        raise FormatError(f"'{path}' holds no pixels", "at least one page", "check how it was made")
    if len(series) > 1 and not (tif.is_ome or tif.is_imagej):
        first, other = series[0], series[1]
        raise FormatError(
            f"'{path}' has pages of different kinds: {first.shape} {first.dtype} and {other.shape} {other.dtype} "
            f"(page {int(other.keyframe.index) + 1})",
            "one size and one type on all pages",
            "crop the sections to one size, or save them as separate files",
        )
    return series[0]


def _notes(tif: tifffile.TiffFile, page: Any) -> tuple[str, ...]:
    notes = []
    if len(tif.series) > 1:
        notes.append(f"the file has {len(tif.series)} images, the first is read")
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        notes.append("0 is stored as white; values are read as stored")
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        notes.append("colours come from a table; the values before the table are read")
    return tuple(notes)


def _ome_facts(path: Path, tif: tifffile.TiffFile) -> dict[str, Any]:
    """Voxel size, channel names and neurotome's own notes from the OME-XML header."""
    with _damage_named(path, "its OME header"):
        try:
            root = ElementTree.fromstring(tif.ome_metadata or "")
        except ElementTree.ParseError as error:
            raise ValueError(str(error)) from error
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return {}
    facts: dict[str, Any] = {"voxel_nm": tuple(_physical_size(pixels.attrib, axis) for axis in "ZYX")}
    names = [c.attrib.get("Name", "") for c in pixels.findall("{*}Channel")]
    facts["channels"] = tuple(names) if all(names) else ()
    return facts | _own_facts(root)


def _physical_size(attributes: Mapping[str, str], axis: str) -> float | None:
    if f"PhysicalSize{axis}" not in attributes:
        return None
    try:
        # The OME schema says micrometres where no unit is given.
        size = length_nm(float(attributes[f"PhysicalSize{axis}"]), attributes.get(f"PhysicalSize{axis}Unit", "um"))
    except (UnitError, ValueError):
        return None
    return size if size > 0 and math.isfinite(size) else None


def _own_facts(root: ElementTree.Element) -> dict[str, Any]:
    for annotation in root.iterfind(f".//{{*}}MapAnnotation[@Namespace='{NAMESPACE}']"):
        own = {m.attrib["K"]: m.text or "" for m in annotation.iterfind(".//{*}M")}
        names = json.loads(own.get("legend", "{}"))
        return {
            "kind": own.get("kind"),
            "origin_nm": tuple(json.loads(own.get("origin_nm", "[0, 0, 0]"))),
            "legend": Legend({int(k): v for k, v in names.items()}),
        }
    return {}


def _resolution_facts(tif: tifffile.TiffFile) -> dict[str, Any]:
    """Voxel size from the resolution tags. Without a distance between sections they are as good as absent."""
    shaped = tif.shaped_metadata or ({},)
    meta = tif.imagej_metadata or (shaped[0] if isinstance(shaped[0], dict) else {})
    unit = str(meta.get("unit", ""))
    spacing = meta.get("spacing")
    tags = tif.pages[0].tags  # type: ignore[union-attr]
    tag_unit = {2: "inch", 3: "cm"}.get(int(tags["ResolutionUnit"].value) if "ResolutionUnit" in tags else 1)
    xy_unit = unit if tif.is_imagej or tag_unit is None else tag_unit
    z = _length_or_none(spacing, unit)
    y = _length_or_none(_pixel_length(tags, "YResolution"), xy_unit)
    x = _length_or_none(_pixel_length(tags, "XResolution"), xy_unit)
    voxel: MaybeNm3 = (z, y, x) if z and y and x and max(y, x) <= LARGEST_PIXEL_NM else (None, None, None)
    labels = tuple(str(c) for c in meta.get("Labels", ()))
    return {"voxel_nm": voxel, "channels": labels}


def _pixel_length(tags: Any, name: str) -> float | None:
    """The tag holds pixels per unit, as a fraction."""
    if name not in tags:
        return None
    pixels, units = tags[name].value
    return units / pixels if pixels else None


def _length_or_none(value: Any, unit: str) -> float | None:
    try:
        length = length_nm(abs(float(value)), unit)
    except (UnitError, TypeError, ValueError):
        return None
    return length if length > 0 and math.isfinite(length) else None


def write(volume: Volume, path: Path, progress: Progress = silent) -> None:
    """Write an OME-TIFF: deflate, voxel size in nm, channel names; origin and legend as an annotation.

    Raises ValueRangeError for labels above 2^32 - 1 and for 64-bit images, which other TIFF readers do not understand.
    """
    dtype = _file_dtype(volume, progress)
    shape = tuple(int(n) for n in volume.data.shape)
    nbytes = math.prod(shape) * dtype.itemsize
    with tifffile.TiffWriter(path, ome=True, bigtiff=nbytes > BIGTIFF_BYTES) as tif:
        tif.write(
            _pages(volume, dtype, progress),
            shape=shape,
            dtype=dtype,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 5},
            metadata=_ome_metadata(volume),
        )


def _pages(volume: Volume, dtype: np.dtype[Any], progress: Progress) -> Iterator[np.ndarray]:
    shape = volume.data.shape
    depth = max(1, SLAB_BYTES // (shape[-1] * shape[-2] * numpy_dtype(volume.data).itemsize))
    stacks = [volume.data] if len(shape) == 3 else [volume.data[c] for c in range(shape[0])]
    total = len(stacks) * shape[-3]
    for done, stack in enumerate(stacks):
        for z in range(0, shape[-3], depth):
            slab = np.asarray(stack[z : z + depth])
            # Before the pages, because nobody asks a generator for more after the last one.
            progress("write TIFF", done * shape[-3] + len(slab) + z, total)
            for page in slab:
                yield np.ascontiguousarray(page, dtype=dtype)


def _ome_metadata(volume: Volume) -> dict[str, Any]:
    own = {
        "Namespace": NAMESPACE,
        "kind": kind_of(volume),
        "origin_nm": json.dumps(list(volume.grid.origin_nm)),
        "legend": json.dumps({str(k): v for k, v in legend_of(volume).names.items()}, ensure_ascii=True),
    }
    metadata: dict[str, Any] = {"axes": "ZYX", "Name": volume.name, "MapAnnotation": own}
    for axis, size in zip("ZYX", volume.grid.voxel_nm, strict=True):
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "nm"}
    if names := channels_of(volume):
        metadata |= {"axes": "CZYX", "Channel": {"Name": list(names)}}
    return metadata


def _file_dtype(volume: Volume, progress: Progress) -> np.dtype[Any]:
    dtype = numpy_dtype(volume.data)
    if isinstance(volume, Labels):
        return _label_dtype(volume, progress)
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype == np.float16:
        # OME has no half precision; 32 bit hold every such value.
        return np.dtype(np.float32)
    if dtype.kind in "iu" and dtype.itemsize == 8:
        raise ValueRangeError(
            f"'{volume.name}' has type {dtype}, which other TIFF readers do not understand",
            "at most 32 bit per voxel",
            "save it as .ome.zarr or .h5",
        )
    return dtype


def _label_dtype(labels: Labels, progress: Progress) -> np.dtype[Any]:
    """The smallest of uint8, uint16 and uint32 that holds every id."""
    largest = largest_id(labels, progress)
    for candidate in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(candidate).max:
            return np.dtype(candidate)
    raise ValueRangeError(
        f"Labels '{labels.name}' have ids up to {largest}; TIFF holds ids up to {2**32 - 1}",
        "a format for 64-bit ids",
        "save as .ome.zarr, .h5 or .precomputed",
    )


def largest_id(labels: Labels, progress: Progress = silent) -> int:
    """The largest id of a label volume, read slab by slab."""
    sections, depth = labels.data.shape[0], max(1, SLAB_BYTES // (8 * math.prod(labels.data.shape[1:])))
    largest = 0
    for z in range(0, sections, depth):
        largest = max(largest, int(np.asarray(labels.data[z : z + depth]).max()))
        progress("look for the largest id", min(z + depth, sections), sections)
    return largest
