import numpy as np
import pytest

from neurotome.cluster import ProbeSettings, confounder_table, probe, residualised
from neurotome.cluster.prediction import columns_as_numbers, task_of
from neurotome.cluster.prediction.probe import _prepared
from neurotome.cluster.scores import accuracy, balanced_accuracy
from neurotome.core import ShapeError, UnknownNameError, ValueRangeError

QUICK = ProbeSettings(seeds=(0, 1), permutations=4, draws=200)


@pytest.mark.parametrize("kind", ["knn", "linear"])
def test_blobs_are_told_apart_and_shuffled_labels_give_chance(three_blobs, rng, kind):
    values, kinds = three_blobs
    settings = ProbeSettings(kind, seeds=(0, 1), permutations=6, draws=200, folds=5)
    found = probe(values, kinds, settings)
    assert found.value > 0.95
    assert found.low > 0.9
    assert found.chance == pytest.approx(1 / 3, abs=0.1)
    shuffled = probe(values, rng.permutation(kinds), settings)
    assert abs(shuffled.value - shuffled.chance) < 2 * max(shuffled.chance_sd, 0.05)


def test_a_probe_without_information_gets_a_half_of_90_to_10(rng):
    """Balanced accuracy that really is: the answer that is right in nine of ten rows gets 0.5."""
    labels = np.repeat(["common", "rare"], [90, 10])
    found = probe(np.c_[np.zeros(100), rng.standard_normal(100) * 1e-9], labels, ProbeSettings(k=60, permutations=0, draws=50))
    assert found.value == 0.5
    assert accuracy(found.truth, found.predictions[0]) == 0.9
    assert balanced_accuracy(found.truth, found.predictions[0]) == 0.5


def test_every_row_is_predicted_although_a_class_is_smaller_than_the_folds(three_blobs):
    values, kinds = three_blobs
    rows = np.r_[0:40, 40:80, 80:85]
    found = probe(values[rows], kinds[rows], ProbeSettings(small="spread", seeds=(0,), permutations=0))
    assert found.value == 1
    assert found.predictions.shape == (1, 85)
    assert np.isnan(found.chance)


def test_held_out_rows_do_not_reach_the_scaling(rng):
    values, train = rng.standard_normal((40, 3)), np.arange(40) < 30
    moved = values + 1e6 * ~train[:, None]
    confounders = rng.standard_normal((40, 2))
    for given in (None, confounders):
        before, after = (_prepared(table, given, train, QUICK) for table in (values, moved))
        assert (before[train] == after[train]).all()


def test_groups_stop_a_probe_from_knowing_the_group(rng):
    """Rows of a group are nearly the same and share a random label: without groups they are recognised, with groups not."""
    groups = np.repeat(np.arange(30), 4)
    values = rng.standard_normal((30, 5))[groups] + 0.01 * rng.standard_normal((120, 5))
    labels = np.array(["a", "b"])[rng.permutation(np.arange(30) % 2)][groups]
    settings = ProbeSettings(k=1, folds=5, seeds=(0, 1), permutations=3, draws=100)
    assert probe(values, labels, settings).value > 0.95
    fair = probe(values, labels, settings, groups=groups)
    assert fair.value < 0.75
    assert fair.chance == pytest.approx(0.5, abs=0.2)


def test_confounders_alone_are_shown_and_can_be_taken_out(rng):
    size = rng.standard_normal(150)
    labels = np.where(size > 0, "large", "small")
    values = np.outer(size, [1.0, -2, 0.5]) + 0.1 * rng.standard_normal((150, 3))
    animal = np.array(["m1", "m2", "m3"])[rng.integers(0, 3, 150)]
    table = confounder_table(values, {"size": size, "animal": animal}, labels, QUICK).set_index("features")["value"]
    assert list(table.index) == ["features", "size", "animal", "all confounders", "features without them"]
    assert table["features"] > 0.9
    assert table["size"] > 0.9
    assert table["animal"] < 0.65
    assert table["features without them"] < 0.65


def test_residuals_are_uncorrelated_with_the_confounders(rng):
    values, confounders = rng.standard_normal((80, 4)), rng.standard_normal((80, 3))
    values[:, 0] += 3 * confounders[:, 1]
    left = residualised(values, confounders)
    assert np.abs((left - left.mean(0)).T @ (confounders - confounders.mean(0))).max() < 1e-9
    np.testing.assert_allclose(left.mean(0), values.mean(0))
    with pytest.raises(ShapeError, match="confounders has 79"):
        residualised(values, confounders[:79])


def test_names_become_columns():
    table, names = columns_as_numbers({"x": np.array([1, np.nan]), "y": np.array(["q", None], object)})
    assert names == ["x", "y=q"]
    assert table[:, 1].tolist() == [1, 0]


def test_the_same_twice_and_as_a_row(three_blobs):
    values, kinds = three_blobs
    first, second = (probe(values, kinds, QUICK) for _ in range(2))
    assert first.predictions.tobytes() == second.predictions.tobytes()
    row = first.row("X", "kind")
    assert (row["measure"], row["n"], row["classes"], row["folds"]) == ("knn5_balanced_accuracy", 120, 3, 10)
    assert row == second.row("X", "kind")


def test_bad_settings():
    with pytest.raises(UnknownNameError, match="did you mean 'linear'"):
        ProbeSettings("linnear")
    with pytest.raises(UnknownNameError, match="did you mean 'balanced_accuracy'"):
        ProbeSettings(score="balanced")
    with pytest.raises(ValueRangeError, match="at least one seed"):
        ProbeSettings(seeds=())
    with pytest.raises(ValueRangeError, match="Class 'b' has 3 members for 10 folds"):
        probe(np.eye(23), np.repeat(["a", "b"], [20, 3]))
    assert task_of(np.repeat(["a", "b"], [20, 10])).sizes.tolist() == [20, 10]
