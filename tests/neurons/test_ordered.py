import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.neurons.chains import contract
from neurotome.neurons.ordered import merge_small


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 14))
    pairs = [(i, j) for i in range(1, n + 1) for j in range(i + 1, n + 1)]
    chosen = sorted(draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1, max_size=50)))
    contact = np.array([draw(st.integers(1, 3)) for _ in chosen])
    return n, np.array(chosen, np.uint32), contact * [draw(st.sampled_from([10, 90, 255])) for _ in chosen], contact


@settings(max_examples=150, deadline=None)
@given(graph=graphs(), least=st.sampled_from([0, 6528, 30000]))
def test_with_every_segment_small_it_is_agglomeration(graph, least):
    """Two kernels with nothing in common but the rows: one goes strictly in order, one follows chains."""
    n, *rows = graph
    merged = merge_small(*rows, np.zeros(n + 1, np.int64), min_size=1, least=least)
    assert np.array_equal(merged, contract(*rows, least=least)[0])


@settings(max_examples=150, deadline=None)
@given(graph=graphs(), data=st.data())
def test_equals_the_definition(graph, data):
    n, pairs, sums, contact = graph
    sizes = np.array([0] + [data.draw(st.integers(1, 9)) for _ in range(n)])
    merged = merge_small(pairs, sums, contact, sizes, min_size=8, least=6528)
    rows = {tuple(p): [int(s), int(c), k] for k, (p, s, c) in enumerate(zip(pairs.tolist(), sums, contact))}
    expected, size = [], sizes.tolist()
    while True:
        small = [p for p, r in rows.items() if min(size[p[0]], size[p[1]]) < 8 and 256 * r[0] >= 6528 * r[1]]
        if not small:
            break
        u, v = min(small, key=lambda p: (-rows[p][0] / rows[p][1], rows[p][2]))
        expected.append([u, v])
        del rows[u, v]
        size[u] += size[v]
        for p in [p for p in rows if v in p]:
            w = p[0] if p[1] == v else p[1]
            moved = rows.pop(p)
            kept = rows.setdefault((min(u, w), max(u, w)), [0, 0, moved[2]])
            kept[:] = kept[0] + moved[0], kept[1] + moved[1], min(kept[2], moved[2])
    assert merged.tolist() == expected
