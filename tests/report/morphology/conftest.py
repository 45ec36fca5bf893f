"""A folder as `neurotome morphology embed` leaves it, made of a few numbers that a test can check by hand."""

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

from neurotome.core import ModelCard, Record
from neurotome.io import atomic_write_json, save_arrays
from neurotome.io.feature_table import write_feature_table
from neurotome.report.morphology import write_shape_report

SCORES = """features,target,measure,value,low,high,chance,n,classes,folds
embedding,cell_type,knn5_balanced_accuracy,0.84,0.75,0.91,0.33,30,3,10
morphometrics,cell_type,knn5_balanced_accuracy,0.61,0.5,0.7,0.33,30,3,10
sholl,cell_type,knn5_balanced_accuracy,0.4,0.3,0.5,0.33,30,3,10
embedding,layer,linear_balanced_accuracy,0.52,0.41,0.63,0.5,30,2,10
"""
CHOICE = "k,silhouette,inertia,stability,chosen\n1,,90,,False\n2,0.4,40,0.8,False\n3,0.6,20,0.91,True\n4,0.5,18,0.7,False\n"
CLUSTERS = "cluster,rows,share,medoid,jaccard,stable\n0,10,0.33,7,0.97,True\n1,10,0.33,12,0.9,True\n2,10,0.33,25,0.42,False\n"
QUALITY = "space,measure,target,value,n\numap,trustworthiness,embedding,0.93,30\ntsne,trustworthiness,embedding,0.95,30\n"
OUTLIERS = "neuron,score,reason\n0009,3.25,a branch ends in the air\n0004,2.5,far from its nearest neighbours\n"


@pytest.fixture(scope="session")
def shape_run() -> Callable[..., Path]:
    """Make such a folder."""
    return make_shape_run


@pytest.fixture(scope="session")
def page_data() -> Callable[[Path], dict[str, Any]]:
    """What the script of a page is given."""
    return data_of


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything, and its page. Shared: tests that change it copy it first."""
    folder = make_shape_run(tmp_path_factory.mktemp("whole") / "out")
    write_shape_report(folder, colour=["layer"])
    return folder


def make_shape_run(
    folder: Path,
    *,
    neurons: int = 30,
    whole: bool = True,
    labels: bool = True,
    maps: bool = True,
    measured: bool = True,
    names: tuple[str, ...] = ("A", "B", "C"),
) -> Path:
    """whole: with everything that may be missing. measured: with columns of numbers. names: of cell types, in equal blocks."""
    folder.mkdir(parents=True)
    write_feature_table(folder / "embedding.h5ad", _table(neurons, names, whole, labels, maps, measured))
    facts: dict[str, Any] = {}
    if whole:
        for name, rows in {
            "scores": SCORES,
            "choice": CHOICE,
            "clusters": CLUSTERS,
            "quality": QUALITY,
            "outliers": OUTLIERS,
        }.items():
            (folder / f"{name}.csv").write_text(rows)
        _drawings(folder / "previews.npz", neurons)
        _reconstruction(folder / "reconstruction", neurons)
        card = ModelCard(
            "a-shape-encoder", "cubes", {}, ("occupied",), (0.0, 0.0, 0.0), "none", (0, 0, 0), segmentation={"threshold": 0.55}
        )
        facts = {"notes": ["2 files were left out: a.swc, b.swc"], "threshold": 0.55, "model_card": card.to_json()}
    config = {"shapes": [f"{n}.swc" for n in range(neurons)], "settings": {"seed": 3}}
    record = Record("morphology embed", config, {}, {}, 0, "cpu", {"embed": 3.5} if whole else {}, 10**9, "done")
    atomic_write_json(folder / "run.json", {**asdict(record), "done": [], "facts": facts})
    return folder


def data_of(folder: Path) -> dict[str, Any]:
    html = (folder / "report.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found.group(1))


def _table(neurons: int, names: tuple[str, ...], whole: bool, labels: bool, maps: bool, measured: bool) -> Any:
    import anndata

    rng = np.random.default_rng(5)
    block = np.arange(neurons) * len(names) // neurons
    values = (rng.normal(0, 0.1, (neurons, 4)) + block[:, None]).astype(np.float32)
    obs = pd.DataFrame(
        {"kind": ["skeleton"] * neurons, "source": [f"{n}.swc" for n in range(neurons)]}, [f"{n:04d}" for n in range(neurons)]
    )
    if whole:
        obs.loc[obs.index[:2], "kind"] = "points"
    if measured:
        obs["centre"], obs["trees"], obs["clipped_fraction"] = "soma", 1, 0.0
        obs["length_um"] = np.where(np.arange(neurons) == 3, np.nan, 100.0 + np.arange(neurons))
        obs["extent_um"], obs["outlier_score"] = 80.0, np.linspace(1, 2, neurons)
    if labels:
        obs["cell_type"] = pd.Categorical(np.array(names)[block])
        obs["layer"] = pd.Categorical(np.where(np.arange(neurons) % 2 == 0, "deep", "shallow"))
    if whole:
        obs["cluster"] = pd.Categorical(block.astype(str))
    found = anndata.AnnData(values, obs=obs)
    if maps:
        for name, scale in (("umap", 1), ("tsne", 3), ("pca", 2)):
            found.obsm[f"X_{name}"] = values[:, :2] * scale
    if neurons > 2:
        away = np.linalg.norm(values[:, None] - values[None], axis=-1) + np.where(np.eye(neurons), np.inf, 0)
        found.obsm["neighbours"] = np.argsort(away, axis=1)[:, : min(5, neurons - 1)].astype(np.int32)
        found.obsm["neighbour_distances"] = np.take_along_axis(away, found.obsm["neighbours"], 1).astype(np.float32)
    settings = json.dumps({"size": 64, "centring": "soma", "orientation": "given"})
    found.uns["morphology"] = {"model": "a-shape-encoder", "settings": settings}
    return found


def _drawings(path: Path, neurons: int) -> None:
    """Neuron n is a fork of three strokes; the last one is a dot."""
    fork = np.array([[-0.8, 0, 0, 0], [0, 0, 0.8, -0.5], [0, 0, 0.8, 0.5]], np.float16)
    pieces = [fork] * (neurons - 1) + [np.zeros((1, 4), np.float16)]
    ends = np.cumsum([0, *map(len, pieces)])
    save_arrays(path, segments=np.concatenate(pieces), offsets=ends.astype(np.int64))


def _reconstruction(folder: Path, neurons: int) -> None:
    folder.mkdir()
    f1 = np.linspace(0.79, 0.83, neurons)
    pd.DataFrame({"neuron": [f"{n:04d}" for n in range(neurons)], "f1": f1, "iou": f1 / (2 - f1)}).to_csv(
        folder / "scores.csv", index=False
    )
    steps = np.arange(10, 100, 5) / 100
    f1 = 0.84 - (steps - 0.5) ** 2
    pd.DataFrame({"threshold": steps, "f1": f1, "iou": f1 / (2 - f1)}).to_csv(folder / "curve.csv", index=False)
    edges = np.linspace(0, 1, 51)
    rows = {"low": edges[:-1], "high": edges[1:], "occupied": np.arange(50), "background": np.arange(50)[::-1]}
    pd.DataFrame(rows).to_csv(folder / "histogram.csv", index=False)
    truth = np.zeros((1, 16, 16, 16), bool)
    truth[0, 3:13, 8, 8] = True
    probability = np.where(truth, 230, 5).astype(np.uint8)
    save_arrays(folder / "examples.npz", names=np.array(["0007"]), truth=np.packbits(truth, axis=-1), probability=probability)
