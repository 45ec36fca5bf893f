"""A folder as `neurotome synapses run` leaves it: twelve synapses of made-up tissue whose numbers a test can check by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neurotome.core import Crop, CropLook, CropRecipe, Record
from neurotome.core.crops import OPERANDS
from neurotome.io import atomic_write_json
from neurotome.io.feature_table import write_feature_csv, write_feature_table
from neurotome.io.store import kvstore, open_store
from neurotome.report.synapses import write_comprehensive_report, write_presynapse_summary, write_synapse_report
from neurotome.synapses.crops.crop_store import CropStore, table_types, write_about, write_table
from neurotome.synapses.discarded import Discarded, discard_table

SIDE, COUNT, STAMP = 32, 12, "20260102_030405"
LOST = (("sites", "side_on_background"), ("crops", "border"), ("crops", "border"), ("view", "no_vesicles"))
MEASURES = ("cleft_area_um2", "vesicle_count")


@pytest.fixture(scope="session")
def synapse_run() -> Callable[..., Path]:
    """Make such a folder."""
    return make_synapse_run


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without pages. Shared: nobody writes into it."""
    return make_synapse_run(tmp_path_factory.mktemp("bare") / "out")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all its pages. Shared: tests that change it copy it first."""
    folder = make_synapse_run(tmp_path_factory.mktemp("whole") / "out")
    write_synapse_report(folder)
    write_comprehensive_report(folder, STAMP)
    write_presynapse_summary(folder, STAMP)
    return folder


@pytest.fixture(scope="session")
def page_data() -> Callable[[Path], dict[str, Any]]:
    """What the script of a page is given."""
    return data_of


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)
    assert found
    return json.loads(found.group(1))


def make_synapse_run(folder: Path, *, small: bool = False) -> Path:
    """small: a table with clusters and one map, and nothing else."""
    folder.mkdir(parents=True)
    table = _table()
    if small:
        for name in ("X_pca", "X_umap3", "neighbours", "neighbour_distances"):
            del table.obsm[name]
        for name in ("choice", "profiles", "clusters", "batch_effect", "descriptions"):
            del table.uns[name]
    write_feature_table(folder / "features.h5ad", table)
    record = Record(
        "synapses run", {"name": "made-up <b>study</b>"}, {}, {"python": "3"}, 0, "cpu", {"crops": 1.5}, 10**9, "done"
    )
    atomic_write_json(folder / "run.json", {**asdict(record), "done": [], "facts": {"notes": ["2 sites lie outside"]}})
    if not small:
        write_feature_csv(folder / "features.csv", table)
        _write_crops(folder / "crops.zarr", table.obs)
        _write_tables(folder, table)
        _write_attention(folder)
        _write_view(folder, table.obs_names[10:])
    return folder


def _table(count: int = COUNT) -> Any:
    import anndata

    rows = np.arange(count)
    cluster, volume = rows % 3, np.where(rows < 6, "bbox1", "bbox2")
    keys = [f"study/{v}/s{n:02d}" for n, v in zip(rows, volume)]
    obs = pd.DataFrame({"dataset": "study", "volume": volume, "synapse_id": [f"s{n:02d}" for n in rows]}, index=keys)
    for name in ("center", "side1", "side2", "crop"):
        for axis in "zyx":
            obs[f"{name}_{axis}"] = 20 + rows
    obs["pre_id"] = [f"{v}_{1 + n % 2}" for n, v in zip(rows, volume)]
    obs["pre_side"], obs["margin"] = 1, 0.5 + rows / 100
    obs["voxel_z_nm"] = obs["voxel_y_nm"] = obs["voxel_x_nm"] = 8.0
    obs["spine"] = np.where(rows % 2 == 0, "spine", "shaft")
    values = np.stack([0.1 + 0.01 * rows, 10.0 * (cluster + 1)], axis=1).astype(np.float32)
    var = pd.DataFrame({"family": "morphometry", "unit": ["um2", ""], "transform": "none"}, index=list(MEASURES))
    table = anndata.AnnData(values, obs=obs.assign(cluster=pd.Categorical(cluster.astype(str))), var=var)
    places = np.stack([cluster + 0.05 * rows, (cluster == 1) + 0.02 * rows, rows / 10], axis=1)
    table.obsm["X_umap"], table.obsm["X_pca"], table.obsm["X_umap3"] = places[:, :2], 3 * places[:, :2], places
    away = np.abs(values[:, None, 1] - values[None, :, 1]) + np.abs(rows[:, None] - rows) / 100 + 1e9 * np.eye(count)
    table.obsm["neighbours"] = np.argsort(away, axis=1)[:, :3].astype(np.int32)
    table.obsm["neighbour_distances"] = np.sort(away, axis=1)[:, :3].astype(np.float32)
    table.obs["cluster_other"] = table.obs["cluster"]
    table.uns.update(_evidence())
    table.uns["synapses"] = {"recipe": json.dumps(asdict(CropRecipe(size=SIDE))), "look": json.dumps(asdict(CropLook()))}
    return table


def _evidence() -> dict[str, Any]:
    choice = {
        "k": [1, 2, 3, 4],
        "silhouette": [np.nan, 0.4, 0.6, 0.5],
        "inertia": [90.0, 40, 20, 18],
        "bend": [0.0, 0.3, 0.4, 0.1],
    }
    profiles = [
        (str(c), name, 10.0 * (c + 1), 5.0, 2.5 * (c - 1), 2.0 * (c - 1), 3.0 * (c - 1), 0.01, 0.02)
        for c in range(3)
        for name in MEASURES
    ]
    columns = ["cluster", "feature", "mean", "mean_others", "effect", "low", "high", "p", "q"]
    settings = json.dumps({"method": {}, "features": {}})
    residuals = pd.DataFrame([[4.0, -4.0], [0.0, 0.0], [-3.5, 3.5]], index=["0", "1", "2"], columns=["bbox1", "bbox2"])
    return {
        "cluster": {"method": "kmeans", "k": 3, "reason": "the largest silhouette", "settings": settings, "elbow": 3}
        | {"best_silhouette": 3, "null_p": 0.01},
        "choice": pd.DataFrame({**choice, "stability": [np.nan, 0.8, 0.95, 0.7], "chosen": [False, False, True, False]}),
        "clusters": pd.DataFrame({"cluster": [0, 1, 2], "rows": 4, "share": 1 / 3, "medoid": [3, 4, 5]}).assign(
            jaccard=[0.97, 0.9, 0.4], stable=[True, True, False]
        ),
        "profiles": pd.DataFrame(profiles, columns=columns),
        "batch_effect": {"verdict": "confounded", "reason": "batches hold different shares", "residuals": residuals},
        "descriptions": {str(c): f"4 synapses: {word} cleft" for c, word in enumerate(("small", "medium", "large"))},
    }


def made_crop(key: str, row: int) -> Crop:
    """Presynapse in the lower half along x, with a box of vesicles, a cleft of one voxel, and the postsynapse above it."""
    z, y, x = np.mgrid[:SIDE, :SIDE, :SIDE]
    places = {"valid": x >= 0, "pre": x < 16, "side1": x < 16, "post": x > 16, "side2": x > 16}
    places |= {"cleft": (x == 16) & (abs(z - 16) <= 4) & (abs(y - 16) <= 4)}
    places["vesicles"] = (abs(x - 8) < 4) & (abs(y - 16) < 5) & (abs(z - 16) < 5)
    places |= {f"all_{name}": places[name] for name in ("cleft", "vesicles")}
    image = np.clip(40 + 5 * z + 2 * y + row, 0, 255).astype(np.uint8)
    bits = np.zeros(image.shape, np.uint32)
    for bit, name in enumerate(OPERANDS):
        bits |= places.get(name, np.zeros(image.shape, bool)).astype(np.uint32) << np.uint32(bit)
    return Crop(key, image, bits, OPERANDS, (8.0, 8.0, 8.0), (0.0, 255.0))


def _write_crops(path: Path, obs: pd.DataFrame) -> None:
    store = CropStore.create(path, COUNT, SIDE, {"image": np.dtype(np.uint8), "bits": np.dtype(np.uint16)})
    for row, key in enumerate(obs.index):
        store.write(row, made_crop(key, row))
    sites = obs.drop(columns=["cluster", "cluster_other"])
    write_table(path / "sites.csv", sites)
    write_table(path / "discarded.csv", discard_table([]).set_index("key"))
    volume = {"voxel_nm": [8.0] * 3, "levels": [0.0, 255.0], "structures": {"cleft": [4]}, "has_instances": False}
    about = {"complete": True, "recipe": asdict(CropRecipe(size=SIDE)), "names": list(OPERANDS)}
    told = {"volumes": {"bbox1": volume, "bbox2": volume}, "places": list(range(COUNT)), "columns": table_types(sites)}
    write_about(path, about | told)


def _write_tables(folder: Path, table: Any) -> None:
    keys = list(table.obs_names)
    lost = [Discarded(f"study/bbox1/lost{n}", step, reason) for n, (step, reason) in enumerate(LOST)]
    discard_table(lost).to_csv(folder / "discarded.csv", index=False)
    pd.DataFrame({"key": [*keys, *(one.key for one in lost)]}).to_csv(folder / "sites.csv", index=False)
    side = {"verdict": "confounded", "reason": "batches hold different shares", "cramers_v": 0.5, "v_p": 0.001, "k": 3}
    side |= {"features": {"f": 2.0, "r2": 0.1, "p": 0.2}, "knn_accuracy": 0.6, "knn_chance": 0.5, "knn_p": 0.04}
    other = {**side, "verdict": "none", "reason": "clusters do not go with batches", "correction": "z_per_volume"}
    effect = {
        "correction": "none",
        "same_clusters_rand": 0.875,
        "uncorrected": {**side, "correction": "none"},
        "corrected": other,
    }
    atomic_write_json(folder / "volume_effect.json", effect)
    groups = [("bbox1_1", 3, 1.25, 0.01), ("bbox2_2", 3, 0.5, 1e-6)]
    presynapses = pd.DataFrame(groups, columns=["pre_id", "synapses", "mean_distance", "p_bh"]).assign(dominant_cluster=0)
    presynapses.to_csv(folder / "presynapses.csv", index=False)
    test = {"applicable": True, "T": 0.8, "p": 0.01, "effect": 0.6, "neurons": 4, "apart_ratio": 0.9, "apart_p": 0.3}
    atomic_write_json(folder / "presynapse_test.json", test)
    largest = [16] * (COUNT - 1) + [-1]
    sizes = pd.DataFrame({"key": keys, "vesicle_percent_crop": np.linspace(1, 2, COUNT), "largest_z": largest})
    sizes.to_csv(folder / "sizes.csv", index=False)
    statistics = {"size": "vesicle_percent_crop", "cluster": [0, 1, 2], "count": 4, "mean": 1.5}
    pd.DataFrame(statistics).to_csv(folder / "size_statistics.csv", index=False)
    atomic_write_json(folder / "size_models.json", {"mixed_models": {"vesicle_percent_crop": {"p": 1e-9}}})
    agreement = {"attribute": "spine", "against": "cluster", "measure": "adjusted_rand", "value": 0.25, "p": 0.04, "n": COUNT}
    pd.DataFrame([agreement]).to_csv(folder / "manual_agreement.csv", index=False)
    pd.DataFrame({"key": keys[:1], "link": ["https://viewer.example/1"]}).to_csv(folder / "links.csv", index=False)


def _write_attention(folder: Path) -> None:
    keys, layers = [f"study/bbox1/s{n:02d}" for n in (0, 1)], ["features.3", "features.20"]
    shape = [len(keys), len(layers), SIDE, SIDE, SIDE]
    chunk = {"name": "regular", "configuration": {"chunk_shape": [1, 1, SIDE, SIDE, SIDE]}}
    metadata = {"shape": shape, "data_type": "float32", "chunk_grid": chunk}
    place = {"driver": "zarr3", "kvstore": kvstore(folder / "attention.zarr" / "maps"), "create": True, "metadata": metadata}
    maps = np.zeros(shape, np.float32)
    maps[0, 0, 12:20, 12:20, 4:12], maps[0, 1, 16, 16, 16], maps[1, 0, 2:6] = 0.5, 2.0, 0.25
    open_store(place).write(maps).result()
    about = {"keys": keys, "layers": layers, "target": "towards its own cluster"}
    atomic_write_json(folder / "attention.zarr" / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": about})
    summary = {"layer": layers, "operand": "vesicles", "n": 2, "auc": [0.91, 0.5], "p_bh": [0.01, 0.8]}
    pd.DataFrame(summary).to_csv(folder / "attention_summary.csv", index=False)


def _write_view(folder: Path, left_out: Any) -> None:
    seen = _table(COUNT - len(left_out))
    seen.uns["synapses"] = {"look": json.dumps(asdict(CropLook(mask="6", alpha=0.5)))}
    place = folder / "views" / "6_alpha0_5"
    place.mkdir(parents=True)
    write_feature_table(place / "features.h5ad", seen)
    lost = [Discarded(key, "view", "no_vesicles", 0, 1) for key in left_out]
    discard_table(lost).to_csv(place / "discarded.csv", index=False)
