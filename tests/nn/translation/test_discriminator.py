import pytest
import torch

from neurotome.nn.translation.discriminator import PatchDiscriminator


def on_paper(channels: int, **options) -> PatchDiscriminator:
    with torch.device("meta"):
        return PatchDiscriminator(channels, **options)


@pytest.mark.parametrize(("channels", "expected"), [(6, 2_768_640), (3, 2_765_568)])
@pytest.mark.parametrize("legacy", [True, False])
def test_parameters_are_those_of_the_reference(channels, expected, legacy):
    assert sum(p.numel() for p in on_paper(channels, legacy=legacy).parameters()) == expected


@pytest.mark.parametrize("size", [(256, 256), (64, 128), (512, 24)])
def test_one_answer_for_each_patch(size):
    answer = on_paper(2)(torch.empty(3, 2, *size, device="meta"))
    assert answer.shape == (3, 1, size[0] // 8 - 2, size[1] // 8 - 2)


def test_a_patch_is_70_pixels_wide():
    torch.manual_seed(0)
    judge = PatchDiscriminator(1, width=2).double().eval()
    x = torch.rand(1, 1, 160, 160, dtype=torch.float64, requires_grad=True)
    judge(x)[..., 8, 8].sum().backward()
    assert int(x.grad[0, 0].any(0).sum()) == 70


def test_first_and_last_level_are_not_normalised():
    kinds = [type(layer).__name__ for layer in PatchDiscriminator(1, width=2, legacy=True).layers]
    level = ["Conv2d", "BatchStatistics", "LeakyReLU"]
    assert kinds == ["Conv2d", "LeakyReLU", *level * 3, "Conv2d"]
