"""Reading OME-Zarr, 0.4 (Zarr v2) and 0.5 (Zarr v3): what the metadata say about axes, units and place."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import tensorstore as ts

from neurotome.core import FormatError, Legend, UnitError, length_nm
from neurotome.io.lazy import LazyArray
from neurotome.io.source import Source
from neurotome.io.store import kvstore, open_store, read_box, reason, shape_of

__all__ = ["SPACE", "is_zarr", "json_of", "level_paths", "read"]

MARKERS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
SPACE = "zyx"


def is_zarr(path: Path) -> bool:
    """Whether `path` is a Zarr group or array (or claims to be one by its name)."""
    return path.name.endswith(".zarr") or any((path / marker).is_file() for marker in MARKERS)


def read(path: Path) -> Source:
    """Describe the finest level of an OME-Zarr image, or a bare Zarr array (which states no voxel size).

    `path` may be the image, one of its levels, or a group that holds exactly one image or array.
    """
    group, level = _find_image(path)
    multiscale = _multiscale(group, level)
    level = level or str((multiscale or {})["datasets"][0]["path"])
    array = _open(group / level)
    axes, units = _axes(path, multiscale, array.ndim)
    scale, translation = _transform(path, multiscale, level, array.ndim)
    attributes = _attributes(group)
    own = attributes.get("neurotome", {})
    chunk, shard = shape_of(array.chunk_layout.read_chunk), shape_of(array.chunk_layout.write_chunk)
    placed = [_along(axis, axes, units, scale, translation) for axis in SPACE]
    return Source(
        path=path,
        format=_format_name(group, multiscale),
        data=_canonical(path, group / level, array, axes),
        axes=axes.upper(),
        voxel_nm=tuple(v for v, _ in placed),  # type: ignore[arg-type]
        origin_nm=tuple(o for _, o in placed),  # type: ignore[arg-type]
        channels=_channel_names(attributes, dict(zip(axes, array.shape, strict=True)).get("c", 0)),
        kind="labels" if "image-label" in _ome(attributes) else own.get("kind"),
        legend=_legend(_ome(attributes)),
        chunk=chunk,
        shard=shard if shard != chunk else None,
        levels=len(multiscale["datasets"]) if multiscale else 1,
        notes=() if multiscale else ("a Zarr array without OME metadata",),
    )


def level_paths(path: Path) -> list[Path]:
    """The arrays of the image that `read` describes, the finest first; the array alone where there is no image."""
    group, level = _find_image(path)
    multiscale = _multiscale(group, level)
    return [group / str(d["path"]) for d in multiscale["datasets"]] if multiscale else [group / str(level)]


def _find_image(path: Path) -> tuple[Path, str | None]:
    """The group that describes the image and the array inside it (None: the first level named there)."""
    if _is_array(path):
        return path.parent, path.name
    if not any((path / marker).is_file() for marker in MARKERS):
        raise FormatError(f"'{path}' is not a Zarr group or array", f"one of {', '.join(MARKERS)} in it", "check the path")
    if _ome(_attributes(path)).get("multiscales"):
        return path, None
    inside = sorted(p for p in path.iterdir() if p.is_dir() and any((p / marker).is_file() for marker in MARKERS))
    images = [p for p in inside if _is_array(p) or _ome(_attributes(p)).get("multiscales")]
    if len(images) != 1:
        found = ", ".join(p.name for p in images) or "none"
        raise FormatError(f"'{path}' holds {len(images)} images ({found})", "one image", "name one of them: FOLDER.zarr/NAME")
    return (images[0].parent, images[0].name) if _is_array(images[0]) else (images[0], None)


def _is_array(path: Path) -> bool:
    return (path / ".zarray").is_file() or json_of(path / "zarr.json").get("node_type") == "array"


def json_of(path: Path) -> dict[str, Any]:
    """The object in a metadata file; empty where there is none. Raises FormatError where it is no JSON."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"'{path}' is damaged ({error})", "JSON", "copy or download it again") from error
    return content if isinstance(content, dict) else {}


def _attributes(group: Path) -> dict[str, Any]:
    return json_of(group / ".zattrs") or json_of(group / "zarr.json").get("attributes", {})


def _ome(attributes: dict[str, Any]) -> dict[str, Any]:
    """0.5 keeps its metadata under 'ome', 0.4 keeps them loose."""
    return dict(attributes.get("ome", attributes))


def _multiscale(group: Path, level: str | None) -> dict[str, Any] | None:
    """The image that has this level (None: the first image); None for an array that belongs to no image."""
    for multiscale in _ome(_attributes(group)).get("multiscales", []):
        if level is None or any(d.get("path") == level for d in multiscale.get("datasets", [])):
            return dict(multiscale)
    return None


