import gzip
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Box, FormatError, Grid, UnitError
from neurotome.io import describe, open_image, open_probability

STACK = np.random.default_rng(0).integers(0, 255, (3, 4, 5), np.uint8)
NM = 'space units: "nm" "nm" "nm"'


def stored(folder: Path, *fields: str, values: np.ndarray | bytes = STACK, name: str = "a.nrrd") -> Path:
    shape = values.shape[::-1] if isinstance(values, np.ndarray) else (5, 4, 3)
    given = "\n".join(fields)
    lines = ["NRRD0004", "# a comment: with a colon", "my:=own value"]
    lines += [] if "type:" in given else ["type: uint8"]
    lines += [] if "sizes:" in given else [f"dimension: {len(shape)}", f"sizes: {' '.join(map(str, shape))}"]
    lines += [] if "encoding:" in given else ["encoding: raw"]
    content = values.tobytes() if isinstance(values, np.ndarray) else values
    (folder / name).write_bytes("\n".join([*lines, *fields, "", ""]).encode() + content)
    return folder / name


@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz"])
def test_values_and_voxel_size(tmp_path: Path, encoding: str) -> None:
    content = STACK.tobytes() if encoding == "raw" else gzip.compress(STACK.tobytes())
    directions = "space directions: (4,0,0) (0,6,0) (0,0,30)"
    path = stored(tmp_path, f"encoding: {encoding}", directions, NM, "space origin: (40,60,300)", values=content)
    found = open_image(path)
    assert found.grid == Grid((3, 4, 5), (30, 6, 4), (300, 60, 40))
    assert np.array_equal(found.read(), STACK)
    assert np.array_equal(found.read(Box((1, 0, 2), (2, 4, 4))), STACK[1:2, :, 2:4])
    assert describe(path).axes == "ZYX"


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("signed char", "i1"), ("unsigned short", "<u2"), ("int16", ">i2"), ("uint", "<u4"), ("float", ">f4"), ("double", "<f8")],
)
def test_types_and_byte_orders(tmp_path: Path, name: str, dtype: str) -> None:
    values = (STACK - 100.0).astype(dtype)
    endian = "big" if dtype.startswith(">") else "little"
    found = open_image(stored(tmp_path, f"type: {name}", f"endian: {endian}", values=values), voxel_nm=(1, 1, 1)).read()
    assert np.array_equal(found, values)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")


def test_spacings_count_with_their_unit_only(tmp_path: Path) -> None:
    spacings = "spacings: 0.2 0.2 0.5"
    assert open_image(stored(tmp_path, spacings, 'units: "um" "um" "um"')).grid.voxel_nm == (500, 200, 200)
    path = stored(tmp_path, spacings)
    with pytest.raises(UnitError, match="--voxel-nm"):
        open_image(path)
    assert describe(path).notes == ("it states spacings of 0.5, 0.2, 0.2 (slowest axis first) without a known unit",)
    assert open_image(stored(tmp_path, spacings, 'units: "px" "px" "px"'), voxel_nm=(5, 2, 2)).grid.voxel_nm == (5, 2, 2)
    assert describe(stored(tmp_path, "spacings: nan nan nan", 'units: "um" "um" "um"')).voxel_nm is None


def test_turned_axes_keep_their_lengths_but_have_no_origin(tmp_path: Path) -> None:
    path = stored(tmp_path, "space directions: (-4,0,0) (0,0,6) (0,18,24)", NM, "space origin: (1,2,3)")
    assert open_image(path).grid == Grid((3, 4, 5), (30, 6, 4))
    assert describe(path).notes == ("its axes are mirrored or turned: its origin is left out",)


def test_sections_and_channels(tmp_path: Path) -> None:
    assert open_image(stored(tmp_path, values=STACK[0]), voxel_nm=(1, 1, 1)).read().tolist() == STACK[:1].tolist()
    four = np.random.default_rng(1).random((3, 4, 5, 2)).astype("<f4")
    fields = ("type: float", "endian: little")
    fast = stored(tmp_path, *fields, "space directions: none (4,0,0) (0,6,0) (0,0,30)", NM, values=four)
    assert describe(fast).axes == "ZYXC"
    assert describe(fast).shape == (3, 4, 5, 2)
    found = open_probability(fast, channels=("membrane", "inside"))
    assert np.array_equal(found.read(), np.moveaxis(four, -1, 0))
    assert found.grid.voxel_nm == (30, 6, 4)
    slow = stored(tmp_path, *fields, values=four.reshape(2, 3, 4, 5))
    assert np.array_equal(open_image(slow, voxel_nm=(1, 1, 1), channel=1).read(), four.reshape(2, 3, 4, 5)[1])
    kinds = stored(tmp_path, *fields, "kinds: domain RGB-color domain domain", values=four)
    assert describe(kinds).shape == (3, 4, 5, 2)
    assert describe(kinds).axes == "ZYCX"


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_values_in_a_file_of_their_own(tmp_path: Path, encoding: str) -> None:
    content = bytes(7) + STACK.tobytes()
    (tmp_path / "a.bin").write_bytes(content if encoding == "raw" else gzip.compress(content))
    for skip in ("7", "-1"):
        fields = ("data file: a.bin", f"byte skip: {skip}", f"encoding: {encoding}")
        path = stored(tmp_path, *fields, values=b"", name="a.nhdr")
        assert np.array_equal(open_image(path, voxel_nm=(1, 1, 1)).read(), STACK)
    path.write_bytes(path.read_bytes().rstrip())
    assert np.array_equal(open_image(path, voxel_nm=(1, 1, 1)).read(), STACK)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("encoding: bzip2",), "encoded as 'bzip2'.*raw or gzip"),
        (("type: block",), "values of type 'block'"),
        (("type: short",), "does not say its byte order"),
        (("dimension: 2", "sizes: 5 4 3"), "dimension 2 and sizes"),
        (("dimension: 3", "sizes: 5 -4 3"), "dimension 3 and sizes"),
        (("dimension: 5", "sizes: 5 4 3 1 1"), "not in space"),
        (("line skip: 1",), "skips lines"),
        (("byte skip: x",), "skips lines, or not a number"),
        (("data file: LIST",), "several files"),
        (("data file: gone.raw",), "which is no file"),
        (("space directions: (a,0,0) (0,1,0) (0,0,1)",), "cannot be read"),
        (("spacings: 1 1", 'units: "um" "um"'), "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, fields: tuple[str, ...], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        open_image(stored(tmp_path, *fields), voxel_nm=(1, 1, 1))


def test_damage_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="needs 60 bytes of values"):
        open_image(stored(tmp_path, values=STACK.tobytes()[:-1]), voxel_nm=(1, 1, 1)).read()
    short = gzip.compress(STACK.tobytes()[:-1])
    for content, message in [
        (gzip.compress(STACK.tobytes())[:-9], "cannot be unpacked"),
        (short, "needs 60 bytes"),
        (b"x", "unpacked"),
    ]:
        with pytest.raises(FormatError, match=message):
            open_image(stored(tmp_path, "encoding: gzip", values=content), voxel_nm=(1, 1, 1)).read()
    (tmp_path / "b.nrrd").write_bytes(b"NRRD0004\ntype: uint8\n")
    with pytest.raises(FormatError, match="no NRRD header"):
        open_image(tmp_path / "b.nrrd")
