"""What every tracer must do, on shapes whose skeleton is known."""

import numpy as np
import pytest
from scipy import ndimage

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers import SETTINGS, TRACERS, tracer_settings

pytestmark = pytest.mark.parametrize("name", TRACERS)

AXIS = ((15, 15, 10), (15, 15, 90))
KNOT, FOOT, ARMS = (15, 40, 50), (15, 40, 10), ((15, 15, 90), (15, 65, 90))
FORK = ((FOOT, KNOT), (KNOT, ARMS[0]), (KNOT, ARMS[1]))


def near(point, other, within):
    return np.linalg.norm(np.asarray(point) - other) <= within


@pytest.mark.parametrize("radius", [1.5, 3, 5])
@pytest.mark.parametrize("start", [(15, 15, 10), (15, 15, 50)])
def test_a_tube_is_a_line(name, radius, start, shapes, traced):
    found = traced(name, shapes.tube(radius), start)
    assert (found.ends, found.branches) == (2, 0)
    assert found.error(AXIS) <= 0.1
    assert found.tree.length_nm / 1000 == pytest.approx(80, abs=1.5)
    assert np.abs(found.tree.radii_nm / 1000 - radius).max() <= 1
    assert len(found.tree.roots) == 1 and near(found.points[found.tree.roots[0]], start, 1)


def test_a_start_beside_the_axis_adds_no_branch(name, shapes, traced):
    found = traced(name, shapes.tube(5), (15, 19, 10))
    assert (found.ends, found.branches) == (2, 0)
    assert found.error(AXIS) <= 0.6
    assert near(found.points[found.tree.roots[0]], (15, 19, 10), 5)


def test_a_fork_has_three_ends_and_one_branch(name, shapes, traced):
    found = traced(name, shapes.y_fork(), FOOT)
    assert (found.ends, found.branches) == (3, 1)
    assert found.error(*FORK) <= 0.5
    assert near(found.points[found.degrees == 3][0], KNOT, 7)
    ends = found.points[found.degrees == 1]
    for end in (FOOT, *ARMS):
        assert np.linalg.norm(ends - end, axis=1).min() <= 3.5
    assert found.outside() <= 1


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_flips_change_neither_ends_nor_branches(name, axis, shapes, traced):
    mask = np.flip(shapes.y_fork(), axis)
    start = tuple(mask.shape[axis] - 1 - c if k == axis else c for k, c in enumerate(FOOT))
    found = traced(name, mask, start)
    assert (found.ends, found.branches) == (3, 1)
    mirrored = found.points.copy()
    mirrored[:, axis] = mask.shape[axis] - 1 - mirrored[:, axis]
    assert abs(found.tree.length_nm - traced(name, shapes.y_fork(), FOOT).tree.length_nm) <= 3000
    assert near(mirrored[found.degrees == 3][0], KNOT, 7)


def test_axes_in_another_order_change_neither_ends_nor_branches(name, shapes, traced):
    found = traced(name, shapes.y_fork().transpose(2, 0, 1).copy(), (10, 15, 40))
    assert (found.ends, found.branches) == (3, 1)


def test_a_ring_is_cut_once(name, shapes, traced):
    found = traced(name, shapes.ring(), (10, 35, 60))
    assert (found.ends, found.branches, len(found.tree.roots)) == (2, 0, 1)
    assert found.tree.length_nm / 1000 == pytest.approx(2 * np.pi * 25, rel=0.06)
    assert np.abs(np.hypot(*(found.points[:, 1:] - 35).T) - 25).mean() <= 0.5


def test_voxels_need_not_be_cubes(name, shapes, traced):
    found = traced(name, shapes.slanted(), (2, 25, 10), (3.0, 1.0, 1.0))
    assert (found.ends, found.branches) == (2, 0)
    # One voxel is 3 um along z; the axis goes on for a radius at both ends, where the caps are.
    assert found.error(((4.5, 25, 5), (37.5, 25, 115))) <= 0.75
    assert np.abs(found.tree.radii_nm / 1000 - 5).max() <= 1
    assert found.outside() <= 1


def test_thin_neurites_leave_thick_ones(name, shapes, traced):
    shape = (41, 81, 121)
    thick = shapes.capsule(shape, (20, 40, 15), (20, 40, 105), 7)
    mask = thick | shapes.capsule(shape, (20, 40, 60), (20, 75, 60), 1.5) | shapes.capsule(shape, (20, 40, 35), (20, 8, 35), 1.5)
    found = traced(name, mask, (20, 40, 15))
    assert (found.ends, found.branches) == (4, 2)
    lines = (((20, 40, 8), (20, 40, 112)), ((20, 40, 60), (20, 77, 60)), ((20, 40, 35), (20, 6, 35)))
    assert found.error(*lines) <= 0.5


def test_a_soma_has_its_four_stems(name, shapes, traced):
    found = traced(name, shapes.soma(), (30, 50, 50))
    assert found.ends == 4
    root = found.tree.roots[0]
    assert near(found.points[root], (30, 50, 50), 2)
    stems = found.degrees >= 3
    assert (found.degrees[stems] - 2).sum() == 2 and np.linalg.norm(found.points[stems] - (30, 50, 50), axis=1).max() <= 13


