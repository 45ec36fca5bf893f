"""Random weights are a wish, never an accident."""

import pytest
import torch

from neurotome.core import CropLook, InputError, ModelCard, UnknownNameError
from neurotome.nn import build, save_model
from neurotome.nn.checkpoint_file import CheckpointError
from neurotome.synapses.features import FeatureNetwork, feature_network, network_features


def test_random_weights_only_when_asked_for_and_marked_as_such(crops, network):
    with pytest.raises(InputError, match=r"No network for features.*ask for random weights"):
        feature_network()
    with pytest.raises(InputError, match="one of the two"):
        feature_network("any", random_weights=True)
    one, same, other = (feature_network(random_weights=True, seed=seed) for seed in (0, 0, 1))
    weights = [net.network.features[3].weight for net in (one, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2]) and one.network.config.classes is None
    table, _ = network_features(crops, CropLook(mask="9"), FeatureNetwork(network.network, "none", random=True))
    assert table.var_names[0] == "random_layer20_feat_1" and "learnt nothing" in table.uns["network"]["notice"]


def test_a_seed_is_not_taken_from_the_program(network):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    feature_network(random_weights=True)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("name", "said"), [("no.pth", "does not exist"), ("empty.checkpoint", "0 bytes")])
def test_a_checkpoint_that_cannot_be_read_is_an_error(tmp_path, name, said):
    (tmp_path / "empty.checkpoint").touch()
    with pytest.raises(CheckpointError, match=said) as caught:
        feature_network(tmp_path / name)
    assert caught.value.exit_code == 2


def test_a_model_folder_and_a_checkpoint_of_the_trunk(tmp_path):
    torch.manual_seed(2)
    made = build("vgg3d", {"size": 16, "widths": (4, 8, 8, 16)})
    card = ModelCard(
        "mine",
        "vgg3d",
        {"size": 16, "widths": (4, 8, 8, 16), "out_channels": 1},
        ("features",),
        (8, 8, 8),
        "percentile",
        (0, 0, 0),
    )
    save_model(tmp_path / "mine", made, card, half=False)
    read = feature_network(tmp_path / "mine")
    assert torch.equal(read.network.features[0].weight, made.features[0].weight)
    assert (read.name, read.normalization, read.random, len(read.sha256)) == ("mine", "percentile", False, 64)
    trunk = feature_network(random_weights=True).network
    torch.save(trunk.state_dict(), tmp_path / "trunk.pth")
    read = feature_network(tmp_path / "trunk.pth")
    assert torch.equal(read.network.features[30].weight, trunk.features[30].weight) and read.normalization == "synister"
    assert "hemibrain" in read.notice("percentile", (8.0, 8.0, 8.0))


def test_networks_of_other_kinds_and_unknown_ones(tmp_path):
    config = {"widths": (4, 6), "out_channels": 2}
    save_model(
        tmp_path / "other",
        build("voxresnet", config),
        ModelCard("o", "voxresnet", config, ("a", "b"), (8, 8, 8), "unit", (72, 72, 72)),
    )
    with pytest.raises(InputError, match="is a voxresnet"):
        feature_network(tmp_path / "other")
    with pytest.raises(UnknownNameError, match="Unknown model"):
        feature_network("synapse-tronk")
