"""What a training from files refuses; `test_embed.py` has one that runs."""

import pytest

from neurotome.core import NeurotomeError, UnknownNameError
from neurotome.flows.shapes import train_encoder


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"network": "sparse"}, "network 'sparse'.*cubes"),
        ({"parity": True}, "dense or nlat"),
        ({"grid": 60}, "8"),
        ({"options": {"centre": "soma"}}, "centre"),
        ({"fit": {"steps": 0}}, "steps"),
    ],
    ids=["network", "parity", "grid", "option", "steps"],
)
def test_what_cannot_be_trained(neuron_files, tmp_path, options, said):
    with pytest.raises(NeurotomeError, match=said):
        train_encoder([str(neuron_files / "basket-0000.swc")], tmp_path / "model", **options)
    assert not (tmp_path / "model").exists()


def test_a_split_of_other_neurons(neuron_files, tmp_path):
    split = tmp_path / "split.csv"
    split.write_text("neuron_id,split\nstranger,train\n")
    with pytest.raises(NeurotomeError, match="basket-0000"):
        train_encoder([str(neuron_files / "basket-0000.swc")], tmp_path / "model", split=split)
    with pytest.raises(UnknownNameError):
        train_encoder([str(neuron_files / "basket-0000.swc")], tmp_path / "model", network="x", split=split)
    assert not (tmp_path / "model").exists()
