import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Grid, Labels
from neurotome.synapses.study.near import ids_at, nearest_voxel, window


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_nearest_voxel_is_the_one_brute_force_finds(seed):
    rng = np.random.default_rng(seed)
    mask, target, spacing = rng.random((4, 5, 6)) < 0.1, rng.uniform(-3, 8, 3), tuple(rng.uniform(1, 9, 3))
    found = nearest_voxel(mask, target, spacing)
    z, y, x = np.indices(mask.shape)
    distance = np.sqrt(sum(((i - t) * s) ** 2 for i, t, s in zip((z, y, x), target, spacing, strict=True)))
    if not mask.any():
        assert found is None
    else:
        assert mask[found[0]] and np.isclose(found[1], distance[mask].min())


def test_ids_are_read_a_section_at_a_time_and_are_zero_outside(rng):
    values = rng.integers(1, 9, (6, 7, 8)).astype(np.uint16)
    labels = Labels(values, Grid(values.shape, (1.0, 1.0, 1.0)))
    points = np.array([[0, 0, 0], [5, 6, 7], [0, 3, 4], [-1, 0, 0], [6, 0, 0], [2, 7, 0]])
    assert ids_at(labels, points).tolist() == [*values[tuple(points[:3].T)], 0, 0, 0]
    box, ids = window(labels, (0, 6, 4), (1, 2, 3))
    assert box.start == (0, 4, 1) and np.array_equal(ids, values[0:2, 4:7, 1:8])
