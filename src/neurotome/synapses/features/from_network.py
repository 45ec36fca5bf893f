"""network_features: one look at every crop, and what a layer of a network says of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.core import Crop, CropLook, CropRecipe, Progress, silent
from neurotome.io import load_arrays, save_arrays
from neurotome.nn.vgg3d import FeatureExtractor
from neurotome.synapses.discarded import Discarded, discard_table
from neurotome.synapses.features.weights import FeatureNetwork
from neurotome.synapses.views.show import CropSource, View, views

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["network_features"]

FAMILY = "vgg3d"
_AT_ONCE = 8


def network_features(
    crops: CropSource,
    look: CropLook,
    network: FeatureNetwork,
    *,
    layer: int | str = 20,
    pooling: str = "avg",
    precision: str = "auto",
    device: str = "cpu",
    batch: int = 64,
    keep: Path | None = None,
    progress: Progress = silent,
) -> tuple[AnnData, pd.DataFrame]:
    """A table with one row per crop that the look shows something of, and the rows of the others for `discarded.csv`.

    X (n, d) float32; obs the crops' sites and `flags` of the view; var family, unit, formula, transform, layer and pooling of
    each column; uns["network"] all that decided them. Columns of a network without training begin with "random_".
    layer, pooling: as in `nn.vgg3d`. precision: "float32", "bfloat16" or "auto". keep: a folder where finished parts of
    `batch` crops are left, so that the same call goes on where it stopped. A row depends on its own crop alone.
    Raises UnknownNameError and ValueRangeError for layer, pooling, precision and look, ShapeError for crops that do not fit.
    """
    extract = FeatureExtractor(network.network, layer, pooling, precision=precision, device=device)
    facts = _facts(crops, look, network, extract, layer=str(layer))
    folder = None if keep is None else keep / _stamp(crops, facts)
    parts = []
    for first in range(0, len(crops), batch):
        some = _Some(crops, first, min(batch, len(crops) - first))
        parts.append(_part(some, look, extract, folder))
        progress("features of crops", first + len(some), len(crops))
    table = _table(crops, parts, [f"{'random_' if network.random else ''}{name}" for name in extract.names])
    table.var["formula"] = f"{pooling} of layer {layer} of {network.name}"
    table.var["layer"], table.var["pooling"] = str(layer), pooling
    table.uns["network"] = facts
    return table, discard_table(row for part in parts for row in part.discarded)


@dataclass(frozen=True, eq=False)
class _Some:
    """A stretch of the crops, as if it were all of them."""

    crops: CropSource
    first: int
    count: int

    @property
    def recipe(self) -> CropRecipe:
        return self.crops.recipe

    @property
    def sites(self) -> pd.DataFrame:
        return self.crops.sites.iloc[self.first : self.first + self.count]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Crop:
        return self.crops[self.first + index]


@dataclass(frozen=True, eq=False)
class _Part:
    """What was found in a stretch: keys (n,) of the rows, values (n, d), flags (n,), and why the other crops have none."""

    keys: list[str]
    values: np.ndarray
    flags: list[str]
    discarded: list[Discarded]


def _part(some: _Some, look: CropLook, extract: FeatureExtractor, folder: Path | None) -> _Part:
    """Found now, or where an earlier call left it."""
    path = None if folder is None else folder / f"{some.first:08d}.npz"
    if path is not None and path.is_file():
        kept = load_arrays(path, "values", "rest")
        rest = json.loads(str(kept["rest"]))
        return _Part(rest["keys"], kept["values"], rest["flags"], [Discarded(**row) for row in rest["discarded"]])
    part = _computed(some, look, extract)
    if path is not None:
        rest = {"keys": part.keys, "flags": part.flags, "discarded": [asdict(row) for row in part.discarded]}
        save_arrays(path, values=part.values, rest=np.array(json.dumps(rest)))
    return part


def _computed(some: _Some, look: CropLook, extract: FeatureExtractor) -> _Part:
    part = _Part([], np.empty((0, len(extract.names)), np.float32), [], [])
    found = [part.values]
    shown: list[View] = []
    for at, one in enumerate(views(some, look), 1):
        if isinstance(one, Discarded):
            part.discarded.append(one)
        else:
            shown.append(one)
        if shown and (len(shown) == _AT_ONCE or at == len(some)):
            found.append(_rows_of(shown, extract, part))
            shown = []
    return replace(part, values=np.concatenate(found))


def _rows_of(shown: list[View], extract: FeatureExtractor, part: _Part) -> np.ndarray:
    """Rows of a few views; their names go to the part, and to its discarded ones where a row is not all numbers."""
    rows = extract(np.stack([one.values for one in shown]), np.stack([one.mask for one in shown]))
    finite = np.isfinite(rows).all(1)
    for one, row, usable in zip(shown, rows, finite, strict=True):
        if usable:
            part.keys.append(one.key)
            part.flags.append(";".join(one.flags))
        else:
            part.discarded.append(Discarded(one.key, "features", "not_finite", float((~np.isfinite(row)).sum()), 0))
    return rows[finite]


def _table(crops: CropSource, parts: list[_Part], names: list[str]) -> AnnData:
    # It takes half a second to import.
    from anndata import AnnData

    keys = [key for part in parts for key in part.keys]
    values = [part.values for part in parts] or [np.empty((0, len(names)), np.float32)]
    obs = crops.sites.loc[keys].copy()
    obs["flags"] = [flags for part in parts for flags in part.flags]
    var = pd.DataFrame({"family": FAMILY, "unit": "", "transform": "none"}, index=names)
    return AnnData(np.concatenate(values), obs=obs.rename_axis(None), var=var)


def _facts(
    crops: CropSource, look: CropLook, network: FeatureNetwork, extract: FeatureExtractor, *, layer: str
) -> dict[str, Any]:
    """All that decides a row, and what a reader must be told."""
    from neurotome import __version__

    voxel_nm = crops[0].voxel_nm if len(crops) else ()
    return {
        "model": network.name,
        "sha256": network.sha256,
        "random": network.random,
        "trained_with": network.normalization,
        "notice": network.notice(look.normalization, voxel_nm),
        "layer": layer,
        "pooling": extract.pooling,
        "precision": extract.precision,
        "recipe": json.dumps(asdict(crops.recipe)),
        "look": json.dumps(asdict(look)),
        "version": __version__,
    }


def _stamp(crops: CropSource, facts: dict[str, Any]) -> str:
    """Differs wherever rows could differ; what the crops were cut from is theirs to know."""
    return hashlib.sha256(json.dumps([facts, list(map(str, crops.sites.index))], sort_keys=True).encode()).hexdigest()[:16]
