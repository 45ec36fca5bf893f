import numpy as np
import pytest

from neurotome.core import Grid, InputError, Labels, Probability, UnknownNameError, ValueRangeError
from neurotome.neurons import (
    METHODS,
    AgglomerateSettings,
    ComponentsSettings,
    LinkSettings,
    agglomerate,
    fragments,
    recut,
    region_graph,
    renumber,
    segment,
)

NEAREST = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1")


def volume(seed=0, shape=(5, 24, 30), channels=NEAREST):
    rng = np.random.default_rng(seed)
    data = rng.choice(np.array([0, 1, 60, 120, 200, 249, 255], np.uint8), (len(channels), *shape))
    return Probability(data, Grid(shape, (30, 6, 6)), channels)


def relabelled(fragments_, merges, ids):
    """Labels from a merge list, the slow way."""
    owner = {int(i): int(i) for i in ids}
    for a, b in merges.pairs.tolist():
        owner = {k: (a if v == b else v) for k, v in owner.items()}
    return renumber(np.vectorize(lambda i: owner.get(int(i), 0))(fragments_))


@pytest.mark.parametrize("smooth", [0, 1.0])
def test_agglomerate_is_its_parts_put_together(smooth):
    probability = volume(1)
    settings = AgglomerateSettings(threshold=0.5, smooth=smooth)
    result = segment(probability, settings=settings)
    direct = agglomerate(result.graph, t_min=0.5)
    ids = np.unique(result.fragments.data)
    assert np.array_equal(result.labels.data, relabelled(result.fragments.data, direct, ids[ids > 0]))
    assert result.labels.data.dtype == np.uint64


def test_fragments_carry_the_names_of_the_graph():
    probability = volume(2)
    result = segment(probability)
    dense, first = fragments(tuple(probability.data), t_high=250)
    assert np.array_equal(result.fragments.data, np.concatenate([[0], first + 1])[dense])
    graph = region_graph(dense, tuple(probability.data), names=first + 1)
    assert np.array_equal(result.graph.edges, graph.edges)
    assert np.array_equal(result.graph.affinity_sum, graph.affinity_sum)


@pytest.mark.parametrize(
    "more", [{}, {"min_voxels": 12}, {"min_voxels": 12, "small": "keep"}, {"grow": 1.5, "fill_holes": 5, "min_voxels": 4}]
)
def test_recut_gives_what_segment_gives_at_that_threshold(more):
    probability = volume(3)
    result = segment(probability, settings=AgglomerateSettings(t_low=130, **more))
    for threshold in (0.1, 0.3, 0.8):
        cut = recut(result, threshold)
        direct = segment(probability, settings=AgglomerateSettings(t_low=130, threshold=threshold, **more))
        assert np.array_equal(cut.labels.data, direct.labels.data)
        assert cut.settings == direct.settings


def test_a_higher_threshold_only_splits():
    result = segment(volume(4))
    low, high = (recut(result, t).labels.data for t in (0.2, 0.6))
    assert len(np.unique(np.stack([low, high]).reshape(2, -1), axis=1).T) == high.max()
    assert high.max() > low.max()


@pytest.mark.parametrize(("small", "labels"), [("zero", [0, 0, 1, 1, 1]), ("keep", [1, 1, 2, 2, 2])])
def test_what_remains_small_becomes_background_or_stays(small, labels):
    q = np.array([[[255, 5, 255, 255, 0]]], np.uint8)
    probability = Probability(np.stack([0 * q, 0 * q, q]), Grid(q.shape, (30, 6, 6)), NEAREST)
    settings = AgglomerateSettings(min_voxels=3, small=small)
    assert segment(probability, settings=settings).labels.data.reshape(-1).tolist() == labels


def test_long_range_affinities_take_part():
    shape = (1, 1, 6)
    near = np.array([[[255, 255, 90, 255, 255, 0]]], np.uint8)
    far = np.array([[[0, 0, 0, 0, 0, 0]]], np.uint8)
    data = np.stack([0 * near, 0 * near, near, far])
    probability = Probability(data, Grid(shape, (30, 6, 6)), (*NEAREST, "affinity:0,0,3"))
    assert segment(probability).labels.data.max() == 2  # (90 + 3 * 0) / 4
    assert segment(probability, settings=AgglomerateSettings(long_range=False)).labels.data.max() == 1


