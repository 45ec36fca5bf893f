import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.neurons.connected import JOIN_X, JOIN_Y, JOIN_Z, PRESENT, connect, joins_above

bits = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 7)).flatmap(
    lambda s: arrays(np.uint8, s, elements=st.integers(0, 15))
)


@settings(max_examples=200, deadline=None)
@given(joins=bits)
def test_equals_the_definition(definition, joins):
    present = (joins & PRESENT) > 0
    index = np.arange(joins.size).reshape(joins.shape)
    pairs = []
    for axis, bit in enumerate((JOIN_Z, JOIN_Y, JOIN_X)):
        lower = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        upper = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        joined = ((joins[lower] & bit) > 0) & present[lower] & present[upper]
        ends = np.zeros(joins.shape, bool)
        ends[lower] = joined
        joins = np.where(ends, joins | bit, joins & ~np.uint8(bit))
        pairs += zip(index[lower][joined], index[upper][joined])
    labels, first = connect(joins.astype(np.uint8))
    assert np.array_equal(labels, definition.components(pairs, present))
    assert first.tolist() == [np.flatnonzero(labels.reshape(-1) == i + 1)[0] for i in range(len(first))]


def test_an_edge_needs_both_its_voxels():
    node = np.array([[[9, 4, 9]]], np.uint8)
    edge = np.full(node.shape, 9, np.uint8)
    joins = joins_above((edge, edge, edge), node, 5)
    assert joins.tolist() == [[[PRESENT, 0, PRESENT]]]
