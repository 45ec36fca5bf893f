"""A checkpoint fits whole, or the error says what does not; nothing is ever left random."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from neurotome.nn import load_model, save_model
from neurotome.nn.checkpoint_file import CheckpointError, read_stored, tensors_of
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig, read_vgg3d_checkpoint

CONFIG = VGG3DConfig(size=16, widths=(4, 8, 8, 16), hidden=12)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return VGG3D(VGG3DConfig(size=16, widths=(4, 8, 8, 16), hidden=12, classes=5)).eval()


@pytest.fixture
def state(network):
    return dict(network.state_dict())


def kept(state, path, wrap=lambda s: s):
    torch.save(wrap(state), path)
    return path


WRAPS = {
    "bare": lambda s: s,
    "wrapped": lambda s: {"epoch": 3, "model_state_dict": s},
    "parallel": lambda s: {"model_state_dict": {f"module.{k}": v for k, v in s.items()}},
    "half": lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()},
}


@pytest.mark.parametrize("wrap", WRAPS)
def test_the_common_ways_to_keep_weights(tmp_path, network, state, wrap):
    read = read_vgg3d_checkpoint(kept(state, tmp_path / "a.pth", WRAPS[wrap]), CONFIG)
    x = torch.rand(1, 1, 16, 16, 16)
    assert (read.classes, read.network.config.classes, read.network.training) == (5, 5, False)
    with torch.inference_mode():
        assert torch.allclose(read.network(x), network(x), atol=0 if wrap != "half" else 0.05)
    assert all(t.device.type == "cpu" and t.dtype in (torch.float32, torch.int64) for t in read.network.state_dict().values())


def test_a_file_of_the_trunk_alone_and_safetensors(tmp_path, network, state):
    trunk = {k: v for k, v in state.items() if k.startswith("features.")}
    assert (len(state), len(trunk)) == (76, 70)
    save_file(trunk, tmp_path / "trunk.safetensors")
    read = read_vgg3d_checkpoint(tmp_path / "trunk.safetensors", CONFIG)
    x = torch.rand(1, 1, 32, 32, 32)
    assert read.classes is None and torch.equal(read.network(x), network.features(x))
    whole = read_vgg3d_checkpoint(kept(state, tmp_path / "a.pth"), CONFIG, trunk_only=True)
    assert whole.classes is None and torch.equal(whole.network(x), network.features(x))
    assert len(whole.network.state_dict()) == 70


def test_the_network_can_be_kept_as_a_model(tmp_path, state):
    read = read_vgg3d_checkpoint(kept(state, tmp_path / "a.pth"), CONFIG)
    save_model(tmp_path / "model", read.network, read.card(), half=False)
    again, card = load_model(tmp_path / "model")
    assert torch.equal(again.features[0].weight, state["features.0.weight"]) and again.config.classes == 5
    assert card.normalization == "synister" and card.training["checkpoint_sha256"] == read.sha256 and len(read.sha256) == 64


def test_missing_and_unexpected_names_are_told_up_to_ten(tmp_path, state):
    renamed = {k.replace("features.", "trunk."): v for k, v in state.items()}
    with pytest.raises(CheckpointError) as caught:
        read_vgg3d_checkpoint(kept(renamed, tmp_path / "a.pth"), CONFIG)
    said = str(caught.value)
    assert "features.0.weight, features.0.bias" in said and "and 60 more missing" in said
    assert "trunk.0.weight" in said and "and 60 more unexpected" in said and caught.value.exit_code == 2
    assert said.count("features.") == 10 and said.count("trunk.") == 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features.20.bias": None}, "features.20.bias missing"),
        ({"classifier.6.weight": None}, "classifier.6.weight missing"),
        ({"head": torch.zeros(2)}, "head unexpected"),
        (
            {"features.20.weight": torch.zeros(8, 8, 1, 1, 1)},
            r"features.20.weight \(8, 8, 1, 1, 1\) instead of \(8, 8, 3, 3, 3\)",
        ),
        ({"features.20.bias": torch.full((8,), float("nan"))}, "features.20.bias not numbers"),
        ({"features.1.running_var": torch.full((4,), -1.0)}, "features.1.running_var not numbers"),
        ({"classifier.6.weight": torch.zeros(5)}, r"of shape \(5,\)"),
    ],
)
def test_what_fits_in_part_is_refused(tmp_path, state, change, said):
    changed = {k: v for k, v in {**state, **change}.items() if v is not None}
    with pytest.raises(CheckpointError, match=said):
        read_vgg3d_checkpoint(kept(changed, tmp_path / "a.pth"), CONFIG)


def test_a_network_of_another_size_is_refused(tmp_path, state):
    with pytest.raises(CheckpointError, match=r"features.0.weight \(4, 1, 3, 3, 3\) instead of \(24, 1, 3, 3, 3\)"):
        read_vgg3d_checkpoint(kept({k: v for k, v in state.items() if "features" in k}, tmp_path / "a.pth"))


def test_files_that_are_not_there_empty_or_damaged(tmp_path, state):
    with pytest.raises(CheckpointError, match="does not exist"):
        read_vgg3d_checkpoint(tmp_path / "none.pth")
    (tmp_path / "empty.pth").write_bytes(b"")
    with pytest.raises(CheckpointError, match="is empty"):
        read_vgg3d_checkpoint(tmp_path / "empty.pth")
    whole = kept(state, tmp_path / "a.pth").read_bytes()
    legacy = tmp_path / "legacy.pth"
    torch.save(state, legacy, _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "a.safetensors")
    for name, content in (
        ("a.pth", whole),
        ("b.pth", legacy.read_bytes()),
        ("c.safetensors", (tmp_path / "a.safetensors").read_bytes()),
    ):
        for share in (0.001, 0.01, 0.1, 0.5, 0.9, 0.999):
            (tmp_path / name).write_bytes(content[: max(1, int(share * len(content)))])
            with pytest.raises(CheckpointError, match="cannot be read"):
                read_stored(tmp_path / name)


class Trap:
    def __reduce__(self):
        return print, ("code ran",)


def test_a_file_with_code_in_it_does_not_run_it(tmp_path, capsys):
    (tmp_path / "a.pth").write_bytes(pickle.dumps({"weights": Trap()}, protocol=2))
    torch.save({"weights": Trap()}, tmp_path / "b.pth")
    for name in ("a.pth", "b.pth"):
        with pytest.raises(CheckpointError, match="cannot be read"):
            read_stored(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("stored", [[1, 2], {}, {"model_state_dict": {"epoch": 3}}, torch.zeros(3)])
def test_no_tensors_by_name(stored):
    with pytest.raises(CheckpointError, match="no tensors by name"):
        tensors_of(stored, "a.pth")
