import numpy as np
import pytest

from neurotome.core import Grid, Probability
from neurotome.io import ome_zarr, save
from neurotome.neurons import AgglomerateSettings, LinkSettings
from neurotome.neurons.blockwise.lattice import Lattice
from neurotome.neurons.blockwise.pieces import FindPieces, ProbabilityFile, halo
from neurotome.neurons.blockwise.workspace import Workspace

NEAREST = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1")


@pytest.fixture
def row(tmp_path):
    """One row of eight voxels, in two blocks: edges of 90 between the voxels of three fragments."""
    q = np.array([[[90, 90, 0, 90, 90, 0, 90, 0]]], np.uint8)
    grid = Grid(q.shape, (30, 6, 6))
    save(Probability(np.stack([0 * q, 0 * q, q]), grid, NEAREST), tmp_path / "p.ome.zarr")
    workspace = Workspace(tmp_path / "w", Lattice(q.shape, (1, 1, 4)))
    ome_zarr.create(tmp_path / "pieces.ome.zarr", shape=q.shape, dtype=np.uint32, grid=grid, chunk=(1, 1, 4), shard=(1, 1, 4))
    return ProbabilityFile(str(tmp_path / "p.ome.zarr")), workspace, tmp_path / "pieces.ome.zarr"


def test_pieces_are_numbered_in_the_block_and_named_by_their_smallest_voxel(row):
    source, workspace, volume = row
    settings = AgglomerateSettings()
    for block in workspace.lattice.blocks(*halo(settings)):
        FindPieces(source, settings, workspace, volume)(block)
    # Fragments are 0-2, 3-5 and 6-7: the second goes over the face.
    assert np.asarray(ome_zarr.reopen(volume).read().result()).reshape(-1).tolist() == [1, 1, 1, 2, 1, 1, 2, 2]
    left, right = (workspace.load("pieces", box, "names", "sizes") for box in workspace.lattice.boxes)
    assert left["names"].tolist() == [1, 4] and right["names"].tolist() == [5, 7]
    assert left["sizes"].tolist() == [3, 1] and right["sizes"].tolist() == [2, 2]
    lower, upper = (workspace.load("seams", box, "joins2", "lower2", "upper2", "value2") for box in workspace.lattice.boxes)
    assert lower["joins2"].item() and lower["value2"].item() == 90 and lower["upper2"].item() == 2
    assert not upper["joins2"].item() and upper["lower2"].item() == 1


def test_a_block_writes_the_same_bytes_again(row):
    source, workspace, volume = row
    work, block = FindPieces(source, AgglomerateSettings(), workspace, volume), workspace.lattice.blocks((1, 1, 1), (2, 2, 2))[0]
    files = work(block)
    before = [path.read_bytes() for path in files]
    assert work(block) == files and [path.read_bytes() for path in files] == before


def test_more_is_read_where_edges_are_smoothed():
    assert halo(AgglomerateSettings()) == halo(LinkSettings()) == ((1, 1, 1), (2, 2, 2))
    (z, y, x), _ = halo(AgglomerateSettings(smooth=1.0))
    assert z == 1 and y == x > 3
