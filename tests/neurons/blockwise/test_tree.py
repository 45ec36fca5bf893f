"""Merging in groups of blocks, with graphs that no volume would give: the result is that of the whole graph."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.neurons import AgglomerateSettings
from neurotome.neurons.agglomerate import scaled
from neurotome.neurons.blockwise.tree import Known, contract_known, joined, load_known, padded, save_known


def known(names, sizes, seen, blocks, rows):
    """rows: {(u, v): (affinity_sum, contact, touches)} between names."""
    keys = np.array(sorted(rows), np.uint64).reshape(-1, 2)
    values = np.array([rows[tuple(k)] for k in keys.tolist()], np.int64).reshape(-1, 3)
    names = np.array(names, np.uint64)
    return Known(
        names,
        *(np.array(a, np.int64) for a in (sizes, seen, blocks)),
        np.searchsorted(names, keys).astype(np.uint32),
        keys,
        values[:, 0],
        values[:, 1],
        values[:, 2] > 0,
    )


def as_lists(graph):
    return {name: getattr(graph, name).tolist() for name in Known.FIELDS}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), threshold=st.sampled_from([0.1, 0.3, 0.5, 0.9]))
def test_any_parts_in_any_blocks_merge_as_the_whole_graph(any_graph_on_blocks, data, threshold):
    graph, how = data.draw(any_graph_on_blocks), AgglomerateSettings(threshold=threshold)
    with tempfile.TemporaryDirectory() as folder:
        assert graph.labels_on_blocks(how, Path(folder)).tolist() == graph.labels(how).tolist()


def test_what_two_groups_know_adds_up():
    a = known([2, 5, 9], [4, 1, 7], [1, 1, 1], [2, 1, 2], {(2, 5): (10, 1, True), (2, 9): (30, 2, False)})
    b = known([2, 3, 9], [6, 8, 0], [1, 1, 1], [2, 1, 2], {(2, 9): (5, 1, True), (3, 9): (7, 1, False)})
    both = joined([a, b])
    assert both.names.tolist() == [2, 3, 5, 9] and both.sizes.tolist() == [10, 8, 1, 7]
    assert both.seen.tolist() == [2, 1, 1, 2] and both.blocks.tolist() == [2, 1, 1, 2]
    rows = {tuple(k): (s, c, t) for k, s, c, t in zip(both.keys.tolist(), both.affinity_sum, both.contact, both.touches)}
    assert rows == {(2, 5): (10, 1, True), (2, 9): (35, 3, True), (3, 9): (7, 1, False)}
    assert both.names[both.pairs].tolist() == [[2, 5], [2, 9], [3, 9]]


def test_joining_does_not_depend_on_the_order():
    rng = np.random.default_rng(2)
    parts = []
    for _ in range(4):
        names = np.unique(rng.integers(1, 30, 12))
        pairs = {tuple(sorted(rng.choice(names, 2, replace=False).tolist())) for _ in range(15)}
        rows = {p: (int(rng.integers(1, 99)), int(rng.integers(1, 4)), bool(rng.integers(2))) for p in pairs}
        parts.append(known(names, rng.integers(0, 9, len(names)), np.ones(len(names)), np.full(len(names), 4), rows))
    expected = as_lists(joined(parts))
    assert as_lists(joined([joined(parts[2:]), joined(parts[:2])])) == expected
    assert as_lists(joined(parts[::-1])) == expected


def test_a_segment_whose_best_neighbour_is_not_known_waits():
    rows = {(1, 2): (100, 1, True), (2, 3): (200, 1, True), (4, 5): (150, 1, True)}
    graph = known([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 1, 1, 1, 1], [1, 1, 2, 1, 1], rows)
    done = contract_known(graph, scaled(0.1))
    # 2 wants 3, which another block sees as well; 1 wants 2. 4 and 5 are one, and have nobody else.
    assert done.renamed.tolist() == [[5, 4]] and done.ended.tolist() == [4] and done.sizes.tolist() == [9]
    left = known([1, 2, 3], [1, 2, 3], [1, 1, 1], [1, 1, 2], {pair: rows[pair] for pair in [(1, 2), (2, 3)]})
    assert as_lists(done.known) == as_lists(left)


def test_rows_of_a_finished_segment_are_left_behind():
    graph = known([1, 2, 3], [1, 2, 3], [1, 1, 1], [1, 1, 2], {(1, 2): (5, 1, True), (2, 3): (4, 2, True)})
    done = contract_known(graph, scaled(0.1))
    assert done.ended.tolist() == [1, 2] and done.known.names.tolist() == [3] and not len(done.known.pairs)
    assert done.behind["edges"].tolist() == [[1, 2], [2, 3]] and done.behind["affinity_sum"].tolist() == [5, 4]


@pytest.mark.parametrize(("touches", "merged"), [(True, 1), (False, 0)])
def test_long_range_edges_alone_join_nothing(touches, merged):
    done = contract_known(known([1, 2], [1, 1], [1, 1], [1, 1], {(1, 2): (255, 1, touches)}), scaled(0.5))
    assert len(done.renamed) == merged and not len(done.known.names)


def test_whether_two_touch_may_be_known_only_further_up():
    below = known([1, 2], [1, 1], [1, 1], [2, 2], {(1, 2): (255, 1, False)})
    waiting = contract_known(below, scaled(0.5)).known
    assert as_lists(waiting) == as_lists(below)
    other = known([1, 2], [1, 1], [1, 1], [2, 2], {(1, 2): (65, 1, True)})
    done = contract_known(joined([waiting, other]), scaled(0.5))
    assert done.renamed.tolist() == [[2, 1]] and done.sizes.tolist() == [4]


def test_a_graph_comes_back_from_its_file(graph_on_blocks, tmp_path):
    workspace = graph_on_blocks(1, {(0, 1): 1}, [])._written(tmp_path)
    graph = known([1, 2], [1, 1], [1, 1], [2, 2], {(1, 2): (255, 1, False)})
    save_known(workspace, "known-3", workspace.lattice.boxes[0], graph)
    assert as_lists(load_known(workspace, "known-3", workspace.lattice.boxes[0])) == as_lists(graph)


def test_padded_has_a_place_for_no_segment():
    assert padded(np.array([4, 5], np.int32)).tolist() == [0, 4, 5] and padded(np.array([True])).dtype == np.bool_
