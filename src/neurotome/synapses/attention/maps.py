"""Grad-CAM of synapses: which voxels bring each answer towards what is explained, layer by layer, on the crop's own grid."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from neurotome.core import Crop, Progress, ValueRangeError, silent
from neurotome.core.geometry import Int3
from neurotome.io import atomic_write_json
from neurotome.io.store import kvstore, open_store
from neurotome.nn.attribution import Target, grad_cam, structure_occlusion
from neurotome.synapses.attention.networks import Explainable, Seen, TrunkAttention
from neurotome.synapses.attention.regions import top_regions
from neurotome.synapses.attention.sanity import map_agreement, occluded_blocks
from neurotome.synapses.attention.statistics import RankedMap, attention_summary, compare_map
from neurotome.synapses.attention.targets import clusters_of, embedding_of, explanation, row_of
from neurotome.synapses.contrastive.trunk import Trunk
from neurotome.synapses.views.show import CropSource

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["AttentionSettings", "Explained", "explain"]

STRUCTURES = ("vesicles", "clefts", "all_mitochondria", "pre", "post", "psd")
"""What attention is compared with, where a crop has it."""
_RANDOM_SEED = 271828


@dataclass(frozen=True)
class AttentionSettings:
    """sites: for how many synapses, or keys: for which. layers: modules by number or name; where empty, those before
    poolings.

    target: "cluster" (towards a synapse's own cluster and away from the next one), "cluster:NAME", "direction" (along the first
    principal axis of the features), "class:NUMBER", "like:KEY" (cosine to another synapse), or the name of a feature. operands:
    masks to compare with; the usual ones where it is empty. blocks: along a side of the crop, of which each is hidden once to
    see whether maps tell what then happens; 0 leaves that out.
    """

    sites: int = 12
    layers: tuple[int | str, ...] = ()
    target: str = "cluster"
    operands: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    blocks: int = 4

    def __post_init__(self) -> None:
        if self.sites < 1:
            raise ValueRangeError(f"Attention of {self.sites} synapses", "1 or more", "skip the step instead")
        if not 0 <= self.blocks <= 16 or self.blocks == 1:
            raise ValueRangeError(f"{self.blocks} blocks along a side", "2 to 16, or 0 for none", "take 4")


@dataclass(frozen=True, eq=False)
class Explained:
    """What was found; the maps themselves are in attention.zarr.

    statistics: a row per synapse, layer and mask. summary: over synapses. regions: the regions with most attention of each map.
    occlusion: by how much the target falls where a structure is grey. empty: maps in which nothing decides.
    sanity: of each map, its rank correlation with how far the target falls when each block is hidden (occlusion_r), and with the
    map of the same network before learning (random_r), which it should not be like.
    """

    target: str
    layers: tuple[str, ...]
    statistics: pd.DataFrame
    summary: pd.DataFrame
    regions: pd.DataFrame
    occlusion: pd.DataFrame
    sanity: pd.DataFrame
    empty: tuple[str, ...]


def explain(
    crops: CropSource,
    table: AnnData,
    network: Trunk | Explainable,
    path: Path,
    settings: AttentionSettings | None = None,
    *,
    progress: Progress = silent,
) -> Explained:
    """Maps of some synapses of the table into the folder `path` (Zarr: maps (n, layers, s, s, s) float32), and what they say.

    Maps are not normalised; the attributes of the folder have keys, layers, target, model and the maximum of each map. Without
    keys in the settings synapses are taken evenly over clusters, those next to their centres first. Raises UnknownNameError for
    keys, targets and layers that are none, ValueRangeError for a layer behind the answer, InputError where the table has no
    features of this network or the look shows nothing of a crop.
    """
    settings = settings or AttentionSettings()
    network = TrunkAttention(network) if isinstance(network, Trunk) else network
    layers = network.layers(settings.layers)
    keys = settings.keys or _chosen(table, network, settings)
    rows = [row_of(crops, key) for key in keys]
    wanted = explanation(settings.target, table, crops, network)
    maps = _created(path, len(keys), len(layers), crops.recipe.size)
    gathered = _Gathered(layers, settings, network, network.randomised(_RANDOM_SEED))
    for at, (key, row) in enumerate(zip(keys, rows, strict=True)):
        progress("attention", at, len(keys))
        site = crops.sites.iloc[row]
        values = gathered.add(crops[row], key, site, network.seen(crops, row), wanted.of(key))
        maps[at].write(values).result()
    # Written last: maps without this are none.
    _describe(path, {**gathered.about(), "keys": list(keys), "target": wanted.said, "model": network.name})
    progress("attention", len(keys), len(keys))
    units = [str(crops.sites["pre_id"].get(row["key"], "")) or row["key"] for row in gathered.statistics]
    return gathered.explained(wanted.said, units)


class _Gathered:
    """Rows about the maps of one synapse after the other."""

    def __init__(
        self, layers: Mapping[str, nn.Module], settings: AttentionSettings, network: Explainable, random: Explainable
    ) -> None:
        self.layers, self.settings, self.network, self.random = layers, settings, network, random
        self.random_layers = random.layers(tuple(layers))
        self.statistics: list[dict[str, Any]] = []
        self.regions: list[dict[str, Any]] = []
        self.occlusion: list[dict[str, Any]] = []
        self.sanity: list[dict[str, Any]] = []
        self.maxima: list[list[float]] = []
        self.empty: list[str] = []

    def add(self, crop: Crop, key: str, site: pd.Series, seen: Seen, target: Target) -> np.ndarray:
        """Maps (layers, s, s, s) of a synapse, and what they say."""
        cube = torch.from_numpy(np.ascontiguousarray(seen.values, np.float32))[None, None]
        values = _maps(self.network, self.layers, cube, target, crop.size, seen.shift)
        masks = _masks(crop, self.settings.operands)
        self.maxima.append([float(value.max()) for value in values])
        self.empty += [f"{key} {layer}" for layer, most in zip(self.layers, self.maxima[-1], strict=True) if not most > 0]
        self.statistics += _statistics(key, crop, self.layers, values, masks)
        self.regions += _regions(key, crop, site, self.layers, values, masks)
        self.occlusion.append({"key": key, **_occluded(self.network, cube, target, masks, seen)})
        self.sanity += self._checked(key, cube, target, values, seen)
        return values

    def _checked(self, key: str, cube: torch.Tensor, target: Target, values: np.ndarray, seen: Seen) -> Iterator[dict[str, Any]]:
        blocks = self.settings.blocks
        if not blocks:
            return
        random = _maps(self.random, self.random_layers, cube, target, values.shape[-1], seen.shift)
        # As in the maps, only what speaks for the target counts.
        falls = occluded_blocks(self.network, cube, target, blocks, seen.grey).clip(0)
        for layer, value, other in zip(self.layers, values, random, strict=True):
            # Blocks are of what the network saw.
            here = _moved(value, tuple(-step for step in seen.shift))
            agreement = {"occlusion_r": map_agreement(here, falls, blocks), "random_r": map_agreement(value, other, blocks)}
            yield {"key": key, "layer": layer, **agreement}

    def about(self) -> dict[str, Any]:
        return {"layers": list(self.layers), "maxima": self.maxima}

    def explained(self, said: str, units: Sequence[str]) -> Explained:
        statistics = pd.DataFrame(self.statistics)
        return Explained(
            said,
            tuple(self.layers),
            statistics,
            attention_summary(statistics, units=units) if len(statistics) else statistics,
            pd.DataFrame(self.regions),
            pd.DataFrame(self.occlusion),
            pd.DataFrame(self.sanity),
            tuple(self.empty),
        )


def _chosen(table: AnnData, network: Explainable, settings: AttentionSettings) -> tuple[str, ...]:
    """Keys, one cluster after the other, from the middle of each outwards; of classes, in the order of the table."""
    values = np.zeros((table.n_obs, 1), np.float32) if network.classes else embedding_of(table, network.family)[0]
    scaled = (values - values.mean(0)) / np.maximum(values.std(0), 1e-6)
    clusters = clusters_of(table)
    queues = []
    for name in sorted(set(clusters)):
        members = np.flatnonzero(clusters == name)
        away = np.linalg.norm(scaled[members] - scaled[members].mean(0), axis=1)
        queues.append(members[np.argsort(away, kind="stable")].tolist())
    order = [queue[turn] for turn in range(max(map(len, queues))) for queue in queues if turn < len(queue)]
    # Nothing brings a synapse nearer to itself.
    keys = [key for row in order if (key := str(table.obs_names[row])) != settings.target.removeprefix("like:")]
    return tuple(keys[: settings.sites])


def _maps(
    network: Explainable, layers: Mapping[str, nn.Module], cube: torch.Tensor, target: Target, size: int, shift: Int3
) -> np.ndarray:
    """Of one cube, where the crop has its voxels: (layers, size, size, size)."""
    maps = [grad_cam(network, module, cube, target, side=size)[0] for module in layers.values()]
    return np.stack([_moved(values, shift) for values in maps])


def _moved(values: np.ndarray, shift: Sequence[int]) -> np.ndarray:
    """What was at voxel v is at v + shift; what comes from outside is 0."""
    if not any(shift):
        return values
    from scipy import ndimage

    moved: np.ndarray = ndimage.shift(values, shift, order=0, prefilter=False)
    return moved


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
    z, y, x = (int(site[f"crop_{axis}"]) - crop.size // 2 for axis in "zyx")
    for layer, value in zip(layers, values, strict=True):
        for row in top_regions(value, voxel_nm=crop.voxel_nm, corner_vox=(z, y, x), operands=masks):
            yield {"key": key, "layer": layer, **row}


def _occluded(
    network: nn.Module, cube: torch.Tensor, target: Target, masks: Mapping[str, np.ndarray], seen: Seen
) -> dict[str, float]:
    """By how much the target falls when a structure is grey."""
    back = tuple(-step for step in seen.shift)
    small = {
        name: F.adaptive_avg_pool3d(torch.from_numpy(_moved(mask.astype(np.float32), back))[None], cube.shape[-1]) >= 0.5
        for name, mask in masks.items()
    }
    falls = structure_occlusion(network, cube, target, small, grey=seen.grey)
    return {name: float(fall[0]) for name, fall in falls.items()}


def _created(path: Path, count: int, layers: int, side: int) -> Any:
    (path / "zarr.json").unlink(missing_ok=True)
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd", "configuration": {"level": 3}}]
    chunk = {"name": "regular", "configuration": {"chunk_shape": [1, 1, side, side, side]}}
    metadata = {"shape": [count, layers, side, side, side], "data_type": "float32", "chunk_grid": chunk, "codecs": codecs}
    spec = {"driver": "zarr3", "kvstore": kvstore(path / "maps"), "create": True, "delete_existing": True, "metadata": metadata}
    return open_store(spec)


def _describe(path: Path, about: Mapping[str, Any]) -> None:
    atomic_write_json(path / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": json.loads(json.dumps(about))})
