import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

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
@given(volume=volumes, cut=st.integers(0, 6))
def test_graphs_of_blocks_that_own_their_lower_voxels_add_up(volume, cut):
    ids, *edges, _ = volume
    cut = min(cut, ids.shape[2])
    # The lower block reads one column more, whose own edges belong to the upper block.
    lower = [q.copy() for q in edges]
    for q in lower:
        q[..., cut:] = 0
    a, b = ids.copy(), ids.copy()
    a[..., cut + 1 :] = 0
    parts = []
    for x0, x1, own in ((0, cut, slice(0, cut + 1)), (cut, ids.shape[2], slice(cut, None))):
        block = ids[..., own].copy()
        if block.size == 0 or x0 == x1:
            continue
        graph = region_graph(block, tuple(np.ascontiguousarray(q[..., own]) for q in edges))
        parts.append(graph)
        if own.start == 0 and cut < ids.shape[2]:
            extra = region_graph(ids[..., cut : cut + 1].copy(), tuple(q[..., cut : cut + 1].copy() for q in edges))
            parts[-1] = subtract(graph, extra)
    if parts:
        assert as_rows(add_graphs(parts)) == as_rows(region_graph(ids, tuple(edges)))


def subtract(graph, extra):
    rows = as_rows(graph)
    for pair, (affinity_sum, contact) in as_rows(extra).items():
        rows[pair][0] -= affinity_sum
        rows[pair][1] -= contact
    kept = {p: r for p, r in rows.items() if r[1]}
    sums = np.array(list(kept.values()), np.uint64).reshape(-1, 2)
    return type(graph)(np.array(list(kept), np.uint64).reshape(-1, 2), sums[:, 0], sums[:, 1])
