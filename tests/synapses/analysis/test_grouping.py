import json

import numpy as np
import pytest

from neurotome.cluster import ChoiceSettings
from neurotome.cluster.agreement import adjusted_rand, cross_table
from neurotome.core import InputError, ValueRangeError
from neurotome.io.feature_table import read_feature_table, write_feature_table
from neurotome.synapses.analysis import group_synapses
from neurotome.synapses.analysis.feature_matrix import rows_of
from neurotome.synapses.analysis.grouping import MAPS

QUICK = ChoiceSettings(most=5, pairs=3, clouds=19, starts=3)


def _rand(table, other="kind", column="cluster"):
    return adjusted_rand(cross_table(table.obs[column].astype(str).to_numpy(), table.obs[other].astype(str).to_numpy()))


def test_planted_kinds_come_back_and_everything_is_written(grouped, tmp_path):
    table, found = grouped
    assert found.k == 3
    assert _rand(table) == 1
    assert "the largest silhouette" in found.selection["uncorrected"]["reason"]
    assert found.selection["uncorrected"]["null"]["p"] == 0.05
    assert [row["k"] for row in found.selection["uncorrected"]["curves"]] == [1, 2, 3, 4, 5]
    assert found.selection["features"]["dropped"]["vesicle_count"] == "100% missing"
    assert found.volume_effect["uncorrected"]["verdict"] == "none"
    assert found.volume_effect["corrected"]["correction"] == "z_per_volume"
    assert found.volume_effect["same_clusters_rand"] == 1
    assert any("1 missing values" in note for note in found.notes)
    json.dumps([found.selection, found.volume_effect, dict(found.descriptions)], allow_nan=False)
    write_feature_table(tmp_path / "features.h5ad", table)
    again = read_feature_table(tmp_path / "features.h5ad")
    assert {"X_scaled", "X_pca", "X_tsne"} <= set(again.obsm)
    assert again.layers["scaled"].shape == table.shape
    assert np.isnan(again.layers["scaled"][:, table.var_names.get_loc("vesicle_count")]).all()
    assert again.uns["cluster"]["features"] == "morphometry"
    assert again.uns["descriptions"] == dict(found.descriptions)
    assert again.uns["clusters"]["stable"].all()


def test_profiles_are_in_the_units_of_the_measures(grouped):
    table, _ = grouped
    profiles = table.uns["profiles"]
    row = profiles[(profiles["feature"] == "cleft_area_um2")].nlargest(1, "effect").iloc[0]
    inside = (table.obs["cluster"].astype(int) == row["cluster"]).to_numpy()
    area = table.X[:, table.var_names.get_loc("cleft_area_um2")]
    np.testing.assert_allclose(row["mean"], area[inside].mean(), rtol=1e-5)
    np.testing.assert_allclose(row["mean_others"], area[~inside].mean(), rtol=1e-5)
    assert row["effect"] > 3
    assert set(profiles["feature"]) == set(table.uns["cluster"]["columns"])


def test_clusters_describe_themselves(grouped):
    table, found = grouped
    kind_of = table.obs.groupby("cluster", observed=True)["kind"].first()
    said = {kind_of[name]: text for name, text in found.descriptions.items()}
    assert said["kind 0"].startswith("30 synapses: large, ")
    assert "large vesicle cloud" in said["kind 0"]
    assert "perforated" in said["kind 1"]
    assert "curved" in said["kind 1"]
    assert "mitochondrion present" in said["kind 2"]


def test_two_runs_are_the_same_to_the_last_bit(synapses):
    pair = [synapses(20), synapses(20)]
    for table in pair:
        group_synapses(table, k=3, maps=(("tsne", 2),))
    for slot in ("X_scaled", "X_tsne"):
        np.testing.assert_array_equal(pair[0].obsm[slot], pair[1].obsm[slot])
    assert pair[0].uns["profiles"].equals(pair[1].uns["profiles"])
    assert (pair[0].obs["cluster"] == pair[1].obs["cluster"]).all()


def test_a_shift_between_volumes_is_seen_and_corrected_beside(synapses):
    # Only what is the same in all kinds moves, and it moves far: the verdict says so, the other result does without.
    table = synapses(shift=3.0)
    found = group_synapses(table, k=3, maps=())
    assert found.volume_effect["uncorrected"]["verdict"] == "present"
    assert found.volume_effect["uncorrected"]["within"]["p"] < 0.01
    assert found.volume_effect["corrected"]["verdict"] == "none"
    assert found.selection["uncorrected"]["reason"] == "k was given"
    assert _rand(table, column="cluster_other") == 1
    chosen = group_synapses(table, k=3, correction="z_per_volume", maps=())
    assert chosen.matrix.correction == table.uns["cluster"]["correction"] == "z_per_volume"
    assert _rand(table) == 1
    assert chosen.volume_effect["corrected"]["verdict"] == "none"
    assert chosen.volume_effect["uncorrected"]["verdict"] == "present"


def test_one_cloud_is_called_one_cloud(synapses):
    table = synapses()
    rng = np.random.default_rng(5)
    table.X[:, :8] = np.exp(0.3 * rng.standard_normal((90, 8)))
    found = group_synapses(table, choice=QUICK, maps=())
    assert found.k == 1
    assert "no structure beyond one cloud" in found.selection["uncorrected"]["reason"]
    assert found.descriptions == {"0": "90 synapses; no structure beyond one cloud: all synapses are of one kind"}
    assert table.uns["profiles"]["effect"].isna().all()


def test_methods_that_find_their_own_number_may_call_rows_noise(synapses):
    table = synapses()
    found = group_synapses(table, method="hdbscan", maps=())
    assert found.k == 3
    assert found.selection["uncorrected"]["reason"] == "found by the method"
    assert table.obs["cluster_probability"].between(0, 1).all()
    table.X[:, :8] = np.random.default_rng(0).random((90, 8))
    # Ninety uniform rows in eight dimensions: all noise, and nothing fails.
    found = group_synapses(table, method="dbscan", maps=())
    assert set(found.descriptions) <= {"-1", "0", "1"}


@pytest.mark.parametrize("n", [2, 3, 12])
def test_few_synapses_give_notes_instead_of_a_failure(synapses, n):
    table = rows_of(synapses(), np.arange(n))
    maps = MAPS if n < 4 else tuple(one for one in MAPS if one[0] != "umap")
    found = group_synapses(table, maps=maps)
    assert found.k == 1
    assert any(f"{n} synapses are too few to choose a number of clusters" in note for note in found.notes)
    assert {"X_pca", "X_tsne", "X_tsne3"} <= set(table.obsm)
    assert table.obsm["X_tsne3"].shape == (n, 3)
    if n < 4:
        assert any("too few for a map of neighbourhoods" in note for note in found.notes)


def test_one_volume_has_no_volume_effect(synapses):
    table = synapses(volumes=("v1",))
    found = group_synapses(table, k=3, maps=())
    assert found.volume_effect["uncorrected"]["verdict"] == "not applicable"
    assert found.volume_effect["corrected"] is None
    assert any("of one volume" in note for note in found.notes)
    assert "cluster_other" not in table.obs


def test_what_cannot_be_grouped_is_told(synapses):
    with pytest.raises(ValueRangeError, match="k = 12 clusters of 12 rows"):
        group_synapses(rows_of(synapses(), np.arange(12)), k=12, maps=())
    with pytest.raises(InputError, match="No column has two different values"):
        group_synapses(rows_of(synapses(), np.arange(1)), maps=())