@pytest.mark.parametrize("random_state", range(5))
def test_a_rough_surface_grows_no_twigs(name, random_state, shapes, traced):
    found = traced(name, shapes.rough_tube(random_state), (15, 15, 10))
    assert (found.ends, found.branches) == (2, 0)
    assert found.error(AXIS) <= 0.4


def test_twigs_are_kept_when_they_are_long(name, shapes, traced):
    for length, ends in ((2, 2), (5, 2), (12, 3)):
        assert traced(name, shapes.twig(length), (15, 15, 10)).ends == ends


@pytest.mark.parametrize("random_state", range(3))
def test_any_object_gives_one_tree_inside_of_it(name, random_state, traced):
    noise = ndimage.gaussian_filter(np.random.default_rng(random_state).standard_normal((40, 50, 70)), (1.0, 2.0, 2.0))
    labels, _ = ndimage.label(noise > 1.3 * noise.std(), np.ones((3, 3, 3)))
    mask = labels == np.bincount(labels[labels > 0]).argmax()
    start = tuple(np.argwhere(mask)[len(np.argwhere(mask)) // 2].tolist())
    found = traced(name, mask, start, (2.0, 1.0, 1.0), min_length_nm=2000.0)
    assert len(found.tree.roots) == 1 and found.tree.length_nm > 0
    assert near(found.points[found.tree.roots[0]], np.array(start) * (2, 1, 1), 12)
    assert found.outside() <= 2
    far = np.linalg.norm((np.argwhere(mask) * (2, 1, 1))[:, None] - found.on_edges(), axis=2).min(1)
    assert np.quantile(far, 0.99) <= 12


def test_one_voxel_is_one_node(name, traced):
    mask = np.zeros((5, 5, 5), bool)
    mask[2, 3, 1] = True
    found = traced(name, mask, (2, 3, 1))
    assert found.points.tolist() == [[2, 3, 1]] and found.tree.radii_nm[0] >= 500


def test_planes_and_boxes_give_one_tree(name, traced):
    plane = np.zeros((9, 40, 40), bool)
    plane[3:6, 2:38, 2:38] = True
    for mask, start in ((plane, (4, 3, 3)), (np.ones((1, 30, 30), bool), (0, 5, 5)), (np.ones((12, 12, 12), bool), (0, 0, 0))):
        found = traced(name, mask, start)
        assert len(found.tree.roots) == 1 and len(found.tree) >= 1
        assert found.outside() <= 2


def test_only_the_component_of_the_start_is_traced(name, shapes, traced):
    mask = shapes.broken_tube()
    found = traced(name, mask, (15, 15, 10))
    assert found.points[:, 2].max() <= 50
    assert traced(name, mask, (15, 15, 90)).points[:, 2].min() >= 53


def test_values_guide_the_axis_and_the_threshold_the_extent(name, shapes, traced):
    z, y, x = shapes.axes((25, 25, 90))
    bright = 255 * np.exp(-((z - 12.0) ** 2 + (y - 12.0) ** 2) / (2 * 3.0**2)) * ((x >= 5) & (x < 60)) + 60 * (
        (x >= 60) & (x < 80)
    )
    volume = np.where((abs(z - 12) < 9) & (abs(y - 12) < 9), bright, 0).astype(np.uint8)
    found = traced(name, volume, (12, 12, 5))
    assert (found.ends, found.branches) == (2, 0)
    assert found.error(((12, 12, 5), (12, 12, 60))) <= 0.2
    assert traced(name, volume, (12, 12, 5), threshold=50).points[:, 2].max() >= 74


def test_two_runs_give_the_same_bytes(name, shapes, traced):
    mask = shapes.rough_tube(7)
    first, second = (traced(name, mask, (15, 15, 10)).tree for _ in range(2))
    for what in ("ids", "parents", "points_nm", "radii_nm"):
        assert getattr(first, what).tobytes() == getattr(second, what).tobytes()
    assert first.features.keys() == second.features.keys()
    assert all(first.features[k].tobytes() == second.features[k].tobytes() for k in first.features)


def test_every_node_has_a_confidence(name, shapes, traced):
    confidence = traced(name, shapes.y_fork(), FOOT).tree.features["confidence"]
    assert confidence.min() > 0 and confidence.max() <= 1


def test_starts_in_the_background_are_refused(name, shapes):
    bricks = Bricks.of(shapes.filled(shapes.tube(3)), (1000.0,) * 3)
    for start in ((0, 0, 0), (15, 15, 5), (-1, 0, 0), (15, 15, 2000)):
        with pytest.raises(InputError, match="object"):
            TRACERS[name](bricks, start, None)


def test_settings_are_checked(name):
    assert type(tracer_settings(name)) is SETTINGS[name]
    with pytest.raises(ValueRangeError, match="255"):
        tracer_settings(name, threshold=0)
    with pytest.raises(UnknownNameError, match="threshold"):
        tracer_settings(name, thresholds=3)
