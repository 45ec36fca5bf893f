import pytest
import torch
from torch import nn

from neurotome.core import InputError, UnknownNameError
from neurotome.nn import build, receptive_halo
from neurotome.nn.translation.generators import Generator, GeneratorConfig, three_planes

KINDS = ("unet", "resnet", "highway", "dense")


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def on_paper(**config) -> Generator:
    with torch.device("meta"):
        return build("generator", {"out_channels": 3, "sections": 3, **config})


def small(kind: str, **config) -> Generator:
    torch.manual_seed(0)
    size = {"depth": 6} if kind == "unet" else {"blocks": 2}
    return build("generator", {"out_channels": 1, "kind": kind, "width": 4, **size, **config})


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"kind": "unet"}, 65_566_208),
        ({"kind": "unet", "depth": 4}, 15_226_368),
        ({"kind": "unet", "depth": 5}, 27_811_328),
        ({"kind": "unet", "depth": 6}, 40_396_288),
        ({"kind": "resnet"}, 2_924_416),
        ({"kind": "highway"}, 4_253_824),
        ({"kind": "dense"}, 11_331_200),
    ],
)
def test_legacy_parameters_are_those_of_the_reference(config, expected):
    assert parameters(on_paper(legacy=True, **config)) == expected


def test_what_the_corrected_variants_add_and_leave_out():
    ends = 2 * (32 + 64 + 128)  # normalisation on the way down
    grown = {kind: parameters(on_paper(kind=kind)) - parameters(on_paper(kind=kind, legacy=True)) for kind in KINDS}
    first = -16 * (3 * 64 + 64 * 128 + 64 * 3)  # half as many channels into and out of the first level
    innermost = -16 * 512 * 512 - 2 * 512  # not seen twice; not normalised
    assert grown == {"unet": first + innermost, "resnet": ends, "highway": ends, "dense": ends + 5 * 6 * 128 * 128}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("size", [(256, 256), (250, 262), (7, 5)])
def test_every_size_comes_back(kind, legacy, size):
    network = on_paper(kind=kind, legacy=legacy, out_channels=1, sections=1)
    assert network(torch.empty(1, 1, *size, device="meta")).shape == (1, 1, *size)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("legacy", [True, False])
def test_every_weight_learns(kind, legacy):
    network = small(kind, legacy=legacy).train()
    network(torch.rand(1, 1, 64, 64))[..., ::3].square().sum().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters())
    # Where a level has one pixel, its batch statistics leave nothing of it.
    silent = [n for n, p in network.named_parameters() if not p.grad.any()]
    assert not silent or (kind == "unet" and legacy and all(n.startswith(("body.down", "body.up.0")) for n in silent))


def test_initial_values():
    torch.manual_seed(0)
    for network in (small("resnet", legacy=True, width=32), small("highway", width=32)):
        for name, p in network.named_parameters():
            mean, spread = (1, 0.02) if p.ndim == 1 and name.endswith("weight") else (0, 0.02)
            if name.endswith("bias"):
                assert set(p.tolist()) <= {0.0, -2.0}
            elif p.numel() > 10_000:
                assert p.mean().item() == pytest.approx(mean, abs=1e-3) and p.std().item() == pytest.approx(spread, rel=0.05)
            else:
                assert p.mean().item() == pytest.approx(mean, abs=0.02) and p.std().item() == pytest.approx(spread, rel=0.5)
        assert not any(m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))


def test_legacy_has_three_planes_and_one_answer():
    network = small("resnet", legacy=True)
    x = torch.rand(1, 1, 16, 16) * 2 - 1
    planes = network.planes(x)
    assert planes.shape == (1, 3, 16, 16)
    assert torch.equal(network(x), planes.mean(1, keepdim=True))
    assert torch.equal(network.planes(x.expand(1, 3, 16, 16)), planes)
    # The reference's own value is tanh of half the logit.
    end = network.body(three_planes(x))
    assert torch.allclose(torch.tanh(planes / 2), torch.tanh(end))
    colour = small("resnet", legacy=True, out_channels=2)
    assert torch.equal(colour(x), colour.planes(x)[:, :2])


def test_images_become_red_green_and_blue():
    grey, two, three = (torch.rand(2, n, 4, 4) for n in (1, 2, 3))
    assert torch.equal(three_planes(grey), torch.cat([grey] * 3, 1))
    assert torch.equal(three_planes(two)[:, :2], two) and (three_planes(two)[:, 2] == -1).all()
    assert three_planes(three) is three


def test_corrected_planes_are_the_answer():
    network = small("dense", out_channels=2, sections=3)
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(network.planes(x), network(x)) and network(x).shape == (1, 2, 8, 8)


