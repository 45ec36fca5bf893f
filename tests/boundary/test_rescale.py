import numpy as np
import pytest

from neurotome.boundary import ImageFile, labels_on_grid, resampled_grid, resampled_image
from neurotome.core import Box, Grid, Image, Labels
from neurotome.io import save


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


@pytest.mark.parametrize("voxel_nm", [(30, 6, 6), (50, 9, 7), (20, 3, 4), (30, 4, 4)])
def test_a_box_is_that_part_of_the_whole_to_the_last_bit(voxel_nm, rng):
    image = Image(rng.integers(0, 256, (9, 60, 70)).astype(np.uint8), Grid((9, 60, 70), (30, 4, 4)))
    seen = resampled_image(image, voxel_nm)
    whole = seen.read()
    assert whole.shape == seen.grid.shape and whole.dtype == np.uint8
    for _ in range(10):
        start, stop = np.sort([rng.integers(0, n, 2) for n in whole.shape], axis=1).T
        box = Box(tuple(start), tuple(stop + 1))
        assert np.array_equal(seen.read(box), whole[box.slices])


def test_it_is_linear_interpolation_of_the_smoothed_image(rng):
    """Against SciPy, which computes the whole at once."""
    from scipy import ndimage

    image = Image(rng.random((6, 40, 50)).astype(np.float32), Grid((6, 40, 50), (30, 4, 4)))
    seen = resampled_image(image, (45, 6, 5))
    factor = [b / a for a, b in zip(image.grid.voxel_nm, seen.grid.voxel_nm)]
    smooth = ndimage.gaussian_filter(image.read(), [(f - 1) / 2 for f in factor], mode="nearest")
    expected = ndimage.affine_transform(smooth, factor, [(f - 1) / 2 for f in factor], seen.grid.shape, order=1, mode="nearest")
    assert np.abs(seen.read() - expected).max() < 1e-6


def test_sections_are_not_mixed(tmp_path):
    values = np.zeros((4, 32, 32), np.uint8)
    values[::2] = 200
    save(Image(values, Grid(values.shape, (50, 3, 3))), tmp_path / "thick.ome.tif")
    seen = ImageFile(str(tmp_path / "thick.ome.tif"), resample_nm=(30, 6, 6)).open()
    assert seen.grid.shape == (4, 16, 16) and seen.grid.voxel_nm == (50, 6, 6)
    assert np.array_equal(np.unique(seen.read()), [0, 200])
    save(Image(values, Grid(values.shape, (8, 8, 8))), tmp_path / "cubes.ome.tif")
    assert ImageFile(str(tmp_path / "cubes.ome.tif"), resample_nm=(16, 16, 16)).open().grid.shape == (2, 16, 16)
