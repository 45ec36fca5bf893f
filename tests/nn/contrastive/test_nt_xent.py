import math

import numpy as np
import pytest
import torch

from neurotome.core import ShapeError, ValueRangeError
from neurotome.nn.contrastive import alignment, collapsed_loss, nt_xent, uniformity

EXACT = [
    (2, 1.0, 0.551445, 1.551445),
    (2, 0.5, 0.239545, 2.239545),
    (2, 0.07, 1.2497e-6, 14.285716),
    (4, 0.5, 0.594438, None),
]


@pytest.mark.parametrize(("n", "temperature", "aligned", "swapped"), EXACT)
def test_orthonormal_views(n, temperature, aligned, swapped):
    views = torch.eye(n, 8)
    assert float(nt_xent(views, views, temperature)) == pytest.approx(aligned, abs=2e-6)
    if swapped is not None:
        assert float(nt_xent(views, views.roll(1, 0), temperature)) == pytest.approx(swapped, abs=2e-6)


@pytest.mark.parametrize("n", [2, 4])
def test_a_collapse_costs_ln_2n_minus_1(n):
    views = torch.ones(n, 3)
    assert float(nt_xent(views, views, 0.5)) == pytest.approx(collapsed_loss(n)) == pytest.approx(math.log(2 * n - 1))
    assert alignment(views, views) == 0 and uniformity(views) == pytest.approx(0, abs=1e-4)


def test_equals_a_double_precision_version_and_its_gradient_pulls_pairs_together():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 7, 5))
    z = np.concatenate([a, b])
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    total = 0.0
    for i in range(14):
        likeness = [z[i] @ z[k] / 0.3 for k in range(14)]
        total += np.log(sum(np.exp(likeness[k]) for k in range(14) if k != i)) - likeness[(i + 7) % 14]
    first, second = (torch.tensor(v, dtype=torch.float32, requires_grad=True) for v in (a, b))
    loss = nt_xent(first, second, 0.3)
    assert loss.item() == pytest.approx(total / 14, abs=1e-6)
    loss.backward()
    with torch.no_grad():
        closer = nt_xent(first - 0.1 * first.grad, second - 0.1 * second.grad, 0.3)
    assert closer.item() < loss.item()


def test_things_that_are_alike_are_no_negatives():
    views = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    alike = torch.zeros(3, 3, dtype=torch.bool)
    alike[0, 1] = alike[1, 0] = True
    assert float(nt_xent(views, views, 0.5, alike=alike)) < float(nt_xent(views, views, 0.5))
    # Only its own pair and the third thing's two views are left for the first.
    left = math.log(math.exp(2) + 2) - 2
    third = math.log(math.exp(2) + 4) - 2
    assert float(nt_xent(views, views, 0.5, alike=alike)) == pytest.approx((2 * left + third) / 3, abs=1e-6)


def test_a_queue_adds_negatives():
    views = torch.eye(2)
    more = nt_xent(views, views, 0.5, queue=torch.tensor([[0.0, 1.0]]))
    assert float(more) == pytest.approx((2 * math.log(math.exp(2) + 3) + 2 * math.log(2 * math.exp(2) + 2)) / 4 - 2, abs=1e-6)


def test_views_must_pair():
    with pytest.raises(ShapeError, match="two equal"):
        nt_xent(torch.eye(2), torch.eye(3))
    with pytest.raises(ValueRangeError, match="temperature 0"):
        nt_xent(torch.eye(2), torch.eye(2), 0.0)
