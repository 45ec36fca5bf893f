import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neurotome.cluster import cohen_kappa, cramers_v, cross_table, label_agreement
from neurotome.cluster.agreement import adjusted_rand, mutual_information, purity
from neurotome.core import InputError, ShapeError

LABELS = hnp.arrays(np.int64, st.shared(st.integers(2, 40), key="n"), elements=st.integers(0, 4))


@given(LABELS, LABELS)
@settings(deadline=None)  # the first call imports scikit-learn
def test_rand_and_mutual_information_are_those_of_scikit_learn(first, second):
    from sklearn import metrics

    table = cross_table(first, second)
    assert adjusted_rand(table) == pytest.approx(metrics.adjusted_rand_score(first, second), abs=1e-9)
    assert mutual_information(table) == pytest.approx(metrics.normalized_mutual_info_score(first, second), abs=1e-9)
    assert cohen_kappa(first, first) == 1


def test_exact_values():
    table = cross_table(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))
    assert adjusted_rand(table) == pytest.approx(0.571429, abs=1e-6)
    assert mutual_information(table) == pytest.approx(0.8)
    for counts, plain in (([[10, 0], [0, 10]], 1), ([[5, 5], [5, 5]], 0), ([[8, 2], [3, 7]], 0.5025)):
        assert cramers_v(np.array(counts), corrected=False) == pytest.approx(plain, abs=5e-5)
    assert cramers_v(np.array([[8, 2], [3, 7]])) == pytest.approx(0.4593, abs=5e-5)
    assert cramers_v(np.array([[4], [5]])) == 0


def test_the_order_of_the_rows_and_the_names_play_no_part(rng):
    first, second = rng.integers(0, 3, 60), rng.integers(0, 4, 60)
    second[:40] = first[:40]
    order = rng.permutation(60)
    plain = label_agreement(first, second, permutations=199)
    assert label_agreement(first[order], second[order], permutations=199) == plain
    named = label_agreement(np.array(list("xyz"))[first], second, permutations=199)
    assert [found.value for found in named] == [found.value for found in plain]
    assert all(found.p == 0.005 for found in plain)


def test_independent_labels_have_large_p(rng):
    found = {a.measure: a for a in label_agreement(rng.integers(0, 3, 200), rng.integers(0, 3, 200), permutations=199)}
    assert found["adjusted_rand"].p > 0.05
    assert abs(found["adjusted_rand"].value) < 0.05


def test_purity_of_every_row_alone_is_1():
    assert purity(cross_table(np.arange(5), np.array([0, 0, 1, 1, 1]))) == 1


def test_missing_labels_and_lengths():
    with pytest.raises(InputError, match="misses 1 of 3 values, the first in row 1"):
        cross_table(np.array(["a", None, "b"], object), np.array([1, 2, 3]))
    with pytest.raises(ShapeError, match="second has 2 entries"):
        cross_table(np.array([1, 2, 3]), np.array([1, 2]))
