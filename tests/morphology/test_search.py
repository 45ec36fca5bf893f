"""Nearest neurons of a table: by scaled columns, never itself, and only by the encoder that made the table."""

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData

from neurotome.core import InputError, ModelCard, UnknownNameError
from neurotome.datasets.neuron_shapes import collection
from neurotome.morphology.embedding import embed
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import GridSettings
from neurotome.morphology.search import neighbours_of, neighbours_of_shape
from neurotome.nn import build

CONFIG = {"grid": 16, "width": 16, "depth": 1, "heads": 2, "hidden": 16, "code": 8, "bent": 16, "bottleneck": 12, "steady": 8}


def encoder(seed):
    torch.manual_seed(seed)
    card = ModelCard(
        f"small{seed}", "cube_autoencoder", CONFIG, ("occupied",), (0.0,) * 3, "none", (0,) * 3, weights_sha256=f"{seed}" * 64
    )
    return ShapeEncoder(build("cube_autoencoder", CONFIG).eval(), card, GridSettings(size=16))


@pytest.fixture(scope="module")
def neurons():
    return collection(3, seed=0, kinds=("basket", "granule"))[0]


@pytest.fixture(scope="module")
def table(neurons):
    return embed(neurons, encoder(0))


def test_each_column_counts_alike():
    x = np.array([[0, 0], [1, 1000], [0, 3000], [9, 0]], np.float32)
    table = AnnData(x, obs=pd.DataFrame({"side": ["l", "r", "l", "r"]}, index=list("abcd")))
    table.uns["label_columns"] = ["side"]
    rows = neighbours_of(table, "a", 3)
    assert [row["neuron"] for row in rows] == ["b", "d", "c"] and [row["rank"] for row in rows] == [1, 2, 3]
    scaled = (x - x.mean(0)) / x.std(0)
    assert rows[0]["distance"] == pytest.approx(float(np.linalg.norm(scaled[0] - scaled[1])), rel=1e-4)
    assert list(rows[0]) == ["rank", "neuron", "distance", "side"] and rows[0]["side"] == "r"


@pytest.mark.parametrize("top", [0, 6, -1])
def test_no_more_than_there_are(table, top):
    with pytest.raises(InputError, match=f"--top {top} of 5 other neurons"):
        neighbours_of(table, "basket-0000", top)
    with pytest.raises(UnknownNameError, match="did you mean 'basket-000"):
        neighbours_of(table, "basket-000", 2)


def test_a_shape_finds_itself_first_and_then_what_its_row_finds(table, neurons):
    rows = neighbours_of_shape(table, neurons[4], encoder(0), 6)
    assert rows[0]["neuron"] == neurons[4].name and rows[0]["distance"] == pytest.approx(0, abs=1e-5)
    assert [row["neuron"] for row in rows[1:]] == [row["neuron"] for row in neighbours_of(table, neurons[4].name, 5)]


def test_another_encoder_is_refused(table, neurons):
    with pytest.raises(InputError, match=r"Encoder 'small1' has weights 111111111111.*000000000000"):
        neighbours_of_shape(table, neurons[0], encoder(1), 2)


def test_an_unknown_name_among_thousands_makes_no_page_of_text():
    table = AnnData(np.zeros((1000, 1), np.float32), obs=pd.DataFrame(index=[f"n{k:04d}" for k in range(1000)]))
    with pytest.raises(UnknownNameError) as caught:
        neighbours_of(table, "m0007")
    assert "n0039 and 960 more" in str(caught.value) and "did you mean 'n0007'" in str(caught.value)
    assert len(str(caught.value)) < 500
