from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from neurotome.core import Box, FormatError, InputError, ShapeError, UnitError
from neurotome.io import describe, open_image, open_labels
from neurotome.io.sections import in_order

STACK = np.random.default_rng(0).integers(0, 255, (12, 20, 30), np.uint8)
VOXEL = (30, 6, 6)


def folder(path: Path, pattern: str = "s{}.png", stack: np.ndarray = STACK, first: int = 1) -> Path:
    path.mkdir(exist_ok=True)
    for z, section in enumerate(stack, first):
        imagecodecs.imwrite(str(path / pattern.format(z)), section)
    return path


@pytest.mark.parametrize("pattern", ["s{}.png", "s{:03d}.png", "{}.tif", "exp8_z{:02d}_raw.png"])
@pytest.mark.parametrize("first", [0, 1, 7])
def test_nine_comes_before_ten(tmp_path: Path, pattern: str, first: int) -> None:
    found = open_image(folder(tmp_path / "f", pattern, first=first), voxel_nm=VOXEL)
    assert np.array_equal(found.read(), STACK)
    box = Box((8, 3, 4), (11, 9, 30))
    assert np.array_equal(found.read(box), STACK[box.slices])


def test_no_voxel_size_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnitError, match="--voxel-nm Z Y X"):
        open_image(folder(tmp_path / "f"))


def test_one_missing_section_is_named(tmp_path: Path) -> None:
    (folder(tmp_path / "f") / "s5.png").unlink()
    with pytest.raises(FormatError, match=r"section 5 is missing between 's4.png' and 's6.png'"):
        open_image(tmp_path / "f", voxel_nm=VOXEL)


def test_several_missing_sections_are_named(tmp_path: Path) -> None:
    folder(tmp_path / "f")
    for z in (5, 6, 7):
        (tmp_path / "f" / f"s{z}.png").unlink()
    with pytest.raises(FormatError, match=r"sections 5 to 7 are missing between 's4.png' and 's8.png'"):
        open_image(tmp_path / "f", voxel_nm=VOXEL)


@pytest.mark.parametrize(("first", "second"), [("s01.png", "s1.png"), ("s1.png", "s1.tif")])
def test_the_same_number_twice(first: str, second: str) -> None:
    with pytest.raises(FormatError, match=f"'{first}' and '{second}' have the same number 1"):
        in_order([Path(first), Path(second), Path("s2.png")])


def test_names_of_another_pattern_are_named() -> None:
    with pytest.raises(FormatError, match=r"'overview.png' does not follow the pattern of 's1.png'"):
        in_order([Path("overview.png"), Path("s1.png"), Path("s2.png")])
    with pytest.raises(FormatError, match=r"'left.png' does not follow the pattern of 'right.png'"):
        in_order([Path("left.png"), Path("right.png")])


def test_two_numbers_that_differ_are_ambiguous() -> None:
    with pytest.raises(FormatError, match=r"Several numbers differ between the names 'z1_y1.png' and 'z1_y2.png'"):
        in_order([Path("z1_y1.png"), Path("z1_y2.png"), Path("z2_y1.png")])


def test_mixed_sizes_name_both_files(tmp_path: Path) -> None:
    imagecodecs.imwrite(str(folder(tmp_path / "f") / "s4.png"), STACK[0, :10])
    with pytest.raises(ShapeError, match=r"'s1.png' is 20 x 30 uint8, 's4.png' is 10 x 30 uint8"):
        open_image(tmp_path / "f", voxel_nm=VOXEL)


def test_mixed_types_name_both_files(tmp_path: Path) -> None:
    imagecodecs.imwrite(str(folder(tmp_path / "f") / "s4.png"), STACK[0].astype(np.uint16))
    with pytest.raises(ShapeError, match=r"'s4.png' is 20 x 30 uint16"):
        open_image(tmp_path / "f", voxel_nm=VOXEL)


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(FormatError, match="holds no section images"):
        open_image(tmp_path, voxel_nm=VOXEL)


