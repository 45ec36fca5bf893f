import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import Box
from neurotome.neurons import add_graphs, region_graph

volumes = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6)).flatmap(
    lambda s: st.tuples(arrays(np.uint32, s, elements=st.integers(0, 6)), *[arrays(np.uint8, s)] * 4)
)


def as_rows(graph):
    pairs = map(tuple, graph.edges.tolist())
    return {p: [s, c] for p, s, c in zip(pairs, graph.affinity_sum.tolist(), graph.contact.tolist())}


@settings(max_examples=100, deadline=None)
@given(volume=volumes, offset=st.sampled_from([(2, 0, 0), (0, 3, 0), (0, 0, 2), (1, 1, 1), (9, 0, 0)]))
def test_equals_the_definition(definition, volume, offset):
    ids, *edges, far = volume
    graph = region_graph(ids, tuple(edges), long_range=[(offset, far)])
    assert as_rows(graph) == definition.rows(ids, edges, [(offset, far)])
    assert list(as_rows(graph)) == sorted(as_rows(graph))


def test_rows_without_affinity_are_rows():
    ids = np.array([[[1, 2]]], np.uint32)
    zero = np.zeros(ids.shape, np.uint8)
    assert as_rows(region_graph(ids, (zero, zero, zero))) == {(1, 2): [0, 1]}


def test_long_range_makes_no_row_of_its_own():
    ids = np.array([[[1, 0, 2]]], np.uint32)
    q = np.full(ids.shape, 255, np.uint8)
    assert as_rows(region_graph(ids, (q, q, q), long_range=[((0, 0, 2), q)])) == {}


def test_names_replace_numbers():
    ids = np.array([[[1, 2]]], np.uint32)
    q = np.full(ids.shape, 9, np.uint8)
    assert as_rows(region_graph(ids, (q, q, q), names=np.array([5, 2**40], np.uint64))) == {(5, 2**40): [9, 1]}


@settings(max_examples=60, deadline=None)
@given(volume=volumes, tile=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5)))
def test_graphs_of_blocks_that_own_their_lower_voxels_add_up(volume, tile):
    ids, *edges, _ = volume
    parts = []
    for write in Box((0, 0, 0), ids.shape).tiles(tile):
        read = Box(write.start, tuple(b + 1 for b in write.stop)).clip(ids.shape)
        block = [np.ascontiguousarray(a[read.slices]) for a in (ids, *edges)]
        parts.append(region_graph(block[0], tuple(block[1:]), own=write.inside(read)))
    assert as_rows(add_graphs(parts)) == as_rows(region_graph(ids, tuple(edges)))
