import math

import pytest
import torch

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.nn import balanced_bce, bce_dice
from neurotome.nn.losses import (
    OCCUPANCY_LOSSES,
    focal,
    occupancy_loss,
    soft_centre_line,
    soft_cldice,
    weighted_bce,
)


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


@pytest.mark.parametrize(
    ("p", "y", "alpha", "gamma", "value"),
    [(0.9, 1, 0.65, 1, 0.0068484), (0.1, 1, 0.65, 1, 1.3470123), (0.3, 0, 0.75, 2.2, 0.0063078), (0.5, 1, 0.5, 0, 0.3465736)],
)
def test_focal_loss_on_the_values_of_the_specification(p, y, alpha, gamma, value):
    found = focal(logits(p), torch.tensor([[[float(y)]]]), torch.ones(1), alpha, gamma)
    assert found.item() == pytest.approx(value, abs=5e-8)


def test_focal_loss_without_focus_is_half_of_cross_entropy():
    target = (torch.arange(6) % 2).float().reshape(1, 1, 6)
    x = torch.linspace(-3, 3, 6).reshape(1, 1, 6)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(x, target)
    assert focal(x, target, torch.ones(1), 0.5, 0).item() == pytest.approx(bce.item() / 2)
    assert weighted_bce(x, target, torch.ones(1), 1.0).item() == pytest.approx(bce.item())


@pytest.mark.parametrize("name", sorted(OCCUPANCY_LOSSES))
def test_occupancy_losses_are_finite_for_saturated_logits_and_best_at_the_truth(name):
    target = torch.zeros(1, 1, 9, 9, 9)
    target[..., 3:6, 3:6, :] = 1
    loss, one = occupancy_loss(name), torch.ones(1)
    x = (200 * (1 - target) - 100).requires_grad_()
    wrong = loss(x, target, one)
    wrong.backward()
    assert torch.isfinite(wrong) and torch.isfinite(x.grad).all()
    right, half = loss(200 * target - 100, target, one), loss(0 * target, target, one)
    assert right.item() == pytest.approx(0, abs=1e-4) and right < half < wrong


@pytest.mark.parametrize("name", ["focal", "weighted_bce", "dice", "focal_dice"])
def test_a_voxel_of_weight_two_counts_as_two(name):
    loss = occupancy_loss(name)
    x, y = torch.tensor([[[0.3, -1.0]]]), torch.tensor([[[1.0, 0.0]]])
    twice = loss(torch.tensor([[[0.3, -1.0, -1.0]]]), torch.tensor([[[1.0, 0.0, 0.0]]]), torch.ones(1, 1, 3))
    assert loss(x, y, torch.tensor([[[1.0, 2.0]]])).item() == pytest.approx(twice.item())


def test_a_centre_line_is_inside_and_a_break_costs_more_than_a_thin_place():
    tube = torch.zeros(1, 1, 7, 7, 20)
    tube[..., 2:5, 2:5, :] = 1
    line = soft_centre_line(tube, 3)
    assert bool(((line > 0) <= (tube > 0)).all()) and float(line[0, 0, 3, 3, 5:15].min()) == 1
    broken, thin = tube.clone(), tube.clone()
    broken[..., 9] = 0
    thin[..., 2, :, 8:11] = 0
    cost = {
        name: soft_cldice(20 * x - 10, tube, torch.ones(1), 1.0, 3).item() for name, x in (("broken", broken), ("thin", thin))
    }
    assert (tube - broken).sum() == (tube - thin).sum() == 9 and cost["broken"] > cost["thin"] + 0.005


def test_losses_by_name_refuse_what_they_do_not_know():
    with pytest.raises(UnknownNameError, match="focal_dice"):
        occupancy_loss("focale")
    with pytest.raises(InputError, match="alpha, gamma"):
        occupancy_loss("focal", {"beta": 1})
    with pytest.raises(ValueRangeError, match="alpha"):
        occupancy_loss("focal", {"alpha": 1.2})
