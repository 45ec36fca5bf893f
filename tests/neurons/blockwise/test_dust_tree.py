"""Dust in groups of blocks: what becomes of it is what would become of it in the whole graph."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.neurons import AgglomerateSettings


@settings(max_examples=100, deadline=None)
@given(
    data=st.data(),
    threshold=st.sampled_from([0.3, 0.5, 0.9, 1.0]),
    least=st.sampled_from([2, 8, 15]),
    small=st.sampled_from(["zero", "keep"]),
)
def test_any_parts_in_any_blocks_end_as_in_the_whole_graph(any_graph_on_blocks, data, threshold, least, small):
    graph, how = data.draw(any_graph_on_blocks), AgglomerateSettings(threshold=threshold, min_voxels=least, small=small)
    with tempfile.TemporaryDirectory() as folder:
        assert graph.labels_on_blocks(how, Path(folder)).tolist() == graph.labels(how).tolist()


@pytest.mark.parametrize(("small", "labels"), [("zero", [0, 1, 1, 0, 1]), ("keep", [0, 1, 1, 2, 1])])
def test_dust_at_a_face_goes_to_the_neighbour_beyond_it(graph_on_blocks, tmp_path, small, labels):
    # 1 lies in the first block, the large 2 in the second; 3 touches nobody; 4 comes to 2 by way of 1.
    graph = graph_on_blocks(2, {(0, 1): 3, (1, 2): 90, (1, 3): 2, (0, 4): 1}, [(0, 1, 2, 60, 1), (0, 1, 4, 80, 1)])
    how = AgglomerateSettings(threshold=0.9, min_voxels=10, small=small)
    assert graph.labels_on_blocks(how, tmp_path).tolist() == labels == graph.labels(how).tolist()


def test_a_large_segment_takes_the_place_of_the_dust_that_comes_before_it(graph_on_blocks, tmp_path):
    # 3 takes in 1, so its neuron begins before 2.
    graph = graph_on_blocks(2, {(0, 1): 1, (0, 2): 50, (1, 3): 50}, [(1, 1, 3, 100, 1)])
    how = AgglomerateSettings(threshold=0.9, min_voxels=10)
    assert graph.labels_on_blocks(how, tmp_path).tolist() == [0, 1, 2, 1] == graph.labels(how).tolist()


def test_dust_that_waited_and_grew_large_is_a_neuron(graph_on_blocks, tmp_path):
    # See the test of that name for `absorb`: 2 goes on in the other block.
    sizes = {(0, 1): 5, (0, 2): 1, (1, 2): 1, (0, 3): 1, (0, 4): 5, (0, 5): 50}
    means = {(1, 2): 140, (1, 3): 90, (1, 4): 150, (1, 5): 160, (3, 5): 250, (4, 5): 10}
    graph = graph_on_blocks(2, sizes, [(0, u, v, mean, 1) for (u, v), mean in means.items()])
    how = AgglomerateSettings(threshold=1.0, min_voxels=8)
    assert graph.labels_on_blocks(how, tmp_path).tolist() == [0, 1, 1, 2, 1, 2] == graph.labels(how).tolist()
