import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.cluster import benjamini_hochberg, cluster_profiles, cluster_table, group_likeness
from neurotome.cluster.evidence import PROFILE_COLUMNS, permutation_p, rank_sum_p, shuffled_within
from neurotome.cluster.partitions import kmeans
from neurotome.core import InputError, ShapeError


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_are_those_of_scipy(p):
    from scipy import stats

    np.testing.assert_allclose(benjamini_hochberg(np.array(p)), stats.false_discovery_control(p), atol=1e-12)


def test_missing_p_are_not_counted():
    assert benjamini_hochberg(np.array([0.01, np.nan, 0.02])).tolist() == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)


def test_rank_sums_are_those_of_scipy(rng):
    from scipy import stats

    values = np.c_[rng.standard_normal(60), rng.integers(0, 4, 60), np.ones(60)]
    inside = np.arange(60) < 25
    theirs = [stats.mannwhitneyu(c[inside], c[~inside], method="asymptotic").pvalue for c in values[:, :2].T]
    np.testing.assert_allclose(rank_sum_p(values, inside), [*theirs, 1], rtol=1e-9)


def test_profiles_name_the_column_that_sets_a_cluster_apart(rng):
    labels = np.repeat([0, 1, -1], [60, 40, 10])
    values = rng.standard_normal((110, 5))
    values[labels == 1, 2] += 3
    values[labels == 0, 4] -= 2
    table = cluster_profiles(values, labels, list("abcde"))
    assert tuple(table.columns) == PROFILE_COLUMNS
    first = table.groupby("cluster").head(1)
    assert first["feature"].tolist() == ["c", "c"] or first["feature"].tolist() == ["e", "c"]
    apart = table[(table["cluster"] == 1) & (table["feature"] == "c")].iloc[0]
    assert apart["low"] < apart["effect"] < apart["high"]
    assert apart["effect"] == pytest.approx(3, abs=0.8)
    assert apart["q"] < 1e-6
    noise = table[table["feature"].isin(["a", "b", "d"])]
    assert (noise["q"] > 0.05).sum() >= 4
    assert (table["q"] >= table["p"]).all()


def test_intervals_over_units_are_wider_than_over_rows(rng):
    units = np.repeat(np.arange(8), 20)
    labels = np.tile([0, 1], 80)
    values = (rng.standard_normal(8)[units] * (labels == 1) + 0.1 * rng.standard_normal(160))[:, None]
    rows, animals = (cluster_profiles(values, labels, ["x"], units=given) for given in (None, units))
    assert (animals["high"] - animals["low"]).min() > 1.3 * (rows["high"] - rows["low"]).min()


def test_the_table_of_clusters(three_blobs):
    values, _ = three_blobs
    labels = kmeans(values, 3).labels
    table = cluster_table(values, labels, lambda rows, seed: kmeans(rows, 3, seed=seed).labels, rounds=5)
    assert table["rows"].tolist() == [40, 40, 40]
    assert table["stable"].all()
    assert (labels[table["medoid"]] == table["cluster"]).all()
    with pytest.raises(ShapeError, match="2 names"):
        cluster_profiles(values, labels, ["a", "b"])


def test_shuffles_stay_within_their_stratum(rng):
    strata = rng.integers(0, 4, 100)
    codes = rng.integers(0, 9, 100)
    shuffled = shuffled_within(codes, strata, rng)
    assert (shuffled != codes).any()
    for stratum in range(4):
        assert sorted(shuffled[strata == stratum]) == sorted(codes[strata == stratum])


def test_pairs_are_alike_as_in_the_example():
    values = np.array([[0.0], [1], [10], [11], [20], [21]])
    found = group_likeness(values, np.repeat(["a", "b", "c"], 2), permutations=3000)
    assert (found.intra, found.inter) == (1, pytest.approx(13.3333, abs=1e-4))
    assert found.ratio == pytest.approx(0.075)
    assert found.p == pytest.approx(1 / 15, abs=0.02)
    assert found.table["rows"].tolist() == [2, 2, 2]
    assert (found.table["q"] >= found.table["p"]).all()


def test_groups_by_chance_have_uniform_p(rng):
    p = [group_likeness(rng.standard_normal((24, 3)), np.arange(24) // 3, permutations=99, seed=seed).p for seed in range(40)]
    assert sum(value <= 0.05 for value in p) <= 6
    assert np.mean(p) == pytest.approx(0.5, abs=0.15)


def test_only_pairs_of_one_stratum_count_and_some_are_left_out():
    values = np.array([[0.0], [1], [2], [100], [101], [104]])
    groups, strata = np.array([1, 1, 2, 1, 3, 3]), np.array(list("aaabbb"))
    found = group_likeness(values, groups, strata=strata, permutations=9)
    assert found.intra == pytest.approx((1 + 3) / 2)
    assert found.inter == pytest.approx((2 + 1 + 1 + 4) / 4)
    less = group_likeness(values, groups, strata=strata, left_out=np.array([[4, 5]]), permutations=9)
    assert less.intra == pytest.approx(1)
    assert less.table["group"].tolist() == ["1"]


def test_likeness_that_is_only_nearness_in_space_goes(rng):
    place = rng.uniform(0, 100, (60, 1))
    groups = np.argsort(np.argsort(place[:, 0])) // 5
    values = place + rng.standard_normal((60, 1))
    apart = np.abs(place - place.T)
    assert group_likeness(values, groups, permutations=199).p == 0.005
    assert group_likeness(values, groups, nuisance=apart, permutations=199).ratio > 0.8


def test_no_pairs_to_compare():
    with pytest.raises(InputError, match="No pair of rows is within a group"):
        group_likeness(np.eye(4), np.arange(4))
    with pytest.raises(InputError, match="No pair of rows is between groups"):
        group_likeness(np.eye(4), np.ones(4))
    assert permutation_p(5.0, np.zeros(99)) == 0.01
