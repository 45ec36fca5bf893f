"""Neurons by id from a precomputed volume: on this computer with own code, or in the cloud with cloud-volume."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from neurotome.core import ROOT, FormatError, Mesh, MissingExtraError, Skeleton
from neurotome.datasets.microns.space import Extent, extent_of_voxels
from neurotome.io.meshes_read import mesh_ids, read_precomputed_mesh
from neurotome.io.open import require_exists
from neurotome.io.oriented import rooted
from neurotome.io.skeletons_precomputed import read_skeletons

__all__ = ["CloudMeshes", "CloudSkeletons", "PrecomputedMeshes", "PrecomputedSkeletons", "extra", "skeleton_of"]


@dataclass(frozen=True)
class PrecomputedSkeletons:
    """Skeletons in a local precomputed folder, of a label volume that has them or of skeletons alone.

    url: a path, file://PATH or precomputed://file://PATH. batch: how many are asked for at once.
    """

    url: str
    batch: int = 500
    suffix: ClassVar[str] = ".swc"

    @cached_property
    def folder(self) -> Path:
        """The folder of skeletons. Raises MissingFileError, FormatError where the info names none."""
        return _folder_of(_local(self.url), "skeletons", "neuroglancer_skeletons")

    def ids(self) -> tuple[int, ...]:
        """All that are there, rising."""
        return tuple(sorted(int(file.name) for file in self.folder.iterdir() if file.name.isdecimal()))

    def extent(self) -> Extent | None:
        """Where the volume is, or None for skeletons alone."""
        return _local_extent(_local(self.url))

    def get(self, ids: Sequence[int]) -> dict[int, Skeleton]:
        """Those of these ids that are there."""
        return read_skeletons(self.folder, [label for label in ids if (self.folder / str(label)).is_file()])


@dataclass(frozen=True)
class PrecomputedMeshes:
    """Legacy meshes in a local precomputed label volume, where its labels are when they are opened here; url as above."""

    url: str
    batch: int = 10
    suffix: ClassVar[str] = ".ply"

    @cached_property
    def folder(self) -> Path:
        """The folder of meshes. Raises MissingFileError, FormatError where the info names none."""
        return _folder_of(_local(self.url), "mesh", "neuroglancer_legacy_mesh")

    def ids(self) -> tuple[int, ...]:
        """All that are there, rising."""
        return mesh_ids(self.folder)

    def extent(self) -> Extent | None:
        return _local_extent(_local(self.url))

    def get(self, ids: Sequence[int]) -> dict[int, Mesh]:
        """Those of these ids that are there."""
        there = set(self.ids())
        scales = _info(_local(self.url)).get("scales")
        x, y, z = scales[0]["resolution"] if scales else (0.0, 0.0, 0.0)
        return {label: read_precomputed_mesh(self.folder, label, voxel_nm=(z, y, x)) for label in ids if label in there}


@dataclass(frozen=True)
class CloudSkeletons:
    """Skeletons of a precomputed volume anywhere, sharded or not, through cloud-volume; url as cloud-volume takes it.

    Raises MissingExtraError where that is not installed.
    """

    url: str
    batch: int = 100
    suffix: ClassVar[str] = ".swc"

    @cached_property
    def volume(self) -> Any:
        return _cloud_volume(self.url)

    def extent(self) -> Extent | None:
        return cloud_extent(self.volume)

    def get(self, ids: Sequence[int]) -> dict[int, Skeleton]:
        """Those of these ids that are there."""
        found = self.volume.skeleton.get([int(label) for label in ids], allow_missing=True)
        return {int(part.id): _from_cloud(part) for part in found if len(part.vertices)}


@dataclass(frozen=True)
class CloudMeshes:
    """Meshes of a precomputed or graphene volume anywhere, through cloud-volume; url as cloud-volume takes it.

    Raises MissingExtraError where that is not installed.
    """

    url: str
    batch: int = 1
    suffix: ClassVar[str] = ".ply"

    @cached_property
    def volume(self) -> Any:
        return _cloud_volume(self.url)

    def extent(self) -> Extent | None:
        return cloud_extent(self.volume)

    def get(self, ids: Sequence[int]) -> dict[int, Mesh]:
        """Those of these ids that are there."""
        missing = extra("cloudvolume.exceptions", "cloud-volume").MeshMissingError
        found = {}
        for label in ids:
            try:
                answer = self.volume.mesh.get(int(label))
            except ValueError as error:
                # Only some kinds of volumes raise the error made for it.
                if isinstance(error, missing) or "missing" in str(error):
                    continue
                raise
            # Multi-resolution meshes come by id, legacy ones alone.
            part = answer[int(label)] if isinstance(answer, Mapping) else answer
            found[label] = Mesh(np.asarray(part.vertices, np.float64)[:, ::-1], part.faces, name=str(label))
        return found


def skeleton_of(
    vertices_nm: np.ndarray,
    edges: np.ndarray,
    *,
    radii_nm: np.ndarray | None = None,
    kinds: np.ndarray | None = None,
    root: int | None = None,
    name: str = "neuron",
) -> Skeleton:
    """A skeleton from vertices x, y, z and edges without direction; loops are cut, other trees begin at their first vertex.

    Raises FormatError for edges to vertices that do not exist.
    """
    vertices = np.asarray(vertices_nm, np.float64).reshape(-1, 3)
    pairs = np.asarray(edges, np.int64).reshape(-1, 2)
    count = len(vertices)
    if len(pairs) and not 0 <= int(pairs.min()) <= int(pairs.max()) < count:
        raise FormatError(
            f"Skeleton '{name}' has an edge to vertex {int(pairs.max())} of {count}", "its vertices", "get it again"
        )
    starts = np.arange(count) if root is None else np.concatenate([[root], np.arange(count)])
    _, parents = rooted(pairs, count, starts)
    radii = np.zeros(count) if radii_nm is None else np.nan_to_num(np.maximum(np.asarray(radii_nm, np.float64), 0))
    labels = np.zeros(count, np.int64) if kinds is None else np.rint(np.asarray(kinds, np.float64)).astype(np.int64)
    return Skeleton.of(np.where(parents >= 0, parents, ROOT), vertices[:, ::-1], radii, labels, name=name)


def extra(module: str, package: str) -> ModuleType:
    """A module of the extra `microns`. Raises MissingExtraError."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, "microns") from error


