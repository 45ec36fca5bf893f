import numpy as np
import pandas as pd
import pytest

from neurotome import cluster
from neurotome.cluster import ChoiceSettings, FeatureSettings, ProbeSettings
from neurotome.cluster.tables import SCORE_COLUMNS, column_of
from neurotome.core import InputError, UnknownNameError
from neurotome.io.feature_table import read_feature_table, write_feature_table

QUICK = ChoiceSettings(most=4, pairs=3, clouds=19, starts=3)


@pytest.fixture
def table(three_blobs):
    import anndata

    values, kinds = three_blobs
    obs = pd.DataFrame({"kind": pd.Categorical(kinds), "depth": values[:, 0]}, index=[f"n{at:03}" for at in range(120)])
    made = anndata.AnnData(values.astype(np.float32), obs)
    made.var_names = [f"e{at}" for at in range(6)]
    made.obsm["other"] = np.random.default_rng(0).standard_normal((120, 30)).astype(np.float32)
    made.obs["batch"] = pd.Categorical(np.tile(["x", "y"], 60))
    return made


def test_every_verb_writes_its_slots_and_the_table_can_be_stored(table, tmp_path):
    cluster.project(table, ("pca", "tsne"))
    found, choice = cluster.partition(table, choice=QUICK)
    cluster.nearest(table, 7)
    cluster.loneliness(table)
    cluster.judge(table, ["kind", "cluster"], ["depth"])
    cluster.score(table, "kind", ProbeSettings(seeds=(0,), permutations=2, draws=20))
    cluster.batches(table, "batch", test=cluster.BatchSettings(99, 99))
    cluster.profiles(table)
    assert (found.k, choice.k) == (3, 3)
    write_feature_table(tmp_path / "table.h5ad", table)
    again = read_feature_table(tmp_path / "table.h5ad")
    assert again.obsm["X_tsne"].shape == again.obsm["X_pca"].shape == (120, 2)
    assert again.obs["cluster"].cat.categories.tolist() == ["0", "1", "2"]
    assert pd.crosstab(again.obs["cluster"], again.obs["kind"]).max().tolist() == [40, 40, 40]
    assert (again.obsm["neighbours"].dtype, again.obsm["neighbours"].shape) == (np.int32, (120, 7))
    assert again.obsm["neighbour_distances"].dtype == np.float32
    assert again.uns["choice"].loc[again.uns["choice"]["chosen"], "k"].tolist() == [3]
    assert again.uns["cluster"]["k"] == 3
    assert set(again.uns["quality"]["space"]) == {"X", "X_pca", "X_tsne"}
    assert tuple(again.uns["scores"].columns) == SCORE_COLUMNS
    assert again.uns["batch_effect"]["verdict"] == "none"
    assert again.uns["clusters"]["stable"].all()
    assert set(again.uns["profiles"]["feature"]) == {f"e{at}" for at in range(6)}
    assert again.obs["outlier_score"].median() == pytest.approx(1, abs=0.05)


def test_given_k_and_other_methods_leave_no_trace_of_an_earlier_choice(table):
    cluster.partition(table, choice=QUICK)
    found, choice = cluster.partition(table, "gaussians", 2)
    assert choice is None
    assert found.k == 2
    assert "choice" not in table.uns
    assert table.obs["cluster_probability"].between(0, 1).all()
    cluster.partition(table, "kmeans", 2)
    assert "cluster_probability" not in table.obs


def test_sets_of_features_count_alike_whatever_their_width(table):
    both = cluster.prepared(table, FeatureSettings(("X", "other"), most_columns=None))
    squares = (both**2).mean(0)
    assert squares[:6].sum() == pytest.approx(squares[6:].sum(), rel=0.05)
    assert cluster.prepared(table, FeatureSettings(("other",), most_columns=10)).shape == (120, 10)


def test_scores_are_replaced_or_added(table):
    settings = ProbeSettings(seeds=(0,), permutations=1, draws=20)
    for features in ("X", "other", "X"):
        cluster.score(table, "kind", settings, features=features)
    cluster.score(table, "kind", settings, confounders=["depth"])
    assert table.uns["scores"]["features"].tolist() == ["other", "X", "X without depth"]
    by = table.uns["scores"].set_index("features")["value"]
    assert by["X"] > 0.95
    assert by["other"] < 0.6


def test_unknown_slots_and_columns_are_named(table):
    with pytest.raises(UnknownNameError, match="one of X, other"):
        cluster.features_of(table, "morphometrics")
    with pytest.raises(UnknownNameError, match="did you mean 'kind'"):
        column_of(table, "kinds")
    with pytest.raises(UnknownNameError, match="Unknown column 'e9'"):
        cluster.prepared(table, FeatureSettings(logged=("e9",)))
    with pytest.raises(InputError, match="without a batch"):
        FeatureSettings(correction="z_per_batch")
    with pytest.raises(InputError, match="one map at a time"):
        cluster.project(table, ("pca", "tsne"), perplexity=5)
