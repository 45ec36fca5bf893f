"""Tables of features as alim98/SynapseClusterEM writes them: read, and written for its tools.

    features_layer20_avg_seg11_alpha1_0.csv     module 20, pooling, mask preset, alpha; without "layer20_" the last module
    features_layer20_seg11_alpha1_0.csv         older: the pooling in a column, or the average

Columns: bbox (the volume), Var1 (the id), coordinates 1, 2, 3 = x, y, z, others of the site, layer20_feat_1 ... or feat_1 ...,
umap_x, umap_y, segmentation_type, alpha, extraction_method, layer_num, pooling_method; where clusters were made, cluster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.core import CropLook, FormatError, InputError, MissingFileError
from neurotome.io import atomic_write_text
from neurotome.nn.vgg3d import POOLINGS

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["read_reference_csv", "reference_csv_name", "write_reference_csv"]

_NAME = re.compile(
    rf"(?:\w+_)?features(?:_layer(?P<layer>\d+))?(?:_(?P<pooling>{'|'.join(POOLINGS)}))?_seg(?P<mask>\d+[a-z]?)_alpha(?P<alpha>\d+(?:_\d+)?)\.csv"
)
_FEATURE = re.compile(r"(?P<random>random_)?(?:layer(?P<layer>\d+)_)?feat_(?P<number>\d+)")
_COORDINATES = {
    f"{ours}_{axis}": f"{theirs}_coord_{number}"
    for ours, theirs in (("center", "central"), ("side1", "side_1"), ("side2", "side_2"))
    for number, axis in enumerate("xyz", 1)
}
_NOISE = 999


def reference_csv_name(layer: int | str, pooling: str, mask: str, alpha: float) -> str:
    """What the reference calls such a table. Raises InputError for what it has no name for.

    >>> reference_csv_name(20, "avg", "11", 1.0), reference_csv_name("standard", "max", "6", 0.5)
    ('features_layer20_avg_seg11_alpha1_0.csv', 'features_max_seg6_alpha0_5.csv')
    """
    where = "" if str(layer) == "standard" else f"_layer{layer}"
    name = f"features{where}_{pooling}_seg{mask}_alpha{str(float(alpha)).replace('.', '_')}.csv"
    if not _NAME.fullmatch(name):
        raise InputError(
            f"Layer '{layer}', pooling '{pooling}', mask '{mask}'",
            f"a module or standard, one of {', '.join(POOLINGS)}, and a preset",
            "write the whole table as .csv or .h5ad instead",
        )
    return name


def write_reference_csv(folder: Path, table: AnnData) -> Path:
    """Write the network's columns of a table from `network_features` or `assemble`. Returns the file.

    Raises InputError for a table without features of a network, or of a layer or mask that the reference has no name for.
    """
    about, columns = _network_of(table)
    look = CropLook(**json.loads(about["look"]))
    path = folder / reference_csv_name(about["layer"], about["pooling"], look.mask, look.alpha)
    obs = table.obs
    named = {"bbox": obs["volume"], "Var1": obs["synapse_id"]}
    named |= {theirs: obs[ours] for ours, theirs in _COORDINATES.items() if ours in obs}
    others = [name for name in obs if name not in {"volume", "synapse_id", *_COORDINATES}]
    features = pd.DataFrame(np.asarray(table[:, columns].X), obs.index, columns)
    text = pd.concat([pd.DataFrame(named), obs[others], obs["volume"].rename("bbox_name"), features], axis=1)
    if "X_umap" in table.obsm:
        text[["umap_x", "umap_y"]] = np.asarray(table.obsm["X_umap"])[:, :2]
    stage = about["layer"] != "standard"
    text["segmentation_type"], text["alpha"] = look.mask, look.alpha
    text["extraction_method"] = "stage_specific" if stage else "standard"
    if stage:
        text["layer_num"] = int(about["layer"])
    text["pooling_method"] = about["pooling"]
    atomic_write_text(path, text.to_csv(index=False, lineterminator="\n"))
    return path


def read_reference_csv(path: Path | str, *, dataset: str = "sce") -> AnnData:
    """A table of features with keys "dataset/volume/id" as names of rows; the dataset is taken from its column, if it has one.

    obs: the site's canonical columns and the others as they are; `cluster` as text, its noise (999) as "-1". obsm["X_umap"]
    where the file has umap_x and umap_y. uns["network"]: layer, pooling, mask preset and alpha.
    Raises MissingFileError, FormatError for what is no such table, InputError for keys that occur twice.
    """
    from anndata import AnnData

    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"'{path}' does not exist", "a table of features", "check the path")
    try:
        stored = pd.read_csv(path, dtype={"Var1": str, "bbox": str, "bbox_name": str, "segmentation_type": str})
    except (ValueError, OSError) as error:
        raise FormatError(f"'{path}' is no table ({str(error).splitlines()[0]})", "CSV with a header") from error
    features = [name for name in map(str, stored.columns) if _FEATURE.fullmatch(name)]
    if not features or "Var1" not in stored or not {"bbox", "bbox_name"} & set(stored.columns):
        raise FormatError(
            f"'{path}' has columns {', '.join(map(str, stored.columns[:8]))} ...",
            "bbox, Var1 and feat_1 ... or layer20_feat_1 ...",
        )
    obs = _sites(stored.drop(columns=features), dataset, str(path))
    about = _about(path, stored, features)
    var = pd.DataFrame({"family": "vgg3d", "unit": "", "transform": "none"}, index=features)
    var["formula"] = f"{about['pooling']} of layer {about['layer']}"
    var["layer"], var["pooling"] = about["layer"], about["pooling"]
    table = AnnData(_numbers(stored[features], str(path)), obs=obs, var=var)
    if {"umap_x", "umap_y"} <= set(stored.columns):
        table.obsm["X_umap"] = stored[["umap_x", "umap_y"]].to_numpy(np.float64)
    table.uns["network"] = about
    return table


def _network_of(table: AnnData) -> tuple[Mapping[str, Any], list[str]]:
    """What decided the network's columns of a table, and their names."""
    about = table.uns.get("network") or table.uns.get("families", {}).get("vgg3d", {}).get("network")
    columns = [str(name) for name in table.var_names[table.var["family"] == "vgg3d"]] if "family" in table.var else []
    if not about or not columns:
        raise InputError("A table without features of a network", "one from network_features", "add the family vgg3d")
    return about, columns


