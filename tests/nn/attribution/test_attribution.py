import numpy as np
import pytest
import torch
from torch import nn

from neurotome.core import ShapeError, ValueRangeError
from neurotome.nn.attribution import (
    block_occlusion,
    cluster_target,
    feature_target,
    grad_cam,
    integrated_gradients,
    likeness_target,
    structure_occlusion,
)

SIDE = 20


class Toy(nn.Module):
    """Two channels, +x and -x, rectified; answers (2 m1 + 3 m2, m1) of their means."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(1, 2, 1, bias=False)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1, 1)
        self.relu = nn.ReLU()

    def forward(self, x):
        means = self.relu(self.conv(x)).mean((2, 3, 4))
        return torch.stack([2 * means[:, 0] + 3 * means[:, 1], means[:, 0]], 1)


@pytest.fixture
def toy():
    x = torch.zeros(1, 1, SIDE, SIDE, SIDE)
    x.view(-1)[:100] = 1
    x.view(-1)[-50:] = -1
    return Toy(), x


def test_the_map_is_activation_times_mean_gradient(toy):
    network, x = toy
    found = grad_cam(network, network.relu, x, feature_target(0)).ravel() * SIDE**3
    assert np.allclose(found[:100], 2, atol=1e-4) and np.allclose(found[-50:], 3, atol=1e-4)
    assert np.abs(found[100:-50]).max() == 0
    other = grad_cam(network, network.relu, x, feature_target(1)).ravel() * SIDE**3
    assert np.allclose(other[:100], 1, atol=1e-4) and np.abs(other[100:]).max() == 0


def test_small_layers_are_brought_to_the_grid_of_the_crop():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv3d(1, 3, 3, padding=1), nn.MaxPool3d(2), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    found = grad_cam(network, network[1], torch.rand(2, 1, 8, 8, 8), feature_target(2))
    assert found.shape == (2, 8, 8, 8) and found.dtype == np.float32 and found.min() >= 0


def test_a_mirrored_crop_has_a_mirrored_map():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv3d(1, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    x = torch.rand(1, 1, 8, 8, 8)
    there, mirrored = (grad_cam(network, network[1], v, lambda a: a.sum(1)) for v in (x, x.flip(3)))
    assert np.allclose(there[:, :, ::-1], mirrored, atol=1e-6) and there.max() > 0


def test_integrated_gradients_add_up_to_the_difference(toy):
    network, x = toy
    found = integrated_gradients(network, x, feature_target(0), grey=0.0, steps=8)
    assert found.sum() == pytest.approx(network(x)[0, 0].item(), abs=1e-5)


def test_occlusion_finds_what_matters(toy):
    network, x = toy
    structures = {"bright": x[:, 0] > 0, "dark": x[:, 0] < 0, "nothing": torch.zeros(1, SIDE, SIDE, SIDE, dtype=torch.bool)}
    found = structure_occlusion(network, x, feature_target(0), structures, grey=0.0)
    assert found["bright"] == pytest.approx(200 / 8000) and found["dark"] == pytest.approx(150 / 8000)
    assert np.isnan(found["nothing"]).all()
    maps = block_occlusion(network, x, feature_target(0), side=5, stride=5, grey=0.0)
    assert maps[0, 0, :5].max() > 0 and maps[0, 10].max() == 0


def test_targets():
    answers = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    assert cluster_target(centres, 0)(answers).tolist() == [4, 4 - 16]
    assert cluster_target(centres, 1, torch.tensor([2.0, 0]), torch.tensor([1.0, 1]))(answers).tolist() == [4 - 16, 4 - 0]
    assert likeness_target(torch.tensor([1.0, 0]))(answers + 1).tolist() == pytest.approx([2**-0.5, 5 / 26**0.5])
    with pytest.raises(ValueRangeError, match="cluster 2 of 2"):
        cluster_target(centres, 2)
    with pytest.raises(ValueRangeError, match="feature 5"):
        feature_target(5)(answers)
    with pytest.raises(ShapeError, match="3 numbers"):
        cluster_target(centres, 0)(torch.zeros(1, 3))


def test_what_is_no_crop_is_refused():
    with pytest.raises(ShapeError, match="n, 1, s, s, s"):
        grad_cam(Toy(), nn.ReLU(), torch.zeros(1, 8, 8, 8), feature_target(0))


def test_every_module_is_left_in_its_mode(toy):
    network, x = toy
    network.train()
    network.conv.eval()
    grad_cam(network, network.relu, x, feature_target(0))
    structure_occlusion(network, x, feature_target(0), {"bright": x[:, 0] > 0})
    assert network.training and network.relu.training and not network.conv.training
