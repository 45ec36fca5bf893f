from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.cluster.evidence.exhaustive import arrangements, how_many_arrangements


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=6))
def test_they_are_all_orders_that_stay_within_their_stratum(rows):
    codes, strata = np.array(rows).T
    found = [tuple(one.tolist()) for one in arrangements(codes, strata)]
    expected = {
        tuple(codes[list(order)].tolist()) for order in permutations(range(len(codes))) if (strata[list(order)] == strata).all()
    }
    assert len(found) == len(set(found)) == how_many_arrangements(codes, strata)
    assert set(found) == expected
