"""The plain parser gives the floats that Python gives, or leaves it to others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.io.swc_numbers import plain_numbers

NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map(lambda v: f"{v:.3f}"),
    st.integers(-(10**17), 10**17).map(str),
    st.builds(
        "{}{}.{}{}".format,
        st.sampled_from(("", "+", "-")),
        st.integers(0, 10**8),
        st.sampled_from(("", "5", "0025", "125000")),
        st.sampled_from(("", "e3", "E-4", "e+18", "e-25")),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(NUMBER, min_size=3, max_size=3), min_size=1, max_size=4))
def test_every_number_that_is_read_is_exact(lines):
    found = plain_numbers("\n".join(" \t".join(line) for line in lines) + "\n", 3)
    if found is not None:
        expected = np.array([[float(word) for word in line] for line in lines])
        assert found.tobytes() == expected.tobytes()  # minus zero included


def test_numbers_of_swc_files_are_plain():
    text = "# head\n1 1 58.7 -10.4 +2.70 8.8e0 -1\n\n  2\t3 .5 5. 0.001 1E-3 1 # note\n"
    assert plain_numbers(text, 7).tolist() == [[1, 1, 58.7, -10.4, 2.7, 8.8, -1], [2, 3, 0.5, 5, 0.001, 0.001, 1]]
    assert plain_numbers("", 7).shape == (0, 7)
    assert plain_numbers("1 2 3 4 5 6 7 eight 9\n1 2 3 4 5 6 7", 7).tolist() == [[1, 2, 3, 4, 5, 6, 7]] * 2


@pytest.mark.parametrize(
    "text",
    ["1 2", "1 2 3 4",
     "1 2 x", "1 2 3x", "1 2 nan", "1 2 inf", "1 2 .", "1 2 -", "1 2 1.2.3", "1 2 1e", "1 2 1e+", "1 2 e5", "e5 2 1",
     "1,2,3", "1 2 1_0", "1 2 0x1",
     "1 2 3\f4", "1 2 12345678901234567", "1 2 1e23", "1 2 1e99999", "1 2 --3", "1 2 +-3", "1 2 ٣"],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_others(text):
    assert plain_numbers(text, 3) is None
