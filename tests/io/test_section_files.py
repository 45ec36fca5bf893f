"""Stacks as folders of pictures: written, read again, in the order of their numbers."""

from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Grid, Image, InputError, Labels, Probability, UnknownNameError, ValueRangeError
from neurotome.io import open_image, open_labels, save_pictures, save_sections

VOXEL = (30, 6, 6)


def stack(dtype, sections: int = 120) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (sections, 9, 11), dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("file_format", ["png", "tif"])
def test_120_sections_come_back_in_their_order(tmp_path: Path, dtype, file_format: str) -> None:
    pixels = stack(dtype)
    save_sections(Image(pixels, Grid(pixels.shape, VOXEL)), tmp_path / "s", file_format)
    names = sorted(p.name for p in (tmp_path / "s").iterdir())
    assert (names[0], names[-1], len(names)) == (f"000.{file_format}", f"119.{file_format}", 120)
    found = open_image(tmp_path / "s", voxel_nm=None if file_format == "tif" else VOXEL)
    assert found.data.dtype == dtype and found.grid.voxel_nm == VOXEL
    assert np.array_equal(found.read(), pixels)


def test_numbers_are_as_wide_as_the_last_one_needs(tmp_path: Path) -> None:
    pixels = stack(np.uint8, 1001)
    save_sections(Image(pixels, Grid(pixels.shape, VOXEL)), tmp_path / "s")
    assert (tmp_path / "s" / "0000.png").is_file() and (tmp_path / "s" / "1000.png").is_file()


@pytest.mark.parametrize(("largest", "dtype"), [(255, np.uint8), (256, np.uint16), (65536, np.uint32)])
def test_labels_take_one_type_for_the_whole_stack(tmp_path: Path, largest: int, dtype) -> None:
    ids = np.zeros((3, 4, 5), np.int64)
    ids[2, 1, 1] = largest
    save_sections(Labels(ids, Grid(ids.shape, VOXEL)), tmp_path / "s", "tif")
    found = open_labels(tmp_path / "s")
    assert found.data.dtype == dtype and np.array_equal(found.read(), ids)


def test_colours_are_kept(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (4, 6, 7, 3), np.uint8)
    for file_format in ("png", "tif"):
        save_pictures(iter(pixels), Grid((4, 6, 7), VOXEL), tmp_path / file_format, file_format)
        for k, colour in enumerate(("red", "green", "blue")):
            assert np.array_equal(open_image(tmp_path / file_format, voxel_nm=VOXEL, channel=colour).read(), pixels[..., k])


def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    grid = Grid((2, 3, 3), VOXEL)
    many = Labels(np.full(grid.shape, 70_000), grid)
    with pytest.raises(ValueRangeError, match=r"ids up to 70000.*8 or 16 bits.*write tif"):
        save_sections(many, tmp_path / "s")
    with pytest.raises(ValueRangeError, match="type float32"):
        save_sections(Image(np.zeros(grid.shape, np.float32), grid), tmp_path / "s")
    with pytest.raises(InputError, match="has 1 channels"):
        save_sections(Probability(np.zeros((1, *grid.shape), np.uint8), grid, ("membrane",)), tmp_path / "s")
    with pytest.raises(UnknownNameError, match="jpg"):
        save_sections(Image(np.zeros(grid.shape, np.uint8), grid), tmp_path / "s", "jpg")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_not_replaced_unasked(tmp_path: Path) -> None:
    image = Image(stack(np.uint8, 2), Grid((2, 9, 11), VOXEL))
    save_sections(image, tmp_path / "s")
    with pytest.raises(InputError, match="exists already"):
        save_sections(image, tmp_path / "s", "tif")
    save_sections(image, tmp_path / "s", "tif", overwrite=True)
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["000.tif", "001.tif"]
