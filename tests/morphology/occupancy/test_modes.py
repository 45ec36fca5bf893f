import numpy as np
from scipy import ndimage

from neurotome.morphology.occupancy import GridSettings, voxelise
from neurotome.morphology.occupancy.modes import centre_lines, clipped_distance, dilated


def test_dilation_is_that_of_26_neighbours(rng):
    grid = (rng.random((9, 9, 9)) > 0.98).astype(np.uint8)
    for rounds in (0, 1, 3):
        wide = ndimage.maximum_filter(grid, 2 * rounds + 1, mode="constant")
        assert (dilated(grid, rounds) == wide).all()


def test_distances_are_those_to_the_nearest_voxel_of_the_other_kind(rng):
    grid = ndimage.binary_dilation(rng.random((12, 12, 12)) > 0.99, iterations=2)
    inside, outside = ndimage.distance_transform_edt(grid), ndimage.distance_transform_edt(~grid)
    expected = np.clip(np.where(grid, inside - 0.5, 0.5 - outside), -3, 3)
    assert np.abs(clipped_distance(grid) - expected).max() < 1e-5
    assert (clipped_distance(np.zeros((3, 3, 3), bool)) == -3).all()


def test_centre_lines_are_thin_and_whole():
    bar = np.zeros((9, 9, 24), bool)
    bar[2:7, 2:7, 2:22] = True
    line = centre_lines(bar)
    assert ndimage.label(line, np.ones((3, 3, 3)))[1] == 1 and line.sum() < 30 and (bar >= line).all()


def test_modes_of_a_tree(tree):
    hits, line, wide, deep = (
        voxelise(tree, GridSettings(size=64, **choice)).data
        for choice in ({}, {"mode": "skeleton"}, {"dilate": 1}, {"mode": "edt", "dilate": 1})
    )
    assert line.dtype == hits.dtype == np.bool_ and deep.dtype == np.float32
    assert (hits >= line).all() and hits.sum() > line.sum()
    assert (wide == ndimage.binary_dilation(hits, np.ones((3, 3, 3)))).all()
    assert ((deep > 0) == wide).all() and deep.min() == -3
    soft = voxelise(tree, GridSettings(size=64, mode="soft")).data
    assert (soft[hits] > 0).all() and hits[soft > 0.9].all()
