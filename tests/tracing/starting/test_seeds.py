"""Start points: moved onto the neurite and into its middle, with a note, or refused with the place that would do."""

import numpy as np
import pytest

from neurotome.core import InputError, ShapeError
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.sparse.object_voxels import ObjectVoxels
from neurotome.tracing.starting.seeds import click, snap_seeds

UM = (1000.0, 1000.0, 1000.0)


@pytest.fixture(scope="module")
def tube():
    z, y, x = np.ogrid[:31, :31, :101]
    volume = (((z - 15) ** 2 + (y - 15) ** 2 <= 9) & (x >= 10) & (x <= 90)).astype(np.uint8) * 255
    return Bricks.of(volume, UM)


def snapped(bricks, *points):
    voxels = ObjectVoxels.of(bricks, 128)
    return snap_seeds(voxels, distance_to_background(voxels), np.array(points))


def test_a_point_on_the_neurite_climbs_to_the_axis_without_a_note(tube):
    (seed,), notes = snapped(tube, (15, 18, 50))
    assert seed.voxel[:2] == (15, 15)
    assert abs(seed.voxel[2] - 50) <= 3
    assert notes == ()


def test_a_point_near_the_neurite_is_moved_and_said_so(tube):
    (seed, _), notes = snapped(tube, (15, 25, 50), (15, 15, 40))
    assert seed.voxel[:2] == (15, 15)
    assert notes == ("Start point (15, 25, 50) lies in the background; moved 7.0 voxels, to (15, 18, 50)",)


def test_ten_voxels_are_near_and_eleven_are_not(tube):
    assert len(snapped(tube, (15, 28, 50))[1]) == 1
    with pytest.raises(
        InputError, match=r"\(15, 29, 50\).* 11.0 voxels from the nearest object voxel \(15, 18, 50\).*at most 10"
    ):
        snapped(tube, (15, 29, 50))


def test_a_point_outside_of_the_volume(tube):
    for point in ((15, 15, 101), (-1, 15, 50)):
        with pytest.raises(InputError, match=r"lies outside of the volume.*check the axis order"):
            snapped(tube, point)


def test_climbing_stays_near_in_a_cone():
    z, y, x = np.ogrid[:41, :41, :200]
    cone = Bricks.of(((z - 20) ** 2 + (y - 20) ** 2 <= (3 + x / 15) ** 2).astype(np.uint8) * 255, UM)
    (seed,), _ = snapped(cone, (20, 23, 60))
    assert abs(seed.voxel[2] - 60) <= 8
    assert max(abs(seed.voxel[0] - 20), abs(seed.voxel[1] - 20)) <= 1


def test_points_of_another_shape_or_type(tube):
    with pytest.raises(ShapeError, match=r"\(k, 3\)"):
        snapped(tube, (15, 15))
    with pytest.raises(InputError, match="divide nm by the voxel size"):
        snapped(tube, (15.0, 15.0, 50.5))


def test_a_click_means_the_middle_of_the_longest_run():
    volume = np.zeros((40, 10, 10), np.uint8)
    volume[3:5, 4, 6] = 200
    volume[20:29, 4, 6] = 200
    bricks = Bricks.of(volume, UM)
    assert click(bricks, 0, (4, 6), 128) == (24, 4, 6)
    assert click(bricks, 1, (21, 6), 128) == (21, 4, 6)
    with pytest.raises(InputError, match="No voxel of 128 or more behind the click at \\(5, 6\\) along z"):
        click(bricks, 0, (5, 6), 128)
    with pytest.raises(InputError, match="click in the picture"):
        click(bricks, 2, (40, 0), 128)
