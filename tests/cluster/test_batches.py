import numpy as np
import pytest

from neurotome.cluster import BatchSettings, batch_effect, corrected, cross_table
from neurotome.cluster.agreement import adjusted_rand
from neurotome.cluster.evidence import permanova
from neurotome.cluster.partitions import kmeans
from neurotome.core import InputError

QUICK = BatchSettings(table_permutations=199, feature_permutations=99)


def rows_of(shift, *, same_shares, seed=0):
    """Four kinds in three batches: features (240, 8), kind, batch."""
    rng = np.random.default_rng(seed)
    batch = np.repeat(np.arange(3), 80)
    shares = np.array([[0.6, 0.3, 0.1, 0], [0.1, 0.6, 0.3, 0], [0, 0.1, 0.3, 0.6]])
    kind = np.tile(np.arange(4), 60) if same_shares else np.array([rng.choice(4, p=shares[one]) for one in batch])
    values = 4 * rng.standard_normal((4, 8))[kind] + rng.standard_normal((240, 8)) + shift * rng.standard_normal((3, 8))[batch]
    return values, kind, batch


def test_permanova_of_the_example_and_of_strata():
    values = np.array([[0.0], [1], [10], [11], [20], [21]])
    found = permanova(values, np.repeat([1, 2, 3], 2), permutations=199)
    assert found.f == pytest.approx(400)
    assert found.r2 == pytest.approx(0.996264, abs=1e-6)
    assert found.p < 0.15
    # Within strata the first of each pair is always the lower one.
    within = permanova(values, np.tile(["low", "high"], 3), strata=np.repeat([1, 2, 3], 2), permutations=199)
    assert within.r2 == 1
    assert permanova(values, np.tile(["low", "high"], 3), permutations=99).p > 0.5


def test_no_effect_is_none():
    values, kind, batch = rows_of(0, same_shares=True)
    found = batch_effect(values, kind, batch, QUICK)
    assert found.verdict == "none"
    assert found.cramers_v < 0.15
    assert found.knn_accuracy < 0.5
    assert found.knn_chance == pytest.approx(1 / 3, abs=0.05)


def test_a_shift_is_present_and_a_correction_removes_it():
    values, kind, batch = rows_of(8, same_shares=True)
    labels = kmeans(values, 4).labels
    found = batch_effect(values, labels, batch, QUICK)
    assert found.verdict == "present"
    assert found.knn_accuracy > 0.95
    assert found.features.r2 > 0.4
    better = corrected(values, batch, "z_per_batch")
    again = kmeans(better, 4).labels
    assert adjusted_rand(cross_table(kind, again)) > 0.9 > adjusted_rand(cross_table(kind, labels))
    assert batch_effect(better, again, batch, QUICK).verdict == "none"


def test_other_shares_are_confounded_and_marked_cell_by_cell():
    values, kind, batch = rows_of(0, same_shares=False)
    found = batch_effect(values, kind, batch, QUICK)
    assert found.verdict == "confounded"
    assert "would erase" in found.reason
    assert found.within.p > 0.05
    assert found.residuals.loc["3", "2"] > 3
    assert found.residuals.loc["3", "0"] < -3


def test_one_batch_cannot_be_tested():
    with pytest.raises(InputError, match="One batch only, 'a'"):
        batch_effect(np.eye(4), np.arange(4), np.repeat("a", 4))