@pytest.mark.parametrize(("legacy", "lowest"), [(True, 0.5), (False, 0.0)])
def test_range_of_the_gate(legacy, lowest):
    unit = small("highway", legacy=legacy).body.core[0]
    x = torch.randn(4, 16, 8, 8)
    start = unit.gate(x).mean().item()
    assert start == pytest.approx(0.5, abs=1e-3) if legacy else 0.1 < start < 0.2
    with torch.no_grad():
        unit.choose[1].weight.fill_(8.0)
        unit.choose[1].bias.zero_()
    unit.choose[0].weight.data.mul_(50)
    gate = unit.gate(x)
    assert lowest <= gate.min() < lowest + 0.01 and 0.99 < gate.max() <= 1


def test_legacy_takes_its_statistics_from_the_batch_at_prediction_too():
    legacy, corrected = (small("resnet", legacy=legacy).eval() for legacy in (True, False))
    x = torch.rand(1, 1, 32, 32)
    other = torch.cat([x, 5 * torch.rand(1, 1, 32, 32)])
    assert not torch.allclose(legacy(other)[:1], legacy(x), atol=1e-4)
    assert torch.allclose(corrected(other)[:1], corrected(x), atol=1e-6)
    assert legacy.whole_sections and not corrected.whole_sections


def test_batch_statistics_by_hand():
    norm = small("resnet", legacy=True).body.core[0].change[1]
    x = torch.randn(2, 16, 5, 7)
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
    expected = (x - mean) / torch.sqrt(variance + 1e-5) * norm.weight[:, None, None]
    assert torch.allclose(norm.eval()(x), expected, atol=1e-6)
    assert torch.equal(norm(x[:1, :, :1, :1]), norm.bias[None, :, None, None])


def test_dropout_of_the_deep_levels():
    """Legacy: at prediction too, but the same values every time, so that a section has one answer."""
    x = torch.rand(2, 1, 128, 128)
    legacy, corrected = (small("unet", depth=7, legacy=legacy) for legacy in (True, False))
    for network in (legacy, corrected):
        assert not torch.equal(network(x), network(x))
        network.eval()
        assert torch.equal(network(x), network(x))
    assert sum(type(m).__name__ == "_Dropout" for m in legacy.modules()) == 2
    drop = next(m for m in legacy.modules() if type(m).__name__ == "_Dropout")
    kept = drop(torch.ones(1, 64, 8, 8))
    assert set(kept.unique().tolist()) == {0.0, 2.0} and kept.mean().item() == pytest.approx(1, abs=0.1)
    assert not any(type(m).__name__ == "_Dropout" for m in small("unet", depth=5, legacy=True).modules())


@pytest.mark.parametrize("kind", ["resnet", "highway", "dense"])
def test_the_core_is_what_lies_between_the_ends(kind):
    network = on_paper(kind=kind, legacy=True)
    core = {id(p) for p in network.core_parameters()}
    ends = sum(p.numel() for p in network.parameters() if id(p) not in core)
    assert ends == 4704 + 18_432 + 73_728 + 131_072 + 128 + 32_768 + 64 + 4704


def test_a_unet_has_no_core():
    with pytest.raises(InputError, match=r"'unet' has no core.*dense, highway, resnet"):
        small("unet").core_parameters()


def test_receptive_field_at_the_bottleneck_is_157_pixels():
    network = Generator(GeneratorConfig(1, "resnet", width=1)).double().eval()
    with torch.no_grad():
        for p in network.parameters():
            p.fill_(0.01 if p.ndim > 1 else 1.0)
    x = torch.ones(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    network.body.core(network.body.enter(x))[0, :, 32, 32].sum().backward()
    assert int(x.grad[0, 0].any(0).sum()) == 157


@pytest.mark.parametrize("kind", KINDS)
def test_halo_is_what_an_aligned_box_reads(kind):
    network = small(kind, **({"depth": 3} if kind == "unet" else {})).double().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)  # as they begin, nothing far away would show
    z, y, x = receptive_halo(network)
    stride = network.stride[1]
    assert z == 0 and y == x
    image = torch.rand(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    network(image)[..., 128 : 128 + stride, 128 : 128 + stride].sum().backward()
    seen = image.grad[0, 0].nonzero()
    assert y - stride < max(128 - seen.min(), seen.max() - (127 + stride)) <= y


def test_halo_of_whole_sections_is_along_z_only():
    assert receptive_halo(small("resnet", legacy=True, sections=2)) == (1, 0, 0)


def test_options_that_do_not_fit():
    with pytest.raises(UnknownNameError, match=r"Unknown generator 'resnett'.*did you mean 'resnet'"):
        GeneratorConfig(1, "resnett")
    with pytest.raises(InputError, match="'unet' has no option blocks"):
        GeneratorConfig(1, "unet", blocks=3)
    with pytest.raises(InputError, match="'dense' has no option depth"):
        GeneratorConfig(1, "dense", depth=4)
    with pytest.raises(InputError, match=r"5 sections and 1 channels.*legacy: false"):
        GeneratorConfig(1, sections=5, legacy=True)
    with pytest.raises(InputError, match="depth 1"):
        GeneratorConfig(1, "unet", depth=1)
