import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import Box, Grid, ShapeError, UnitError

SHAPES = st.tuples(*[st.integers(1, 12)] * 3)


@given(SHAPES, SHAPES)
def test_tiles_cover_a_box_exactly_once(shape, tile):
    box = Box((1, 2, 3), tuple(n + o for n, o in zip(shape, (1, 2, 3), strict=True)))
    parts = list(box.tiles(tile))
    assert sum(p.size for p in parts) == box.size
    assert all(box.intersect(p) == p for p in parts)
    assert len({p.start for p in parts}) == len(parts)


@given(SHAPES, SHAPES)
def test_grow_then_clip_stays_inside(shape, halo):
    grown = Box((0, 0, 0), shape).grow(halo).clip(shape)
    assert grown == Box((0, 0, 0), shape)


def test_boxes_that_do_not_meet_have_no_common_voxel():
    assert Box((0, 0, 0), (2, 2, 2)).intersect(Box((5, 0, 0), (6, 2, 2))).size == 0


def test_voxels_and_nanometres():
    grid = Grid((4, 10, 10), (30, 6, 6), (15, 3, 3))
    assert grid.to_nm((1, 2, 3)) == (45, 15, 21)
    assert grid.to_voxel((45, 15, 21)) == (1, 2, 3)
    crop = grid.crop(Box((1, 2, 3), (3, 5, 6)))
    assert crop.origin_nm == (45, 15, 21) and crop.to_nm((0, 0, 0)) == grid.to_nm((1, 2, 3))
    assert grid.voxel_um3 == pytest.approx(1.08e-6)


def test_what_a_grid_refuses():
    with pytest.raises(UnitError, match="three numbers above 0"):
        Grid((1, 1, 1), (30, 0, 6))
    with pytest.raises(ShapeError, match="three whole numbers"):
        Grid((10, 10), (30, 6, 6))
    with pytest.raises(ShapeError, match="at least one voxel"):
        Grid((0, 10, 10), (30, 6, 6))
    with pytest.raises(ShapeError, match="swap the corners"):
        Box((1, 0, 0), (0, 1, 1))


def test_grids_that_differ_name_both_values():
    a = Grid((4, 10, 10), (30, 6, 6))
    with pytest.raises(ShapeError, match=r"truth has shape \(4, 10, 10\), image has \(4, 10, 11\)"):
        a.require_same(Grid((4, 10, 11), (30, 6, 6)), "truth", "image")
    with pytest.raises(UnitError, match=r"30, 6, 6 nm.*30, 5, 5 nm"):
        a.require_same(Grid((4, 10, 10), (30, 5, 5)), "truth", "image")
    with pytest.raises(UnitError, match="origin"):
        a.require_same(Grid((4, 10, 10), (30, 6, 6), (0, 0, 6)), "truth", "image")
