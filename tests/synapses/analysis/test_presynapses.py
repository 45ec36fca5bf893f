import json
from itertools import permutations

import anndata
import numpy as np
import pandas as pd
import pytest

from neurotome.core import CropRecipe, InputError
from neurotome.synapses.analysis import (
    PRESYNAPSE_COLUMNS,
    overlapping_crops,
    pair_distances,
    presynapse_groups,
    presynapse_test,
)


def _table(values, pre, volume=None, *, apart_vox=1000, cluster=None):
    """Synapses in a row along x, each so far from the next."""
    n = len(pre)
    obs = pd.DataFrame({"pre_id": pre, "volume": ["v"] * n if volume is None else volume}, index=[f"d/v/{at}" for at in range(n)])
    obs["cluster"] = ["0"] * n if cluster is None else cluster
    for axis in "zyx":
        obs[f"center_{axis}"] = obs[f"crop_{axis}"] = np.arange(n) * apart_vox if axis == "x" else 0
        obs[f"voxel_{axis}_nm"] = 8.0
    table = anndata.AnnData(obs=obs)
    table.obsm["X_scaled"] = np.asarray(values, float).reshape(n, -1)
    return table


PAIRS = ["v_1", "v_1", "v_2", "v_2", "v_3", "v_3"]


def test_three_pairs_have_the_smallest_of_fifteen_pairings():
    values = np.array([0.0, 1, 10, 11, 20, 21])
    found = presynapse_test(_table(values, PAIRS), permutations=199)
    assert found.exact
    assert (found.intra, round(found.inter, 4), round(found.ratio, 6)) == (1.0, 13.3333, 0.075)
    assert found.p == pytest.approx(1 / 15)
    assert (found.neurons, found.synapses) == (3, 6)
    # By hand: all pairings of six values.
    away = np.abs(values[:, None] - values)
    pairings = {frozenset(frozenset(order[at : at + 2]) for at in (0, 2, 4)) for order in permutations(range(6))}
    ratios = []
    for pairing in pairings:
        intra = sum(away[tuple(pair)] for pair in pairing) / 3
        ratios.append(intra / ((away.sum() / 2 - 3 * intra) / 12))
    assert len(ratios) == 15
    assert sorted(ratios)[0] == pytest.approx(0.075)
    json.dumps(found.described(), allow_nan=False)
    assert found.described()["T"] == pytest.approx(0.075)
    assert found.reason == "synapses of one neuron are no more alike (T = 0.075, p = 0.067)"


def test_under_the_null_few_tests_reject():
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        pre = [f"v_{at // 3}" for at in range(24)]
        rejected += presynapse_test(_table(rng.standard_normal((24, 3)), pre), permutations=39).p <= 0.05
    assert rejected <= 20


def test_rows_of_a_table_give_one_row_per_neuron(grouped):
    table, _ = grouped
    test = presynapse_test(table, permutations=199)
    groups = presynapse_groups(table, test)
    assert tuple(groups.columns) == PRESYNAPSE_COLUMNS
    expected = table.obs["pre_id"].value_counts()
    assert groups.set_index("pre_id")["synapses"].to_dict() == expected[expected > 1].to_dict()
    assert (groups["dominant_percent"] == 100).all()
    assert (groups["clusters"] == 1).all()
    assert (groups["volume"] == groups["pre_id"].str.split("_").str[0]).all()
    assert test.p == 0.005
    assert test.ratio < 0.6
    assert test.effect > 1
    assert groups["p"].between(0, 1).all()
    assert (groups["p_bh"] >= groups["p"]).all()
    one = groups.iloc[0]
    rows = np.flatnonzero(table.obs["pre_id"] == one["pre_id"])
    values = table.obsm["X_scaled"][rows]
    away = [np.linalg.norm(values[i] - values[j]) for i in range(3) for j in range(i)]
    np.testing.assert_allclose(
        one[["mean_distance", "min_distance", "max_distance"]].tolist(), [np.mean(away), min(away), max(away)]
    )


def test_neurons_of_other_volumes_are_not_compared():
    # Volumes lie far apart in the features: that must not make neurons look alike within.
    rng = np.random.default_rng(0)
    values = rng.standard_normal((24, 2)) + 100 * (np.arange(24) >= 12)[:, None]
    pre = [f"{'ab'[at >= 12]}_{at // 3}" for at in range(24)]
    volume = ["ab"[at >= 12] for at in range(24)]
    assert presynapse_test(_table(values, pre, volume), permutations=99).ratio > 0.8
    assert presynapse_test(_table(values, pre), permutations=99).ratio < 0.1


def test_crops_that_share_voxels_do_not_count_as_alike():
    table = _table([0.0, 0.1, 10, 19], ["v_1", "v_1", "v_1", "v_2"], apart_vox=79)
    assert overlapping_crops(table.obs, CropRecipe()).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert overlapping_crops(table.obs, CropRecipe(size=78)).tolist() == []
    assert overlapping_crops(table.obs, CropRecipe(size=80, isotropic_nm=4.0)).tolist() == []
    apart = presynapse_test(table, permutations=9)
    assert (apart.intra, apart.overlapping_pairs) == (10.0, 2)
    assert presynapse_test(table, overlapping=True, permutations=9).intra == pytest.approx((0.1 + 9.9 + 10) / 3)
    groups = presynapse_groups(table, apart)
    assert groups["overlapping_pairs"].tolist() == [2]
    within, between = pair_distances(table, overlapping_crops(table.obs, CropRecipe()))
    np.testing.assert_allclose(np.sort(within), [10])
    np.testing.assert_allclose(np.sort(between), [18.9, 19])
    other = _table([0.0, 1], ["v_1", "w_1"], ["v", "w"], apart_vox=0)
    assert len(overlapping_crops(other.obs, CropRecipe())) == 0


def test_likeness_that_is_only_nearness_in_space_disappears():
    # Features are the place itself, neurons are stretches of it.
    pre = [f"v_{at // 4}" for at in range(40)]
    found = presynapse_test(_table(np.arange(40.0), pre), permutations=199)
    assert found.ratio < 0.2
    assert found.apart_ratio > 0.9
    assert found.p == 0.005


def test_nothing_to_compare_is_said_not_raised():
    found = presynapse_test(_table([0.0, 1, 2], ["v_1", "v_2", "v_3"]))
    assert not found.applicable
    assert found.described()["T"] is None
    assert presynapse_groups(_table([0.0, 1, 2], ["v_1", "v_2", ""]), found).empty
    assert not presynapse_test(_table([0.0, 1, 2], ["v_1", "v_1", "v_1"])).applicable
    assert not presynapse_test(_table([0.0, 1, 2], ["", "", ""])).applicable
    with pytest.raises(InputError, match=r"no obsm\['X_scaled'\]"):
        presynapse_test(anndata.AnnData(obs=_table([0.0], ["v_1"]).obs))
