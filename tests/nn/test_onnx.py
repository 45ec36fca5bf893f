"""What another program computes from the file is what PyTorch computes."""

import json
import sys

import numpy as np
import pytest
import torch

from neurotome.core import InputError, MissingExtraError, ModelCard
from neurotome.nn import build, receptive_halo
from neurotome.nn.onnx import INPUT, export_onnx

SMALL = ("generator", {"out_channels": 2, "sections": 2, "kind": "resnet", "width": 4, "blocks": 1})


def network_and_card(family: str, config: dict):
    torch.manual_seed(0)
    network = build(family, config)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(module.weight)  # logits that are not all near 0
    names = tuple(f"class:{k}" for k in range(network.config.out_channels))
    return network, ModelCard("toy", family, config, names, (30, 6, 6), "unit", receptive_halo(network))


@pytest.mark.parametrize(
    ("family", "config"),
    [
        SMALL,
        *(
            pytest.param(family, config, marks=pytest.mark.exhaustive)
            for family, config in (
                ("unet2d", {"out_channels": 2, "sections": 3, "widths": (4, 8)}),
                ("rsunet3d", {"out_channels": 2, "widths": (3, 4)}),
                ("voxresnet", {"widths": (3, 4)}),
                ("unet_zambare", {}),
                ("generator", {"out_channels": 1, "kind": "unet", "width": 4}),
                ("generator", {"out_channels": 1, "kind": "unet", "width": 4, "depth": 5, "legacy": True}),
                ("generator", {"out_channels": 1, "kind": "resnet", "width": 4, "legacy": True}),
                ("generator", {"out_channels": 1, "kind": "highway", "width": 4}),
                ("generator", {"out_channels": 1, "kind": "dense", "width": 4}),
            )
        ),
    ],
)
def test_the_file_computes_what_the_network_does(family, config, tmp_path):
    pytest.importorskip("onnxscript", reason="needs the extra 'onnx'")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime to run the file")
    network, card = network_and_card(family, config)
    export_onnx(network, card, tmp_path / "network.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["network.onnx"] and network.training
    session = runtime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    assert ModelCard.from_json(json.loads(session.get_modelmeta().custom_metadata_map["card"]), "onnx").channels == card.channels
    for times in (2, 5):
        sides = [(times + axis) * side for axis, side in enumerate(network.stride[3 - network.ndim :])]
        image = torch.rand(1, config.get("sections", 1), *sides)
        with torch.no_grad():
            expected = network.eval()(image).numpy()
        (answer,) = session.run(None, {INPUT: image.numpy()})
        assert expected.std() > 0.01 and np.abs(answer - expected).max() < 1e-4


def test_random_values_at_prediction_cannot_be_exported(tmp_path):
    pytest.importorskip("onnxscript", reason="needs the extra 'onnx'")
    network, card = network_and_card("generator", {"out_channels": 1, "kind": "unet", "width": 2, "depth": 6, "legacy": True})
    with pytest.raises(InputError, match=r"Network 'toy' cannot be said in ONNX.*dropout.*legacy: false"):
        export_onnx(network, card, tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_without_the_extra_its_name_is_given(tmp_path, monkeypatch):
    network, card = network_and_card(*SMALL)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"'onnx' is not installed.*neurotome\[onnx\]"):
        export_onnx(network, card, tmp_path / "network.onnx")
