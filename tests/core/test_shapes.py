import numpy as np
import pytest

from neurotome.core import Grid, InputError, Mesh, ObjectVoxels, PointCloud, ShapeError, ValueRangeError


def test_a_cloud_names_its_first_bad_point():
    with pytest.raises(ValueRangeError, match=r"Point 1 of 'n7' is \(nan, 0.0, 0.0\)"):
        PointCloud(np.array([[0, 0, 0], [np.nan, 0, 0], [np.inf, 0, 0]]), name="n7")


def test_an_empty_cloud_is_no_shape():
    with pytest.raises(InputError, match="'n7' is empty"):
        PointCloud(np.empty((0, 3)), name="n7")
    with pytest.raises(ShapeError):
        PointCloud(np.zeros((4, 2)))


def test_a_mesh_has_triangles_of_its_own_vertices():
    corners = np.eye(3)
    assert Mesh(corners, [[0, 1, 2]]).triangles.dtype == np.int64
    with pytest.raises(InputError, match="vertex 3"):
        Mesh(corners, [[0, 1, 3]])
    with pytest.raises(InputError, match="no triangles"):
        Mesh(corners, np.empty((0, 3)))


def test_voxels_lie_on_their_grid():
    grid = Grid((4, 4, 4), (40.0, 8.0, 8.0), (0.0, 100.0, 0.0))
    assert ObjectVoxels(np.array([[1, 2, 3]]), grid).points_nm.tolist() == [[40.0, 116.0, 24.0]]
    with pytest.raises(InputError, match="no voxels"):
        ObjectVoxels(np.empty((0, 3)), grid)
