from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from neurotome.core import Grid, Probability
from neurotome.neurons import VoxelGraph, clean_overlap, components, link, voxel_graph
from neurotome.neurons.connected import PRESENT, connect
from neurotome.neurons.link import ONLY_OVERLAP, bridged_pieces


def graph_of(cytoplasm, overlap):
    data = np.stack([cytoplasm, overlap]).astype(np.uint8)
    return voxel_graph(Probability(data, Grid(data.shape[1:], (30, 6, 6)), ("cytoplasm", "overlap")))


def interleaved(cytoplasm, overlap, threshold):
    """The reference method as it is told: label the stack of 2 N planes, keep every other one."""
    stack = np.empty((2 * len(cytoplasm), *cytoplasm.shape[1:]), bool)
    stack[::2], stack[1::2] = cytoplasm >= threshold, overlap >= threshold
    labels = ndimage.label(stack)[0][::2]
    order = {old: new for new, old in enumerate(dict.fromkeys(labels[labels > 0].tolist()), start=1)}
    return np.vectorize(lambda i: order.get(i, 0))(labels)


TOY = np.array([[[255, 0, 255]], [[255, 0, 255]]]), np.array([[[255, 255, 255]], [[0, 0, 0]]])


def test_toy_of_the_specification():
    assert link(graph_of(*TOY), bridge="overlap").tolist() == [[[1, 0, 1]], [[1, 0, 1]]]
    assert link(graph_of(*TOY)).tolist() == [[[1, 0, 2]], [[1, 0, 2]]]


def random_maps(seed):
    rng = np.random.default_rng(seed)
    cytoplasm, overlap = rng.integers(0, 256, (2, 4, 9, 11))
    overlap[-1] = 0
    return cytoplasm, overlap


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [1, 64, 127, 200])
def test_the_overlap_bridge_is_the_interleaved_stack(seed, threshold):
    maps = random_maps(seed)
    assert np.array_equal(link(graph_of(*maps), threshold=threshold, bridge="overlap"), interleaved(*maps, threshold))


@pytest.mark.parametrize("seed", range(5))
def test_both_bridges_agree_where_the_overlap_is_cut_to_the_cytoplasm(seed):
    cytoplasm, overlap = random_maps(seed)
    overlap[:-1][(cytoplasm[:-1] < 127) | (cytoplasm[1:] < 127)] = 0
    graph = graph_of(cytoplasm, overlap)
    assert np.array_equal(link(graph), link(graph, bridge="overlap"))


@pytest.mark.parametrize("threshold", [1, 64, 127, 200])
@pytest.mark.parametrize("route", ["cytoplasm", "membrane"])
def test_threshold_then_connect_is_connect_then_threshold(definition, threshold, route):
    """Edges q >= T give the graph of the thresholded maps."""
    cytoplasm, overlap = random_maps(7)
    present = cytoplasm >= threshold
    if route == "cytoplasm":
        graph, along_z = graph_of(cytoplasm, overlap), overlap >= threshold
    else:
        data = (255 - cytoplasm).astype(np.uint8)[None]
        graph = voxel_graph(Probability(data, Grid(data.shape[1:], (30, 6, 6)), ("membrane",)))
        along_z = np.ones_like(present)
    index = np.arange(present.size).reshape(present.shape)
    joined = []
    for axis, allowed in enumerate((along_z, present, present)):
        lower = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        upper = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        both = present[lower] & present[upper] & allowed[lower]
        joined += zip(index[lower][both], index[upper][both])
    expected = definition.components(joined, present)
    assert np.array_equal(components(graph, threshold=threshold), expected)
    assert np.array_equal(link(graph, threshold=threshold), expected)


def test_126_is_membrane_and_127_is_not():
    graph = graph_of(np.array([[[126, 127]]]), np.zeros((1, 1, 2)))
    assert link(graph).tolist() == [[[0, 1]]]


def test_more_objects_than_16_bits_hold():
    checkerboard = (np.indices((1, 400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert link(graph_of(checkerboard, 0 * checkerboard)).max() == 80_000


def disc(radius):
    y, x = np.mgrid[-15:16, -15:16]
    return (y**2 + x**2 <= radius**2)[None]


@pytest.mark.parametrize(("radius", "pixels"), [(9, 0), (10, 1)])
def test_ten_erosions_need_a_radius_of_ten(radius, pixels):
    assert clean_overlap(disc(radius)).sum() == pixels


@pytest.mark.parametrize(("height", "rows"), [(20, 0), (21, 1)])
def test_ten_erosions_leave_a_line_of_a_band_of_21(height, rows):
    band = np.zeros((1, 61, 61), bool)
    band[0, 20 : 20 + height] = True
    assert clean_overlap(band).any(axis=2).sum() == rows


def test_eroskele_cuts_the_link_of_a_thin_process():
    cytoplasm = np.full((2, 9, 9), 255)
    overlap = np.stack([cytoplasm[0], 0 * cytoplasm[0]])
    assert link(graph_of(cytoplasm, overlap)).max() == 1
    assert link(graph_of(cytoplasm, overlap), erosions=10, skeletonise=True).max() == 2


def test_the_numbers_follow_the_smallest_voxel():
    labels = link(graph_of(*random_maps(3)))
    firsts = [np.flatnonzero(labels.reshape(-1) == i)[0] for i in range(1, labels.max() + 1)]
    assert all(a < b for a, b in pairwise(firsts))


def test_components_of_affinities_leave_lone_voxels_out():
    q = np.array([[[200, 50, 220, 0, 0]]], np.uint8)
    assert components(VoxelGraph(0 * q, 0 * q, q), threshold=100).tolist() == [[[1, 1, 2, 2, 0]]]


def test_blobs_join_what_lies_under_and_above_them():
    # Two sections of five pixels; the blob of section 0 lies on pixels 1 to 3, another on 4; a third in section 1 alone on 0.
    present = np.array([[[1, 1, 0, 0, 0]], [[0, 0, 0, 1, 1]]], np.uint8) * np.uint8(PRESENT)
    bridges = np.array([[[0, 1, 1, 1, 0]], [[1, 0, 0, 0, 0]]], bool)
    labels, first, overlap = bridged_pieces(present, bridges)
    assert labels.tolist() == [[[1, 2, 0, 0, 0]], [[0, 0, 0, 2, 3]]]
    # The blob in section 1 joins nobody: a piece without a voxel, named by its smallest pixel.
    assert first.tolist() == [0, 1, 9, 5 | int(ONLY_OVERLAP)]
    assert overlap.tolist() == [[[0, 2, 2, 2, 0]], [[4, 0, 0, 0, 0]]]


def test_blobs_do_not_connect_from_section_to_section():
    joins, bridges = np.zeros((3, 1, 2), np.uint8), np.ones((3, 1, 2), bool)
    labels, first, overlap = bridged_pieces(joins, bridges)
    assert not labels.any() and (first & ONLY_OVERLAP).all()
    assert overlap.tolist() == [[[1, 1]], [[2, 2]], [[3, 3]]]


def test_without_blobs_it_is_plain_components():
    joins = np.random.default_rng(0).integers(0, 2, (3, 5, 6), np.uint8) * np.uint8(PRESENT)
    labels, first, overlap = bridged_pieces(joins, None)
    assert overlap is None and all(np.array_equal(a, b) for a, b in zip((labels, first), connect(joins)))
