import numpy as np
import pandas as pd
import pytest

from neurotome.core import FormatError, InputError, UnknownNameError
from neurotome.synapses.analysis import (
    annotator_agreement,
    cross_tabulations,
    group_synapses,
    manual_agreement,
    manual_features,
    read_manual_labels,
)


@pytest.fixture
def labels(grouped):
    """PSD size judged right, location at random, a few synapses not judged at all."""
    table, _ = grouped
    area = table.X[:, table.var_names.get_loc("cleft_area_um2")]
    said = pd.DataFrame(
        {
            "kind": table.obs["kind"].to_numpy(object),
            "psd_size": np.where(area > np.median(area), "large", "small").astype(object),
            "location": np.random.default_rng(0).choice(["spine", "dendrite"], 90).astype(object),
        },
        index=table.obs_names,
    )
    said.iloc[:4, 1] = None
    return said.iloc[:80]


def test_attributes_agree_with_clusters_and_with_the_measure_of_the_same(grouped, labels):
    table, _ = grouped
    found = manual_agreement(table, labels, orders={"psd_size": ["small", "large"]}, permutations=199)
    rows = found.set_index(["attribute", "measure"])
    assert rows.loc[("kind", "adjusted_rand"), ["value", "p", "n"]].tolist() == [1.0, 0.005, 80]
    assert rows.loc[("kind", "mutual_information"), "value"] == pytest.approx(1)
    assert rows.loc[("location", "adjusted_rand"), "p"] > 0.05
    area = rows.loc[("psd_size", "spearman")]
    assert (area["against"], area["n"], area["p"]) == ("cleft_area_um2", 76, 0.005)
    assert area["value"] == pytest.approx(0.866, abs=0.01)
    shuffled = manual_agreement(
        table, labels.sample(frac=1, random_state=3), orders={"psd_size": ["small", "large"]}, permutations=199
    )
    pd.testing.assert_frame_equal(found, shuffled)
    counts = cross_tabulations(table, labels)["psd_size"]
    assert counts.loc["large"].sum() == (labels["psd_size"] == "large").sum()


def test_exact_agreement_of_four(grouped):
    table, _ = grouped
    table.obs["cluster"] = "9"
    table.obs.iloc[:4, table.obs.columns.get_loc("cluster")] = ["0", "0", "1", "2"]
    four = pd.DataFrame({"size": [0, 0, 1, 1]}, index=table.obs_names[:4])
    found = manual_agreement(table, four, permutations=9).set_index("measure")["value"]
    assert found["adjusted_rand"] == pytest.approx(0.571429, abs=1e-6)
    assert found["mutual_information"] == pytest.approx(0.8)


def test_two_people(grouped):
    table, _ = grouped
    keys = table.obs_names[:5]
    first = pd.DataFrame({"dyad": [1, 1, 0, 0, 1], "size": list("abcde")}, index=keys)
    second = pd.DataFrame({"dyad": [1, 0, 0, 0, 1]}, index=keys).iloc[::-1]
    found = annotator_agreement(first, second, permutations=99)
    assert found["attribute"].tolist() == ["dyad"]
    assert found["value"].iloc[0] == pytest.approx(0.615385, abs=1e-6)
    assert 0.05 < found["p"].iloc[0] <= 1
    with pytest.raises(InputError, match="some of the same synapses"):
        annotator_agreement(first, second.set_axis(list("vwxyz")))


def test_labels_can_be_grouped_like_features(labels):
    made = manual_features(labels, {"psd_size": ["small", "large"]})
    assert list(made.var_names) == [
        *("kind=kind 0", "kind=kind 1", "kind=kind 2", "psd_size", "location=dendrite", "location=spine")
    ]
    assert np.isnan(made.X[:4, 3]).all()
    found = group_synapses(made, families=("manual",), k=3, maps=(("pca", 2),))
    assert found.k == 3
    with pytest.raises(UnknownNameError, match="Unknown label 'large'"):
        manual_features(labels, {"psd_size": ["small", "big"]})


def test_tables_are_read_by_their_keys(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("dataset,volume,synapse_id,PSD size\nd,v1,007,large\nd,v1,8,\n")
    read = read_manual_labels(path)
    assert read.index.tolist() == ["d/v1/007", "d/v1/8"]
    assert read.columns.tolist() == ["psd_size"]
    assert read["psd_size"].isna().tolist() == [False, True]
    path.write_text("key,size\nd/v/1,2\nd/v/1,3\n")
    with pytest.raises(InputError, match="two rows for 'd/v/1'"):
        read_manual_labels(path)
    path.write_text("name,size\n1,2\n")
    with pytest.raises(FormatError, match="has the columns name, size"):
        read_manual_labels(path)


def test_labels_of_other_synapses_are_refused(grouped, labels):
    table, _ = grouped
    with pytest.raises(InputError, match="keys such as 'study/v1/0, study/v1/1'"):
        manual_agreement(table, labels.set_axis([f"x/{at}" for at in range(80)]))
