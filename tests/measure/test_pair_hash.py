"""Every pair is found under its own number, however badly the ids collide."""

import numpy as np
import pytest

from neurotome.measure.pair_hash import doubled, find, lookup_table


@pytest.mark.parametrize("step", [1, 2**32, 2**44])
def test_finds_each_pair_and_no_other(step):
    a, b = (axis.ravel().astype(np.uint64) * np.uint64(step) for axis in np.meshgrid(np.arange(40), np.arange(40)))
    table = lookup_table(a, b)
    for grown in (table, doubled(table)):
        assert [find(grown, p, q) for p, q in zip(a, b, strict=True)] == list(range(1600))
        assert find(grown, np.uint64(41 * step), np.uint64(0)) == -1
