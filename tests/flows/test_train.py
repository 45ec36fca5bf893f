"""Own images and labels in, a network out, and the recipe to do it again."""

import numpy as np
import pytest
import tifffile
import yaml

from neurotome.boundary import FilePairs
from neurotome.core import Labels
from neurotome.flows import predict_file, score_boundary_file, train_from_recipe, write_submission
from neurotome.flows.train import read_recipe, resolved_recipe
from neurotome.io import open_labels, open_probability, save

STEPS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from neurotome.datasets import phantom

    made = phantom.make(phantom.PhantomSpec(shape=(6, 96, 96), seed=3))
    folder = tmp_path_factory.mktemp("own")
    save(made.image, folder / "a.tif")
    ids = made.neurons.read()
    save(Labels((ids == 0).astype(np.uint8) * 255, made.neurons.grid), folder / "membrane.tif")
    dark = made.image.read() < np.median(made.image.read())
    save(Labels(dark.astype(np.uint8), made.neurons.grid), folder / "dark.tif")
    return folder


@pytest.fixture(scope="module")
def pairs(folder):
    masks = {"dark": (folder / "dark.tif",)}
    return FilePairs((folder / "a.tif",), (folder / "membrane.tif",), "membrane", masks, crop=32, name="own")


@pytest.fixture(scope="module")
def trained(folder, pairs):
    card = train_from_recipe(pairs, folder / "model", steps=STEPS, loggers=("csv",))
    predict_file(folder / "a.tif", folder / "out", model=folder / "model", averaging=1)
    return card, folder / "out" / "boundary.ome.zarr"


def test_the_network_knows_its_channels(trained, folder):
    card, probability = trained
    assert card.channels == ("membrane", "class:dark") and card.name == "own"
    assert open_probability(probability).channels == card.channels
    assert "a.tif sections 0:5" in card.trained_on[0]


def test_the_recipe_in_the_folder_is_the_training(trained, folder, pairs):
    path = folder / "model" / "recipe.yaml"
    again = read_recipe(path, loggers=("csv",))
    assert again == resolved_recipe(pairs, steps=STEPS, loggers=("csv",))
    assert yaml.safe_load(path.read_text())["fit"]["steps"] == STEPS
    # The same command, or its recipe, goes on with the finished training instead of refusing it.
    assert train_from_recipe(path, folder / "model", loggers=("csv",)).channels == again.channels


def test_each_class_has_its_scores(trained, folder):
    _, probability = trained
    (jaccard, dice, *conformity) = score_boundary_file(
        str(probability), str(folder / "dark.tif"), folder / "s.json", truth_is="classes", channels=("class:dark",)
    )
    assert (jaccard.metric, jaccard.convention) == ("jaccard", "class dark")
    assert dice.value == pytest.approx(2 * jaccard.value / (1 + jaccard.value))
    predicted = open_probability(probability).read(("class:dark",))[0] > 127
    true = open_labels(folder / "dark.tif").read() > 0
    assert jaccard.value == (predicted & true).sum() / (predicted | true).sum()
    assert conformity[0].value == pytest.approx((2 * jaccard.value - 1) / jaccard.value)


def test_the_submission_is_what_the_challenge_takes(trained, folder):
    _, probability = trained
    shape = write_submission(str(probability), folder / "submission.tif")
    with tifffile.TiffFile(folder / "submission.tif") as tif:
        assert len(tif.pages) == 6 and {p.dtype for p in tif.pages} == {np.dtype(np.float32)}
        inside = tif.asarray()
    assert inside.shape == shape == (6, 96, 96)
    assert 0 <= inside.min() < inside.max() <= 1
    membrane = open_probability(probability).read(("membrane",))[0] / 255
    assert np.allclose(inside, 1 - membrane, atol=1e-6)
