import numpy as np
import pytest

from neurotome.core import FormatError, Grid, Labels
from neurotome.io import MeshFragments, MeshManifests, announce_meshes, save
from neurotome.io.meshes_read import mesh_ids, read_precomputed_mesh


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    ids = np.zeros((6, 8, 8), np.uint64)
    ids[1:4, 2:6, 3:5] = 9
    path = tmp_path_factory.mktemp("mesh") / "labels.precomputed"
    save(Labels(ids, Grid(ids.shape, (40.0, 4.0, 4.0))), path)
    announce_meshes(path)
    work = MeshFragments(path, 0)
    for block in work.blocks():
        work(block)
    MeshManifests(path)(work.blocks()[0])
    return path / "mesh"


def test_the_surface_lies_about_the_voxels_and_is_closed(folder):
    assert mesh_ids(folder) == (9,)
    mesh = read_precomputed_mesh(folder, 9, voxel_nm=(40.0, 4.0, 4.0))
    middle = (mesh.vertices_nm.min(0) + mesh.vertices_nm.max(0)) / 2
    assert middle.tolist() == [2 * 40, 3.5 * 4, 3.5 * 4]
    edges = np.concatenate([mesh.triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    forward, backward = (set(map(tuple, pairs.tolist())) for pairs in (edges, edges[:, ::-1]))
    assert forward == backward


def test_pieces_that_are_missing_or_cut_off_are_said(folder, tmp_path):
    with pytest.raises(FormatError, match=r"'.*8:0' cannot be read"):
        read_precomputed_mesh(folder, 8)
    (tmp_path / "9:0").write_text('{"fragments": ["a"]}')
    (tmp_path / "a").write_bytes(b"\x09\0\0\0abc")
    with pytest.raises(FormatError, match="cut off"):
        read_precomputed_mesh(tmp_path, 9)
