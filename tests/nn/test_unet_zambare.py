import pytest
import torch
from torch import nn

from neurotome.nn import UNetZambare, UNetZambareConfig, build, receptive_halo


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.fixture(scope="module")
def on_paper():
    with torch.device("meta"):
        return build("unet_zambare", {})


def test_parameters_are_those_of_the_reference(on_paper):
    assert parameters(on_paper) == 26_070_593
    assert [parameters(block) for block in on_paper.down] == [640 + 36_928, 221_440, 885_248, 3_539_968, 14_157_824]
    assert [parameters(layer) for layer in on_paper.enlarge] == [2_097_664, 524_544, 262_400, 65_664]
    assert [parameters(b) for b in on_paper.up] == [2_097_664 + 1_049_088, 786_944, 196_736 + 65_664, 49_216 + 2 * 16_448]
    assert parameters(on_paper.head) == 65


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (300, 257), (5, 3)])
def test_any_size_comes_back(on_paper, size):
    assert on_paper(torch.empty(2, 1, *size, device="meta")).shape == (2, 1, *size)


def test_channels_and_sections():
    network = UNetZambare(UNetZambareConfig(out_channels=3, sections=2), width=2)
    assert network(torch.zeros(1, 2, 16, 32)).shape == (1, 3, 16, 32)


def test_weights_begin_he_normal_and_biases_at_zero():
    torch.manual_seed(0)
    network = UNetZambare(UNetZambareConfig(), width=16)
    bottom = network.down[4][2].weight  # 256 channels of 3 x 3
    assert bottom.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.01)
    assert bottom.mean().item() == pytest.approx(0, abs=1e-3)
    assert not any(p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_decoder_kernels_look_right_and_down_only():
    network = UNetZambare(UNetZambareConfig(), width=2)
    x = torch.zeros(1, 6, 8, 8, requires_grad=True)
    block = network.up[3][:2]  # the padding and the first 2 x 2 kernel
    block(x)[0, :, 4, 4].sum().backward()
    assert x.grad[0].any(0).nonzero().tolist() == [[4, 4], [4, 5], [5, 4], [5, 5]]
    assert block(x).shape[-2:] == (8, 8)


def test_dropout_in_training_only():
    torch.manual_seed(0)
    network = UNetZambare(UNetZambareConfig(), width=4)
    x = torch.rand(1, 1, 32, 32)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_a_border_that_is_cut_off_is_reflected():
    """What an odd size gives is what the image reflected by hand gives, cut back."""
    torch.manual_seed(0)
    network = UNetZambare(UNetZambareConfig(), width=4).eval()
    x = torch.rand(1, 1, 20, 30)
    by_hand = nn.functional.pad(x, (0, 2, 0, 12), mode="reflect")
    assert torch.equal(network(x), network(by_hand)[..., :20, :30])


def test_halo_is_what_an_aligned_box_reads():
    torch.manual_seed(0)
    network = UNetZambare(UNetZambareConfig(sections=2), width=4).double().eval()
    z, y, x = receptive_halo(network)
    assert (z, y, x) == (1, 96, 96)
    image = torch.rand(1, 2, 256, 256, dtype=torch.float64, requires_grad=True)
    network(image)[..., 128:144, 128:144].sum().backward()
    seen = image.grad[0].any(0).nonzero()
    assert 96 - 16 < max(128 - seen.min(), seen.max() - 143) <= 96
