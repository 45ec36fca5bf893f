import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import MergeList, RegionGraph, ValueRangeError
from neurotome.neurons import agglomerate, cut, merges_above


def graph_of(rows):
    sums = np.array(list(rows.values()), np.uint64).reshape(-1, 2)
    return RegionGraph(np.array(list(rows), np.uint64).reshape(-1, 2), sums[:, 0].copy(), sums[:, 1].copy())


def as_list(merges):
    return [(u, v, s, c) for (u, v), s, c in zip(merges.pairs.tolist(), merges.affinity_sum.tolist(), merges.contact.tolist())]


def test_line_of_the_specification():
    merges = agglomerate(graph_of({(1, 3): [50, 1], (3, 5): [100, 1]}))
    ids = np.array([1, 3, 5], np.uint64)
    assert [cut(merges, t, ids).tolist() for t in (0.5, 0.3, 0.15)] == [[1, 3, 5], [1, 3, 3], [1, 1, 1]]


def test_rows_add_up_so_that_the_third_stays_alone():
    graph = graph_of({(1, 2): [255, 1], (1, 3): [90, 1], (2, 3): [200, 4]})
    merges = agglomerate(graph, t_min=0.25)
    assert as_list(merges) == [(1, 2, 255, 1)]
    assert as_list(agglomerate(graph, t_min=0.2)) == [(1, 2, 255, 1), (1, 3, 290, 5)]


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 12))
    pairs = [(i, j) for i in range(1, n + 1) for j in range(i + 1, n + 1)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1, max_size=40))
    contact = st.integers(1, 4)
    huge = draw(st.booleans())
    rows = {}
    for pair in sorted(chosen):
        c = draw(contact) + (2**33 if huge else 0)
        # Few distinct means, so that ties abound; in huge rows quotients tie in float64 that differ as fractions.
        rows[pair] = [c * draw(st.sampled_from([10, 100, 255])) - (draw(st.integers(0, 2)) if huge else 0), c]
    return rows


@settings(max_examples=300, deadline=None)
@given(rows=graphs(), t_min=st.sampled_from([0.0, 0.1, 0.5]))
def test_equals_the_definition_on_graphs_full_of_ties(definition, rows, t_min):
    assert as_list(agglomerate(graph_of(rows), t_min=t_min)) == definition.merges(rows, round(t_min * 255 * 256))


@settings(max_examples=100, deadline=None)
@given(rows=graphs(), threshold=st.floats(0.1, 1))
def test_a_beginning_of_the_list_is_the_list_at_that_threshold(rows, threshold):
    merges = agglomerate(graph_of(rows), t_min=0.1)
    direct = agglomerate(graph_of(rows), t_min=threshold)
    assert as_list(merges)[: merges_above(merges, threshold)] == as_list(direct)
    assert (np.diff(merges.score) <= 0).all()


def test_a_hub_with_many_neighbours(definition):
    """Enough neighbours that their maps become hash tables, grow and are rebuilt."""
    rng = np.random.default_rng(3)
    n = 90
    rows = {(1, j): [int(rng.integers(30, 256)) * 2, 2] for j in range(2, n)}
    for _ in range(700):
        i, j = sorted(rng.choice(np.arange(2, n), 2, replace=False).tolist())
        rows[i, j] = [int(rng.integers(0, 256)), int(rng.integers(1, 5))]
    rows = dict(sorted(rows.items()))
    assert as_list(agglomerate(graph_of(rows))) == definition.merges(rows, round(0.1 * 255 * 256))


@settings(max_examples=50, deadline=None)
@given(rows=graphs(), shift=st.integers(1, 2**40))
def test_names_do_not_matter_only_their_order(rows, shift):
    renamed = {(u * shift, v * shift): row for (u, v), row in rows.items()}
    scaled = [(u * shift, v * shift, s, c) for u, v, s, c in as_list(agglomerate(graph_of(rows)))]
    assert as_list(agglomerate(graph_of(renamed))) == scaled


def test_a_graph_without_rows():
    merges = agglomerate(graph_of({}))
    assert as_list(merges) == []
    assert cut(merges, 0.5, np.array([4], np.uint64)).tolist() == [4]


def test_a_threshold_below_the_list_names_the_remedy():
    empty = np.zeros(0, np.uint64)
    with pytest.raises(ValueRangeError, match=r"0\.05 is below the t_min 0\.1.*t_min=0\.05 to extend the list"):
        cut(MergeList(empty.reshape(0, 2), empty, empty, 0.1), 0.05, empty)
    with pytest.raises(ValueRangeError, match=r"in \[0, 1\]"):
        agglomerate(graph_of({(1, 2): [1, 1]}), t_min=1.5)
