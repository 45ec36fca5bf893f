"""Grad-CAM of synapses: which voxels bring each embedding towards its cluster, layer by layer, on the crop's own grid."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from neurotome.cluster.tables import column_of
from neurotome.core import Crop, InputError, Progress, UnknownNameError, ValueRangeError, silent
from neurotome.io import atomic_write_json
from neurotome.io.store import kvstore, open_store
from neurotome.nn.attribution import Target, cluster_target, feature_target, grad_cam, structure_occlusion
from neurotome.synapses.attention.regions import top_regions
from neurotome.synapses.attention.statistics import RankedMap, attention_summary, compare_map
from neurotome.synapses.contrastive.cubes import cubes_of
from neurotome.synapses.contrastive.task import embedded
from neurotome.synapses.contrastive.trunk import Trunk

if TYPE_CHECKING:
    from anndata import AnnData

    from neurotome.synapses.crops.crop_set import CropSet

__all__ = ["AttentionSettings", "Explained", "default_layers", "explain"]

STRUCTURES = ("vesicles", "clefts", "all_mitochondria", "pre", "post", "psd")
"""What attention is compared with, where a crop has it; other names of a legend are added."""
FAMILY = "X_contrastive"


@dataclass(frozen=True)
class AttentionSettings:
    """sites: for how many synapses. layers: modules of the trunk by number; where empty, those before the last three poolings.

    target: "cluster" (towards a synapse's own cluster and away from the next one), "direction" (along the first principal axis of
    the embedding), or the name of a feature such as clr_7. operands: masks to compare with; the usual ones where it is empty.
    """

    sites: int = 12
    layers: tuple[int, ...] = ()
    target: str = "cluster"
    operands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.sites < 1:
            raise ValueRangeError(f"Attention of {self.sites} synapses", "1 or more", "skip the step instead")


@dataclass(frozen=True, eq=False)
class Explained:
    """What was found; the maps themselves are in attention.zarr.

    statistics: a row per synapse, layer and mask. summary: over synapses. regions: the regions with most attention of each map.
    occlusion: by how much the target falls where a structure is grey. empty: maps in which nothing decides.
    """

    target: str
    layers: tuple[str, ...]
    statistics: pd.DataFrame
    summary: pd.DataFrame
    regions: pd.DataFrame
    occlusion: pd.DataFrame
    empty: tuple[str, ...]


def explain(
    crops: CropSet,
    table: AnnData,
    trunk: Trunk,
    path: Path,
    settings: AttentionSettings | None = None,
    *,
    progress: Progress = silent,
) -> Explained:
    """Maps of some synapses of the table into the folder `path` (Zarr: maps (n, layers, s, s, s) float32), and what they say.

    Synapses are taken evenly over clusters, those next to their centres first. Raises UnknownNameError for a target that is no
    feature, ValueRangeError for a layer that the trunk has not, InputError where the table has no features of this trunk.
    """
    settings = settings or AttentionSettings()
    modules = _modules(trunk, settings.layers)
    keys = _chosen(table, settings.sites)
    rows = [crops.row(key) for key in keys]
    target_of, said = _targets(table, settings.target)
    network = _Embedding(trunk.network)
    maps = _created(path, len(keys), len(modules), crops.recipe.size)
    found: dict[str, list[dict[str, Any]]] = {"statistics": [], "regions": [], "occlusion": []}
    empty = []
    for at, (key, row) in enumerate(zip(keys, rows, strict=True)):
        progress("attention", at, len(keys))
        crop, target = crops[row], target_of(key)
        cubes = torch.from_numpy(_cube(crops, row, trunk))[None, None]
        values = np.stack([grad_cam(network, module, cubes, target, side=crop.size)[0] for module in modules.values()])
        maps[at].write(values).result()
        masks = _masks(crop, settings.operands)
        empty += [f"{key} {layer}" for layer, value in zip(modules, values, strict=True) if not value.max() > 0]
        found["statistics"] += list(_statistics(key, crop, modules, values, masks))
        found["regions"] += list(_regions(key, crop, crops.sites.loc[key], modules, values, masks))
        found["occlusion"].append({"key": key, **_occluded(network, cubes, target, masks)})
    # Written last: maps without this are none.
    about = {"keys": list(keys), "layers": list(modules), "target": said, "model": trunk.card.name}
    _describe(path, about)
    progress("attention", len(keys), len(keys))
    statistics = pd.DataFrame(found["statistics"])
    units = [str(table.obs["pre_id"].get(key, "")) or key for key in statistics["key"]] if len(statistics) else []
    return Explained(
        said,
        tuple(modules),
        statistics,
        attention_summary(statistics, units=units) if len(statistics) else statistics,
        pd.DataFrame(found["regions"]),
        pd.DataFrame(found["occlusion"]),
        tuple(empty),
    )


def default_layers(trunk: Trunk) -> tuple[int, ...]:
    """The module before each pooling but the first: coarse enough to name structures, fine enough to place them."""
    return tuple(pool - 1 for pool in trunk.network.config.pools[1:])


class _Embedding(nn.Module):
    """The trunk as one answer (n, d)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, cubes: torch.Tensor) -> torch.Tensor:
        return embedded(self.network, cubes)


