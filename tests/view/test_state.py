import json
import shutil
import sys
from pathlib import Path

import pytest

from neurotome.core import InputError, MissingExtraError, RunFolderError
from neurotome.report import MERGE, SPLIT, css_colour
from neurotome.view import build_state

pytest.importorskip("neuroglancer")


def _layers(run: Path, **options: object) -> dict[str, dict]:
    return {layer["name"]: layer for layer in _json(run, **options)["layers"]}


def _json(run: Path, **options: object) -> dict:
    return json.loads(json.dumps(build_state(run, **options).to_json(), default=lambda volume: volume.token))


def test_layers_types_and_scales(finished_run: Path) -> None:
    state = _json(finished_run)
    types = [(layer["name"], layer["type"]) for layer in state["layers"]]
    assert types == [
        ("EM", "image"),
        ("probability", "image"),
        ("truth", "segmentation"),
        ("predicted", "segmentation"),
        ("errors", "annotation"),
    ]
    assert state["dimensions"] == {"x": [8e-9, "m"], "y": [6e-9, "m"], "z": [3e-8, "m"]}
    assert state["position"] == [48.5, 48.5, 4.5]


def test_errors_are_points_coloured_by_kind(finished_run: Path) -> None:
    points = _layers(finished_run)["errors"]["annotations"]
    assert {p["props"][0] for p in points} == {SPLIT, MERGE}
    merge = next(p for p in points if p["props"] == [MERGE])
    assert "neuron 101 over truths" in merge["description"]
    assert merge["point"][2] in [z + 0.5 for z in range(8)]


def test_truth_has_the_colour_of_its_neuron(finished_run: Path) -> None:
    assert _layers(finished_run)["truth"]["segmentColors"]["3"] == css_colour(103)


def test_looking_at_a_place(finished_run: Path) -> None:
    state = _json(finished_run, at=(1, 80, 90))
    assert state["position"] == [90.5, 80.5, 1.5] and state["crossSectionScale"] == 0.5
    assert next(layer for layer in state["layers"] if layer["name"] == "predicted")["segments"][0] == "116"
    with pytest.raises(InputError, match=r"\(8, 0, 0\).*\(8, 96, 96\)"):
        build_state(finished_run, at=(8, 0, 0))


def test_the_slider_starts_at_the_affinity_in_the_section(finished_run: Path) -> None:
    shader = _layers(finished_run)["probability"]["shader"]
    assert "// 1: affinity:0,0,1" in shader and "max=1, default=1" in shader
    assert "slider" not in _layers(finished_run, channels=["affinity:0,1,0"])["probability"]["shader"]


def test_layers_that_are_missing_are_left_out(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    shutil.rmtree(run / "boundary.ome.zarr")
    (run / "errors.csv").unlink()
    (run / "neurons.csv").unlink()
    assert list(_layers(run)) == ["EM", "truth", "predicted"]


def test_nothing_to_show(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"command": "reconstruct", "config": {}}')
    with pytest.raises(RunFolderError, match="no volume that can be opened"):
        build_state(tmp_path)


def test_neuroglancer_missing_names_the_remedy(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "neuroglancer", None)
    with pytest.raises(MissingExtraError, match="pip install neuroglancer"):
        build_state(finished_run)
