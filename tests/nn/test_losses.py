import math

import pytest
import torch

from neurotome.nn import balanced_bce, bce_dice


def logits(*p: float) -> torch.Tensor:
    return torch.logit(torch.tensor(p)).reshape(1, 1, -1)


def test_bce_dice_on_the_values_of_the_specification():
    ones = torch.ones(1, 1, 2)
    value = bce_dice(logits(0.2, 0.8), torch.tensor([[[0.0, 1.0]]]), ones)
    dice = 1 - (2 * 0.8 + 1) / (0.2**2 + 0.8**2 + 1 + 1)  # one is added to both sums, so that empty patches are defined
    assert value.item() == pytest.approx(0.2231436 + dice, abs=1e-6)


def test_masked_voxels_do_not_count():
    target, valid = torch.tensor([[[0.0, 1.0, 0.0]]]), torch.tensor([[[1.0, 1.0, 0.0]]])
    for loss in (bce_dice, balanced_bce):
        a, b = loss(logits(0.2, 0.8, 0.9), target, valid), loss(logits(0.2, 0.8, 0.1), target, valid)
        assert a.item() == pytest.approx(b.item())


def test_balanced_bce_weighs_both_classes_alike():
    target = torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])
    value = balanced_bce(logits(0.5, 0.5, 0.5, 0.5), target, torch.ones(1, 1, 4))
    # 3 positives weigh 1/4 each, 1 negative 3/4, doubled: (3 * 0.25 + 0.75) * 2 / 4 = 0.75
    assert value.item() == pytest.approx(0.75 * math.log(2), abs=1e-6)


@pytest.mark.parametrize("loss", [bce_dice, balanced_bce])
def test_saturated_answers_stay_finite_gradient_included(loss):
    x = torch.tensor([[[-200.0, 200.0]]], requires_grad=True)
    value = loss(x, torch.tensor([[[1.0, 0.0]]]), torch.ones(1, 1, 2))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(x.grad).all()
