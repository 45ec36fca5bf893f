"""A table in words: what was left out or centred otherwise, groups, headline, tables for a spreadsheet."""

import json

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from neurotome.core import InputError, UnknownNameError
from neurotome.morphology.summary import (
    groups_in_words,
    headline,
    left_out_notes,
    neighbour_rows,
    reading_notes,
    side_tables,
    spread_over,
)


def table_of(centres, trees=1, clipped=0.0, **settings):
    n = len(centres)
    obs = pd.DataFrame({"centre": centres, "trees": trees, "clipped_fraction": clipped}, index=[f"n{k}" for k in range(n)])
    table = AnnData(np.arange(2.0 * n, dtype=np.float32).reshape(n, 2), obs=obs)
    table.uns["morphology"] = {"settings": json.dumps({"centring": "soma", "rule": "neurotome", **settings})}
    return table


def test_nothing_to_tell():
    assert reading_notes(table_of(["soma", "soma"]), []) == []
    assert reading_notes(table_of(["mean", "mean"], centring="mean"), []) == []
    assert reading_notes(table_of(["corner"], rule="legacy"), []) == []


def test_centre_trees_and_what_was_cut_are_told():
    table = table_of(["soma", "mean", "mean"], trees=[1, 2, 1], clipped=[0, 0.001, 0.25])
    assert reading_notes(table, [{"source": "a.swc", "message": "no node"}]) == [
        "'a.swc' is left out: no node",
        "2 of 3 neurons have no soma: centred on the mean of the shape",
        "1 of 3 neurons are of several trees; all of them were taken",
        "2 of 3 neurons leave their grid, 'n2' with 25.0% of its shape",
    ]
    (note,) = reading_notes(table_of(["soma_xz", "mean_xz"], centring="soma_xz"), [])
    assert note == "1 of 2 neurons have no soma: centred on the mean of the shape in the plane"


def test_many_files_left_out_are_counted():
    notes = left_out_notes([{"source": str(k), "message": "bad"} for k in range(8)])
    assert len(notes) == 6 and notes[-1] == "3 more files are left out, see run.json"


def test_groups_in_words():
    table = table_of(["soma"] * 3)
    assert groups_in_words(table) == "no groups"
    table.obs["cluster"] = pd.Categorical(["0", "0", "0"])
    assert groups_in_words(table) == "1 group"
    table.obs["cluster"] = pd.Categorical(["0", "1", "0"])
    table.uns["cluster"] = {"reason": "k was given"}
    assert groups_in_words(table) == "2 groups (k was given)"


def test_the_headline_names_the_best_rival_and_chance():
    table = table_of(["soma"] * 3)
    assert headline(table) == []
    rows = [("embedding", 0.8), ("sholl", 0.6), ("morphometrics", 0.9)]
    table.uns["scores"] = pd.DataFrame(
        [{"features": name, "target": "type", "measure": "acc", "value": value, "chance": 0.5} for name, value in rows]
    )
    assert headline(table) == ["type, acc: 0.800; best hand-made (morphometrics) 0.900; chance 0.500"]
    table.uns["scores"] = table.uns["scores"][:1]
    assert headline(table) == ["type, acc: 0.800; chance 0.500"]
    table.uns["scores"] = pd.DataFrame([{"features": "sholl", "target": "t", "measure": "m", "value": 1.0, "chance": 0.5}])
    assert headline(table) == []


def test_side_tables_say_what_there_is_not():
    assert all(rows is None for rows in side_tables(table_of(["soma"] * 2)).values())
    table = table_of(["soma"] * 3)
    table.obsm["neighbours"] = np.array([[1, 2], [0, 2], [1, 0]], np.int32)
    table.obsm["neighbour_distances"] = np.array([[1, 2], [1, 1], [1, 2]], np.float32)
    found = side_tables(table)
    assert list(found["neighbours"]["neighbour"]) == ["n1", "n2", "n0", "n2", "n1", "n0"]
    assert sorted(found["outliers"]["neuron"]) == ["n0", "n1", "n2"] and list(found["outliers"]["rank"]) == [1, 2, 3]
    assert found["scores"] is None
    assert neighbour_rows(table, "n2", 1) == [{"neuron": "n2", "rank": 1, "neighbour": "n1", "distance": 1.0}]
    with pytest.raises(UnknownNameError, match="neuron 'n9'"):
        neighbour_rows(table, "n9", 1)
    with pytest.raises(InputError, match="no neighbours"):
        neighbour_rows(table_of(["soma"]), "n0", 1)


@pytest.mark.parametrize(("count", "found"), [(1, "a"), (2, "ag"), (4, "aceg"), (7, "abcdefg"), (9, "abcdefg")])
def test_spread_over(count, found):
    names = spread_over("abcdefg", count)
    assert len(names) == len(found) and names[0] == "a" and names == sorted(set(names))
    if count > 1:
        assert names[-1] == "g"
