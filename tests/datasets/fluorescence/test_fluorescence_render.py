import numpy as np
import pytest

from neurotome.core import SOMA, Skeleton
from neurotome.datasets.fluorescence.render import blur, coarse_blur, draw, mark

VOXEL = (100.0, 100.0, 100.0)


def line(radius, *, offset=(0.0, 0.0), voxel=VOXEL):
    """A neurite along x through the middle of (21, 21, 61), so far off the voxel's centre."""
    ends = [[10 + offset[0], 10 + offset[1], x] for x in (-5, 65)]
    return Skeleton.of([-1, 0], np.array(ends) * voxel, [radius, radius])


@pytest.mark.parametrize("radius", [20.0, 50.0, 80.0, 150.0, 300.0])
def test_a_neurite_holds_the_dye_of_its_cross_section(radius):
    areas = []
    for offset in np.ndindex(4, 4):
        light = np.zeros((21, 21, 61), np.float32)
        draw(light, line(radius, offset=np.array(offset) / 4), np.ones(2), VOXEL)
        areas.append(light[:, :, 30].sum() * 100.0**2)
        assert light.max() <= 1.0
    assert np.mean(areas) == pytest.approx(np.pi * radius**2, rel=0.05)
    assert np.ptp(areas) < (1.2 if radius < 100 else 0.15) * np.mean(areas)


def test_a_voxel_on_the_border_is_half_full():
    light = np.zeros((21, 21, 61), np.float32)
    draw(light, line(200.0), np.full(2, 3.0), VOXEL)
    np.testing.assert_allclose(light[10, 7:14, 30], [0, 1.5, 3, 3, 3, 1.5, 0], atol=0.1)


def test_no_brightness_draws_nothing_and_the_brighter_stays():
    light = np.zeros((21, 21, 61), np.float32)
    draw(light, line(200.0), np.zeros(2), VOXEL)
    assert not light.any()
    draw(light, line(200.0), np.full(2, 0.5), VOXEL)
    draw(light, line(200.0), np.full(2, 0.2), VOXEL)
    assert light.max() == 0.5


def test_the_mask_holds_voxels_within_the_radius():
    mask = np.zeros((21, 21, 61), np.uint8)
    mark(mask, line(250.0), 7, VOXEL)
    z, y = np.mgrid[:21, :21]
    expected = ((z - 10) ** 2 + (y - 10) ** 2 <= 2.5**2) * 7
    assert (mask == expected[..., None]).all()


def test_the_thinnest_neurite_still_marks_a_connected_line():
    mask = np.zeros((21, 21, 61), np.uint8)
    slanted = Skeleton.of([-1, 0], [[200.0, 300.0, 0.0], [1800.0, 1700.0, 6000.0]], [1.0, 1.0])
    mark(mask, slanted, 1, VOXEL)
    where = np.argwhere(mask)
    assert set(where[:, 2]) == set(range(61))
    steps = np.diff(where[np.lexsort((where[:, 0], where[:, 1], where[:, 2]))], axis=0)
    assert np.abs(steps).max() == 1


def test_the_first_label_stays():
    mask = np.zeros((21, 21, 61), np.uint8)
    mark(mask, line(300.0), 1, VOXEL)
    first = mask.copy()
    mark(mask, line(100.0), 2, VOXEL)
    assert (mask == first).all()


def test_high_voxels_are_taken_for_what_they_are():
    voxel = (300.0, 100.0, 100.0)
    mask = np.zeros((21, 21, 61), np.uint8)
    mark(mask, line(350.0, voxel=voxel), 1, voxel)
    across = mask[:, :, 30]
    assert (across.sum(0).max(), across.sum(1).max()) == (3, 7)
    light = np.zeros((21, 21, 61), np.float32)
    draw(light, line(350.0, voxel=voxel), np.ones(2), voxel)
    assert light[:, :, 30].sum() * 300 * 100 == pytest.approx(np.pi * 350**2, rel=0.1)


def test_a_stem_is_not_drawn_as_a_cone_from_the_soma():
    mask = np.zeros((41, 41, 61), np.uint8)
    tree = Skeleton.of([-1, 0], np.array([[20, 20, 15], [20, 20, 55]]) * 100.0, [1000.0, 200.0], [SOMA, 3])
    mark(mask, tree, 1, VOXEL)
    assert mask[:, 20, 40].sum() == 5
    assert mask[:, 20, 15].sum() == 21


def test_blur_keeps_the_light_and_spreads_it_by_the_psf():
    light = np.zeros((31, 41, 41), np.float32)
    light[15, 20, 20] = 1.0
    seen = blur(light, (300.0, 150.0, 150.0), (100.0, 50.0, 75.0))
    assert seen.sum() == pytest.approx(1, abs=1e-3)
    for axis, sigma in enumerate((3.0, 3.0, 2.0)):
        along = seen.sum(tuple(a for a in range(3) if a != axis))
        at = np.arange(len(along))
        assert np.sqrt((along * (at - (at * along).sum()) ** 2).sum()) == pytest.approx(sigma, rel=0.03)


def test_the_coarse_blur_is_like_the_fine_one(rng):
    light = blur(rng.random((24, 64, 64)).astype(np.float32) ** 8, (200.0, 200.0, 200.0), VOXEL)
    coarse = coarse_blur(light, 800.0, VOXEL, light.shape)
    fine = blur(light, (800.0, 800.0, 800.0), VOXEL)
    assert coarse.shape == fine.shape
    within = (slice(8, -8), slice(16, -16), slice(16, -16))
    assert np.abs(coarse - fine)[within].max() < 0.1 * fine.mean()
