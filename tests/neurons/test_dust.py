import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.neurons.dust import absorb


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 16))
    pairs = [(i, j) for i in range(1, n + 1) for j in range(i + 1, n + 1)]
    chosen = sorted(draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1, max_size=60)))
    contact = np.array([draw(st.integers(1, 3)) for _ in chosen])
    # Few distinct means, so that ties abound.
    means = [draw(st.sampled_from([10, 90, 200, 255])) for _ in chosen]
    sizes = np.array([0] + [draw(st.sampled_from([1, 2, 5, 9, 30])) for _ in range(n)])
    return np.array(chosen, np.uint32), contact * means, contact, sizes


def in_order(pairs, sums, contact, sizes, min_size, least):
    """The definition: the best row with a small end merges, again and again. Gives the smallest id of each id's segment."""
    rows = {tuple(p): [int(s), int(c), k] for k, (p, s, c) in enumerate(zip(pairs.tolist(), sums, contact))}
    segment, size = list(range(len(sizes))), sizes.tolist()
    while small := [p for p, r in rows.items() if min(size[p[0]], size[p[1]]) < min_size and 256 * r[0] >= least * r[1]]:
        u, v = min(small, key=lambda p: (-rows[p][0] / rows[p][1], rows[p][2]))
        segment = [u if s == v else s for s in segment]
        del rows[u, v]
        size[u] += size[v]
        for p in [p for p in rows if v in p]:
            w = p[0] if p[1] == v else p[1]
            moved = rows.pop(p)
            kept = rows.setdefault((min(u, w), max(u, w)), [0, 0, moved[2]])
            kept[:] = kept[0] + moved[0], kept[1] + moved[1], min(kept[2], moved[2])
    return segment


@settings(max_examples=400, deadline=None)
@given(graph=graphs())
def test_equals_merging_strictly_in_order(graph):
    pairs, sums, contact, sizes = graph
    unknown = np.zeros(len(sizes), bool)
    absorbed = absorb(pairs, sums, contact, unknown=unknown, sizes=sizes, min_size=8, least=6528)
    assert absorbed.smallest[absorbed.owner].tolist() == in_order(pairs, sums, contact, sizes, 8, 6528)
    assert not absorbed.waits.any()


@settings(max_examples=300, deadline=None)
@given(graph=graphs(), data=st.data())
def test_what_merges_while_some_are_unknown_merges_also_when_all_is_known(graph, data):
    pairs, sums, contact, sizes = graph
    unknown = np.array([False] + [data.draw(st.booleans()) for _ in sizes[1:]])
    some = absorb(pairs, sums, contact, unknown=unknown, sizes=sizes, min_size=8, least=6528)
    final = np.array(in_order(pairs, sums, contact, sizes, 8, 6528))
    for i in range(1, len(sizes)):
        assert final[i] == final[some.owner[i]]


def test_a_large_segment_keeps_its_name_and_remembers_the_smallest():
    pairs, one = np.array([[1, 2]], np.uint32), np.ones(1, np.int64)
    absorbed = absorb(pairs, 200 * one, one, unknown=np.zeros(3, bool), sizes=np.array([0, 1, 50]), min_size=8, least=0)
    assert absorbed.owner.tolist() == [0, 2, 2] and absorbed.smallest[2] == 1 and absorbed.sizes[2] == 51


def test_dust_waits_for_a_neighbour_that_might_come_first():
    # 1 is dust between the anchor 3 and dust 2; 2 may have a better row elsewhere.
    pairs = np.array([[1, 2], [1, 3], [2, 3]], np.uint32)
    sums, one = np.array([50, 100, 90]), np.ones(3, np.int64)
    sizes = np.array([0, 1, 1, 50])
    waiting = absorb(pairs, sums, one, unknown=np.array([0, 0, 1, 0], bool), sizes=sizes, min_size=8, least=0)
    assert waiting.waits.tolist() == [False, True, True, False] and len(waiting.pairs) == 3
    decided = absorb(pairs, sums, one, unknown=np.zeros(4, bool), sizes=sizes, min_size=8, least=0)
    assert decided.owner.tolist() == [0, 3, 3, 3]


@settings(max_examples=300, deadline=None)
@given(graph=graphs(), data=st.data())
def test_only_small_segments_wait_and_without_unknown_ones_nobody_does(graph, data):
    pairs, sums, contact, sizes = graph
    unknown = np.array([False] + [data.draw(st.booleans()) for _ in sizes[1:]])
    some = absorb(pairs, sums, contact, unknown=unknown, sizes=sizes, min_size=8, least=6528)
    assert not (some.waits & (some.sizes >= 8)).any()
    assert some.waits[unknown & (sizes < 8)].all()


def test_dust_that_waited_and_grew_large_is_done():
    # 1 wants the anchor 5, but the unknown 2 may come first. Then 3 makes 5 worth less than 4, and 1 and 4 are one, and large.
    pairs = np.array([[1, 2], [1, 3], [1, 4], [1, 5], [3, 5], [4, 5]], np.uint32)
    means, unknown = np.array([140, 90, 150, 160, 250, 10]), np.array([0, 0, 1, 0, 0, 0], bool)
    sizes = np.array([0, 5, 1, 1, 5, 50])
    done = absorb(pairs, means, np.ones(6, np.int64), unknown=unknown, sizes=sizes, min_size=8, least=6528)
    assert done.owner.tolist() == [0, 1, 2, 5, 1, 5]
    assert done.sizes[1] == 10 and not done.waits[1] and done.waits[2]
