import cc3d
import numpy as np
import pytest

from neurotome.core import Grid, Labels
from neurotome.synapses.study.cleft_pieces import find_pieces, piece_mask


@pytest.fixture
def labels(rng):
    values = (rng.random((20, 30, 40)) < 0.33) * rng.integers(1, 4, (20, 30, 40))
    return Labels(values.astype(np.uint8), Grid(values.shape, (8.0, 8.0, 8.0)))


@pytest.mark.parametrize("voxels", [None, 40, 500, 7000])
def test_pieces_are_the_components_however_the_volume_is_cut(labels, voxels):
    values = labels.read()
    whole = cc3d.connected_components(values, connectivity=6)
    pieces = find_pieces(labels, voxels=voxels)
    assert len(pieces) == whole.max()
    at = whole[tuple(pieces.first.T)]
    assert sorted(at) == list(range(1, whole.max() + 1))
    firsts = np.ravel_multi_index(tuple(pieces.first.T), values.shape)
    assert (np.diff(firsts) > 0).all()
    for piece, number in enumerate(at[:300]):
        places = np.argwhere(whole == number)
        assert pieces.voxels[piece] == len(places) and pieces.first[piece].tolist() == places[0].tolist()
        assert np.allclose(pieces.centroids[piece], places.mean(0))
        assert (
            pieces.low[piece].tolist() == places.min(0).tolist() and pieces.high[piece].tolist() == (places.max(0) + 1).tolist()
        )
        assert (values[whole == number] == pieces.label[piece]).all()


def test_a_piece_can_be_read_back_from_its_own_box(labels):
    whole = cc3d.connected_components(labels.read(), connectivity=6)
    pieces = find_pieces(labels, ids=(2, 3))
    largest = int(np.argmax(pieces.voxels))
    mask = piece_mask(labels, pieces, largest, ids=(2, 3))
    expected = whole == whole[tuple(pieces.first[largest])]
    assert np.array_equal(mask, expected[pieces.box(largest).slices])
    assert set(pieces.label) == {2, 3}


def test_nothing_has_no_pieces():
    assert len(find_pieces(Labels(np.zeros((4, 5, 6), np.uint8), Grid((4, 5, 6), (1.0, 1.0, 1.0))))) == 0
