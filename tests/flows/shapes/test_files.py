"""Labels beside the neurons, and neurons that must not be thrown away."""

import pytest

from neurotome.core import InputError
from neurotome.flows.shapes.files import given_shapes, labels_beside, require_elsewhere


def test_labels_are_found_beside_neurons_of_one_folder(neuron_files, tmp_path):
    found = neuron_files / "labels.csv"
    assert labels_beside([str(neuron_files)]) == found
    assert labels_beside([str(neuron_files / "pieces.swc"), str(neuron_files / "basket-0000.swc")]) == found
    assert labels_beside([str(neuron_files), str(tmp_path)]) is None
    assert labels_beside([str(tmp_path)]) is None


def test_neurons_are_named_by_their_files(neuron_files):
    shapes = given_shapes([str(neuron_files)], skip_bad=True)
    assert len(shapes) == 17 and shapes.names[0] == "basket-0000"
    readable = shapes.readable()
    assert len(readable) == 16 and [one.source for one in readable.skipped] == [str(neuron_files / "broken.swc")]
    assert readable.sha256 == given_shapes([str(neuron_files)], skip_bad=True).readable().sha256
    assert readable.sha256 != readable[:15].readable().sha256


def test_a_folder_with_neurons_is_not_emptied(tmp_path):
    inside = tmp_path / "run" / "a.swc"
    for path in (inside, tmp_path / "run"):
        with pytest.raises(InputError, match="to be overwritten"):
            require_elsewhere([str(path)], tmp_path / "run", overwrite=True)
    require_elsewhere([str(inside)], tmp_path / "run", overwrite=False)
    require_elsewhere([str(inside)], tmp_path / "other", overwrite=True)