def _format_name(group: Path, multiscale: dict[str, Any] | None) -> str:
    if multiscale is None:
        return "Zarr"
    return f"OME-Zarr {_ome(_attributes(group)).get('version') or multiscale.get('version', '0.4')}"


def _open(path: Path) -> ts.TensorStore:
    driver = "zarr" if (path / ".zarray").is_file() else "zarr3"
    try:
        return open_store({"driver": driver, "kvstore": kvstore(path)}, open=True, read=True)
    except (ValueError, NotImplementedError, OSError) as error:
        raise FormatError(f"Zarr array '{path}' cannot be opened ({reason(error)})", "a Zarr array", "check the copy") from error


def _axes(path: Path, multiscale: dict[str, Any] | None, ndim: int) -> tuple[str, dict[str, str]]:
    """Axis names in stored order, and the unit of each that has one."""
    if multiscale is None:
        names = "czyx"[-ndim:] if 2 <= ndim <= 4 else ""
        listed = [{"name": n} for n in names]
    else:
        listed = [a if isinstance(a, dict) else {"name": a} for a in multiscale.get("axes", [])]
        names = "".join(str(a.get("name", "?")).lower()[:1] for a in listed)
    if len(names) != ndim or set(names) - set("tczyx") or not {"y", "x"} <= set(names) or len(set(names)) != ndim:
        raise FormatError(
            f"'{path}' has axes '{names}' for {ndim} dimensions", "axes out of t, c, z, y, x", "correct its metadata"
        )
    return names, {n: str(a["unit"]) for n, a in zip(names, listed, strict=True) if a.get("unit")}


def _transform(path: Path, multiscale: dict[str, Any] | None, level: str, ndim: int) -> tuple[list[float], list[float]]:
    """Scale and translation of a level: its own first, then the one of the whole image."""
    scale, translation = [1.0] * ndim, [0.0] * ndim
    if multiscale is None:
        return scale, translation
    dataset = next(d for d in multiscale["datasets"] if str(d["path"]) == level)
    for step in [*dataset.get("coordinateTransformations", []), *multiscale.get("coordinateTransformations", [])]:
        kind = step.get("type")
        values = [float(v) for v in step.get(kind, [])]
        if kind == "identity":
            continue
        if kind not in ("scale", "translation") or len(values) != ndim:
            raise FormatError(
                f"'{path}' has a transformation {step}", f"scale or translation, {ndim} numbers", "correct its metadata"
            )
        if kind == "scale":
            scale = [s * v for s, v in zip(scale, values, strict=True)]
            translation = [t * v for t, v in zip(translation, values, strict=True)]
        else:
            translation = [t + v for t, v in zip(translation, values, strict=True)]
    return scale, translation


def _along(
    axis: str, axes: str, units: dict[str, str], scale: list[float], translation: list[float]
) -> tuple[float | None, float]:
    """Voxel length and origin along z, y or x; a scale without unit of length says nothing."""
    if axis not in axes or axis not in units:
        return None, 0.0
    i = axes.index(axis)
    try:
        return length_nm(scale[i], units[axis]), length_nm(translation[i], units[axis])
    except UnitError:
        return None, 0.0


def _canonical(path: Path, array_path: Path, array: ts.TensorStore, axes: str) -> LazyArray:
    """The array as (z, y, x) or (c, z, y, x): time of length 1 dropped, z added, axes sorted."""
    if "t" in axes:
        t = axes.index("t")
        if array.shape[t] != 1:
            raise FormatError(f"'{path}' has {array.shape[t]} time points", "one", "save one time point as an image of its own")
        array = array[(slice(None),) * t + (0,)]
        axes = axes.replace("t", "")
    if "z" not in axes:
        array = array[ts.newaxis]
        axes = "z" + axes
    wanted = "czyx" if "c" in axes else "zyx"
    array = array.transpose([axes.index(a) for a in wanted])
    return LazyArray.whole(partial(read_box, array_path, array), array.shape, array.dtype.numpy_dtype, path)


def _channel_names(attributes: dict[str, Any], count: int) -> tuple[str, ...]:
    listed = (_ome(attributes).get("omero") or {}).get("channels") or []
    names = tuple(str(c.get("label", "")) for c in listed)
    return names if count and len(names) == count and all(names) else ()


def _legend(ome: dict[str, Any]) -> Legend:
    properties = (ome.get("image-label") or {}).get("properties") or []
    return Legend({int(p["label-value"]): str(p["name"]) for p in properties if "name" in p and "label-value" in p})
