import numpy as np
import pytest

from neurotome.boundary import labels_on_grid, resampled_grid, resampled_image
from neurotome.core import Grid, Image, Labels


def test_grids_share_their_outer_faces():
    grid = Grid((10, 100, 90), (30, 4, 4), (0, 8, 0))
    target = resampled_grid(grid, (30, 6, 6))
    assert target.shape == (10, 67, 60)
    for axis in range(3):
        low = [g.origin_nm[axis] - g.voxel_nm[axis] / 2 for g in (grid, target)]
        span = [g.shape[axis] * g.voxel_nm[axis] for g in (grid, target)]
        assert low[0] == pytest.approx(low[1]) and span[0] == pytest.approx(span[1])


def test_a_ramp_stays_a_ramp():
    grid = Grid((2, 30, 60), (30, 4, 4))
    ramp = np.broadcast_to(np.arange(60, dtype=np.float32), grid.shape)
    image = resampled_image(Image(ramp, grid), (30, 6, 6))
    x = np.array([image.grid.to_nm((0, 0, i))[2] for i in range(40)]) / 4
    assert np.allclose(image.read()[0, 10, 3:-3], x[3:-3], atol=0.05)


def test_labels_come_back_to_the_grid_they_left():
    grid = Grid((4, 40, 40), (30, 4, 4))
    labels = np.random.default_rng(0).integers(0, 9, (4, 5, 5)).repeat(8, 1).repeat(8, 2).astype(np.uint64)
    fine = Labels(labels, grid)
    coarse = labels_on_grid(fine, resampled_grid(grid, (30, 8, 8)))
    assert coarse.grid.shape == (4, 20, 20)
    assert np.array_equal(labels_on_grid(coarse, grid).read(), labels)
