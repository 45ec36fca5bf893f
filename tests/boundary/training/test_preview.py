"""A preview shows what the training gets, nothing else."""

import numpy as np
import pytest

from neurotome.boundary import TrainConfig, preview_patches
from neurotome.boundary.training.patches import Patches, PatchShape
from neurotome.boundary.training.volume_files import annotated_volumes
from neurotome.core import Grid, Image, InputError, Labels
from neurotome.io import save
from neurotome.nn import Augmentation

GRID = Grid((4, 64, 80), (30, 6, 6))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preview")
    ids = np.random.default_rng(0).integers(1, 9, (4, 8, 10)).repeat(8, 1).repeat(8, 2).astype(np.uint16)
    save(Image((ids * 20).astype(np.uint8), GRID), folder / "a.tif")
    save(Labels(ids, GRID), folder / "b.tif")
    volume = {"image": folder / "a.tif", "truth": folder / "b.tif", "truth_is": "instances", "train": "0:3", "validate_on": "3:4"}
    return TrainConfig(
        name="toy", volumes=[volume], channels=["membrane", "affinity:0,0,1"], network={"sections": 3}, crop=32, fit={"seed": 7}
    )


def test_the_first_patches_are_those_of_the_training(recipe):
    shown = preview_patches(recipe, count=3)
    seen, _ = annotated_volumes(recipe)
    training = Patches(seen, recipe.channels, PatchShape(32, 3, 1), Augmentation(), count=100, seed=7)
    for k, patch in enumerate(shown):
        image, target, valid = (a.numpy() for a in training[k])
        assert np.array_equal(patch.image, image[1])
        assert np.array_equal(patch.target, target) and np.array_equal(patch.valid, valid)
        assert patch.origin.startswith("a.tif, section ") and patch.done
    other = preview_patches(recipe, count=1, seed=8)[0]
    assert not np.array_equal(other.image, shown[0].image)


def test_of_a_deep_patch_the_middle_is_shown(recipe):
    deep = recipe.model_copy(update={"family": "rsunet3d", "network": {"widths": (4, 6)}, "depth": 3})
    patch = preview_patches(deep, count=1)[0]
    assert patch.image.shape == (32, 32) and patch.target.shape == patch.valid.shape == (2, 32, 32)


def test_mistakes(recipe):
    with pytest.raises(InputError, match="1 or more"):
        preview_patches(recipe, count=0)
    with pytest.raises(InputError, match="a multiple of 16"):
        preview_patches(recipe.model_copy(update={"crop": 40}))
