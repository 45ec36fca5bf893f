"""The sparse autoencoder: what goes in comes out, shapes of a batch never meet, the grid may be any multiple of 8."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurotome.core import InputError, ShapeError, ValueRangeError
from neurotome.nn import build
from neurotome.nn.occupancy.cube_autoencoder import CubeAutoencoder, CubeAutoencoderConfig

SMALL = {"width": 16, "depth": 2, "heads": 2, "hidden": 32, "code": 8, "bent": 16, "bottleneck": 24, "steady": 12}


def network(grid: int = 16, **options: int) -> CubeAutoencoder:
    torch.manual_seed(0)
    made = CubeAutoencoder(CubeAutoencoderConfig(**{**SMALL, "grid": grid, **options})).eval()
    made.spread.running_mean.normal_()
    made.spread.running_var.uniform_(0.5, 2.0)
    return made


def grids(count: int, grid: int = 16, share: float = 0.003) -> torch.Tensor:
    return torch.from_numpy((np.random.default_rng(0).random((count, grid, grid, grid)) < share).astype(np.uint8))


def test_cubes_hold_the_voxels_of_their_place():
    data = torch.zeros(2, 16, 16, 16, dtype=torch.uint8)
    data[1, 9, 3, 15] = 1
    cubes = network().cubes(data)
    assert cubes.shape.tolist() == [1] and cubes.place.tolist() == [4 + 0 + 1]
    assert cubes.bits.nonzero().tolist() == [[0, (1 * 8 + 3) * 8 + 7]]


def test_perfect_codes_give_the_shape_back_bit_for_bit():
    net, data = network(), grids(3)
    cubes = net.cubes(data)
    net.decode_codes = lambda codes: codes
    encoded = net(data, torch.zeros(3))._replace(codes=100 * (cubes.bits - 0.5), cubes=cubes)
    assert torch.equal(net.from_codes(encoded) > 0.5, data > 0)


def test_batch_makes_no_difference():
    net, data, extent = network(32), grids(7, 32), torch.linspace(2, 6, 7)
    data[3] = 0
    together = net(data, extent)
    for row in range(7):
        alone = net(data[row : row + 1], extent[row : row + 1])
        torch.testing.assert_close(alone.z[0], together.z[row], atol=1e-6, rtol=0)
        torch.testing.assert_close(alone.tokens, together.tokens[together.cubes.shape == row], atol=1e-6, rtol=0)


def test_size_and_place_matter():
    net, data = network(), grids(1)
    z = net(data, torch.tensor([3.0])).z
    assert (net(data, torch.tensor([4.0])).z - z).abs().max() > 1e-3
    assert (net(data.roll(8, 1), torch.tensor([3.0])).z - z).abs().max() > 1e-3


def test_bottleneck_factorises_into_cubes_and_voxels():
    net = network()
    z = torch.randn(2, 24)
    whole = net.from_bottleneck(z)
    cube = torch.sigmoid(net.decode_cubes(z))[1, 5]
    voxels = torch.sigmoid(net.decode_voxels(z[1:], torch.tensor([5])))[0].view(8, 8, 8)
    torch.testing.assert_close(whole[1, 8:, :8, 8:], cube * voxels)


def test_grid_of_128_has_a_lattice_of_16():
    net = network(128)
    encoded = net(grids(1, 128, 1e-5), torch.zeros(1))
    assert net.centres.shape[0] == 16**3 and encoded.z.shape == (1, 24)
    assert net.from_bottleneck(encoded.z).shape == net.from_codes(encoded).shape == (1, 128, 128, 128)


def test_family_is_registered_with_its_default_size():
    made = build("cube_autoencoder", {})
    assert isinstance(made, CubeAutoencoder) and sum(p.numel() for p in made.parameters()) < 3_000_000


def test_errors():
    with pytest.raises(ShapeError, match=r"\(n, 16, 16, 16\)"):
        network()(torch.zeros(1, 8, 8, 8), torch.zeros(1))
    with pytest.raises(ValueRangeError, match="multiple of 8"):
        CubeAutoencoderConfig(grid=60)
    with pytest.raises(InputError, match="heads divide"):
        CubeAutoencoderConfig(width=130)
