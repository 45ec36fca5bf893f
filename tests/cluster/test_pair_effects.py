import numpy as np
import pytest

from neurotome.cluster.evidence.pair_effects import PAIR_COLUMNS, effect_matrix
from neurotome.core import ShapeError


def test_every_pair_has_an_effect_and_an_interval_around_it():
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], 60)
    values = rng.standard_normal(180) + np.repeat([0.0, 0.0, 1.5], 60)
    table = effect_matrix(values, labels)
    assert tuple(table.columns) == PAIR_COLUMNS
    assert table[["first", "second"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert table["d"].tolist() == pytest.approx([0, -1.5, -1.5], abs=0.45)
    assert (table["d_low"] < table["d"]).all()
    assert (table["d"] < table["d_high"]).all()
    # The width of the interval: about 1.96 standard errors of d, sqrt(2 / n) to each side.
    assert (table["d_high"] - table["d_low"]).iloc[0] == pytest.approx(2 * 1.96 * np.sqrt(2 / 60), rel=0.15)
    assert table["g"].to_numpy() == pytest.approx(table["d"].to_numpy() * (1 - 3 / (4 * 120 - 9)))
    assert table["q"].iloc[0] > 0.05 > table["q"].iloc[1]


def test_three_values_against_three():
    row = effect_matrix(np.array([1.0, 2, 3, 3, 4, 5, np.nan]), np.array(list("aaabbbb"))).iloc[0]
    assert (row["d"], round(row["g"], 12), row["n_second"]) == (-2.0, -1.6, 3)


def test_groups_of_one_have_no_effect():
    table = effect_matrix(np.array([1.0, 2, 3]), np.array(list("aab")))
    assert np.isnan(table.loc[0, ["d", "d_low", "g", "p", "q"]].astype(float)).all()
    assert effect_matrix(np.ones(3), np.array(list("aaa"))).empty
    with pytest.raises(ShapeError, match="one number per row"):
        effect_matrix(np.ones((3, 1)), np.ones(3))
