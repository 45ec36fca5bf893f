"""From files to a picture of what the network will see."""

import imageio.v3 as imageio
import pytest

from neurotome.boundary import FilePairs
from neurotome.core import InputError
from neurotome.flows import preview_training
from neurotome.io import save


@pytest.fixture
def folder(small_phantom, tmp_path):
    save(small_phantom.image, tmp_path / "a.tif")
    save(small_phantom.neurons, tmp_path / "b.tif")
    (tmp_path / "r.yaml").write_text(
        "name: toy\nvolumes:\n  - {image: a.tif, truth: b.tif, truth_is: instances, train: '0:8', validate_on: '8:10'}\n"
        "crop: 64\nchannels: [membrane]\nnetwork: {sections: 2}\naugmentation: {preset: flips}\n"
    )
    return tmp_path


def test_own_files_and_recipes_give_a_picture(folder):
    own = preview_training(FilePairs((folder / "a.tif",), (folder / "b.tif",), crop=64), folder / "own.png", patches=2)
    named = preview_training(folder / "r.yaml", folder / "recipe.png", patches=3, seed=5)
    tall, wide = (imageio.imread(p).shape[:2] for p in (named, own))
    # 64 px are shown as 128; input and one channel against input and four.
    assert tall[0] == 3 * (128 + 2 * 6 + 2 * 16) + 2 * 16 and wide[1] > 5 * 128


def test_a_recipe_that_does_not_say_what_its_truth_means(folder):
    text = (folder / "r.yaml").read_text()
    (folder / "r.yaml").write_text(text.replace(" truth_is: instances,", ""))
    with pytest.raises(InputError, match=r"truth_is: instances or truth_is: classes"):
        preview_training(folder / "r.yaml", folder / "p.png")
    assert not (folder / "p.png").exists()
