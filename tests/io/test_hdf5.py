from pathlib import Path

import h5py
import numpy as np
import pytest

from neurotome.core import FormatError, Image, InputError, Labels, UnitError, UnknownNameError
from neurotome.io import describe, open_image, open_labels, open_probability, save

STACK = np.random.default_rng(0).integers(0, 255, (3, 20, 30), np.uint8)


def make(path: Path, attributes: dict[str, object] | None = None, **datasets: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in (datasets or {"raw": STACK}).items():
            file[name.replace("__", "/")] = values
            file[name.replace("__", "/")].attrs.update(attributes or {})
    return path


@pytest.mark.parametrize(
    ("attributes", "voxel_nm"),
    [
        ({"resolution": (40, 4, 4)}, (40.0, 4.0, 4.0)),
        ({"element_size_um": (0.03, 0.006, 0.005)}, (30.0, 6.0, 5.0)),
        ({"voxel_nm": (30, 6, 5), "resolution": (30, 6, 5)}, (30.0, 6.0, 5.0)),
        ({}, None),
        ({"resolution": "fine"}, None),
    ],
)
def test_voxel_size_from_attributes(tmp_path: Path, attributes: dict[str, object], voxel_nm: object) -> None:
    assert describe(make(tmp_path / "a.h5", attributes)).voxel_nm == voxel_nm


def test_attributes_that_contradict_each_other(tmp_path: Path) -> None:
    path = make(tmp_path / "a.h5", {"resolution": (40, 4, 4), "element_size_um": (0.04, 0.004, 0.005)})
    with pytest.raises(UnitError, match="resolution = 40, 4, 4 nm; element_size_um = 40, 4, 5 nm"):
        open_image(path)


def test_cremi_offset_is_the_origin(tmp_path: Path) -> None:
    found = open_image(make(tmp_path / "a.h5", {"resolution": (40, 4, 4), "offset": (1480, 3644, 3644)}))
    assert found.grid.origin_nm == (1480.0, 3644.0, 3644.0)


def test_several_datasets_are_listed(tmp_path: Path) -> None:
    path = make(tmp_path / "a.h5", volumes__raw=STACK, volumes__labels=STACK, ids=np.zeros(4))
    with pytest.raises(FormatError, match=r"holds 2 datasets \(/volumes/labels, /volumes/raw\).*a.h5:/volumes/labels"):
        open_image(path, voxel_nm=(1, 1, 1))
    assert np.array_equal(open_image(f"{path}:/volumes/raw", voxel_nm=(1, 1, 1)).read(), STACK)
    with pytest.raises(UnknownNameError, match="did you mean '/volumes/raw'"):
        open_image(f"{path}:/volumes/rew", voxel_nm=(1, 1, 1))


def test_axes_are_found_by_name(tmp_path: Path) -> None:
    stored = np.moveaxis(np.stack([STACK, 255 - STACK]), 0, -1)
    tags = '{"axes": [{"key": "z"}, {"key": "y"}, {"key": "x"}, {"key": "c"}]}'
    for attributes in ({"axes": "zyxc"}, {"axistags": tags}):
        path = make(tmp_path / "a.h5", {**attributes, "resolution": (30, 6, 5)}, raw=stored)
        assert np.array_equal(open_image(path, channel=1).read(), 255 - STACK)
    assert np.array_equal(open_image(make(tmp_path / "a.h5", {"axes": "xyz"}, raw=STACK.T), voxel_nm=(1, 1, 1)).read(), STACK)


def test_a_channel_that_seems_to_come_last_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "a.h5", raw=np.zeros((5, 20, 30, 3), np.uint8))
    with pytest.raises(FormatError, match="the channel seems to come last"):
        open_image(path, voxel_nm=(1, 1, 1))


def test_a_section_is_a_stack_of_one(tmp_path: Path) -> None:
    assert np.array_equal(open_image(make(tmp_path / "a.h5", raw=STACK[0]), voxel_nm=(1, 1, 1)).read(), STACK[:1])


def test_datasets_join_an_existing_file_when_they_are_named(tmp_path: Path, image: Image, labels: Labels) -> None:
    save(image, f"{tmp_path}/a.h5:/volumes/raw")
    save(labels, f"{tmp_path}/a.h5:/volumes/labels")
    assert np.array_equal(open_image(f"{tmp_path}/a.h5:/volumes/raw").read(), image.read())
    assert np.array_equal(open_labels(f"{tmp_path}/a.h5:/volumes/labels").read(), labels.read())
    with pytest.raises(InputError, match="has a dataset /volumes/raw already"):
        save(image, f"{tmp_path}/a.h5:/volumes/raw")
    save(Image(255 - image.read(), image.grid), f"{tmp_path}/a.h5:/volumes/raw", overwrite=True)
    assert np.array_equal(open_image(f"{tmp_path}/a.h5:/volumes/raw").read(), 255 - image.read())
    assert np.array_equal(open_labels(f"{tmp_path}/a.h5:/volumes/labels").read(), labels.read())


def test_a_plain_file_gets_the_dataset_main(tmp_path: Path, labels: Labels) -> None:
    save(labels, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file) == ["main"]
        assert file["main"].attrs["resolution"].tolist() == [30.0, 6.0, 4.0]
        assert file["main"].dtype == np.uint64


def test_not_hdf5(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"hello" * 100)
    with pytest.raises(FormatError, match=r"a.h5' cannot be read as HDF5"):
        open_image(tmp_path / "a.h5")


def test_a_damaged_chunk_says_where(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.h5")
    content = bytearray((tmp_path / "a.h5").read_bytes())
    with h5py.File(tmp_path / "a.h5") as file:
        start = file["main"].id.get_chunk_info(0).byte_offset
    content[start + 50 : start + 250] = bytes(200)
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(FormatError, match=r"a.h5:/main' is damaged within z 0:5, y 0:40, x 0:50"):
        open_image(tmp_path / "a.h5").read()


def test_channel_names_are_kept(tmp_path: Path) -> None:
    path = make(tmp_path / "a.h5", {"channels": ["membrane"], "resolution": (1, 1, 1)}, raw=np.full((1, 2, 3, 4), 0.5))
    assert open_probability(path).channels == ("membrane",)
