"""The reference network: its published numbers, cubes that decode by themselves, memory saved for the same gradient."""

import copy

import pytest
import torch

from neurotome.core import InputError, ShapeError, UnknownNameError, ValueRangeError
from neurotome.nn import build, load_model, save_model
from neurotome.nn.occupancy.reference_checkpoint import ReferenceCheckpoint, reference_name
from neurotome.nn.occupancy.residual import LEGAL_GRIDS, VoxelAutoencoder, VoxelAutoencoderConfig

ENCODER = [28_672, 168_192, 672_256, 2_688_000, 10_749_952]
DECODER = [2_426_368, 606_976, 151_936, 38_080]


def network(grid=32, **options):
    torch.manual_seed(0)
    return VoxelAutoencoder(VoxelAutoencoderConfig(grid=grid, **{"width": 4, **options}))


def with_random_statistics(network):
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm3d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return network.eval()


def grids(b, g, share=0.05):
    return (torch.rand(b, 1, g, g, g, generator=torch.Generator().manual_seed(1)) < share).float()


@pytest.mark.parametrize(("grid", "levels", "total"), [(64, 3, 4_354_145), (128, 4, 17_530_465)])
def test_parameters_are_those_of_the_reference_stage_by_stage(grid, levels, total):
    with torch.device("meta"):
        network = VoxelAutoencoder(VoxelAutoencoderConfig(grid=grid))
    counts = [[sum(p.numel() for p in stage.parameters()) for stage in part] for part in (network.encoder, network.decoder)]
    assert counts == [ENCODER[: levels + 1], DECODER[-levels:]]
    assert sum(p.numel() for p in network.out.parameters()) == 33
    assert sum(p.numel() for p in network.parameters()) == total
    with torch.device("meta"):
        latent = network.encode(torch.zeros(1, 1, grid, grid, grid))
    assert latent.shape == (1, 32 * 2**levels, 8, 8, 8)
    assert network.decode(latent).shape == (1, 1, grid, grid, grid)


@pytest.mark.parametrize("grid", LEGAL_GRIDS)
def test_any_legal_grid_has_a_latent_grid_of_8_and_comes_out_as_it_went_in(grid):
    with torch.device("meta"):
        network = VoxelAutoencoder(VoxelAutoencoderConfig(grid=grid, width=4))
        assert network.encode(torch.zeros(2, 1, grid, grid, grid)).shape == (2, 4 * grid // 8, 8, 8, 8)
        assert network(torch.zeros(2, 1, grid, grid, grid)).shape == (2, 1, grid, grid, grid)


@pytest.mark.parametrize("options", [{}, {"decoder_norm": "group", "position_code": True}])
def test_every_parameter_has_a_gradient(options):
    trained = network(**options)
    trained(grids(2, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in trained.parameters())


@pytest.mark.parametrize("options", [{}, {"decoder_norm": "group"}, {"decoder_norm": "group", "position_code": True}])
def test_a_cube_decodes_alone_as_it_does_among_all(options):
    tested = with_random_statistics(network(grid=64, **options))
    with torch.no_grad():
        latent = tested.encode(grids(2, 64))
        whole = tested(grids(2, 64))
        cubes = torch.tensor([(0, 0, 0), (3, 4, 5), (7, 7, 7), (2, 0, 6)])
        alone = tested.decode_cubes(latent, cubes.expand(2, 4, 3))
        for k, (a, b, c) in enumerate(cubes.tolist()):
            block = whole[:, 0, 8 * a : 8 * a + 8, 8 * b : 8 * b + 8, 8 * c : 8 * c + 8]
            torch.testing.assert_close(alone[:, k], block, atol=1e-5, rtol=0)
            cut = tested.placed(latent)[:, :, a : a + 1, b : b + 1, c : c + 1]
            torch.testing.assert_close(tested.decode(cut)[:, 0], block, atol=1e-5, rtol=0)
    assert whole.std() > 1e-3


def test_activations_made_again_give_the_same_gradient_and_statistics():
    found = []
    for recomputed in (0, 2, 3):
        trained = copy.deepcopy(network(position_code=True))
        trained.recomputed = recomputed
        value = trained(grids(2, 32)).square().sum()
        value.backward()
        found.append([value.detach(), *(p.grad for p in trained.parameters()), *trained.buffers()])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_other_grids_and_options_are_refused():
    with pytest.raises(ValueRangeError, match="16, 32, 64, 128, 256"):
        VoxelAutoencoderConfig(grid=48)
    with pytest.raises(UnknownNameError, match="batch"):
        VoxelAutoencoderConfig(decoder_norm="layer")
    with pytest.raises(ShapeError, match=r"\(n, 1, 32, 32, 32\)"):
        network()(torch.zeros(1, 1, 64, 64, 64))
    with pytest.raises(InputError, match="no option depth"):
        build("voxel_autoencoder", {"depth": 3})


def test_a_kept_network_answers_as_before(tmp_path):
    kept = with_random_statistics(network(16, decoder_norm="group", position_code=True))
    config = {"grid": 16, "width": 4, "decoder_norm": "group", "position_code": True, "out_channels": 1}
    card = ReferenceCheckpoint(reference_name("16_bs2_nLat10_a0.65g1-lr0.003_F1.pth"), kept, 3, {}).card()
    save_model(tmp_path, kept, type(card)(**{**vars(card), "config": config}), half=False)
    again, card = load_model(tmp_path)
    with torch.no_grad():
        assert torch.equal(again(grids(1, 16)), kept(grids(1, 16)))
    assert card.frame == {"size": 16, "rule": "legacy", "scale": "global", "axes": "xyz"}
