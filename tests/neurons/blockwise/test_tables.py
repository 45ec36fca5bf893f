import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.neurons.blockwise.tables import look_up, positions_of, values_of

names = st.lists(st.integers(0, 2**63 - 1), max_size=12)


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 2**63), st.integers(0, 2**63), max_size=12), names, st.data())
def test_a_table_is_a_dictionary(known, others, data):
    table = np.array(sorted(known.items()), np.uint64).reshape(-1, 2)
    wanted = data.draw(st.permutations([*known, *others]))
    asked = np.array(wanted, np.uint64)
    assert values_of(table, asked, missing=7).tolist() == [known.get(n, 7) for n in wanted]
    assert look_up(table, asked).tolist() == [known.get(n, n) for n in wanted]
    place, there = positions_of(table[:, 0], asked)
    assert there.tolist() == [n in known for n in wanted]
    assert (table[place[there], 0] == asked[there]).all()


def test_what_is_looked_up_stays_as_it_was():
    asked = np.array([3, 5], np.uint64)
    look_up(np.array([[3, 1]], np.uint64), asked)
    assert asked.tolist() == [3, 5]
