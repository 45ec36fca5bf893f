import itertools

import pytest
import torch

from neurotome.core import UnknownNameError
from neurotome.nn.translation.losses import CLASSIC, GAN_LOSSES, GENERATOR_LOSSES, classic_loss, gan_discriminator, gan_generator

P, Y = torch.tensor([0.2, 0.8]).reshape(1, 1, 1, 2), torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)
ONES = torch.ones(1, 1, 1, 2)


@pytest.mark.parametrize(
    ("names", "corrected", "legacy"),
    [
        (("l1", "hinge"), 0.2, 0.4),
        (("mse", "square"), 0.04, 0.16),
        (("dice",), 0.0476190, 0.1176471),
        (("bce", "logistic"), 0.2231436, 0.223143),
        (("taylor_bce", "approx"), 0.22, 0.22),
    ],
)
def test_classic_losses_have_the_values_of_the_specification(names, corrected, legacy):
    for name in names:
        assert classic_loss(name)(torch.logit(P), Y, ONES, legacy=False).item() == pytest.approx(corrected, abs=1e-6)
        assert classic_loss(name)(torch.logit(P), Y, ONES, legacy=True).item() == pytest.approx(legacy, abs=1e-6)


def test_softmax_takes_values_for_logits():
    p, y = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ([0.8, 0.2, 0.2], [1.0, 0.0, 0.0]))
    for name, legacy in itertools.product(("softmax", "softmax_ce"), (True, False)):
        assert CLASSIC[name](torch.logit(p), y, torch.ones_like(p), legacy=legacy).item() == pytest.approx(0.7408049, abs=1e-6)


REAL, FAKE = torch.logit(torch.tensor([0.9])), torch.logit(torch.tensor([0.1]))


@pytest.mark.parametrize(
    ("kind", "discriminator", "fake", "contra"), [("log", 0.2107210, 2.3025851, 4.6051702), ("square", 0.02, 0.81, 1.62)]
)
def test_gan_losses_have_the_values_of_the_specification(kind, discriminator, fake, contra):
    assert gan_discriminator(REAL, FAKE, kind).item() == pytest.approx(discriminator, abs=1e-6)
    values = [gan_generator(REAL, FAKE, kind, how).item() for how in ("fake", "contra", "negative")]
    assert values == pytest.approx([fake, contra, -discriminator], abs=1e-6)


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("name", ["l1", "mse", "dice", "bce", "taylor_bce", "softmax_ce"])
def test_classic_gradients_are_those_of_the_values(name, legacy, rng):
    a = torch.from_numpy(rng.normal(0, 2, (2, 3, 4, 5))).requires_grad_()
    y, valid = (torch.from_numpy(rng.integers(0, 2, a.shape).astype(float)) for _ in range(2))
    assert torch.autograd.gradcheck(lambda x: CLASSIC[name](x, y, valid, legacy=legacy), a)


@pytest.mark.parametrize("kind", GAN_LOSSES)
def test_gan_gradients_are_those_of_the_values(kind, rng):
    a, b = (torch.from_numpy(rng.normal(0, 2, (1, 1, 3, 3))).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(lambda real, fake: gan_discriminator(real, fake, kind), (a, b))
    for how in GENERATOR_LOSSES:
        assert torch.autograd.gradcheck(lambda real, fake, how=how: gan_generator(real, fake, kind, how), (a, b))


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("name", CLASSIC)
def test_classic_losses_stay_finite_when_saturated(name, legacy):
    for sign in (1, -1):
        a = (sign * torch.tensor([1e4, -1e4]).reshape(1, 1, 1, 2)).requires_grad_()
        value = CLASSIC[name](a, Y, ONES, legacy=legacy)
        value.backward()
        assert value.isfinite() and a.grad.isfinite().all()


@pytest.mark.parametrize(("kind", "how"), list(itertools.product(GAN_LOSSES, GENERATOR_LOSSES)))
def test_gan_losses_stay_finite_when_saturated(kind, how):
    for sign in (1, -1):
        real, fake = (torch.tensor([v * sign], requires_grad=True) for v in (1e4, -1e4))
        value = gan_generator(real, fake, kind, how) + gan_discriminator(real, fake, kind)
        value.backward()
        assert value.isfinite() and all(v.grad is None or v.grad.isfinite().all() for v in (real, fake))


@pytest.mark.parametrize("name", ["l1", "mse", "dice", "bce", "taylor_bce", "softmax_ce"])
def test_voxels_that_are_not_valid_do_not_count(name, rng):
    a = torch.from_numpy(rng.normal(0, 2, (1, 2, 4, 6)))
    y = torch.from_numpy(rng.integers(0, 2, a.shape).astype(float))
    valid = torch.ones(1, 1, 4, 6, dtype=torch.float64)
    valid[..., 4:] = 0
    loss = CLASSIC[name]
    expected = loss(a[..., :4], y[..., :4], torch.ones(1, 1, 4, 4, dtype=torch.float64), legacy=True)
    assert loss(a, y, valid, legacy=True).item() == pytest.approx(expected.item(), rel=1e-12)
    assert loss(a, y, 0 * valid, legacy=False).isfinite()


def test_names_that_are_not_known():
    with pytest.raises(UnknownNameError, match=r"Unknown classic loss 'dise'.*did you mean 'dice'"):
        classic_loss("dise")
    with pytest.raises(UnknownNameError, match="GAN loss 'lg'"):
        gan_discriminator(REAL, FAKE, "lg")
    with pytest.raises(UnknownNameError, match="generator loss 'fakes'"):
        gan_generator(REAL, FAKE, "log", "fakes")


def test_softmax_counts_a_pixel_where_all_its_channels_are_valid():
    a, y, valid = (
        torch.tensor([[2.0, -2.0], [0.0, 1.0]]),
        torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
        torch.tensor([[1.0, 1.0], [1.0, 0.0]]),
    )
    a, y, valid = (v.reshape(1, 2, 1, 2) for v in (a, y, valid))  # of the second pixel, only one channel is valid
    first = CLASSIC["softmax_ce"](a[..., :1], y[..., :1], valid[..., :1], legacy=False)
    assert CLASSIC["softmax_ce"](a, y, valid, legacy=False).item() == pytest.approx(first.item())