def test_other_files_are_left_alone_and_mentioned(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    (folder(tmp_path / "f") / "notes.txt").write_text("mine")
    (tmp_path / "f" / ".DS_Store").write_text("")
    assert describe(tmp_path / "f").notes == ("1 other files in the folder are not read",)
    assert "1 other files are not read" in log.text


def test_a_damaged_section_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "f") / "s7.png"
    path.write_bytes(path.read_bytes()[:200])
    found = open_image(tmp_path / "f", voxel_nm=VOXEL)
    assert np.array_equal(found.read(Box((0, 0, 0), (6, 20, 30))), STACK[:6])
    with pytest.raises(FormatError, match=r"Section '.*s7.png' is damaged"):
        found.read()


def test_a_section_without_header_is_named(tmp_path: Path) -> None:
    (folder(tmp_path / "f") / "s7.png").write_bytes(b"\x89PNG")
    with pytest.raises(FormatError, match=r"Section '.*s7.png' is damaged"):
        open_image(tmp_path / "f", voxel_nm=VOXEL)


@pytest.mark.parametrize("samples", [2, 3, 4])
def test_equal_colours_are_grey(tmp_path: Path, samples: int) -> None:
    stack = np.repeat(STACK[..., None], samples, axis=-1)
    if samples in (2, 4):
        stack[..., -1] = 255
    assert np.array_equal(open_image(folder(tmp_path / "f", stack=stack), voxel_nm=VOXEL).read(), STACK)


def test_other_colours_need_a_channel(tmp_path: Path) -> None:
    stack = np.stack([STACK, STACK[::-1], STACK], axis=-1)
    folder(tmp_path / "f", stack=stack)
    with pytest.raises(InputError, match="is a colour picture"):
        open_image(tmp_path / "f", voxel_nm=VOXEL)
    assert np.array_equal(open_image(tmp_path / "f", voxel_nm=VOXEL, channel="green").read(), STACK[::-1])


def test_16_bit_labels_keep_their_ids(tmp_path: Path) -> None:
    ids = STACK.astype(np.uint16) * 257
    assert np.array_equal(open_labels(folder(tmp_path / "f", stack=ids), voxel_nm=VOXEL).read(), ids)


def test_jpeg_is_read(tmp_path: Path) -> None:
    smooth = np.full((3, 32, 48), 100, np.uint8)
    found = open_image(folder(tmp_path / "f", "s{}.jpg", smooth), voxel_nm=VOXEL)
    assert found.grid.shape == (3, 32, 48)
    assert np.abs(found.read().astype(int) - 100).max() <= 2


def test_sections_that_state_their_size(tmp_path: Path) -> None:
    sizes = {"axes": "ZYX", "PhysicalSizeZ": 30, "PhysicalSizeY": 6, "PhysicalSizeX": 6} | {
        f"PhysicalSize{a}Unit": "nm" for a in "ZYX"
    }
    for z in range(3):
        tifffile.imwrite(tmp_path / f"{z}.tif", STACK[z : z + 1], ome=True, metadata=sizes)
    assert open_image(tmp_path).grid.voxel_nm == (30.0, 6.0, 6.0)
    tifffile.imwrite(tmp_path / "3.tif", STACK[:1], ome=True, metadata={**sizes, "PhysicalSizeX": 5})
    with pytest.raises(UnitError, match=r"'0.tif' says a voxel is 30, 6, 6 nm, '3.tif' 30, 6, 5"):
        open_image(tmp_path)


def test_stacks_in_a_folder_are_refused(tmp_path: Path) -> None:
    for z in range(2):
        tifffile.imwrite(tmp_path / f"{z}.tif", STACK)
    with pytest.raises(FormatError, match="holds 12 sections"):
        open_image(tmp_path, voxel_nm=VOXEL)
