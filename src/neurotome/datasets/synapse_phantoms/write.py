"""A study as files: volumes, tables, and the study.yaml that says where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neurotome.core import Image, Labels, Progress, silent
from neurotome.datasets.synapse_phantoms.spec import PhantomStudy
from neurotome.io import atomic_target, atomic_write_text, ome_zarr

__all__ = ["write_study"]

# Windows around synapses are 80 to 160 voxels wide: few chunks for each, and few files.
_CHUNK, _SHARD = (40, 80, 80), (120, 240, 240)


def write_study(folder: Path | str, study: PhantomStudy, *, overwrite: bool = False, progress: Progress = silent) -> Path:
    """Write study.yaml, legend.yaml, sites.csv, truth.csv and volumes/NAME/*.ome.zarr; the path of study.yaml.

    The folder appears complete or not at all. Raises InputError where it exists, without `overwrite`.
    """
    folder = Path(folder)
    with atomic_target(folder, overwrite=overwrite) as temporary:
        for done, volume in enumerate(study.volumes):
            for what in ("image", "neurons", "organelles", "instances"):
                _write_volume(temporary / "volumes" / volume.name / f"{what}.ome.zarr", getattr(volume, what))
            progress("write phantom volumes", done + 1, len(study.volumes))
        legend = {
            v.name: {name: list(ids) if len(ids) > 1 else ids[0] for name, ids in v.structures.items()} for v in study.volumes
        }
        _write_yaml(temporary / "legend.yaml", legend)
        study.sites.to_csv(temporary / "sites.csv", index=False)
        study.truth.to_csv(temporary / "truth.csv")
        _write_yaml(temporary / "study.yaml", _settings(study, folder.name))
    return folder / "study.yaml"


def _settings(study: PhantomStudy, name: str) -> dict[str, Any]:
    parts = ("image", "neurons", "organelles", "instances")
    volumes = {
        v.name: {part: f"volumes/{v.name}/{part}.ome.zarr" for part in parts}
        | {"voxel_nm": list(v.image.grid.voxel_nm), "origin_vox": list(v.origin_vox)}
        for v in study.volumes
    }
    return {"name": name, "volumes": volumes, "legend": "legend.yaml", "sites": "sites.csv", "columns": "neurotome"}


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    atomic_write_text(path, yaml.safe_dump(content, sort_keys=False, default_flow_style=None))


def _write_volume(path: Path, volume: Image | Labels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = isinstance(volume, Labels)
    array = ome_zarr.create(
        path,
        shape=volume.grid.shape,
        dtype=volume.data.dtype,
        grid=volume.grid,
        chunk=_CHUNK,
        shard=_SHARD,
        name=volume.name,
        kind="labels" if labels else "image",
        legend=volume.legend if isinstance(volume, Labels) else None,
    )
    for box in volume.grid.box.tiles(ome_zarr.shard_shape(array)):
        ome_zarr.write_box(array, box, np.ascontiguousarray(volume.read(box)))
