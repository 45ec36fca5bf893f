import numpy as np
import pytest

from neurotome.cluster import knn_accuracy, quality_table, readable_share, silhouette, trustworthiness
from neurotome.cluster.quality import QUALITY_COLUMNS
from neurotome.cluster.scores import macro_f1, votes
from neurotome.core import InputError, ValueRangeError


def test_silhouette_and_trustworthiness_are_those_of_scikit_learn(rng):
    from sklearn import manifold, metrics

    values, labels = rng.standard_normal((70, 5)), rng.integers(0, 4, 70)
    labels[3] = 9
    assert silhouette(values, labels) == pytest.approx(metrics.silhouette_score(values, labels))
    flat = values[:, :2]
    for k in (1, 5, 30):
        assert trustworthiness(values, flat, k) == pytest.approx(manifold.trustworthiness(values, flat, n_neighbors=k))
    assert trustworthiness(values, values, 5) == 1


def test_macro_f1_is_that_of_scikit_learn(rng):
    from sklearn import metrics

    truth, predicted = rng.integers(0, 4, 100), rng.integers(0, 4, 100)
    assert macro_f1(truth, predicted) == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))


def test_neighbours_tell_blobs_and_not_noise(three_blobs, rng):
    values, kinds = three_blobs
    assert knn_accuracy(values, kinds) == 1
    shuffled = [knn_accuracy(values, rng.permutation(kinds)) for _ in range(20)]
    assert abs(np.mean(shuffled) - 1 / 3) < 0.05


def test_a_row_never_votes_for_itself():
    assert knn_accuracy(np.array([[0.0], [1], [10], [11]]), np.array(["a", "b", "c", "d"]), k=1) == 0


def test_equal_votes_go_to_the_nearest():
    assert votes(np.array([[2, 1, 1, 2], [0, 1, 2, 2]]), 3).tolist() == [2, 2]


def test_a_column_can_be_read_off_where_it_shapes_the_rows(rng):
    depth = rng.uniform(-1000, -400, 300)
    values = np.stack([depth / 100, rng.standard_normal(300)], axis=1)
    assert readable_share(values, depth) > 0.85
    assert readable_share(rng.standard_normal((300, 2)), depth) < 0.1
    missing = np.where(np.arange(300) < 250, depth, np.nan)
    assert readable_share(values, missing) > 0.85


def test_the_table_holds_every_space_and_column(three_blobs):
    values, kinds = three_blobs
    given = np.where(np.arange(120) < 5, None, kinds.astype(object))
    spaces = {"X": values, "X_pca": values[:, :2]}
    table = quality_table(spaces, {"kind": given, "one": np.full(120, "x")}, {"first": values[:, 0]}, original="X")
    assert tuple(table.columns) == QUALITY_COLUMNS
    assert "one" not in set(table["target"])
    found = table.set_index(["space", "measure", "target"])["value"]
    assert found["X", "knn5_balanced_accuracy", "kind"] == 1
    assert found["X", "silhouette", "kind"] > 0.5
    assert 0.5 < found["X_pca", "trustworthiness", "X"] <= 1
    assert table.set_index(["space", "measure", "target"])["n"]["X", "silhouette", "kind"] == 115


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(InputError, match="values that differ"):
        readable_share(np.eye(4), np.ones(4))
    with pytest.raises(ValueRangeError, match="1 to 2"):
        trustworthiness(np.eye(5), np.eye(5), 3)
    assert np.isnan(silhouette(np.eye(4), np.zeros(4, int)))