def _modules(trunk: Trunk, layers: Sequence[int]) -> dict[str, nn.Module]:
    numbers, count = tuple(layers) or default_layers(trunk), len(trunk.network.features)
    for number in numbers:
        if not 0 <= number < count:
            raise ValueRangeError(f"Layer {number} of {trunk.card.name}", f"0 to {count - 1}", "choose another")
    return {f"features.{number}": trunk.network.features[number] for number in numbers}


def _embedding(table: AnnData) -> np.ndarray:
    if FAMILY not in table.obsm:
        raise InputError(
            "A table without contrastive features", "the family contrastive among its features", "add it to the study"
        )
    return np.asarray(table.obsm[FAMILY], dtype=np.float32)


def _chosen(table: AnnData, count: int) -> list[str]:
    """Keys, one cluster after the other, from the middle of each outwards."""
    values = _embedding(table)
    scaled = (values - values.mean(0)) / np.maximum(values.std(0), 1e-6)
    clusters = _clusters(table)
    queues = []
    for name in sorted(set(clusters)):
        members = np.flatnonzero(clusters == name)
        away = np.linalg.norm(scaled[members] - scaled[members].mean(0), axis=1)
        queues.append(members[np.argsort(away, kind="stable")].tolist())
    order = [queue[turn] for turn in range(max(map(len, queues))) for queue in queues if turn < len(queue)]
    return [str(table.obs_names[row]) for row in order[:count]]


def _clusters(table: AnnData) -> np.ndarray:
    return column_of(table, "cluster").astype(str) if "cluster" in table.obs else np.full(table.n_obs, "0")


def _targets(table: AnnData, wanted: str) -> tuple[Any, str]:
    """What to explain of each synapse, and in words."""
    values, clusters = _embedding(table), _clusters(table)
    mean, scale = values.mean(0), np.maximum(values.std(0), 1e-6)
    names = [name for name in sorted(set(clusters)) if name != "-1"]
    if wanted == "cluster" and len(names) > 1:
        centres = np.stack([((values[clusters == name] - mean) / scale).mean(0) for name in names])
        parts = tuple(torch.from_numpy(part.astype(np.float32)) for part in (centres, mean, scale))
        of = dict(zip(map(str, table.obs_names), clusters, strict=True))
        nearest = {name: cluster_target(parts[0], number, *parts[1:]) for number, name in enumerate(names)}
        # What belongs to no cluster is explained towards the largest.
        return lambda key: nearest.get(of[key], nearest[names[0]]), "towards its own cluster"
    if wanted in ("cluster", "direction"):
        direction = np.linalg.svd((values - mean) / scale, full_matrices=False)[2][0]
        weights = torch.from_numpy((direction / scale).astype(np.float32))
        return lambda key: _along(weights), "along the first principal axis of the embedding"
    columns = [f"clr_{number + 1}" for number in range(values.shape[1])]
    if wanted not in columns:
        raise UnknownNameError("target of attention", wanted, ("cluster", "direction", *columns))
    return lambda key: feature_target(columns.index(wanted)), wanted


