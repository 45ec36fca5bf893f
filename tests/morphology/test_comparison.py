"""Labels in a table, hand-made features beside the learned one, groups, and what each set of features is worth."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from neurotome.core import InputError, UnknownNameError
from neurotome.datasets.neuron_shapes import collection
from neurotome.io import read_feature_table, write_feature_table
from neurotome.morphology.comparison import (
    add_descriptors,
    add_labels,
    compare_features,
    feature_names,
    features_slot,
    find_groups,
    judge_maps,
    label_columns,
    label_names,
)


def table_of(n=24, columns=4, seed=0):
    """Rows n00, n01, ... of two kinds that X tells apart and obsm["noise"] does not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    x[n // 2 :, 0] += 8
    names = [f"n{row:02d}" for row in range(n)]
    obs = pd.DataFrame({"length_um": rng.random(n), "extent_um": rng.random(n), "nodes": 5}, index=names)
    table = AnnData(x, obs=obs)
    table.obsm["noise"] = rng.normal(size=(n, 3)).astype(np.float32)
    table.uns["columns"] = {"noise": np.array(["a", "b", "c"], dtype=object)}
    return table


def labels_of(table, **columns):
    return pd.DataFrame(columns, index=pd.Index(table.obs_names, name="neuron_id"))


def halves(table):
    return ["a"] * (table.n_obs // 2) + ["b"] * (table.n_obs - table.n_obs // 2)


def test_labels_become_columns_and_counts_stay():
    table = table_of(6)
    labels = labels_of(table, cell_type=list("abbaab"), depth=np.arange(6.0), nodes=99, cluster="mine").drop("n02")
    notes = add_labels(table, labels)
    assert notes == ["labels: nodes, cluster left out, the table has its own", "1 of 6 neurons have no labels: n02"]
    assert table.obs["cell_type"].astype(object).tolist()[:2] == ["a", "b"] and pd.isna(table.obs.loc["n02", "cell_type"])
    assert table.obs["depth"].dtype == float and (table.obs["nodes"] == 5).all() and "cluster" not in table.obs
    assert label_names(table) == ["cell_type", "depth"] and label_columns(table) == ["cell_type"]


def test_later_labels_replace_those_of_their_name_and_keep_the_others():
    table = table_of(4)
    add_labels(table, labels_of(table, side=["l", "l", "r", "r"], kind_of=["a", "a", "b", "b"]))
    add_labels(table, labels_of(table, side=["r", "r", "l", "l"]))
    add_labels(table, labels_of(table, kind_of=["c", "c", "d", "d"]))
    assert label_names(table) == ["side", "kind_of"]
    assert table.obs["side"].tolist() == ["r", "r", "l", "l"] and table.obs["kind_of"].tolist() == ["c", "c", "d", "d"]


def test_labels_survive_the_file(tmp_path):
    table = table_of(4)
    add_labels(table, labels_of(table, mixed=["1", "2a", None, "1"], flag=[True, False, True, True]))
    write_feature_table(tmp_path / "t.h5ad", table)
    again = read_feature_table(tmp_path / "t.h5ad")
    assert label_names(again) == ["mixed", "flag"]
    assert again.obs["mixed"].astype(object).where(again.obs["mixed"].notna(), None).tolist() == ["1", "2a", None, "1"]


def test_labels_of_other_neurons_are_refused():
    with pytest.raises(InputError, match=r"labels are of other neurons: x, y.*n00, n01"):
        add_labels(table_of(4), pd.DataFrame({"a": [1, 2]}, index=["x", "y"]))


@pytest.mark.parametrize(
    ("values", "sorts"),
    [
        ("aabbaabb", True),
        ("aaaaaaaa", False),  # one class
        ("aaaaaaab", False),  # one that has a second member
        ("abcdefgh", False),  # names
    ],
)
def test_columns_that_sort_neurons_into_classes(values, sorts):
    table = table_of(8)
    add_labels(table, labels_of(table, label=list(values)))
    assert label_columns(table) == (["label"] if sorts else [])


def test_hand_made_features_stand_in_the_order_of_the_rows():
    neurons, _ = collection(2, seed=0, kinds=("granule", "bipolar"))
    table = AnnData(np.zeros((4, 2), np.float32), obs=pd.DataFrame(index=[n.name for n in neurons]))
    assert add_descriptors(table, neurons[::-1]) == ["morphometrics", "persistence", "sholl", "density"]
    assert feature_names(table) == ["embedding", "morphometrics", "persistence", "sholl", "density"]
    straight = table.copy()
    add_descriptors(straight, neurons)
    for name in ("morphometrics", "density"):
        assert table.obsm[name].dtype == np.float32 and table.obsm[name].shape == (4, len(table.uns["columns"][name]))
        np.testing.assert_array_equal(table.obsm[name], straight.obsm[name])
    assert features_slot(table, "embedding") == "X" and features_slot(table, "sholl") == "sholl"
    with pytest.raises(UnknownNameError, match="set of features 'shol'"):
        features_slot(table, "shol")


def test_features_that_tell_the_label_score_and_noise_does_not():
    table = table_of()
    add_labels(table, labels_of(table, kind_of=halves(table)))
    assert compare_features(table) == []
    scores = table.uns["scores"].set_index(["features", "measure"])["value"]
    assert scores["embedding"].min() > 0.95 and scores["noise"].max() < 0.8
    assert len(scores) == 4 and (table.uns["scores"]["folds"] == 10).all()
    shuffled = np.random.default_rng(3).permutation(halves(table))
    add_labels(table, labels_of(table, kind_of=list(shuffled)))
    compare_features(table)
    chance = table.uns["scores"].set_index(["features", "measure"])
    assert (chance.loc["embedding", "value"] - chance.loc["embedding", "chance"]).abs().max() < 0.25


def test_small_classes_and_neurons_without_label_are_left_out_and_told_of():
    table = table_of()
    add_labels(table, labels_of(table, kind_of=[*halves(table)[:-2], "rare", None]))
    assert compare_features(table) == ["kind_of: tested without 2 neurons that have no label or fewer than 5 of their class"]
    assert (table.uns["scores"]["n"] == 22).all() and (table.uns["scores"]["classes"] == 2).all()


def test_without_classes_of_five_there_is_no_score():
    table = table_of(8)
    add_labels(table, labels_of(table, kind_of=list("aaaabbbb")))
    table.uns["scores"] = pd.DataFrame({"target": ["old"]})
    assert compare_features(table) == ["kind_of: tested without 8 neurons that have no label or fewer than 5 of their class"]
    assert "scores" not in table.uns


def test_two_neurons_have_no_groups():
    table = table_of(2)
    assert find_groups(table) == ["2 neurons: too few for maps, groups and neighbours"]
    judge_maps(table)
    assert "cluster" not in table.obs and not table.obsm.keys() & {"X_pca", "neighbours"} and "quality" not in table.uns
