import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Box
from neurotome.neurons.blockwise.lattice import Lattice

three = st.tuples(*[st.integers(1, 6)] * 3)


@st.composite
def lattices(draw):
    volume = draw(three)
    return Lattice(volume, tuple(draw(st.integers(1, n)) for n in volume))


@settings(deadline=None)
@given(lattices())
def test_boxes_cover_the_volume_once(lattice):
    times = np.zeros(lattice.volume, int)
    for box in lattice.boxes:
        times[box.slices] += 1
    assert (times == 1).all()


@settings(deadline=None)
@given(lattices())
def test_each_level_is_the_one_below_joined_and_the_last_is_one_box(lattice):
    for k in range(1, lattice.levels):
        level, below = lattice.level(k), lattice.level(k - 1)
        members = [below.members(group) for group in level.boxes]
        assert all(1 <= len(m) <= 8 for m in members)
        assert sorted(b.start for m in members for b in m) == sorted(b.start for b in below.boxes)
        assert all(level.holding(b) == group for group, m in zip(level.boxes, members) for b in m)
    assert lattice.level(lattice.levels - 1).boxes == [Box((0, 0, 0), lattice.volume)]


@settings(deadline=None)
@given(lattices(), st.data())
def test_boxes_that_meet_a_box_are_those_that_share_voxels_with_it(lattice, data):
    start = tuple(data.draw(st.integers(0, n - 1)) for n in lattice.volume)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, lattice.volume))
    box = Box(start, stop)
    assert lattice.meeting(box) == [b for b in lattice.boxes if b.intersect(box).size]


@settings(deadline=None)
@given(lattices())
def test_above_is_the_box_on_the_other_side_of_the_upper_face(lattice):
    boxes = set(lattice.boxes)
    for box in boxes:
        for axis in range(3):
            above = lattice.above(box, axis)
            if above is None:
                assert box.stop[axis] == lattice.volume[axis]
                continue
            assert above in boxes and above.start[axis] == box.stop[axis]
            assert all(above.start[a] == box.start[a] and above.stop[a] == box.stop[a] for a in range(3) if a != axis)


def test_blocks_read_more_and_never_past_the_volume():
    blocks = Lattice((4, 8, 8), (4, 4, 8)).blocks((1, 1, 1), (2, 2, 2))
    assert [(b.read, b.write) for b in blocks] == [
        (Box((0, 0, 0), (4, 6, 8)), Box((0, 0, 0), (4, 4, 8))),
        (Box((0, 3, 0), (4, 8, 8)), Box((0, 4, 0), (4, 8, 8))),
    ]


@pytest.mark.parametrize(("shape", "levels"), [((4, 8, 8), 1), ((4, 4, 8), 2), ((4, 3, 8), 3), ((1, 8, 8), 3)])
def test_a_level_joins_two_along_each_axis(shape, levels):
    assert Lattice((4, 8, 8), shape).levels == levels
