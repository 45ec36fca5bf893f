"""embed: rows in the order of names, the same bytes again, what is known of each neuron beside them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from neurotome.core import SOMA, Frame, InputError, ModelCard, PointCloud, Skeleton
from neurotome.morphology.embedding import embed, log_extent
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import GridSettings
from neurotome.nn import build

CONFIG = {"grid": 16, "width": 16, "depth": 1, "heads": 2, "hidden": 16, "code": 8, "bent": 16, "bottleneck": 12, "steady": 8}


@pytest.fixture(scope="module")
def encoder() -> ShapeEncoder:
    torch.manual_seed(0)
    settings = GridSettings(size=16, centring="soma")
    card = ModelCard(
        "small", "cube_autoencoder", CONFIG, ("occupied",), (0.0, 0.0, 0.0), "none", (0, 0, 0), weights_sha256="0" * 64
    )
    return ShapeEncoder(build("cube_autoencoder", CONFIG).eval(), card, settings)


def neuron(name: str, seed: int, kind: int = 0) -> Skeleton:
    rng = np.random.default_rng(seed)
    points = np.cumsum(rng.normal(scale=3000, size=(40, 3)), axis=0)
    return Skeleton.of([-1, *range(39)], points, kinds=[kind] + [0] * 39, name=name)


def test_rows_are_in_the_order_of_names_and_do_not_depend_on_company(encoder):
    shapes = [neuron(f"n{k:02d}", k) for k in range(20)]
    table, again = embed(shapes, encoder), embed(shapes[::-1], encoder)
    assert list(table.obs_names) == [s.name for s in shapes] == list(again.obs_names)
    assert table.X.shape == (20, 12) and table.X.dtype == np.float32 and list(table.var_names[:2]) == ["e0", "e1"]
    assert table.X.tobytes() == again.X.tobytes()
    assert table[7].X.tobytes() == embed(shapes[7:8], encoder).X.tobytes()


def test_facts_of_skeletons_and_clouds(encoder):
    cloud = PointCloud(np.array([[0.0, 0, 0], [0, 0, 9000.0]]), name="cloud")
    line = Skeleton.of([-1, 0], [[1000.0, 2000, 3000], [1000, 2000, 8000]], kinds=[SOMA, 0], name="line")
    seen: list[tuple[int, int]] = []
    table = embed([line, cloud], encoder, pooling="mean", progress=lambda what, done, total: seen.append((done, total)))
    assert table.X.shape == (2, 16) and seen == [(2, 2)]
    assert list(table.obs["kind"]) == ["points", "skeleton"] and list(table.obs["centre"]) == ["mean", "soma"]
    row = table.obs.loc["line"]
    assert (row["trees"], row["nodes"], row["length_um"]) == (1, 2, 5.0)
    assert (row["soma_z_um"], row["soma_y_um"], row["soma_x_um"]) == (1.0, 2.0, 3.0)
    assert np.isnan(table.obs.loc["cloud", "length_um"]) and np.isnan(table.obs.loc["cloud", "soma_z_um"])
    about = table.uns["morphology"]
    assert about["pooling"] == "mean" and len(about["weights_sha256"]) == 64 and json.loads(about["settings"])["size"] == 16
    frame = Frame.from_json(json.loads(table.uns["frames"][1]))
    assert frame.grid == 16 and frame.hi_nm - frame.lo_nm == pytest.approx(1000 * row["extent_um"])
    assert log_extent(frame) == pytest.approx(np.log(row["extent_um"] / 2))


def test_names_that_repeat_and_no_neurons_are_refused(encoder):
    with pytest.raises(InputError, match="'a'"):
        embed([neuron("a", 0), neuron("a", 1)], encoder)
    with pytest.raises(InputError, match="No neurons"):
        embed([], encoder)
