import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neurotome.report import css_colour, label_colours, matching_labels


@given(st.integers(1, 2**64 - 1))
@example(4493033)  # a tie: 82.5 of 255
def test_the_colour_is_the_one_of_the_viewer(label: int) -> None:
    viewer = pytest.importorskip("neuroglancer.segment_colors")
    assert css_colour(label) == viewer.hex_string_from_segment_id(0, label)


def test_background_is_black_and_shape_is_kept() -> None:
    colours = label_colours(np.array([[0, 1], [2, 0]], np.uint16))
    assert colours.shape == (2, 2, 3) and colours.dtype == np.uint8
    assert colours[0, 0].tolist() == [0, 0, 0] and colours[0, 1].any()


def test_each_neuron_lends_its_colour_once() -> None:
    truth = np.array([1, 1, 1, 2, 2, 0, 3])
    predicted = np.array([7, 7, 8, 7, 0, 9, 9])
    assert matching_labels(truth, predicted) == {1: 7, 3: 9}
