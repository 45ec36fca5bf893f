import numpy as np
import pytest

from neurotome.core import InputError, Mesh
from neurotome.morphology.occupancy import GridSettings, voxelise
from neurotome.morphology.occupancy.surfaces import inside_voxels, open_edges, surface_voxels

CENTRES = np.stack(np.meshgrid(*(np.arange(16) + 0.5,) * 3, indexing="ij"), -1)


def test_the_inside_of_a_ball(ball):
    for radius, middle in ((5.3, (8, 8, 8)), (4.1, (7.3, 8.9, 8.2))):
        mesh = ball(middle, radius, rounds=4)
        inside = inside_voxels(mesh.vertices_nm, mesh.triangles, 16).astype(bool)
        away = np.linalg.norm(CENTRES - middle, axis=-1)
        assert inside[away < radius * 0.99].all() and not inside[away > radius].any()


def test_rays_through_corners_and_edges_count_once(ball):
    mesh = ball((8.5, 8.5, 8.5), 5, rounds=2)  # its corners lie on rays
    inside = inside_voxels(mesh.vertices_nm, mesh.triangles, 16)
    assert inside[8, 8, 4:13].all() and inside[8, 8].sum() in (9, 10, 11)
    assert not inside[:3].any() and not inside[8, 8, :3].any()
    cube = np.array([[a, b, c] for a in (2, 6) for b in (2, 6) for c in (2, 6)], float) + 0.5
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    assert inside_voxels(cube, triangles, 16).sum() == 4**3


def test_pieces_may_overlap_and_triangles_may_disagree(ball):
    one, other = ball((7, 8, 8), 4), ball((9, 8, 8), 4)
    both = Mesh(np.concatenate([one.vertices_nm, other.vertices_nm]),
                np.concatenate([one.triangles, other.triangles + len(one.vertices_nm)]))  # fmt: skip
    alone = [inside_voxels(m.vertices_nm, m.triangles, 16) for m in (one, other)]
    assert (inside_voxels(both.vertices_nm, both.triangles, 16) == (alone[0] | alone[1])).all()
    muddled = one.triangles.copy()
    muddled[::3] = muddled[::3, ::-1]
    assert (inside_voxels(one.vertices_nm, muddled, 16) == alone[0]).all()


def test_surface_voxels_are_those_that_hold_a_point_of_a_triangle(rng):
    for _ in range(10):
        corners = rng.uniform(-2, 10, (3, 3))
        found = surface_voxels(corners, np.array([[0, 1, 2]]), 8)
        s, t = rng.random((2, 40000))
        s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
        points = corners[0] + s[:, None] * (corners[1] - corners[0]) + t[:, None] * (corners[2] - corners[0])
        index = np.unique(np.floor(points[((points >= 0) & (points < 8)).all(1)]).astype(int), axis=0)
        hit = np.zeros((8, 8, 8), np.uint8)
        hit[tuple(index.T)] = 1
        assert (found >= hit).all()
        assert found.sum() - hit.sum() <= 0.12 * found.sum() + 2  # corners of voxels that no sample hit


def test_open_meshes_are_surfaces_unless_an_inside_is_asked_for(ball):
    closed = ball((0, 0, 0), 1e5)
    lid_off = Mesh(closed.vertices_nm, closed.triangles[1:], name="lid off")
    rule = GridSettings(size=32, centring="mean")
    whole = voxelise(closed, rule)
    assert whole.data.sum() * whole.frame.voxel_nm**3 == pytest.approx(4 / 3 * np.pi * 1e15, rel=0.15)
    shell = voxelise(closed, rule.but(fill="surface")).data
    assert shell.sum() < 0.4 * whole.data.sum() and (whole.data >= shell).all()
    assert voxelise(lid_off, rule).data.sum() < 0.4 * whole.data.sum()
    with pytest.raises(InputError, match=r"'lid off' has 3 open edges.*fill='surface'"):
        voxelise(lid_off, rule.but(fill="inside"))
    assert open_edges(lid_off.triangles) == 3


def test_vertices_at_one_place_are_one(ball):
    closed = ball((0, 0, 0), 1e5, rounds=2)
    soup = Mesh(closed.vertices_nm[closed.triangles.ravel()], np.arange(closed.triangles.size).reshape(-1, 3))
    rule = GridSettings(size=32, centring="mean", fill="inside")
    assert (voxelise(soup, rule).data == voxelise(closed, rule).data).all()


def test_the_share_inside_a_mesh(ball):
    mesh = ball((0, 0, 0), 1e5, rounds=4)
    soft = voxelise(mesh, GridSettings(size=32, centring="mean", mode="soft"))
    assert soft.data.sum() * soft.frame.voxel_nm**3 == pytest.approx(4 / 3 * np.pi * 1e15, rel=0.01)
    assert soft.data.max() == 1 and soft.data.dtype == np.float32
    with pytest.raises(InputError, match="open edges"):
        voxelise(Mesh(mesh.vertices_nm, mesh.triangles[1:]), GridSettings(mode="soft"))
