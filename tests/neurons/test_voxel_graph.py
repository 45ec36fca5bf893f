import numpy as np
import pytest

from neurotome.core import Grid, InputError, Probability, ShapeError, UnknownNameError, ValueRangeError
from neurotome.neurons import quantise, voxel_graph


def probability(channels, data=None, shape=(2, 3, 4)):
    if data is None:
        data = np.random.default_rng(0).integers(0, 256, (len(channels), *shape), np.uint8)
    return Probability(data, Grid(data.shape[1:], (30, 6, 6)), channels)


NEAREST = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1")


def test_quantise_rounds_halves_up():
    assert quantise(np.array([0.5 / 255, 126.5 / 255, 1])).tolist() == [1, 127, 255]


@pytest.mark.parametrize("values", [np.array([1.5]), np.array([-0.1]), np.array([np.nan]), np.array([3])])
def test_quantise_refuses(values):
    with pytest.raises(ValueRangeError):
        quantise(values)


def test_membrane_gives_edges_and_nodes():
    membrane = np.array([[[[0, 100, 250]], [[50, 0, 0]]]], np.uint8)
    graph = voxel_graph(probability(("membrane",), membrane))
    assert graph.x.tolist() == [[[155, 5, 0]], [[205, 255, 0]]]
    assert graph.z.tolist() == [[[205, 155, 5]], [[0, 0, 0]]]
    assert graph.node.tolist() == [[[255, 155, 5]], [[205, 255, 255]]]
    same = voxel_graph(probability(("inside",), 255 - membrane))
    assert all(np.array_equal(a, b) for a, b in zip(graph.edges, same.edges))


def test_cytoplasm_and_overlap():
    c = np.array([[[200, 90]], [[100, 255]]], np.uint8)
    o = np.array([[[150, 80]], [[0, 0]]], np.uint8)
    graph = voxel_graph(probability(("overlap", "cytoplasm"), np.stack([o, c])))
    assert graph.z.tolist() == [[[100, 80]], [[0, 0]]]
    assert graph.x.tolist() == [[[90, 0]], [[100, 0]]]
    assert np.array_equal(graph.overlap, o)


def test_affinities_are_taken_as_they_are():
    volume = probability((*NEAREST[::-1], "affinity:0,9,0"), shape=(2, 10, 4))
    graph = voxel_graph(volume)
    assert np.array_equal(graph.z, volume.data[2])
    assert [offset for offset, _ in graph.long_range] == [(0, 9, 0)]
    strongest = graph.node_value()
    assert strongest[1, 4, 2] == max(graph.z[0, 4, 2], graph.y[1, 4, 2], graph.y[1, 3, 2], graph.x[1, 4, 2], graph.x[1, 4, 1])


def test_affinities_stored_at_the_upper_voxel_are_shifted():
    lower = probability(NEAREST).data
    upper = np.zeros_like(lower)
    upper[0, 1:], upper[1, :, 1:], upper[2, :, :, 1:] = lower[0, :-1], lower[1, :, :-1], lower[2, :, :, :-1]
    names = tuple(c.replace(",1", ",-1").replace(":1", ":-1") for c in NEAREST)
    graph = voxel_graph(probability(names, upper), stored_at="upper")
    assert np.array_equal(graph.z[:-1], lower[0, :-1])
    assert np.array_equal(graph.y[:, :-1], lower[1, :, :-1])
    assert np.array_equal(graph.x[..., :-1], lower[2, ..., :-1])
    with pytest.raises(InputError, match="stored_at='upper'"):
        voxel_graph(probability(names, upper))


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (("membrane", "cytoplasm"), "'membrane', 'cytoplasm'.*evidence"),
        (("overlap",), "has channels 'overlap'.*or membrane"),
        (("cytoplasm",), "lacks 'overlap'"),
        (NEAREST[1:], "lacks 'affinity:1,0,0'"),
        (("affinity:one", *NEAREST), "'affinity:one'"),
    ],
)
def test_missing_and_conflicting_channels(channels, message):
    with pytest.raises(InputError, match=message):
        voxel_graph(probability(channels))


def test_evidence_settles_a_conflict():
    both = probability(("membrane", "inside"))
    assert np.array_equal(voxel_graph(both, evidence="inside").node, both.data[1])
    assert np.array_equal(voxel_graph(both, evidence="membrane").node, 255 - both.data[0])
    with pytest.raises(UnknownNameError, match="did you mean 'membrane'"):
        voxel_graph(both, evidence="membranes")


def test_an_overlap_map_with_a_filled_last_plane():
    data = np.full((2, 3, 2, 2), 9, np.uint8)
    with pytest.raises(ShapeError, match=r"3 filled planes for 3 sections.*2 planes"):
        voxel_graph(probability(("cytoplasm", "overlap"), data))