def cloud_extent(volume: Any) -> Extent:
    """Where a volume of cloud-volume is, at the resolution that it was opened with."""
    low, high = np.asarray(volume.bounds.minpt), np.asarray(volume.bounds.maxpt)
    return extent_of_voxels(volume.resolution, low, high - low)


def _cloud_volume(url: str) -> Any:
    return extra("cloudvolume", "cloud-volume").CloudVolume(url, mip=0, use_https=True, progress=False)


def _from_cloud(part: Any) -> Skeleton:
    """cloud-volume gives vertices in nm where its skeletons are in physical space, as they are after `physical_space`."""
    physical = part.physical_space()
    # Skeletons of this project call the attribute kind, those of cloud-volume vertex_types.
    kinds = getattr(physical, "kind", None)
    return skeleton_of(
        physical.vertices,
        physical.edges,
        radii_nm=physical.radii,
        kinds=physical.vertex_types if kinds is None else kinds,
        name=str(part.id),
    )


def _local(url: str) -> Path:
    return require_exists(Path(str(url).removeprefix("precomputed://").removeprefix("file://")))


def _folder_of(path: Path, key: str, kind: str) -> Path:
    info = _info(path)
    if info.get("@type") == kind:
        return path
    if key not in info:
        raise FormatError(f"'{path}' has no {key}", f"an info that names a folder of {key}", "export it with them")
    return require_exists(path / str(info[key]))


def _local_extent(path: Path) -> Extent | None:
    scales = _info(path).get("scales")
    return (
        extent_of_voxels(scales[0]["resolution"], scales[0].get("voxel_offset", (0, 0, 0)), scales[0]["size"]) if scales else None
    )


def _info(path: Path) -> Mapping[str, Any]:
    try:
        return dict(json.loads((path / "info").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise FormatError(f"'{path}' has no readable info ({error})", "a precomputed folder", "check the path") from error
