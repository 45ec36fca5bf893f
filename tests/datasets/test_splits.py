"""Parts of data: every voxel in one of them, named as the reference names them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import InputError, ShapeError
from neurotome.datasets import folds, quadrants, train_test


def test_quadrants_of_the_reference():
    boxes = quadrants((100, 1024, 1024))
    starts = {"a": (0, 512, 512), "b": (0, 0, 512), "c": (0, 0, 0), "d": (0, 512, 0)}
    assert {name: box.start for name, box in boxes.items()} == starts
    assert {box.shape for box in boxes.values()} == {(100, 512, 512)}


def test_corners_of_a_counted_volume():
    volume = np.arange(3 * 4 * 6).reshape(3, 4, 6)
    cut = {name: volume[box.slices] for name, box in quadrants(volume.shape).items()}
    first = {name: int(part[0, 0, 0]) for name, part in cut.items()}
    last = {name: int(part[-1, -1, -1]) for name, part in cut.items()}
    assert first == {"a": 15, "b": 3, "c": 0, "d": 12}
    assert last == {"a": 71, "b": 59, "c": 56, "d": 68}


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 6, 5)])
def test_odd_sections_have_no_middle(shape):
    with pytest.raises(ShapeError, match=r"Sections of . x . pixels.*even height and width.*crop a row or column"):
        quadrants(shape)


@given(st.integers(2, 12), st.data())
def test_folds_cover_the_stack_and_differ_by_one_section(k, data):
    sections = data.draw(st.integers(k, 200))
    parts = folds(sections, k)
    assert [z for a, b in parts for z in range(a, b)] == list(range(sections))
    lengths = [b - a for a, b in parts]
    assert len(parts) == k and max(lengths) - min(lengths) <= 1


def test_folds_that_would_be_empty():
    with pytest.raises(InputError, match="5 folds of 4 sections"):
        folds(4, 5)
    with pytest.raises(InputError, match="1 folds of 4 sections"):
        folds(4, 1)


def test_eighty_of_a_hundred_names_the_same_every_time():
    names = [f"section{n:03d}.png" for n in range(100)]
    train, test = train_test(names, 0.8, seed=42)
    assert (len(train), len(test)) == (80, 20) and sorted(train + test) == names
    assert train_test(names, 0.8, seed=42) == (train, test)
    assert train_test(names, 0.8, seed=43)[0] != train
    assert list(train) == sorted(train), "in the order given"


def test_a_share_that_leaves_nothing():
    with pytest.raises(InputError, match="A share of 1 of 3 names"):
        train_test(["a", "b", "c"], 1.0, seed=0)
    with pytest.raises(InputError, match="3 names, 2 of them different"):
        train_test(["a", "b", "a"], 0.5, seed=0)
