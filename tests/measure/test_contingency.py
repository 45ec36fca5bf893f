"""The table counts every pair of labels once, whatever the type, the blocks and the order."""

import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import ShapeError, ValueRangeError
from neurotome.measure import Contingency, GrowingTable, PairCounter, contingency

ids = arrays(np.uint32, (4, 3, 6), elements=st.integers(0, 3))


def rows(table: Contingency) -> dict[tuple[int, int], int]:
    return {(int(t), int(s)): int(n) for t, s, n in zip(table.truth, table.segmentation, table.voxels, strict=True)}


@given(ids, ids)
@settings(max_examples=40, deadline=None)
def test_counts_each_pair(truth, segmentation):
    expected = Counter(zip(truth.ravel().tolist(), segmentation.ravel().tolist(), strict=True))
    table = contingency(truth, segmentation)
    assert rows(table) == expected
    assert list(rows(table)) == sorted(expected)
    assert table.support == truth.size


@given(ids, ids, st.sets(st.integers(1, 3)), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_blocks_add_up_to_the_whole(truth, segmentation, cuts, random):
    bounds = [0, *sorted(cuts), 4]
    parts = [contingency(truth[a:b], segmentation[a:b]) for a, b in pairwise(bounds)]
    random.shuffle(parts)
    whole = contingency(truth, segmentation)
    assert rows(Contingency.merge(parts)) == rows(whole)
    assert rows(contingency(truth[:2], segmentation[:2]) + contingency(truth[2:], segmentation[2:])) == rows(whole)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", ">u2", "int16", "uint32", "int64", "uint64"])
def test_any_whole_number_type(dtype):
    truth = np.array([[[0, 1, 1, 1]]], dtype)
    assert rows(contingency(truth, np.array([[[0, 0, 7, 7]]], np.uint64))) == {(0, 0): 1, (1, 0): 1, (1, 7): 2}


def test_ids_up_to_the_largest_of_64_bit():
    top = 2**64 - 1
    truth = np.array([[[top, top, top - 1]]], np.uint64)
    assert rows(contingency(truth, truth[..., ::-1])) == {(top - 1, top): 1, (top, top - 1): 1, (top, top): 1}


def test_many_pairs_make_the_table_grow():
    truth = np.arange(60_000).reshape(1, 200, 300)
    table = contingency(truth, truth * 2**40)
    assert len(table) == 60_000
    assert (table.segmentation == table.truth * np.uint64(2**40)).all()


def test_masked_voxels_are_ignored_but_belong_to_the_support():
    counter = PairCounter()
    keep = np.array([[[True, False, False, True]]])
    counter.add(np.ones((1, 1, 4), np.uint8), np.ones((1, 1, 4), np.uint8), keep)
    table = counter.table()
    assert (rows(table), table.ignored, table.support) == ({(1, 1): 2}, 2, 4)


def test_rows_that_get_the_same_truth_id_add_up(toy):
    table = contingency(*toy["T7"])
    assert rows(table.renamed(np.full(len(table), 5))) == {(5, 1): 30, (5, 2): 11, (5, 3): 19}


def test_a_growing_table_holds_few_rows_and_may_rename_them(monkeypatch):
    monkeypatch.setattr(sys.modules["neurotome.measure.contingency"], "_FEW_ROWS", 4)
    names = np.arange(10, dtype=np.uint64)
    table, longest = GrowingTable(lambda ids: names[ids.astype(int)]), 0
    for k in range(30):
        table.add(contingency(np.array([k % 10, 1]), np.array([5, 5])))
        longest = max(longest, table._rows)
        if k == 20:
            names[7] = 1
    assert longest <= 10
    expected = {(k, 5): 3 for k in range(10) if k not in (1, 7)} | {(1, 5): 36}
    assert rows(table.table()) == expected
    assert rows(GrowingTable().table()) == rows(Contingency.merge([])) == {}


def test_lazy_volumes_are_read_in_boxes():
    class Lazy:
        shape, dtype = (40, 2048, 2048), np.dtype(np.uint8)
        largest = 0

        def __getitem__(self, key):
            z, y, x = (len(range(*k.indices(n))) for k, n in zip(key, self.shape, strict=True))
            Lazy.largest = max(Lazy.largest, z * y * x)
            return np.full((z, y, x), key[0].start // 16, np.uint8)

    table = contingency(Lazy(), Lazy())
    assert Lazy.largest <= 2**25
    # Boxes are whole chunks of 16 sections, half a section wide.
    assert rows(table) == {(0, 0): 2**26, (1, 1): 2**26, (2, 2): 2**25}


def test_bad_labels_say_their_type_and_smallest_value():
    good = np.ones((1, 2, 2), int)
    with pytest.raises(ValueRangeError, match="type float64"):
        contingency(good * 1.0, good)
    with pytest.raises(ValueRangeError, match="type int64 have smallest id -1"):
        contingency(good, good - 2)
    with pytest.raises(ShapeError, match=r"\(1, 2, 2\), segmentation has \(1, 2, 3\)"):
        contingency(good, np.ones((1, 2, 3), int))
    with pytest.raises(ShapeError, match="three arrays of one length"):
        Contingency(np.zeros(2, np.uint64), np.zeros(2, np.uint64), np.zeros(1, np.int64))
