"""Merging while some segments wait: a part of what merges when all is known, and what is left gives the rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import ValueRangeError
from neurotome.neurons.chains import contract, settle
from neurotome.neurons.neighbours import NO_ROW, new_rows

LEAST = 100 * 256


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 14))
    pairs = [(i, j) for i in range(1, n + 1) for j in range(i + 1, n + 1)]
    chosen = sorted(draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1, max_size=50)))
    contact = np.array([draw(st.integers(1, 3)) for _ in chosen])
    # Few distinct means, so that ties abound; one of them is the threshold itself.
    means = np.array([draw(st.sampled_from([10, 90, 100, 200, 255])) for _ in chosen])
    waits = np.array([False] + [draw(st.booleans()) for _ in range(n)])
    return np.array(chosen, np.uint32), contact * means, contact, waits


def whole(pairs, sums, contact, n):
    """The smallest id of each id's segment when all is known."""
    segment = np.arange(n + 1)
    for a, b in contract(pairs, sums, contact, least=LEAST)[0].tolist():
        segment[segment == segment[b]] = segment[a]
    return segment


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_what_settles_while_some_wait_is_a_part_of_what_merges(graph):
    pairs, sums, contact, waits = graph
    settled = settle(pairs, sums, contact, waits=waits, least=LEAST)
    final = whole(pairs, sums, contact, len(waits) - 1)
    assert (final[settled.segment] == final).all()
    assert (settled.segment <= np.arange(len(waits))).all() and (settled.segment[settled.segment] == settled.segment).all()
    assert (settled.segment[waits] == np.flatnonzero(waits)).all(), "who waits stays alone"
    assert settled.waits[waits].all()


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_who_does_not_wait_is_finished(graph):
    pairs, sums, contact, waits = graph
    settled = settle(pairs, sums, contact, waits=waits, least=LEAST)
    final = whole(pairs, sums, contact, len(waits) - 1)
    for i in np.flatnonzero(settled.segment == np.arange(len(waits)))[1:]:
        if not settled.waits[i]:
            assert (final == final[i]).tolist() == (settled.segment == i).tolist()


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_going_on_with_what_is_left_gives_the_rest(graph):
    pairs, sums, contact, waits = graph
    first = settle(pairs, sums, contact, waits=waits, least=LEAST)
    nobody = np.zeros(len(waits), bool)
    then = settle(first.pairs, first.affinity_sum, first.contact, waits=nobody, least=LEAST)
    assert then.segment[first.segment].tolist() == whole(pairs, sums, contact, len(waits) - 1).tolist()
    at_once = settle(pairs, sums, contact, waits=nobody, least=LEAST)
    assert at_once.segment.tolist() == then.segment[first.segment].tolist() and not at_once.waits.any()
    # The rows left are those of the whole: summed up, with the smallest key of the rows that each was made of.
    keys = first.key[then.key]
    assert [(*p, s, c) for p, s, c in zip(then.pairs.tolist(), then.affinity_sum, then.contact)] == [
        (*p, s, c) for p, s, c in zip(at_once.pairs.tolist(), at_once.affinity_sum, at_once.contact)
    ] and keys.tolist() == at_once.key.tolist()


def test_rows_left_keep_the_sums_of_all_they_were_made_of():
    pairs = np.array([[1, 2], [1, 3], [2, 3]], np.uint32)
    settled = settle(pairs, np.array([255, 90, 200]), np.array([1, 1, 4]), waits=np.zeros(4, bool), least=100 * 256)
    assert settled.segment.tolist() == [0, 1, 1, 3]
    assert (settled.pairs.tolist(), settled.affinity_sum.tolist(), settled.contact.tolist(), settled.key.tolist()) == (
        [[1, 3]], [290], [5], [1],
    )  # fmt: skip


def test_more_rows_than_their_numbers_have_bits_for_are_refused():
    with pytest.raises(ValueRangeError, match="pairs of neighbours at once"):
        new_rows(np.broadcast_to(np.zeros((1, 2), np.uint32), (NO_ROW, 2)), None, None)
