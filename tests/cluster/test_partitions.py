import numpy as np
import pytest

from neurotome.cluster import cluster_jaccard, cross_table, medoids, partition_rows, subsample_stability
from neurotome.cluster.agreement import adjusted_rand
from neurotome.cluster.partitions import ALGORITHMS, NEED_K, kmeans, numbered_by_size
from neurotome.core import InputError, UnknownNameError, ValueRangeError


def with_kmeans(k):
    return lambda values, seed: kmeans(values, k, starts=3, seed=seed).labels


@pytest.mark.parametrize("method", ALGORITHMS)
def test_every_method_finds_three_blobs_twice_alike(three_blobs, method):
    values, kinds = three_blobs
    # The largest blob must be cluster 0, whatever number it had.
    rows = np.r_[0:30, 40:80, 80:115]
    values, kinds = values[rows], kinds[rows]
    first, second = (partition_rows(values, method, 3 if method in NEED_K else None) for _ in range(2))
    assert first.k == 3
    assert first.labels.tobytes() == second.labels.tobytes()
    assert adjusted_rand(cross_table(kinds, first.labels)) > 0.9
    assert set(kinds[first.labels == 0]) == {"b"}
    sizes = np.bincount(first.labels[first.labels >= 0])
    assert (np.diff(sizes) <= 0).all()
    if first.probability is not None:
        assert first.probability[first.labels >= 0].min() > 0


def test_kmeans_is_as_good_as_scikit_learn(rng):
    from sklearn.cluster import KMeans

    values = rng.standard_normal((200, 4)) + 3 * rng.integers(0, 3, (200, 4))
    for k in (2, 5, 9):
        ours = kmeans(values, k, starts=10)
        theirs = KMeans(k, n_init=10, random_state=0).fit(values).inertia_
        assert ours.inertia <= 1.02 * theirs
        by_hand = ((values - ours.centres[ours.labels]) ** 2).sum()
        assert ours.inertia == pytest.approx(by_hand)


def test_kmeans_leaves_no_cluster_empty_even_among_equal_rows():
    values = np.array([[0.0], [0], [0], [5], [9]])
    assert len(np.unique(kmeans(values, 3).labels)) == 3
    assert kmeans(values, 5).inertia == 0


def test_noise_stays_noise(three_blobs):
    values = np.vstack([three_blobs[0], [[200.0] * 6]])
    assert partition_rows(values, "hdbscan").labels[-1] == -1
    assert partition_rows(values, "dbscan").labels[-1] == -1
    assert numbered_by_size(np.array([-1, 4, 4, 2])).tolist() == [-1, 0, 0, 1]


def test_the_medoid_is_a_row_in_the_middle(three_blobs):
    values, kinds = three_blobs
    labels = np.unique(kinds, return_inverse=True)[1]
    for cluster, row in enumerate(medoids(values, labels)):
        inside = values[labels == cluster]
        sums = np.linalg.norm(inside[:, None] - inside, axis=2).sum(1)
        assert np.linalg.norm(inside - values[row], axis=1).sum() == pytest.approx(sums.min())


def test_stability_is_high_for_real_clusters_and_low_for_invented_ones(three_blobs, rng):
    values, kinds = three_blobs
    labels = np.unique(kinds, return_inverse=True)[1]
    one_cloud = rng.standard_normal((120, 6))
    assert subsample_stability(values, with_kmeans(3), pairs=5) == 1
    assert subsample_stability(one_cloud, with_kmeans(5), pairs=5) < 0.6
    assert (cluster_jaccard(values, labels, with_kmeans(3), rounds=10) > 0.99).all()
    assert cluster_jaccard(one_cloud, kmeans(one_cloud, 5).labels, with_kmeans(5), rounds=10).min() < 0.6


def test_bad_requests_name_what_is_legal(three_blobs):
    values, _ = three_blobs
    with pytest.raises(UnknownNameError, match="did you mean 'kmeans'"):
        partition_rows(values, "k-means", 3)
    with pytest.raises(InputError, match="let it be chosen"):
        partition_rows(values, "ward")
    with pytest.raises(InputError, match="it finds their number"):
        partition_rows(values, "hdbscan", 3)
    with pytest.raises(ValueRangeError, match="1 to 3"):
        partition_rows(values[:4], "kmeans", 4)
    with pytest.raises(ValueRangeError, match="not finite"):
        partition_rows(values / np.arange(len(values))[:, None].clip(1) + np.where(values > 1e9, 0, np.inf), "kmeans", 2)
    with pytest.raises(ValueRangeError, match="more than half"):
        subsample_stability(values, with_kmeans(3), share=0.4)
