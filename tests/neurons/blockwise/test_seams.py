import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Block, Box
from neurotome.neurons.blockwise.lattice import Lattice
from neurotome.neurons.blockwise.seams import FindPairs, NamePieces, piece_names, seam_pixels, unite_pairs
from neurotome.neurons.blockwise.workspace import Workspace


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 15), st.integers(1, 15)), max_size=20))
def test_sets_are_named_by_their_smallest_member(pairs):
    smallest = {n: n for pair in pairs for n in pair}
    for _ in smallest:
        for a, b in pairs:
            smallest[a] = smallest[b] = min(smallest[a], smallest[b])
    members, names = unite_pairs(np.array(pairs, np.uint64).reshape(-1, 2))
    assert dict(zip(members.tolist(), names.tolist())) == smallest and members.tolist() == sorted(smallest)


def two_blocks(folder):
    """One row of four voxels in two blocks: pieces 1, 2 | 1, 2 of which those at the face join."""
    workspace = Workspace(folder, Lattice((1, 1, 4), (1, 1, 2)))
    lower, upper = workspace.lattice.boxes
    for box, names, joins in ((lower, [1, 2], True), (upper, [3, 4], False)):
        workspace.save("pieces", box, names=np.array(names, np.uint64))
        flat = {f"{side}{axis}": np.array([[1, 2]], np.uint32) for side in ("lower", "upper") for axis in (0, 1)}
        flat |= {f"joins{axis}": np.zeros((1, 2), bool) for axis in (0, 1)}
        first, last = np.array([[1]], np.uint32), np.array([[2]], np.uint32)
        workspace.save("seams", box, **flat, lower2=first, upper2=last, joins2=np.array([[joins]]))
    return workspace


def test_pieces_that_join_over_a_face_are_one(tmp_path):
    workspace = two_blocks(tmp_path)
    lower, upper = workspace.lattice.boxes
    for box in (lower, upper):
        FindPairs(workspace)(Block(box, box))
    assert workspace.load("pieces-pairs", lower, "pairs")["pairs"].tolist() == [[2, 3]]
    assert workspace.load("pieces-pairs", upper, "pairs")["pairs"].shape == (0, 2)
    volume = Box((0, 0, 0), (1, 1, 4))
    NamePieces(workspace)(Block(volume, volume))
    assert piece_names(workspace, lower).tolist() == [1, 2] and piece_names(workspace, upper).tolist() == [2, 4]


def test_a_face_seen_from_both_sides(tmp_path):
    workspace = two_blocks(tmp_path)
    upper, lower, joins = seam_pixels(workspace, "pieces", *workspace.lattice.boxes, axis=2)
    assert (upper.tolist(), lower.tolist(), joins.tolist()) == ([[2]], [[1]], [[True]])
