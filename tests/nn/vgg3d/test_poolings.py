"""Poolings against numbers worked out by hand."""

import pytest
import torch

from neurotome.core import InputError, ShapeError, UnknownNameError
from neurotome.nn.vgg3d import POOLINGS, pooled


def ramp(length):
    """0, 1, 2 ... along z, two channels, the second ten times the first."""
    along = torch.arange(length, dtype=torch.float32)[:, None, None].expand(length, length, length)
    return torch.stack([along, 10 * along])[None]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_constant_stays_what_it_is(pooling):
    mask = torch.rand(2, 16, 16, 16) < 0.2
    rows = pooled(torch.full((2, 3, 4, 4, 4), 0.7), pooling, mask)
    assert rows.dtype == torch.float32 and torch.allclose(rows, torch.tensor(0.7))


def test_bins_of_the_pyramid_on_a_ramp():
    bins = pooled(ramp(20), "spp")[0]
    assert bins.shape == (2 * 73,)
    one, two, four = bins[:2], bins[2:18].reshape(2, 2, 2, 2), bins[18:].reshape(2, 4, 4, 4)
    assert one.tolist() == [9.5, 95]
    assert two[0, :, 0, 0].tolist() == [4.5, 14.5] and two[1, :, 1, 0].tolist() == [45, 145]
    assert four[0, :, 3, 1].tolist() == [2, 7, 12, 17]


def test_bins_overlap_where_they_do_not_divide_the_length():
    bins = pooled(ramp(5), "spp")[0]
    assert bins[2:18].reshape(2, 2, 2, 2)[0, :, 0, 0].tolist() == [1, 3]
    assert bins[18:].reshape(2, 4, 4, 4)[0, :, 0, 0].tolist() == [0.5, 1.5, 2.5, 3.5]


def test_average_and_maximum():
    assert pooled(ramp(4), "avg").tolist() == [[1.5, 15]] and pooled(ramp(4), "max").tolist() == [[3, 30]]
    assert pooled(ramp(4), "concat_avg_max").tolist() == [[1.5, 15, 3, 30]]


def test_under_a_mask_only_its_voxels_count_by_their_share():
    mask = torch.zeros(1, 8, 8, 8, dtype=torch.bool)
    mask[:, 2:4, :2, :2] = True  # all of one voxel of the layer at z = 1 ...
    mask[:, 6, :2, :2] = True  # ... and half of another at z = 3
    assert pooled(ramp(4), "mask_avg", mask)[0, 0].item() == pytest.approx((1 * 1 + 3 * 0.5) / 1.5)
    assert torch.isnan(pooled(ramp(4), "mask_avg", torch.zeros_like(mask))).all()
    with pytest.raises(InputError, match="without a mask"):
        pooled(ramp(4), "mask_avg")
    with pytest.raises(ShapeError, match="Masks"):
        pooled(ramp(4), "mask_avg", mask[0])


def test_an_unknown_pooling_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'avg'"):
        pooled(ramp(4), "average")
