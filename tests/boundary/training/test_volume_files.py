"""Volumes of a recipe, opened from real files."""

import imageio.v3 as imageio
import numpy as np
import pytest

from neurotome.boundary import TrainConfig, VolumeConfig
from neurotome.boundary.training.volume_files import annotated_volumes, open_volume_files
from neurotome.core import Grid, Image, InputError, Labels, ShapeError, UnknownNameError
from neurotome.io import save

GRID = Grid((6, 16, 20), (30, 6, 6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    rng = np.random.default_rng(0)
    save(Image(rng.integers(0, 255, GRID.shape).astype(np.uint8), GRID), folder / "a.tif")
    save(Labels(rng.integers(0, 9, GRID.shape).astype(np.uint16), GRID), folder / "b.tif")
    save(Labels(rng.integers(0, 2, GRID.shape).astype(np.uint8) * 255, GRID), folder / "m.tif")
    (folder / "pairs").mkdir()
    for n in range(1, 12):
        # Left half: the number of the section; right half: what it is to become.
        picture = np.hstack([np.full((16, 20), n, np.uint8), np.full((16, 20), 100 + n, np.uint8)])
        imageio.imwrite(folder / "pairs" / f"{n}.png", picture)
    imageio.imwrite(folder / "odd.png", np.zeros((16, 41), np.uint8))
    return folder


def stack(folder, **changes):
    defaults = {
        "image": folder / "a.tif",
        "truth": folder / "b.tif",
        "truth_is": "instances",
        "train": "0:4",
        "validate_on": "4:6",
    }
    return VolumeConfig(**{**defaults, **changes})


def config(*volumes, channels=("membrane",)):
    return TrainConfig(name="toy", volumes=volumes, channels=channels)


def test_side_by_side_pairs_are_cut_in_the_middle_in_natural_order(folder):
    pair = stack(
        folder, image=folder / "pairs", truth=None, truth_is="grey", pair="side_by_side", voxel_nm=(30, 6, 6), validate_on="9:11"
    )
    (seen,), (unseen,) = annotated_volumes(config(pair, channels=("grey",)))
    assert seen.pixels.shape == (4, 16, 20) and seen.pixels[:, 0, 0].tolist() == [1, 2, 3, 4]
    assert np.allclose(seen.grey[:, 0, 0] * 255, [101, 102, 103, 104])
    # Section "10" follows "9": numbers are read as numbers.
    assert unseen.pixels[:, 0, 0].tolist() == [10, 11]


def test_a_pair_of_1024_by_512_splits_at_column_512(folder, tmp_path):
    picture = np.zeros((512, 1024), np.uint8)
    picture[:, 512:] = 1
    imageio.imwrite(tmp_path / "pair.png", picture)
    files = open_volume_files(
        stack(folder, image=tmp_path / "pair.png", truth=None, truth_is="inside", pair="side_by_side", voxel_nm=(1, 1, 1))
    )
    assert files.image.grid == files.truth.grid and files.image.grid.shape == (1, 512, 512)
    assert not files.image.read().any() and files.truth.read().all()


def test_an_odd_width_is_refused(folder):
    pair = stack(folder, image=folder / "odd.png", truth=None, truth_is="grey", pair="side_by_side", voxel_nm=(30, 6, 6))
    with pytest.raises(ShapeError, match=r"41 px wide.*an even width, for example 42"):
        open_volume_files(pair)
    with pytest.raises(InputError, match="one of the two"):
        open_volume_files(stack(folder, pair="side_by_side"))


def test_a_box_is_cut_out_of_all_files_and_sections_count_from_it(folder):
    boxed = stack(folder, box=((1, 2, 3), (6, 10, 13)), train="0:2", validate_on="3:5", classes={"synapse": folder / "m.tif"})
    (seen,), (unseen,) = annotated_volumes(config(boxed))
    whole = open_volume_files(stack(folder)).image.read()
    assert np.array_equal(seen.pixels, whole[1:3, 2:10, 3:13]) and np.array_equal(unseen.pixels, whole[4:6, 2:10, 3:13])
    assert seen.labels.shape == seen.marks.shape == (2, 8, 10)
    with pytest.raises(ShapeError, match=r"'a.tif', whose shape is \(6, 16, 20\)"):
        open_volume_files(stack(folder, box=((0, 0, 0), (6, 17, 20))))


def test_files_are_named_in_messages(folder, tmp_path):
    small = Grid((6, 8, 8), (30, 6, 6))
    save(Labels(np.zeros(small.shape, np.uint8), small), tmp_path / "small.tif")
    with pytest.raises(ShapeError, match=r"'a.tif' has shape \(6, 16, 20\), truth 'small.tif' has \(6, 8, 8\)"):
        annotated_volumes(config(stack(folder, truth=tmp_path / "small.tif")))


def test_options_with_nothing_to_act_on_are_refused(folder):
    with pytest.raises(InputError, match="truth_is: classes"):
        open_volume_files(stack(folder, class_values={"membrane": 1}))
    with pytest.raises(InputError, match="overlap"):
        annotated_volumes(config(stack(folder, validate_on="3:6")))
    with pytest.raises(InputError, match="No volume has sections to validate on"):
        annotated_volumes(config(stack(folder, validate_on="")))


def test_a_class_must_be_declared_by_some_volume(folder):
    declaring = stack(folder, classes={"synapse": folder / "m.tif"})
    seen, _ = annotated_volumes(config(stack(folder), declaring, channels=("membrane", "class:synapse")))
    assert [v.classes for v in seen] == [(), ("synapse",)]
    with pytest.raises(UnknownNameError, match=r"Unknown class 'synapses'.*did you mean 'synapse'"):
        annotated_volumes(config(declaring, channels=("class:synapses",)))


def test_what_is_trained_on_is_never_validated_on_in_another_volume_either(folder):
    first, second = stack(folder, train="0:3", validate_on="4:6"), stack(folder, train="3:5", validate_on="")
    with pytest.raises(InputError, match=r"Sections 3:5 and 4:6 of 'a.tif' overlap"):
        annotated_volumes(config(first, second))
    # The same sections of another part of the tissue are other tissue.
    left, right = (((0, 0, x), (6, 16, x + 10)) for x in (0, 10))
    annotated_volumes(config(stack(folder, box=left), stack(folder, box=right, train="3:5", validate_on="")))
    with pytest.raises(InputError, match=r"Sections 3:5 and 4:6"):
        annotated_volumes(config(stack(folder, box=left), stack(folder, box=left, train="3:5", validate_on="")))