def test_settings_of_components_are_whole_grey_values():
    q = np.array([[[127, 128, 0]]], np.uint8)
    probability = Probability(np.stack([0 * q, 0 * q, q]), Grid(q.shape, (30, 6, 6)), NEAREST)
    labels = segment(probability, "components", settings=ComponentsSettings(threshold=0.5)).labels.data
    assert labels.tolist() == [[[0, 1, 1]]]


def test_link_grows_back_into_the_membrane():
    c = np.array([[[255, 255, 0, 0, 0, 255]]], np.uint8)
    probability = Probability(np.stack([c, 0 * c]), Grid(c.shape, (30, 6, 6)), ("cytoplasm", "overlap"))
    assert segment(probability, "link").labels.data.tolist() == [[[1, 1, 1, 1, 2, 2]]]
    assert segment(probability, "link", settings=LinkSettings(grow=0)).labels.data.tolist() == [[[1, 1, 0, 0, 0, 2]]]


def test_link_sets_dust_to_background():
    c = np.array([[[255, 255, 0, 255]]], np.uint8)
    probability = Probability(np.stack([c, 0 * c]), Grid(c.shape, (30, 6, 6)), ("cytoplasm", "overlap"))
    settings = LinkSettings(grow=0, min_voxels=2)
    assert segment(probability, "link", settings=settings).labels.data.tolist() == [[[1, 1, 0, 0]]]


def test_floats_are_quantised_once():
    whole = volume(6)
    exact = Probability(whole.data / np.float32(255), whole.grid, whole.channels)
    assert np.array_equal(segment(exact).labels.data, segment(whole).labels.data)


@pytest.mark.parametrize("method", METHODS)
def test_progress_ends_at_its_total(method):
    heard = []
    probability = volume(channels=("membrane",))
    segment(probability, method, progress=lambda what, done, total: heard.append((what, done, total)))
    assert heard[-1][1] == heard[-1][2] > 0
    assert [d for _, d, _ in heard] == sorted(d for _, d, _ in heard)


def test_unknown_method_and_settings_of_another_method():
    with pytest.raises(UnknownNameError, match=r"Unknown segmentation method 'aglomerate'.*did you mean 'agglomerate'"):
        segment(volume(), "aglomerate")
    with pytest.raises(ValueRangeError, match="LinkSettings for method 'agglomerate'"):
        segment(volume(), settings=LinkSettings())


def test_recut_below_t_min_and_without_a_list():
    result = segment(volume())
    with pytest.raises(ValueRangeError, match=r"0\.05 is below the t_min 0\.1 of the merge list"):
        recut(result, 0.05)
    with pytest.raises(InputError, match="'components' has no merge list"):
        recut(segment(volume(), "components"), 0.5)


def test_a_volume_of_one_voxel_and_one_without_evidence():
    tiny = Probability(np.full((3, 1, 1, 1), 255, np.uint8), Grid((1, 1, 1), (30, 6, 6)), NEAREST)
    assert segment(tiny).labels.data.tolist() == [[[0]]]
    empty = Probability(np.zeros((3, 2, 3, 4), np.uint8), Grid((2, 3, 4), (30, 6, 6)), NEAREST)
    result = segment(empty, settings=AgglomerateSettings(min_voxels=5, fill_holes=5, grow=2))
    assert isinstance(result.labels, Labels)
    assert not result.labels.data.any()
    assert not recut(result, 0.9).labels.data.any()


@pytest.mark.parametrize("method", ["link", "components"])
def test_nothing_above_the_threshold_is_all_background(method):
    empty = Probability(np.zeros((3, 2, 3, 4), np.uint8), Grid((2, 3, 4), (30, 6, 6)), NEAREST)
    assert not segment(empty, method).labels.data.any()
