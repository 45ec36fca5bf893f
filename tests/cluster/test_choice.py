import numpy as np
import pytest

from neurotome.cluster import ChoiceSettings, choose_k
from neurotome.core import ValueRangeError

QUICK = ChoiceSettings(most=6, pairs=4, clouds=39, starts=4)


def test_three_blobs_are_three_with_the_reason(three_blobs):
    choice = choose_k(three_blobs[0], QUICK)
    assert (choice.k, choice.elbow, choice.best_silhouette, choice.agree) == (3, 3, 3, True)
    assert choice.test.p == 1 / 40
    assert choice.reason.startswith("the largest silhouette")
    assert choice.table["k"].tolist() == [1, 2, 3, 4, 5, 6]
    assert choice.table.loc[choice.table["chosen"], "stability"].tolist() == [1.0]
    assert (np.diff(choice.table["inertia"]) < 0).all()


def test_a_stretched_cloud_is_one_although_silhouette_and_stability_are_high(rng):
    values = rng.standard_normal((200, 5)) * [5, 1, 1, 1, 1]
    choice = choose_k(values, QUICK)
    assert choice.k == 1
    assert choice.table["silhouette"].max() > 0.4
    assert choice.table["stability"].max() > 0.75
    assert choice.reason.startswith("no structure beyond one cloud")
    assert choice.test.clouds < 39, "no more clouds are drawn once the answer is clear"


def test_structure_that_no_number_of_clusters_catches_is_one(three_blobs):
    choice = choose_k(three_blobs[0], ChoiceSettings(most=4, pairs=3, clouds=19, stable=1.01))
    assert choice.k == 1
    assert choice.reason.startswith("no number of clusters is stable")


def test_the_choice_is_the_same_twice(rng):
    values = rng.standard_normal((80, 3))
    first, second = (choose_k(values, QUICK) for _ in range(2))
    assert first.test == second.test
    assert first.table.equals(second.table)


def test_too_few_rows():
    with pytest.raises(ValueRangeError, match="at least 20"):
        choose_k(np.eye(19))


@pytest.mark.exhaustive
def test_six_blobs_of_three_widths_and_false_alarms():
    """The numbers of the specification: k, silhouette and stability of scikit-learn's blobs; 1 of 30 clouds called structure."""
    from sklearn.datasets import make_blobs

    from neurotome.cluster import scaled

    for width, silhouette in ((1, 0.783), (3, 0.448), (6, 0.194)):
        values, _ = make_blobs(600, 20, centers=6, random_state=0, cluster_std=width)
        choice = choose_k(scaled(values))
        assert (choice.k, choice.elbow) == (6, 6)
        assert choice.table["silhouette"].max() == pytest.approx(silhouette, abs=5e-4)
    rng = np.random.default_rng(1)
    clouds = [rng.standard_normal((150, 4)) * rng.uniform(0.3, 3, 4) for _ in range(30)]
    assert sum(choose_k(cloud, ChoiceSettings(most=8, pairs=2)).test.p <= 0.05 for cloud in clouds) <= 4
