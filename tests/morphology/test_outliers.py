import numpy as np
import pytest

from neurotome.core import InputError, ShapeError
from neurotome.datasets.neuron_shapes import collection, grown, merged
from neurotome.morphology.descriptors import describe
from neurotome.morphology.outliers import outlier_table, surprise

KINDS = ("granule", "stellate", "bipolar", "starburst")


def test_planted_merges_rank_first(seed=2):
    neurons, _ = collection(20, seed, kinds=KINDS)
    rng = np.random.default_rng(seed)
    planted = rng.choice(len(neurons), 3, replace=False).tolist()
    for row in planted:
        neurons[row] = merged(neurons[row], grown(str(rng.choice(KINDS)), 1000 + row), rng)
    table = describe(neurons, ["morphometrics"])["morphometrics"]
    scaled = ((table - table.mean()) / (table.std() + 1e-9)).to_numpy()
    ranked = outlier_table(list(table.index), scaled, k=5)
    assert set(ranked.index[:3]) == {neurons[row].name for row in planted}
    assert ranked["rank"].tolist() == list(range(1, len(neurons) + 1))


def test_a_neuron_that_was_badly_remembered_comes_up_among_its_like():
    rng = np.random.default_rng(0)
    names = [f"n{i:02d}" for i in range(50)]
    f1 = dict(zip(names, rng.normal(0.9, 0.01, 50), strict=True))
    features = rng.normal(size=(50, 4))
    f1["n33"] = 0.5
    with_error = outlier_table(names, features, f1=f1)
    assert with_error.index[0] == "n33"
    assert with_error.loc["n33", "error"] == pytest.approx(0.5)
    assert outlier_table(names, features).index[0] != "n33"
    assert "error" not in outlier_table(names, features)


def test_surprise_is_in_robust_deviations():
    values = np.random.default_rng(0).normal(5, 2, 10_000)
    values[0] = 5 + 2 * 50
    assert surprise(values)[0] == pytest.approx(50, rel=0.05)
    assert surprise(np.full(5, 3.0)).tolist() == [0] * 5
    assert surprise(np.array([1.0, 1, 1, 1, 9]))[-1] > 2


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ShapeError, match="2 names and 3 rows"):
        outlier_table(["a", "b"], np.zeros((3, 2)))
    with pytest.raises(InputError, match="'c' was not reconstructed"):
        outlier_table(["a", "b", "c"], np.arange(6.0).reshape(3, 2), f1={"a": 1, "b": 1})
