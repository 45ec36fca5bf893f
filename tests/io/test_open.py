from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile

from neurotome.core import (
    FormatError,
    Image,
    InputError,
    Labels,
    MissingFileError,
    Probability,
    ShapeError,
    UnknownNameError,
    ValueRangeError,
)
from neurotome.io import describe, guess_kind, open_image, open_labels, open_probability, open_volume, save

VOXEL = (30, 6, 6)


def npy(path: Path, values: np.ndarray) -> Path:
    np.save(path, values)
    return path


def test_a_missing_file_names_the_closest(tmp_path: Path) -> None:
    (tmp_path / "train-input.tif").touch()
    with pytest.raises(
        MissingFileError, match=r"train-inputs.tif' does not exist.*the closest name is '.*train-input.tif'"
    ) as caught:
        open_image(tmp_path / "train-inputs.tif")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(MissingFileError, match="check the spelling"):
        open_image(tmp_path / "zzz.h5:/raw")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "volumes").mkdir()
    with pytest.raises(MissingFileError, match=r"volume' does not exist.*the closest name is '.*volumes'"):
        open_image(tmp_path / "volume" / "deep" / "a.tif")


def test_the_content_decides_where_the_name_says_nothing(tmp_path: Path) -> None:
    section = np.arange(12, dtype=np.uint8).reshape(3, 4)
    tifffile.imwrite(tmp_path / "tiff", section)
    imagecodecs.imwrite(str(tmp_path / "png"), section, codec="png")
    with h5py.File(tmp_path / "hdf5", "w") as file:
        file["x"] = section
    npy(tmp_path / "numpy.npy", section).rename(tmp_path / "numpy")
    for name in ("tiff", "png", "hdf5", "numpy"):
        assert np.array_equal(open_image(tmp_path / name, voxel_nm=VOXEL).read()[0], section), name


@pytest.mark.parametrize("name", ["a.npz", "a.mrc", "a"])
def test_unknown_formats_list_the_known_ones(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK what is this")
    with pytest.raises(FormatError, match=r"of no known format.*\.tif/\.tiff.*\.npy"):
        open_image(tmp_path / name)


def test_empty_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    with pytest.raises(FormatError, match=r"a.tif' is empty \(0 bytes\)"):
        open_image(tmp_path / "a.tif")


def test_labels_as_float_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueRangeError, match=r"Labels in '.*a.npy' have type float32.*whole numbers"):
        open_labels(npy(tmp_path / "a.npy", np.ones((2, 3, 4), np.float32)), voxel_nm=VOXEL)


def test_bool_is_0_and_1(tmp_path: Path) -> None:
    path = npy(tmp_path / "a.npy", np.eye(4, dtype=bool))
    for opened in (open_labels(path, voxel_nm=VOXEL), open_image(path, voxel_nm=VOXEL)):
        assert opened.read().dtype == np.uint8
        assert np.array_equal(opened.read()[0], np.eye(4))


def test_negative_ids_are_found_when_read(tmp_path: Path) -> None:
    ids = np.zeros((3, 4, 5), np.int16)
    ids[2, 0, 0] = -7
    found = open_labels(npy(tmp_path / "a.npy", ids), voxel_nm=VOXEL)
    assert not np.asarray(found.data[:2]).any()
    with pytest.raises(ValueRangeError, match="an id of -7"):
        found.read()


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.5), (-3.0, 1.0), (0.0, np.nan)])
def test_probabilities_outside_0_1_are_found_when_read(tmp_path: Path, low: float, high: float) -> None:
    values = np.zeros((1, 3, 4, 5), np.float32)
    values[0, 2, 0, :2] = low, high
    found = open_probability(npy(tmp_path / "a.npy", values), voxel_nm=VOXEL, channels=("membrane",))
    assert not np.asarray(found.data[:, :2]).any()
    with pytest.raises(ValueRangeError, match=r"has values from .* to .*divide by the largest possible value"):
        found.read()


def test_probabilities_of_whole_numbers_are_bytes_or_nothing(tmp_path: Path) -> None:
    assert open_probability(npy(tmp_path / "a.npy", np.full((2, 3, 4), 255, np.uint8)), voxel_nm=VOXEL, channels=("inside",))
    with pytest.raises(ValueRangeError, match="has type uint16"):
        open_probability(npy(tmp_path / "b.npy", np.zeros((2, 3, 4), np.uint16)), voxel_nm=VOXEL, channels=("inside",))


