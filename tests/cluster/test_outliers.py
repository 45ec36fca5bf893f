import numpy as np
import pytest

from neurotome.cluster import outlier_scores
from neurotome.core import ValueRangeError


def test_planted_rows_rank_first(three_blobs, rng):
    values, _ = three_blobs
    planted = values[:4] + 30 * rng.standard_normal((4, 6))
    scores = outlier_scores(np.vstack([values, planted]))
    assert set(np.argsort(-scores)[:4]) == {120, 121, 122, 123}
    assert np.median(scores[:120]) == pytest.approx(1, abs=0.1)


def test_local_scores_find_a_row_beside_a_dense_cluster(rng):
    dense, loose = rng.standard_normal((60, 2)) * 0.1, rng.standard_normal((60, 2)) * 5 + 50
    values = np.vstack([dense, loose, [[1.5, 1.5]]])
    assert np.argmax(outlier_scores(values, local=True)) == 120
    assert np.argmax(outlier_scores(values)) != 120


def test_equal_rows_are_usual():
    assert outlier_scores(np.ones((5, 2))).tolist() == [1, 1, 1, 1, 1]
    assert outlier_scores(np.array([[0.0]] * 12 + [[9.0]]))[-1] == np.inf


def test_two_rows_are_too_few():
    with pytest.raises(ValueRangeError, match="at least 3"):
        outlier_scores(np.eye(2))
