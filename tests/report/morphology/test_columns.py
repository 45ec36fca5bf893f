"""Columns as groups and numbers: order, colours, what is missing."""

import numpy as np
import pandas as pd
import pytest

from neurotome.report.morphology.columns import OTHERS, Column, columns_of, label_of, offered
from neurotome.report.morphology.pictures import colours_of_numbers
from neurotome.report.morphology.run import ShapeRun
from neurotome.report.results import Results


def run_of(tmp_path, scores=(), **columns):
    import anndata

    obs = pd.DataFrame(columns)
    obs.index = obs.index.astype(str)
    table = anndata.AnnData(np.zeros((len(obs), 1), np.float32), obs=obs)
    return ShapeRun(Results(tmp_path, {}), table, np.empty((0, 4)), np.zeros(len(obs) + 1, int), tuple(scores))


def test_the_largest_group_comes_first_and_numbered_ones_keep_their_order(tmp_path):
    kinds = ["L1", "T10", "T2", "T2", None, ""]
    clusters = pd.Categorical([10, 2, 2, 2, 10, -1])
    by_kind, by_cluster = columns_of(run_of(tmp_path, cell_type=kinds, cluster=clusters))
    assert by_kind.groups == ("T2", "L1", "T10") and by_kind.counts == [2, 1, 1] and by_kind.unknown == 2
    assert by_kind.values.tolist() == [1, 2, 0, 0, -1, -1]
    assert by_cluster.groups == ("2", "10") and by_cluster.text(5) == "in no cluster" and by_kind.text(5) == "not known"


def test_every_group_has_a_look_of_its_own_until_they_are_used_up(tmp_path):
    column = Column("type", np.arange(40), tuple(f"T{k}" for k in range(40)))
    looks = list(zip(column.colours, column.symbols, strict=True))
    assert len(set(looks[:28])) == 28 and set(looks[28:]) == {(OTHERS, "circle")}


def test_limits_hold_the_middle_of_the_numbers():
    column = Column("length_um", np.array([*range(1, 100), 10_000.0, np.nan]))
    low, high = column.limits
    assert low == pytest.approx(2.98) and 98 < high < 100 and column.unknown == 1
    colours = colours_of_numbers(column)
    assert colours[0].tolist() == [0x44, 0x01, 0x54] and colours[99].tolist() == [0xFD, 0xE7, 0x25]
    assert colours[100].tolist() == [0xB4, 0xBC, 0xC4]
    assert Column("x", np.full(3, np.nan)).limits == (0, 1) and Column("x", np.full(3, 5.0)).limits == (5, 6)


def test_the_label_is_what_was_asked_for_then_what_was_scored(tmp_path):
    table = {
        "layer": ["a", "b", "a", "b"],
        "cell_type": ["x", "x", "y", "y"],
        "depth_um": [1.0, 2, 3, 4],
        "kind": ["mesh", "points"] * 2,
    }
    scored = run_of(tmp_path, scores=[{"target": "cell_type"}], **table)
    columns = offered(columns_of(scored))
    assert label_of(scored, columns).name == "cell_type"
    assert label_of(scored, columns, ["depth_um", "layer"]).name == "layer"
    assert label_of(run_of(tmp_path, **table), columns).name == "layer"
    assert (
        label_of(run_of(tmp_path, kind=["mesh", "points"]), offered(columns_of(run_of(tmp_path, kind=["mesh", "points"]))))
        is None
    )