def test_channels_must_be_named_once_each(tmp_path: Path) -> None:
    path = npy(tmp_path / "a.npy", np.zeros((2, 3, 4, 5), np.float32))
    with pytest.raises(InputError, match="has 2 channels without names"):
        open_probability(path, voxel_nm=VOXEL)
    with pytest.raises(ShapeError, match="3 as named"):
        open_probability(path, voxel_nm=VOXEL, channels=("a", "b", "c"))


def test_channels_are_picked_by_name(tmp_path: Path, probability: Probability) -> None:
    save(probability, tmp_path / "a.h5")
    found = open_probability(tmp_path / "a.h5", channels=("affinity:1,0,0",))
    assert found.channels == ("affinity:1,0,0",)
    assert np.array_equal(found.read(), probability.read()[1:])
    swapped = open_probability(tmp_path / "a.h5", channels=probability.channels[::-1])
    assert np.array_equal(swapped.read(("membrane",))[0], probability.read()[0])
    with pytest.raises(UnknownNameError, match="did you mean 'membrane'"):
        open_probability(tmp_path / "a.h5", channels=("membran",))


def test_one_channel_of_a_probability_is_an_image(tmp_path: Path, probability: Probability) -> None:
    save(probability, tmp_path / "a.zarr")
    assert np.array_equal(open_image(tmp_path / "a.zarr", channel="membrane").read(), probability.read()[0])
    with pytest.raises(UnknownNameError, match="Unknown channel '2'"):
        open_image(tmp_path / "a.zarr", channel=2)
    with pytest.raises(InputError, match=r"has 2 channels \(membrane, affinity:1,0,0\).*file of its own"):
        open_labels(tmp_path / "a.zarr")


def test_a_channel_of_a_file_without_channels(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.zarr")
    assert np.array_equal(open_image(tmp_path / "a.zarr", channel=0).read(), image.read())
    with pytest.raises(UnknownNameError, match="Unknown channel 'red'"):
        open_image(tmp_path / "a.zarr", channel="red")


@pytest.mark.parametrize("suffix", [".zarr", ".tif", ".h5", ".precomputed"])
def test_a_file_remembers_what_it_is(tmp_path: Path, image: Image, labels: Labels, probability: Probability, suffix: str) -> None:
    for kind, volume in (("image", image), ("labels", labels), ("probability", probability)):
        save(volume, tmp_path / f"{kind}{suffix}")
        assert guess_kind(tmp_path / f"{kind}{suffix}") == kind
        assert type(open_volume(tmp_path / f"{kind}{suffix}")) is type(volume)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.zeros((2, 3, 4), np.uint8), "image"),
        (np.zeros((2, 3, 4), np.uint16), "image"),
        (np.zeros((2, 3, 4), np.uint32), "labels"),
        (np.zeros((2, 3, 4), np.float32), "image"),
        (np.zeros((2, 2, 3, 4), np.float32), "probability"),
    ],
)
def test_the_guess_for_files_that_do_not_say(tmp_path: Path, values: np.ndarray, kind: str) -> None:
    assert guess_kind(npy(tmp_path / "a.npy", values)) == kind


def test_a_kind_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'labels'"):
        open_volume(npy(tmp_path / "a.npy", np.zeros((2, 3, 4))), kind="label")  # type: ignore[arg-type]


def test_describe(tmp_path: Path, probability: Probability) -> None:
    save(probability, tmp_path / "a.ome.zarr")
    found = describe(tmp_path / "a.ome.zarr")
    assert (found.format, found.kind, found.shape, found.dtype, found.axes) == (
        "OME-Zarr 0.5",
        "probability",
        (2, 5, 40, 50),
        "float32",
        "CZYX",
    )
    assert (found.voxel_nm, found.origin_nm, found.channels) == ((30.0, 6.0, 4.0), (60.0, 12.0, 20.0), probability.channels)
    assert (found.chunk, found.shard, found.levels, found.notes) == ((1, 5, 40, 50), None, 1, ())


def test_describe_notes_a_constant_image(tmp_path: Path) -> None:
    found = describe(npy(tmp_path / "a.npy", np.full((3, 4, 5), 9)))
    assert found.notes == ("the middle section is constant (9)",)
    assert found.voxel_nm is None
