import numpy as np
import pytest

from neurotome.core import Block, Box
from neurotome.neurons import AgglomerateSettings
from neurotome.neurons.blockwise import stored_graph
from neurotome.neurons.blockwise.contacts import CountSeen


@pytest.fixture
def contacts(noisy_phantom, segment_on_blocks):
    """(segmentation on six blocks, whole segmentation)."""
    volume, settings = noisy_phantom["affinities"], AgglomerateSettings(min_voxels=20)
    return segment_on_blocks(volume, settings, (3, 20, 30)), volume.whole(settings)


def test_blocks_know_every_voxel_of_every_fragment_once(contacts):
    segmentation, whole = contacts
    workspace, total = segmentation.workspace, {}
    for box in workspace.lattice.boxes:
        held = workspace.load("contacts", box, "fragments", "sizes")
        here = whole.fragments.data[box.slices]
        assert held["fragments"].tolist() == np.unique(here[here > 0]).tolist()
        for name, size in zip(held["fragments"].tolist(), held["sizes"].tolist()):
            total[name] = total.get(name, 0) + size
    names, sizes = np.unique(whole.fragments.data[whole.fragments.data > 0], return_counts=True)
    assert total == dict(zip(names.tolist(), sizes.tolist()))


def test_every_block_that_has_a_row_of_a_fragment_sees_it(contacts):
    segmentation, _ = contacts
    workspace = segmentation.workspace
    seen = dict(workspace.table("seen").tolist())
    users = {}
    for box in workspace.lattice.boxes:
        kept = workspace.load("contacts", box, "fragments", "near_edges", "far_edges")
        for name in np.unique(np.concatenate([a.reshape(-1) for a in kept.values()])).tolist():
            users[name] = users.get(name, 0) + 1
    assert any(n > 1 for n in users.values())
    # Who only counts on a fragment without a row is counted too: waiting for one block more is no mistake.
    assert all(seen.get(name, 1) >= n for name, n in users.items())


def test_the_stored_graph_is_that_of_the_whole_volume(contacts):
    segmentation, whole = contacts
    graph = stored_graph(segmentation.workspace)
    assert graph.edges.dtype == np.uint64 and len(graph.edges) > 100
    assert all(np.array_equal(getattr(graph, n), getattr(whole.graph, n)) for n in ("edges", "affinity_sum", "contact"))
    assert np.array_equal(segmentation.whole_graph().edges, graph.edges)


def test_only_fragments_that_several_blocks_see_are_listed(graph_on_blocks, tmp_path):
    graph = graph_on_blocks(3, {(0, 1): 1, (1, 1): 1, (1, 2): 4, (2, 3): 1}, [(1, 2, 3, 50, 1)])
    workspace = graph._written(tmp_path)
    volume = Box((0, 0, 0), workspace.lattice.volume)
    CountSeen(workspace)(Block(volume, volume))
    assert workspace.table("seen").tolist() == [[1, 2], [3, 2]]
