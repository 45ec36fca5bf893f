import json

import pytest
import torch

from neurotome.core import FormatError, InputError, MissingFileError, ModelCard, UnknownNameError
from neurotome.nn import build, load_model, receptive_halo, save_model, zoo_names

CONFIG = {"out_channels": 2, "sections": 3, "widths": (4, 8)}


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(1)
    network = build("unet2d", CONFIG)
    card = ModelCard("toy", "unet2d", CONFIG, ("membrane", "inside"), (30, 6, 6), "section_zscore", receptive_halo(network))
    save_model(tmp_path / "m", network, card, half=False)
    return tmp_path / "m", network.eval()


def test_round_trip_is_exact_in_float32(folder):
    path, network = folder
    again, card = load_model(path)
    x = torch.rand(1, 3, 16, 16)
    assert torch.equal(again(x), network(x))
    assert card.channels == ("membrane", "inside") and card.config["widths"] == [4, 8]


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("rsunet3d", {"widths": (2, 3)}),
        ("unet_zambare", {"sections": 2}),
        *[
            ("generator", {"kind": kind, "width": 2, "legacy": legacy})
            for kind in ("unet", "resnet", "highway", "dense")
            for legacy in (True, False)
        ],
    ],
)
def test_every_family_comes_back_exactly(family, config, tmp_path):
    torch.manual_seed(1)
    config = {"out_channels": 1, **config}
    network = build(family, config)
    x = torch.rand(1, 1, 8, 16, 16) if network.ndim == 3 else torch.rand(1, config.get("sections", 1), 33, 40)
    network.train()(x if config.get("kind") != "unet" else torch.rand(2, 1, 32, 32))  # its running statistics move
    halo = receptive_halo(network)
    save_model(tmp_path, network.eval(), ModelCard("toy", family, config, ("m",), (30, 6, 6), "unit", halo), half=False)
    again, card = load_model(tmp_path)
    assert torch.equal(again(x), network(x)) and receptive_halo(again) == card.halo_vox


def test_never_a_random_network(folder):
    path, _ = folder
    weights = path / "weights.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-4] + b"\0\0\0\1")
    with pytest.raises(FormatError, match=r"sha256 .*as the card says"):
        load_model(path)
    weights.unlink()
    with pytest.raises(MissingFileError, match="are missing"):
        load_model(path)


def test_card_that_does_not_fit_its_weights(folder):
    path, _ = folder
    card = json.loads((path / "card.json").read_text())
    (path / "card.json").write_text(json.dumps({**card, "config": {**card["config"], "widths": [4, 16]}}))
    with pytest.raises(FormatError, match="do not fit"):
        load_model(path)
    (path / "card.json").write_text(json.dumps({**card, "colour": 1}))
    with pytest.raises(InputError, match="colour"):
        load_model(path)


def test_unknown_model_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="Unknown model 'em-afinity'"):
        load_model("em-afinity")


def test_every_network_of_the_zoo_loads():
    assert zoo_names()
    for name in zoo_names():
        network, card = load_model(name)
        assert card.name == name
        # A network for a neuron in a cube of its own is never tiled: it has no halo to state.
        tiled = hasattr(network, "probe")
        assert tuple(card.halo_vox) == (receptive_halo(network) if tiled else (0, 0, 0))