def _along(weights: torch.Tensor) -> Target:
    return lambda answers: answers @ weights.to(answers)


def _cube(crops: CropSet, row: int, trunk: Trunk) -> np.ndarray:
    found = cubes_of(_One(crops, row), trunk.seen)
    if not len(found):
        raise InputError(f"'{crops.sites.index[row]}' shows nothing under the mask of {trunk.card.name}", "a crop that it embeds")
    cube: np.ndarray = found.shown(trunk.seen.look)[0]
    return cube


@dataclass(frozen=True, eq=False)
class _One:
    """One crop of a set as a set."""

    crops: CropSet
    row: int

    @property
    def recipe(self) -> Any:
        return self.crops.recipe

    @property
    def sites(self) -> pd.DataFrame:
        return self.crops.sites.iloc[[self.row]]

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Crop:
        return self.crops[self.row]


def _masks(crop: Crop, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    from neurotome.synapses.views import evaluate

    known = {"clefts", *crop.names}
    names = tuple(wanted) or tuple(name for name in STRUCTURES if name in known)
    found = {name: evaluate(name, crop) for name in names}
    return {name: mask for name, mask in found.items() if mask.any()}


def _statistics(
    key: str, crop: Crop, layers: Mapping[str, Any], values: np.ndarray, masks: Mapping[str, np.ndarray]
) -> Iterator[dict[str, Any]]:
    valid = crop.operand("valid")
    for layer, value in zip(layers, values, strict=True):
        ranked = RankedMap.of(value[valid])
        for name, mask in masks.items():
            yield {"key": key, "layer": layer, "operand": name, **compare_map(ranked, mask[valid])}


def _regions(
    key: str, crop: Crop, site: pd.Series, layers: Mapping[str, Any], values: np.ndarray, masks: Mapping[str, np.ndarray]
) -> Iterator[dict[str, Any]]:
    # The crop was moved towards the presynapse: regions are where the crop is, not where the site was.
    corner = tuple(int(site[f"crop_{axis}"]) - crop.size // 2 for axis in "zyx")
    for layer, value in zip(layers, values, strict=True):
        for row in top_regions(value, voxel_nm=crop.voxel_nm, corner_vox=corner, operands=masks):  # type: ignore[arg-type]
            yield {"key": key, "layer": layer, **row}


def _occluded(network: nn.Module, cubes: torch.Tensor, target: Target, masks: Mapping[str, np.ndarray]) -> dict[str, float]:
    """By how much the target falls when a structure is grey."""
    side = cubes.shape[-1]
    small = {
        name: nn.functional.adaptive_max_pool3d(torch.from_numpy(mask[None, None].astype(np.float32)), side)[0] > 0
        for name, mask in masks.items()
    }
    return {name: float(fall[0]) for name, fall in structure_occlusion(network, cubes, target, small).items()}


def _created(path: Path, count: int, layers: int, side: int) -> Any:
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd", "configuration": {"level": 3}}]
    chunk = {"name": "regular", "configuration": {"chunk_shape": [1, 1, side, side, side]}}
    metadata = {"shape": [count, layers, side, side, side], "data_type": "float32", "chunk_grid": chunk, "codecs": codecs}
    spec = {"driver": "zarr3", "kvstore": kvstore(path / "maps"), "create": True, "delete_existing": True, "metadata": metadata}
    return open_store(spec)


def _describe(path: Path, about: Mapping[str, Any]) -> None:
    atomic_write_json(path / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": json.loads(json.dumps(about))})
