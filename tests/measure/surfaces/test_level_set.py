import numpy as np
import pytest

from neurotome.measure.surfaces import zero_level
from neurotome.measure.surfaces.level_set import Faces

VOXEL = (8.0, 8.0, 8.0)


def linear(normal, shape=(12, 13, 14), offset=0.0) -> np.ndarray:
    grid = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij")
    return sum(part * along for part, along in zip(normal, grid)) + offset


@pytest.mark.parametrize("normal", [(1.0, 0.0, 0.0), (0.3, -0.5, 1.0), (-1.0, 1.0, 1.0), (0.2, 0.9, -0.1)])
def test_a_plane_is_cut_exactly(normal):
    faces = zero_level(linear(normal, offset=0.123), VOXEL)
    unit = np.array(normal) / np.linalg.norm(normal)
    assert faces.normal == pytest.approx(unit)
    assert faces.area_nm2 == pytest.approx(faces.projected_nm2)
    # Every face lies on the plane, and looks to where the field grows.
    centre = np.array([11, 12, 13]) / 2
    assert (faces.centroids_vox - centre) @ np.array(normal) == pytest.approx(np.full(len(faces), -0.123))
    assert (faces.areas_nm2 @ unit > 0).all()


def test_area_of_a_plane_across_the_array():
    # z grows by one for every two of x: 11 x 13 voxels of (y, x) seen from above.
    faces = zero_level(linear((1.0, 0.0, -0.5), (16, 12, 14)), VOXEL)
    assert faces.area_nm2 == pytest.approx(64 * 11 * 13 * np.sqrt(1.25))
    flat = zero_level(linear((1.0, 0.0, 0.0), (4, 12, 14)), VOXEL, beyond=True)
    assert flat.within(np.ones((4, 12, 14), bool)).area_nm2 == pytest.approx(64 * 12 * 14)


def test_flat_voxels():
    faces = zero_level(linear((1.0, 0.0, -1.0), (16, 12, 14)), (40.0, 8.0, 4.0))
    assert faces.area_nm2 == pytest.approx(11 * 8 * 13 * np.hypot(40.0, 4.0))
    assert faces.normal == pytest.approx(np.array([4.0, 0, -40.0]) / np.hypot(40, 4))


@pytest.mark.parametrize("radius", [5.0, 12.3])
def test_a_ball_from_its_distances(radius):
    grid = np.ogrid[:32, :32, :32]
    field = np.sqrt(sum((g - 15.4) ** 2 for g in grid)) - radius
    faces = zero_level(field, VOXEL)
    assert faces.area_nm2 == pytest.approx(4 * np.pi * (8 * radius) ** 2, rel=0.015)
    # Closed: its normals cancel out, and look outwards.
    assert np.linalg.norm(faces.areas_nm2.sum(axis=0)) == pytest.approx(0, abs=1e-6)
    assert (((faces.centroids_vox - 15.4) * faces.areas_nm2).sum(axis=1) > 0).all()
    assert len(np.unique(faces.voxels, axis=0)) > 4 * radius**2


def test_the_same_area_as_another_implementation():
    from skimage.measure import marching_cubes, mesh_surface_area

    rng = np.random.default_rng(3)
    z, y, x = np.meshgrid(*[np.linspace(0, 2, 24)] * 3, indexing="ij")
    field = sum(np.sin(f * z + g * y + h * x + p) for f, g, h, p in rng.uniform(0.5, 2.5, (5, 4)))
    vertices, triangles, _, _ = marching_cubes(field, 0.0, spacing=VOXEL)
    assert zero_level(field, VOXEL).area_nm2 == pytest.approx(mesh_surface_area(vertices, triangles), rel=0.003)


def test_more_faces_than_there_is_room_for(monkeypatch):
    from neurotome.measure.surfaces import level_set

    field = linear((0.3, -0.5, 1.0))
    whole = zero_level(field, VOXEL)
    monkeypatch.setattr(level_set, "_ROOM", 10)
    assert (zero_level(field, VOXEL).areas_nm2 == whole.areas_nm2).all()


def test_no_zero_no_faces():
    faces = zero_level(np.ones((4, 4, 4)), VOXEL)
    assert len(faces) == 0
    assert faces.area_nm2 == 0
    assert np.isnan(faces.normal).all()


def test_within_takes_the_faces_of_a_mask_and_none_beyond_it():
    faces = Faces(np.array([[0.0, 0, 0.4], [0, 0, 0.6], [0, 0, 0.5], [0, 0, -0.6], [0, 9, 0]]), np.eye(3)[[0, 1, 2, 0, 1]])
    mask = np.array([[[True, False]]])
    assert faces.within(mask).centroids_vox[:, 2].tolist() == [0.4]
    assert faces.within(~mask).centroids_vox[:, 2].tolist() == [0.6, 0.5]
