"""Neurons through the encoder and back to files."""

import json

import numpy as np
import pandas as pd
import pytest

from neurotome.core import InputError, NeurotomeError, RunFolderError
from neurotome.flows.shapes import rebuild_shapes
from neurotome.io.swc import read_swc


def test_trees_come_back_in_place_and_the_bad_file_is_named(neuron_files, tmp_path):
    paths = [str(neuron_files / name) for name in ("basket-0000.swc", "broken.swc")]
    with pytest.raises(NeurotomeError, match="broken"):
        rebuild_shapes(paths, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    facts = rebuild_shapes(paths, tmp_path / "out", meshes=False, skip_bad=True)
    assert facts["neurons"] == 1 and 0.5 < facts["f1"] <= 1 and "broken.swc' is left out" in facts["notes"][0]
    assert [path.name for path in (tmp_path / "out" / "decoded").iterdir()] == ["basket-0000.swc"]
    true, back = (read_swc(path).skeleton for path in (paths[0], tmp_path / "out" / "decoded" / "basket-0000.swc"))
    side = np.ptp(true.points_nm, axis=0).max()
    assert np.abs(np.median(true.points_nm, 0) - np.median(back.points_nm, 0)).max() < side / 5
    scores = pd.read_csv(tmp_path / "out" / "reconstruction" / "scores.csv")
    assert scores["f1"].tolist() == pytest.approx([facts["f1"]])
    assert rebuild_shapes(paths, tmp_path / "out", meshes=False, skip_bad=True) == facts
    with pytest.raises(RunFolderError, match=r"config\.meshes"):
        rebuild_shapes(paths, tmp_path / "out", skip_bad=True)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "done"


@pytest.mark.parametrize("threshold", [0.0, 1.0, 3.0])
def test_thresholds_are_probabilities(neuron_files, tmp_path, threshold):
    with pytest.raises(InputError, match="--threshold"):
        rebuild_shapes([str(neuron_files / "basket-0000.swc")], tmp_path / "out", threshold=threshold)
    assert not (tmp_path / "out").exists()