def _sites(stored: pd.DataFrame, dataset: str, source: str) -> pd.DataFrame:
    volume = stored["bbox_name"] if "bbox_name" in stored else stored["bbox"]
    obs = pd.DataFrame({"dataset": stored.get("dataset", dataset), "volume": volume, "synapse_id": stored["Var1"]})
    renamed = stored.rename(columns={theirs: ours for ours, theirs in _COORDINATES.items()})
    dropped = {"bbox", "bbox_name", "Var1", "dataset", "umap_x", "umap_y"}
    obs = obs.join(renamed[[name for name in renamed if name not in dropped]])
    if "cluster" in obs:
        obs["cluster"] = obs["cluster"].astype(int).replace(_NOISE, -1).astype(str)
    obs.index = pd.Index(obs["dataset"].astype(str) + "/" + obs["volume"].astype(str) + "/" + obs["synapse_id"].astype(str))
    if not obs.index.is_unique:
        repeated = list(dict.fromkeys(obs.index[obs.index.duplicated()]))
        raise InputError(f"'{source}' has several rows of {', '.join(repeated[:5])}", "each synapse once", "drop or rename them")
    return obs


def _about(path: Path, stored: pd.DataFrame, features: list[str]) -> dict[str, Any]:
    """What a table is of: its columns say it, and its name where they do not. Names and columns that differ are an error."""
    match = _NAME.fullmatch(path.name)
    named = match.groupdict() if match else {}
    layers = {_FEATURE.fullmatch(name)["layer"] for name in features}  # type: ignore[index]
    if len(layers) != 1 or (match and named["layer"] not in layers):
        raise FormatError(
            f"'{path}' has features of layers {', '.join(sorted(map(str, layers)))}",
            f"of layer {named.get('layer')}",
            "rename it",
        )
    first = stored.iloc[0] if len(stored) else {}
    mask, alpha = (
        first.get("segmentation_type", named.get("mask")),
        first.get("alpha", (named.get("alpha") or "").replace("_", ".")),
    )
    if mask is None or alpha == "":
        raise FormatError(f"'{path}' does not say its mask and alpha", "features_..._seg11_alpha1_0.csv", "rename it")
    pooling = named.get("pooling") or first.get("pooling_method", "avg")
    return {"layer": layers.pop() or "standard", "pooling": str(pooling), "mask": str(mask), "alpha": float(alpha)}


def _numbers(features: pd.DataFrame, source: str) -> np.ndarray:
    try:
        values = features.to_numpy(np.float32)
    except ValueError as error:
        raise FormatError(f"'{source}' has features that are no numbers ({error})", "numbers") from error
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise FormatError(f"'{source}' has no number for {features.columns[column]} in row {row + 1}", "numbers", "extract again")
    return values
