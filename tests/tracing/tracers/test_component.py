"""The component of a start, against SciPy's labelling of the dense volume."""

import numpy as np
import pytest
from scipy import ndimage

from neurotome.core import ValueRangeError
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS
from neurotome.tracing.tracers.component import component_of, depths_nm, radii_from_depths
from neurotome.tracing.tracers.neighbourhood import near

VOXEL = (300.0, 100.0, 200.0)


@pytest.fixture
def volume(rng):
    return (rng.random((40, 70, 66)) ** 0.4 * 255 * (rng.random((40, 70, 66)) < 0.12)).astype(np.uint8)


def test_it_is_the_component_that_a_flood_of_the_whole_volume_finds(volume):
    labels, _ = ndimage.label(volume >= 150, np.ones((3, 3, 3)))
    bricks = Bricks.of(volume, VOXEL)
    for label in (np.bincount(labels[labels > 0]).argmax(), labels.max(), 1):
        voxels = np.argwhere(labels == label)
        found = component_of(bricks, tuple(voxels[-1].tolist()), 150)
        positions = found.voxels.positions
        assert sorted(map(tuple, positions.tolist())) == sorted(map(tuple, voxels.tolist()))
        assert found.values.tolist() == volume[tuple(positions.T)].tolist()
        assert positions[found.start].tolist() == voxels[-1].tolist()
        assert found.points_nm[found.start].tolist() == (voxels[-1] * VOXEL).tolist()


def test_its_numbers_do_not_depend_on_the_start(volume):
    bricks = Bricks.of(volume, VOXEL)
    voxels = np.argwhere(ndimage.label(volume >= 100, np.ones((3, 3, 3)))[0] == 1)
    first, second = (component_of(bricks, tuple(v.tolist()), 100) for v in (voxels[0], voxels[-1]))
    assert np.array_equal(first.voxels.positions, second.voxels.positions)


def test_neighbours_are_the_same_inside_of_bricks_and_across_their_faces(volume):
    found = component_of(Bricks.of(volume, VOXEL), tuple(np.argwhere(volume >= 50)[0].tolist()), 50)
    table, bits, first, positions = found.lookup
    number = {tuple(p): n for n, p in enumerate(positions.tolist())}
    numbers = np.empty(26, np.int64)
    for row in range(0, len(found), 7):
        near(table, bits, first, positions[row], numbers)
        assert numbers.tolist() == [number.get(tuple(p), -1) for p in (positions[row] + NEIGHBOURS).tolist()]


def test_a_volume_without_background_has_even_depths():
    found = component_of(Bricks.of(np.full((6, 8, 10), 255, np.uint8), VOXEL), (0, 0, 0), 1)
    assert set(depths_nm(found).tolist()) == {1000.0}


def test_a_radius_lies_between_the_last_voxel_and_the_background(shapes):
    for radius in (1.5, 2, 3, 4, 5, 6):
        found = component_of(Bricks.of(shapes.filled(shapes.tube(radius)), (1000.0,) * 3), (15, 15, 50), 128)
        assert radii_from_depths(depths_nm(found), found)[found.start] == pytest.approx(1000 * radius, abs=260)


def test_background_is_no_start(volume):
    with pytest.raises(ValueRangeError, match="move it onto the neurite"):
        component_of(Bricks.of(volume, VOXEL), tuple(np.argwhere(volume == 0)[0].tolist()), 1)
