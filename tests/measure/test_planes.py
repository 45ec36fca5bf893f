"""Faces that wait for their neighbour, in memory or in files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from neurotome.core import Box
from neurotome.measure import planes
from neurotome.measure.planes import Plane, Waiting, first_planes, last_planes, shifted_planes


@given(
    arrays(st.sampled_from([np.uint32, np.int32]), array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 2))
)
def test_runs_give_the_plane_back(array):
    back = Plane.of(array).array()
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


def test_shifting_leaves_the_background():
    shifted = shifted_planes(first_planes(np.array([[[0, 3]]], np.uint32)), 2**40)
    assert shifted[0].array().tolist() == [[0, 3 + 2**40]]


@pytest.mark.parametrize("memory", [0, 100, 1 << 20])
def test_each_box_gets_the_planes_below_it(memory, monkeypatch, tmp_path, rng):
    monkeypatch.setattr(planes, "_MEMORY_BYTES", memory)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    volume = rng.integers(0, 3, (5, 6, 7)).astype(np.int32)
    support, most_files = Box((10, 20, 30), (15, 26, 37)), 0
    with Waiting(support) as waiting:
        for box in support.tiles((2, 4, 3)):
            here = box.inside(support)
            found = waiting.exchange(box, last_planes(volume[here.slices]))
            z, y, x = here.start
            _, ys, xs = here.slices
            expected = (
                volume[z - 1, ys, xs] if z else None,
                volume[here.slices[0], y - 1, xs] if y else None,
                volume[here.slices[0], ys, x - 1] if x else None,
            )
            for plane, values in zip(found, expected, strict=True):
                assert (plane is None) == (values is None)
                assert plane is None or np.array_equal(plane.array(), values)
            most_files = max(most_files, len(list(tmp_path.glob("*/*.npz"))))
        assert waiting._planes == {} and waiting._bytes == 0
    assert (most_files > 0) == (memory < 1 << 20)
    assert list(tmp_path.iterdir()) == []
