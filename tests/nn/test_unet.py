import pytest
import torch

from neurotome.core import InputError, UnknownNameError
from neurotome.nn import build, receptive_halo


@pytest.mark.parametrize("sections", [1, 3, 5])
def test_unet2d_answers_for_the_middle_section_at_full_size(sections):
    network = build("unet2d", {"out_channels": 3, "sections": sections, "widths": (4, 8, 8)})
    assert network(torch.zeros(2, sections, 32, 48)).shape == (2, 3, 32, 48)
    assert network.stride == (1, 4, 4)


@pytest.mark.parametrize(("isotropic", "stride"), [(False, (1, 4, 4)), (True, (4, 4, 4))])
def test_rsunet3d_keeps_its_size(isotropic, stride):
    network = build("rsunet3d", {"out_channels": 2, "widths": (4, 6, 8), "isotropic": isotropic})
    assert network(torch.zeros(1, 1, 8, 16, 24)).shape == (1, 2, 8, 16, 24)
    assert network.stride == stride


def test_default_sizes_are_as_documented():
    count = {f: sum(p.numel() for p in build(f, {"out_channels": 3}).parameters()) for f in ("unet2d", "rsunet3d")}
    assert count == {"unet2d": 1_989_915, "rsunet3d": 1_702_437}


def test_halo_is_what_an_aligned_box_reads():
    torch.manual_seed(0)
    network = build("unet2d", {"out_channels": 1, "widths": (2, 2)}).eval()
    z, y, x = receptive_halo(network)
    # Full size: 2 + 2 pixels of 3 x 3; half size: 2 x 2 = 4 more.
    assert (z, y, x) == (0, 8, 8)
    image = torch.rand(1, 1, 64, 64, requires_grad=True)
    network(image)[0, 0, 32:34, 32:34].sum().backward()
    seen = image.grad[0, 0].nonzero()
    assert seen.min() >= 32 - y and seen.max() < 34 + y


def test_unknown_network_and_option_name_the_known_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'unet2d'"):
        build("unet2", {"out_channels": 1})
    with pytest.raises(InputError, match=r"no option width.*out_channels, sections, widths"):
        build("unet2d", {"out_channels": 1, "width": 3})
