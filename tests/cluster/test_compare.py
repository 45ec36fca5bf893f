import numpy as np
import pytest
from scipy.stats import ortho_group

from neurotome.cluster import compare_tables, rows_in_both
from neurotome.cluster.compare import rv_coefficient
from neurotome.core import InputError, ShapeError


def test_a_table_and_itself_agree_in_everything(rng):
    values = rng.standard_normal((80, 6))
    labels = rng.integers(0, 3, 80)
    found = compare_tables(values, values, clusters=(labels, labels + 5), names=("abcdef", "abcdef"))
    assert (found.mantel, found.cka, found.rv) == pytest.approx((1, 1, 1))
    assert (found.neighbours, found.triplets, found.rand) == (1, 1, 1)
    assert found.columns["r"].tolist() == pytest.approx([1] * 6)
    assert (found.pairs["in_a"] - found.pairs["in_b"]).abs().max() == 0


def test_turning_and_stretching_a_table_changes_no_distances(rng):
    values = rng.standard_normal((60, 5))
    turned = 3 * values @ ortho_group.rvs(5, random_state=0) + 7
    found = compare_tables(values, turned)
    assert (found.mantel, found.cka, found.rv) == pytest.approx((1, 1, 1))
    assert (found.neighbours, found.triplets) == (1, 1)
    assert np.isnan(found.rand)
    assert found.columns.empty


def test_independent_tables_agree_as_by_chance(rng):
    a, b = rng.standard_normal((120, 200)), rng.standard_normal((120, 200))
    found = compare_tables(a, b)
    assert found.triplets == pytest.approx(0.5, abs=0.02)
    assert found.neighbours == pytest.approx(10 / 119, abs=0.05)
    assert abs(found.mantel) < 0.1
    # Of wide tables, CKA is high by chance; the modified RV coefficient is not.
    assert found.cka > 0.5
    assert abs(rv_coefficient(a, b)) < 0.05


def test_the_pair_that_moved_is_listed_first(rng):
    a = rng.standard_normal((40, 3))
    b = a.copy()
    b[7] += 50
    found = compare_tables(a, b, worst=5)
    assert all(7 in pair for pair in zip(found.pairs["first"], found.pairs["second"]))


def test_tables_are_joined_by_name():
    a, b = rows_in_both(["n3", "n1", "n2"], ["n2", "n9", "n3"])
    assert (a.tolist(), b.tolist()) == ([2, 0], [0, 2])
    with pytest.raises(InputError, match="no name in common"):
        rows_in_both(["a"], ["b"])
    with pytest.raises(InputError, match="second table has a name twice"):
        rows_in_both(["a"], ["a", "a"])
    with pytest.raises(ShapeError, match="b has 4 entries"):
        compare_tables(np.eye(5), np.eye(4))
