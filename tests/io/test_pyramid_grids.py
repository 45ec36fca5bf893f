import pytest

from neurotome.core import Grid
from neurotome.io import pyramid_factors, pyramid_grids, surface_level


@pytest.mark.parametrize(
    ("shape", "voxel_nm", "factors"),
    [
        ((100, 512, 512), (30, 6, 6), []),
        ((100, 513, 100), (30, 6, 6), [(1, 2, 2)]),
        ((1000, 4096, 4096), (30, 6, 6), [(1, 2, 2), (1, 2, 2), (2, 2, 2)]),
        ((1000, 1000, 1000), (8, 8, 8), [(2, 2, 2)]),
        ((100, 8192, 8192), (50, 4, 4), [(1, 2, 2), (1, 2, 2), (1, 2, 2), (1, 2, 2)]),
        ((1, 4000, 600), (1, 4, 8), [(1, 2, 1), (1, 2, 2), (1, 2, 2)]),
    ],
)
def test_voxels_become_cubes(shape: tuple, voxel_nm: tuple, factors: list) -> None:
    assert pyramid_factors(Grid(shape, voxel_nm)) == factors


def test_each_level_covers_the_same_space() -> None:
    fine, *coarser = pyramid_grids(Grid((64, 2048, 1024), (30, 6, 4), (5, 50, 500)))
    assert len(coarser) == 3
    for grid in coarser:
        for axis in range(3):
            edges = [(g.origin_nm[axis] - g.voxel_nm[axis] / 2, g.shape[axis] * g.voxel_nm[axis]) for g in (fine, grid)]
            assert edges[0] == pytest.approx(edges[1])


def test_surfaces_are_made_of_voxels_that_show_a_thin_axon() -> None:
    assert surface_level(pyramid_grids(Grid((1000, 9000, 9000), (40, 4, 4)))) == 3
    assert surface_level([Grid((9, 9, 9), (50, 4, 4))]) == 0
