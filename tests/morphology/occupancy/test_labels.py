import numpy as np
import pytest

from neurotome.core import Frame, Grid, ObjectVoxels
from neurotome.morphology.occupancy import GridSettings, random_rotation, voxelise
from neurotome.morphology.occupancy.labels import label_share, label_voxels

FRAME = Frame((0, 0, 0), -8000, 8000, 8)  # voxels of 2000


def label(voxels, voxel_nm=(500.0, 500.0, 500.0), origin=(0.0, 0.0, 0.0)):
    return ObjectVoxels(np.array(voxels), Grid((64, 64, 64), voxel_nm, origin))


def test_one_voxel_of_a_label_is_enough():
    found, outside = label_voxels(label([[0, 0, 0], [0, 0, 7], [40, 0, 0]], origin=(250.0, 250.0, 250.0)), FRAME)
    assert np.argwhere(found).tolist() == [[4, 4, 4], [4, 4, 5]]
    assert outside == pytest.approx(1 / 3)


def test_coarse_voxels_stay_whole_on_a_finer_grid():
    coarse = label([[0, 0, 0], [0, 0, 1]], voxel_nm=(4000, 4000, 6000), origin=(0, 0, -3000))
    found, _ = label_voxels(coarse, FRAME)
    assert found.sum() == 2 * 2 * 6 and found[3:5, 3:5, 1:7].all()


def test_the_share_of_a_voxel():
    whole = np.argwhere(np.ones((4, 4, 4)))
    found, outside = label_share(label(whole, origin=(250.0, 250.0, 250.0)), FRAME)
    assert found[4, 4, 4] == 1 and found.sum() == pytest.approx(1) and outside == 0
    half, _ = label_share(label(whole, origin=(1250.0, 250.0, 250.0)), FRAME)
    assert half[4, 4, 4] == pytest.approx(0.5) and half[5, 4, 4] == pytest.approx(0.5)


def test_a_turned_box_keeps_its_volume(rng):
    turn = tuple(map(tuple, random_rotation(rng)))
    box = label(np.argwhere(np.ones((12, 10, 8))), origin=(-2750, -2250, -1750))
    share, outside = label_share(box, Frame((0, 0, 0), -8000, 8000, 16, rotation=turn))
    assert outside == 0 and share.sum() * 1000**3 == pytest.approx(960 * 500**3, rel=0.05)


def test_a_thin_axon_survives_any_grid():
    line = np.array([[n, n // 2, 0] for n in range(400)])
    axon = ObjectVoxels(line, Grid((400, 200, 1), (40, 8, 8)), name="axon")
    found = voxelise(axon, GridSettings(size=16, centring="mean"))
    assert found.data.any((1, 2)).sum() >= 15 and found.frame.clipped_fraction == 0
