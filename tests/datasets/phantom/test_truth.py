import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from neurotome.datasets.phantom.partition import FAR_NM, Partition
from neurotome.datasets.phantom.truth import label_neurons, touches_other


def cells_of(owner, border):
    zero = np.zeros(owner.shape)
    return Partition(owner.astype(np.uint16), zero.astype(np.uint16), border.astype(np.float32), zero.astype(np.float32))


def test_neurites_are_cut_at_their_border_and_pieces_get_ids_of_their_own():
    owner = np.full((4, 20, 60), 7)
    owner[:, :, 20:40] = 8
    border = np.full(owner.shape, FAR_NM)
    border[:, :, 19:21] = border[:, :, 39:41] = 0
    labels = label_neurons(cells_of(owner, border), np.zeros(owner.shape, bool))
    assert labels.dtype == np.uint64
    assert labels[0, 0, [0, 30, 50]].tolist() == [7, 8, 9]
    assert (labels[:, :, 19:21] == 0).all()
    assert np.unique(labels).tolist() == [0, 7, 8, 9]


def test_dust_and_closed_places_are_zero():
    owner = np.full((4, 20, 20), 1)
    border = np.full(owner.shape, FAR_NM)
    border[:, 5, :6] = border[:, :6, 5] = 0
    closed = np.zeros(owner.shape, bool)
    closed[:, 10:, 10:] = True
    labels = label_neurons(cells_of(owner, border), closed)
    assert (labels[:, :5, :5] == 0).all()
    assert (labels[closed] == 0).all()
    assert (labels[:, 12, :8] == 1).all()


@settings(max_examples=40, deadline=None)
@given(npst.arrays(np.int64, (2, 4, 4), elements=st.integers(0, 3)))
def test_without_touching_voxels_no_two_ids_touch(labels):
    labels[touches_other(labels)] = 0
    assert not touches_other(labels).any()
