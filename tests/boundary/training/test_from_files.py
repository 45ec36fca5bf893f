"""Own images and labels: what is decided, what is asked for."""

import numpy as np
import pytest
import yaml

from neurotome.boundary import FilePairs, TrainConfig, recipe_from_files, recipe_text, require_said
from neurotome.core import Grid, Image, InputError, Labels, ShapeError, UnknownNameError, ValueRangeError
from neurotome.io import save
from neurotome.nn import load_card

GRID = Grid((10, 100, 120), (30, 6, 6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 200, (10, 10, 12)).repeat(10, 1).repeat(10, 2).astype(np.uint16)
    save(Image((ids % 251).astype(np.uint8), GRID), folder / "a.tif")
    save(Labels(ids, GRID), folder / "neurons.tif")
    save(Labels((ids > 150).astype(np.uint8) * 255, GRID), folder / "binary.tif")
    save(Labels((ids % 3).astype(np.uint8), GRID), folder / "kinds.tif")
    one = Grid((1, 100, 120), (30, 6, 6))
    save(Image((ids[:1] % 251).astype(np.uint8), one), folder / "one.tif")
    save(Labels(ids[:1], one), folder / "one-neurons.tif")
    return folder


def pairs(folder, labels, **options):
    image = options.pop("image", "a.tif")
    return FilePairs((folder / image,), (folder / labels,), **options)


def test_two_values_give_a_network_for_membranes(folder):
    config = recipe_from_files(pairs(folder, "binary.tif", labels_are="inside", name="mine"))
    (volume,) = config.volumes
    assert (config.channels, config.network, config.loss, config.name) == (("membrane",), {"sections": 1}, "bce_dice", "mine")
    assert (volume.truth_is, volume.train, volume.validate_on) == ("inside", "0:8", "8:10")
    # 100 px, in whole steps of the network's grid of 16 px.
    assert config.crop == 96
    assert recipe_from_files(pairs(folder, "binary.tif", labels_are="inside", crop=32)).crop == 32


def test_instances_give_affinities_near_and_far(folder):
    config = recipe_from_files(pairs(folder, "neurons.tif"))
    assert config.channels[:4] == ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1", "affinity:2,0,0")
    assert "affinity:0,0,27" in config.channels
    assert (config.network, config.loss) == ({"sections": 5}, "balanced_bce")
    assert recipe_from_files(pairs(folder, "neurons.tif", channels=("membrane",))).network == {"sections": 1}


def test_few_sections_give_few_neighbours(folder):
    config = recipe_from_files(pairs(folder, "neurons.tif", validate="2:10"))
    assert config.network == {"sections": 1} and "affinity:2,0,0" not in config.channels
    assert "affinity:1,0,0" in config.channels


def test_values_with_names_are_classes(folder):
    config = recipe_from_files(pairs(folder, "kinds.tif", class_values={"membrane": 1, "mitochondria": 2}))
    assert config.channels == ("class:membrane", "class:mitochondria") and config.volumes[0].truth_is == "classes"
    assert config.volumes[0].class_values == {"membrane": 1, "mitochondria": 2}


def test_further_masks_are_further_channels(folder):
    masks = {"mitochondria": (folder / "binary.tif",)}
    config = recipe_from_files(pairs(folder, "binary.tif", labels_are="membrane", classes=masks))
    assert config.channels == ("membrane", "class:mitochondria") and config.loss == "balanced_bce"
    assert config.volumes[0].classes["mitochondria"].is_absolute()


def test_what_could_mean_two_things_is_asked_for(folder):
    with pytest.raises(
        InputError, match=r"'binary.*0 \(\d+\.\d %\), 255 \(\d+\.\d %\).*--labels-are inside or --labels-are membrane"
    ):
        recipe_from_files(pairs(folder, "binary.tif"))
    with pytest.raises(InputError, match=r"--labels-are instances or --labels-are classes"):
        recipe_from_files(pairs(folder, "kinds.tif"))
    with pytest.raises(UnknownNameError, match="did you mean 'membrane'"):
        recipe_from_files(pairs(folder, "binary.tif", labels_are="membranes"))
    with pytest.raises(InputError, match="class_values"):
        from neurotome.boundary.training.volume_files import annotated_volumes

        annotated_volumes(recipe_from_files(pairs(folder, "kinds.tif", labels_are="classes", channels=("class:a",))))


def test_a_recipe_without_polarity_is_told_the_shares(folder):
    with pytest.raises(InputError, match=r"255 \(.*truth_is: inside or truth_is: membrane"):
        require_said({"image": "a.tif", "truth": "binary.tif"}, folder)
    require_said({"image": "a.tif", "truth": "binary.tif", "truth_is": "inside"}, folder)


@pytest.mark.parametrize(
    ("validate", "blocks"),
    [
        ("0.3", [("0:7", "7:10")]),
        ("0:2", [("2:10", "0:2")]),
        ("4:6", [("0:4", "4:6"), ("6:10", "")]),
        (".01", [("0:9", "9:10")]),
        ("0.99", [("0:1", "1:10")]),
    ],
)
def test_what_is_held_back(folder, validate, blocks):
    config = recipe_from_files(pairs(folder, "neurons.tif", validate=validate))
    assert [(v.train, v.validate_on) for v in config.volumes] == blocks


@pytest.mark.parametrize(
    ("validate", "error", "words"),
    [
        ("0:10", ShapeError, "some left to train on"),
        ("5:11", ShapeError, "a stack of 10"),
        ("1.5", ValueRangeError, "a share between 0 and 1"),
        ("a:b", InputError, "first:last"),
    ],
)
def test_what_cannot_be_held_back(folder, validate, error, words):
    with pytest.raises(error, match=words):
        recipe_from_files(pairs(folder, "neurons.tif", validate=validate))


def test_several_stacks_and_single_sections(folder):
    both = FilePairs(
        (folder / "a.tif", folder / "one.tif"), (folder / "neurons.tif", folder / "one-neurons.tif"), channels=("membrane",)
    )
    config = recipe_from_files(both)
    assert [(v.train, v.validate_on) for v in config.volumes] == [("0:8", "8:10"), ("0:1", "")]
    with pytest.raises(ShapeError, match="nothing can be held back"):
        recipe_from_files(pairs(folder, "one-neurons.tif", image="one.tif"))
    with pytest.raises(InputError, match="2 --image and 1 --labels"):
        recipe_from_files(FilePairs((folder / "a.tif", folder / "one.tif"), (folder / "neurons.tif",)))
    with pytest.raises(InputError, match="1 --class synapse=FILE for 2 --image"):
        recipe_from_files(FilePairs(both.images, both.labels, classes={"synapse": (folder / "binary.tif",)}))


def test_starting_from_a_network_takes_its_shape(folder):
    config = recipe_from_files(pairs(folder, "binary.tif", labels_are="inside", model="isbi2012-membrane-2d"))
    assert (config.family, config.channels, config.normalization) == ("unet2d", ("membrane",), "section_zscore")
    assert (
        config.network["widths"] == list(load_card("isbi2012-membrane-2d")[0].config["widths"])
        and config.restore.model == "isbi2012-membrane-2d"
    )


def test_the_text_of_a_recipe_gives_it_back(folder):
    config = recipe_from_files(pairs(folder, "neurons.tif"), steps=40)
    assert config.fit == {"steps": 40, "validate_every": 40}
    text = recipe_text(config)
    assert TrainConfig(**yaml.safe_load(text)) == config
    assert "normalization" not in text and len(text.splitlines()) < 40
