"""Which cubes a step decodes: the promises of each rule, and an unbiased loss counted out."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import ValueRangeError
from neurotome.nn.losses import focal
from neurotome.nn.occupancy.cubes import blocks_at, choose_cubes, choose_cubes_legacy, occupied_cubes
from neurotome.nn.occupancy.residual import VoxelAutoencoder, VoxelAutoencoderConfig


def random(seed):
    return torch.Generator().manual_seed(seed)


def numbers(places):
    return places @ torch.tensor([64, 8, 1])


def grid_with(cubes, g=16):
    """One voxel in each of these cubes, in the corner that is farthest from the origin."""
    grid, r = torch.zeros(g, g, g), g // 8
    for z, y, x in cubes:
        grid[r * z + r - 1, r * y + r - 1, r * x + r - 1] = 1
    return grid


def test_occupied_cubes_are_those_with_a_voxel():
    held = [(0, 0, 0), (3, 4, 5), (7, 7, 7)]
    assert occupied_cubes(grid_with(held)[None])[0].nonzero().tolist() == [list(cube) for cube in held]


def test_blocks_are_cut_from_each_grid_at_its_own_places():
    grids = torch.arange(2 * 16**3, dtype=torch.float32).reshape(2, 16, 16, 16)
    places = torch.tensor([[(0, 0, 0), (7, 1, 2)], [(2, 3, 4), (7, 7, 7)]])
    blocks = blocks_at(grids, places)
    assert blocks.shape == (2, 2, 2, 2, 2)
    for item, k in itertools.product(range(2), range(2)):
        z, y, x = (2 * places[item, k]).tolist()
        assert torch.equal(blocks[item, k], grids[item, z : z + 2, y : y + 2, x : x + 2])


@given(st.integers(0, 1000), st.integers(0, 512), st.integers(2, 512), st.floats(0, 1))
def test_own_choice_is_unique_and_holds_both_kinds_of_cube(seed, held, count, share):
    grid = torch.zeros(512)
    grid[torch.randperm(512, generator=random(seed))[:held]] = 1
    grids = grid.reshape(1, 8, 8, 8).repeat_interleave(2, 1).repeat_interleave(2, 2).repeat_interleave(2, 3)
    chosen = choose_cubes(grids, count, occupied_share=share, generator=random(seed + 1))
    cubes = numbers(chosen.places[0])
    full = int(grid[cubes].sum())
    assert len(set(cubes.tolist())) == count
    assert (full > 0) == (held > 0) and (full < count) == (held < 512)
    assert float(chosen.weights.sum()) == pytest.approx(1, abs=1e-5)


def test_own_choice_takes_the_share_of_occupied_cubes_that_is_asked_for():
    grid = grid_with(itertools.product(range(8), range(5), range(1)))
    for share, wanted in ((0.5, 5), (0.2, 2), (1.0, 9), (0.0, 1)):
        chosen = choose_cubes(grid[None], 10, occupied_share=share, generator=random(0))
        assert int(occupied_cubes(grid[None])[0].flatten()[numbers(chosen.places[0])].sum()) == wanted


def test_the_weights_make_the_loss_of_some_cubes_that_of_all_on_average():
    grid = grid_with([(z, y, 3) for z in range(4) for y in range(3)])[None]
    logits = torch.randn(grid.shape, generator=random(2))
    whole = float(focal(logits, grid, torch.ones(1)))
    found = []
    for seed in range(400):
        chosen = choose_cubes(grid, 32, generator=random(seed))
        blocks = [blocks_at(of, chosen.places) for of in (logits, grid)]
        found.append(float(focal(*blocks, chosen.weights[..., None, None, None])))
    deviation = torch.tensor(found).std() / len(found) ** 0.5
    assert abs(sum(found) / len(found) - whole) < 4 * deviation and deviation < 0.02 * whole


def test_legacy_choice_is_shared_by_the_batch_and_may_take_a_cube_twice():
    grids = torch.stack([grid_with([(1, 2, 3)]), grid_with([(1, 2, 3)])])
    for seed in range(20):
        chosen = choose_cubes_legacy(grids, 10, generator=random(seed))
        assert chosen.places.shape == (2, 10, 3) and torch.equal(chosen.places[0], chosen.places[1])
        # Two rows of the list name this cube; both are among the five that may be drawn.
        assert (numbers(chosen.places[0]) == 64 + 16 + 3).sum() == 2
        others = numbers(chosen.places[0])[2:].tolist()
        assert len(set(others)) == 8 and 64 + 16 + 3 not in others


def test_legacy_choice_of_one_cube_is_an_occupied_one_half_the_time():
    grids = grid_with([(4, 4, 4)])[None]
    drawn = [int(numbers(choose_cubes_legacy(grids, 1, generator=random(seed)).places)[0, 0]) for seed in range(400)]
    assert 160 < sum(cube == 4 * 73 for cube in drawn) < 240
    assert len({int(numbers(choose_cubes_legacy(0 * grids, 1).places)[0, 0]) for _ in range(20)}) > 5


@pytest.mark.parametrize(("grid", "decoded"), [(64, 5_120), (128, 40_960)])
def test_ten_cubes_are_so_many_voxels(grid, decoded):
    network = VoxelAutoencoder(VoxelAutoencoderConfig(grid=grid, width=1))
    latent = torch.zeros(1, network.config.channels[-1], 8, 8, 8)
    cubes = choose_cubes(torch.zeros(1, grid, grid, grid), 10).places
    assert network.decode_cubes(latent, cubes).numel() == decoded


def test_more_cubes_than_there_are_and_too_few_are_refused():
    for wrong in (1, 513):
        with pytest.raises(ValueRangeError, match="2 to 512"):
            choose_cubes(torch.zeros(1, 16, 16, 16), wrong)
    with pytest.raises(ValueRangeError, match="1 to 512"):
        choose_cubes_legacy(torch.zeros(1, 16, 16, 16), 513)
