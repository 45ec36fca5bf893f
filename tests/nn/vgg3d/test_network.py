"""VGG3D has the reference's modules at the reference's places, and reads what it says it reads."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from neurotome.core import InputError, ModelCard, ShapeError, ValueRangeError
from neurotome.nn import build, load_model, save_model
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig

SMALL = VGG3DConfig(size=16, widths=(4, 8, 8, 16), hidden=12)


def on_paper(**options):
    """The whole classifier has 117 million parameters: counted, never allocated."""
    with torch.device("meta"):
        return VGG3D(VGG3DConfig(**options))


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_parameters_are_those_of_the_table():
    assert count(on_paper()) == count(on_paper(classes=7).features) == 2_009_160
    assert (count(on_paper(classes=7)), count(on_paper(classes=6))) == (117_127_247, 117_123_150)
    network, stages = on_paper(classes=7), [0, 0, 0, 0]
    assert (len(network.state_dict()), len(network.features.state_dict())) == (76, 70)
    for at, module in enumerate(network.features):
        stages[network.config.stage(at) - 1] += count(module) if isinstance(module, nn.Conv3d) else 0
    assert stages == [47_400, 93_408, 373_440, 1_493_376]
    assert [count(network.classifier[k]) for k in (0, 3)] == [98_308_096, 16_781_312]


def test_modules_are_at_the_places_of_the_reference():
    features = on_paper().features
    kinds = {kind: [k for k, m in enumerate(features) if isinstance(m, kind)] for kind in (nn.Conv3d, nn.MaxPool3d, nn.ReLU)}
    assert len(features) == 34
    assert kinds[nn.Conv3d] == [0, 3, 6, 9, 13, 16, 20, 23, 27, 30]
    assert kinds[nn.MaxPool3d] == [12, 19, 26, 33] == list(VGG3DConfig().pools)
    assert all(not features[k].inplace for k in kinds[nn.ReLU]), "a hook would see what the next module makes of it"
    assert [k for k in on_paper(classes=7).state_dict() if "classifier" in k] == [
        f"classifier.{k}.{what}" for k in (0, 3, 6) for what in ("weight", "bias")
    ]


@pytest.mark.parametrize(("classes", "shape"), [(None, (2, 16, 1, 1, 1)), (7, (2, 7))])
def test_shapes(classes, shape):
    network = VGG3D(replace(SMALL, classes=classes))
    assert network(torch.rand(2, 1, 16, 16, 16)).shape == shape


def test_only_cubes_that_fit_are_read():
    with pytest.raises(ShapeError, match=r"\(1, 1, 72, 72, 72\).*multiple of 16"):
        on_paper()(torch.empty(1, 1, 72, 72, 72, device="meta"))
    with pytest.raises(ShapeError, match=r"\(n, 1, 80, 80, 80\).*trunk alone"):
        on_paper(classes=7)(torch.empty(1, 1, 64, 64, 64, device="meta"))
    with pytest.raises(ShapeError, match=r"\(1, 1, 16, 16, 32\)"):
        on_paper()(torch.empty(1, 1, 16, 16, 32, device="meta"))
    assert VGG3D(SMALL)(torch.rand(1, 1, 48, 48, 48)).shape == (1, 16, 3, 3, 3)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"size": 72}, ValueRangeError, "multiple of 16"),
        ({"classes": 0}, ValueRangeError, "0 classes"),
        ({"widths": (4, 8)}, InputError, "2 widths for 4 stages"),
        ({"convs": (4, 2, 2, 0)}, ValueRangeError, "below 1"),
    ],
)
def test_impossible_settings_are_refused(options, error, said):
    with pytest.raises(error, match=said):
        VGG3DConfig(**options)


def test_a_model_folder_gives_the_network_back(tmp_path):
    torch.manual_seed(0)
    config = {"size": 16, "widths": [4, 8, 8, 16], "hidden": 12, "out_channels": 1}
    network = build("vgg3d", config).eval()
    card = ModelCard("toy", "vgg3d", config, ("features",), (8, 8, 8), "percentile", (0, 0, 0))
    save_model(tmp_path / "toy", network, card, half=False)
    again, read = load_model(tmp_path / "toy")
    x = torch.rand(1, 1, 16, 16, 16)
    assert torch.equal(again(x), network(x)) and read.family == "vgg3d" and again.config == SMALL
