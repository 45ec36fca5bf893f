"""Checkpoints of the reference: names read, tensors taken by order, the first that does not fit named."""

import pytest
import torch

from neurotome.core import FormatError, MissingFileError, ShapeError
from neurotome.nn.occupancy.reference_checkpoint import read_reference_checkpoint, reference_name
from neurotome.nn.occupancy.residual import VoxelAutoencoder, VoxelAutoencoderConfig

NAME = "16_bs50_nLat10_a0.65g1-lr0.003_F1.pth"


def stored(path, state, **changes):
    whole = {"num_iterations": 7, "model_state_dict": state, "optimizer_state_dict": {"state": {}}, **changes}
    torch.save({key: value for key, value in whole.items() if value is not None}, path)
    return path


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(4)
    return VoxelAutoencoder(VoxelAutoencoderConfig(grid=16)).eval()


def test_weights_under_any_names_answer_the_same(tmp_path, network):
    renamed = {f"layer{k}": tensor for k, tensor in enumerate(network.state_dict().values())}
    read = read_reference_checkpoint(stored(tmp_path / NAME, renamed))
    x = torch.rand(1, 1, 16, 16, 16)
    assert torch.equal(read.network(x), network(x)) and read.iterations == 7
    assert (read.name.grid, read.name.batch, read.name.cubes, read.name.best) == (16, 50, 10, "F1")
    assert read.card().config == {"grid": 16, "out_channels": 1} and read.card().name == "voxelmorph-16-nlat10"


def test_the_first_tensor_that_does_not_fit_is_named(tmp_path, network):
    state = dict(network.state_dict())
    state["encoder.1.conv1.weight"] = torch.zeros(64, 32, 1, 1, 1)
    with pytest.raises(ShapeError, match=r"encoder\.1\.conv1\.weight, has shape \(64, 32, 1, 1, 1\)"):
        read_reference_checkpoint(stored(tmp_path / NAME, state))
    state = dict(list(network.state_dict().items())[:-1])
    with pytest.raises(ShapeError, match="has 42 tensors"):
        read_reference_checkpoint(stored(tmp_path / NAME, state))


def test_other_files_are_refused(tmp_path, network):
    with pytest.raises(FormatError, match="lacks num_iterations"):
        read_reference_checkpoint(stored(tmp_path / NAME, network.state_dict(), num_iterations=None))
    (tmp_path / NAME).write_bytes(b"no checkpoint")
    with pytest.raises(FormatError, match="cannot be read"):
        read_reference_checkpoint(tmp_path / NAME)
    with pytest.raises(MissingFileError, match="does not exist"):
        read_reference_checkpoint(tmp_path / "missing.pth")
    with pytest.raises(FormatError, match="nLat"):
        reference_name("best.pth")
    assert reference_name("128_bs10_nLatNone_a0.75g2.2-lr0.001_IoU.pth").cubes == 0
