"""`neurotome boundary ...` on one's own files, and what it refuses."""

import json

import numpy as np
import pytest
import tifffile

from neurotome.boundary import targets
from neurotome.core import Box, Labels, Probability
from neurotome.io import open_labels, save

OWN = ("--image", "{image}", "--labels")
SMALL = Box((0, 0, 0), (3, 8, 8))


@pytest.fixture(scope="module")
def masks(files, tmp_path_factory):
    """The phantom's membranes as a mask, three kinds of tissue as values, and probabilities of two classes."""
    folder = tmp_path_factory.mktemp("masks")
    truth = open_labels(files / "truth.ome.tif")
    ids = truth.read()
    membrane = targets(ids, ("membrane",))[0][0]
    save(Labels(membrane.astype(np.uint8) * 255, truth.grid), folder / "membrane.tif")
    kinds = np.where(membrane, 1, np.where(ids % 2, 2, 0)).astype(np.uint8)
    save(Labels(kinds, truth.grid), folder / "kinds.tif")
    sure = np.stack([membrane * 0.9, (kinds == 2) * 0.6]).astype(np.float32)
    save(Probability(sure, truth.grid, ("class:membrane", "class:odd")), folder / "p.ome.zarr")
    return folder


def test_train_on_own_files_leaves_its_recipe(cli, files, masks, tmp_path):
    code, out, err = cli(
        *(
            "boundary",
            "train",
            "--image",
            files / "image.ome.tif",
            "--labels",
            masks / "membrane.tif",
            "--labels-are",
            "membrane",
        ),
        *("-o", tmp_path / "my-model", "--steps", 2, "--crop", 32, "--validate", "8:10", "--logger", "csv"),
    )
    assert code == 0, err
    assert "Model 'my-model'" in out and (tmp_path / "my-model" / "weights.safetensors").is_file()
    recipe = (tmp_path / "my-model" / "recipe.yaml").read_text()
    assert "truth_is: membrane" in recipe and "validate_on: 8:10" in recipe.replace("'", "")


def test_preview(cli, files, masks, tmp_path):
    code, out, err = cli(
        *("boundary", "preview", "--image", files / "image.ome.tif", "--labels", masks / "kinds.tif"),
        *("--class-value", "membrane=1", "--class-value", "odd=2", "--class", f"all={masks / 'membrane.tif'}"),
        *("--crop", 48, "--patches", 2, "-o", tmp_path / "p.png"),
    )
    assert code == 0, err
    assert "2 patches" in out and (tmp_path / "p.png").stat().st_size > 1000


def test_submission(cli, masks, tmp_path):
    inside = tmp_path / "inside.ome.zarr"
    save(
        Probability(np.full((1, 3, 8, 8), 0.25, np.float32), open_labels(masks / "kinds.tif").grid.crop(SMALL), ("membrane",)),
        inside,
    )
    code, out, err = cli("boundary", "submission", inside, "-o", tmp_path / "s.tif")
    assert code == 0, err
    assert "3 x 8 x 8" in out
    values = tifffile.imread(tmp_path / "s.tif")
    assert values.dtype == np.float32 and values.shape == (3, 8, 8) and np.allclose(values, 0.75, atol=2 / 255)
    assert cli("boundary", "submission", inside, "-o", tmp_path / "s.tif")[0] == 2
    assert cli("boundary", "submission", inside, "-o", tmp_path / "s.png")[0] == 2


def test_scores_of_classes(cli, masks, tmp_path):
    probability, kinds = masks / "p.ome.zarr", masks / "kinds.tif"
    values = ("--class-value", "membrane=1", "--class-value", "odd=2")
    code, out, err = cli("boundary", "score", probability, kinds, "--truth-is", "classes", *values, "-o", tmp_path / "s.json")
    assert code == 0, err
    scores = json.loads((tmp_path / "s.json").read_text())
    assert len(scores) == 6 and all(s["value"] == 1 for s in scores) and "class odd" in out
    # At a higher threshold nothing of "odd" is left, and nothing agrees.
    higher = ("--threshold", 0.7, "--channel", "class:odd", "--class-value", "odd=2")
    assert cli("boundary", "score", probability, kinds, "--truth-is", "classes", *higher, "-o", tmp_path / "t.json")[0] == 0
    assert [s["value"] for s in json.loads((tmp_path / "t.json").read_text())] == [0, 0]
    # One mask, one channel: nothing to name.
    one = ("--truth-is", "classes", "--channel", "class:membrane", "-o", tmp_path / "u.json")
    assert cli("boundary", "score", probability, masks / "membrane.tif", *one)[0] == 0
    assert json.loads((tmp_path / "u.json").read_text())[0]["value"] == 1


@pytest.mark.slow
def test_onnx(cli, tmp_path):
    pytest.importorskip("onnxscript", reason="the extra 'onnx' is not installed")
    code, out, err = cli("boundary", "onnx", "isbi2012-membrane-2d", "-o", tmp_path / "net.onnx")
    assert code == 0, err
    assert "section_zscore" in out and (tmp_path / "net.onnx").stat().st_size > 1_000_000
    assert cli("boundary", "onnx", "isbi2012-membrane-2d", "-o", tmp_path / "net.pt")[0] == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train",), ("Neither a recipe nor --image", "recipe, or --image with --labels")),
        (("train", "r.yaml", "--image", "{image}", "--crop", 32), ("A recipe and --image, --crop were given",)),
        (("train", "--image", "{image}"), ("1 --image and 0 --labels",)),
        (("train", *OWN, "{membrane}"), ("0 (", "255 (", "--labels-are inside", "--labels-are membrane")),
        (("preview", *OWN, "{kinds}"), ("1 (", "2 (", "--labels-are instances", "--labels-are classes")),
        (("preview", *OWN, "{kinds}", "--class-value", "membrane"), ("--class-value membrane", "membrane=1")),
        (("preview", *OWN, "{kinds}", "--class", "synapse="), ("--class synapse=", "mitochondria=m.tif")),
        (("preview", *OWN, "{short}", "--labels-are", "instances"), ("(10, 128, 128)", "(5, 128, 128)")),
        (("score", "{p}", "{kinds}", "--truth-is", "classes"), ("two values",)),
        (("score", "{p}", "{membrane}", "--truth-is", "classes"), ("class:membrane, class:odd", "--channel class:NAME")),
        (("score", "{p}", "{kinds}", "--truth-is", "inside", "--class-value", "odd=2"), ("--truth-is classes",)),
    ],
)  # fmt: skip
def test_refused_in_one_line(cli, files, masks, tmp_path, words, told):
    places = {
        "image": files / "image.ome.tif",
        "short": files / "truth-short.ome.tif",
        "membrane": masks / "membrane.tif",
        "kinds": masks / "kinds.tif",
        "p": masks / "p.ome.zarr",
    }
    out = tmp_path / {"train": "model", "preview": "p.png", "score": "s.json"}[words[0]]
    code, _, err = cli("boundary", *(str(w).format(**places) for w in words), "-o", out)
    assert code == 2 and "\n" not in err.strip(), err
    for word in told:
        assert word in err, err
    assert not out.exists()
