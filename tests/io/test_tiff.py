import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile

from neurotome.core import Box, FormatError, Image, InputError, Labels, UnitError, ValueRangeError
from neurotome.io import describe, open_image, open_labels, save
from neurotome.io.tiff import read

VOXEL = (30, 6, 6)
STACK = np.random.default_rng(0).integers(0, 255, (6, 64, 48), np.uint8)


def write(path: Path, pixels: np.ndarray = STACK, **options: object) -> Path:
    tifffile.imwrite(path, pixels, **options)  # type: ignore[arg-type]
    return path


def imagej(path: Path, unit: str, **options: object) -> Path:
    return write(path, imagej=True, resolution=(250, 200), metadata={"spacing": 0.05, "unit": unit, "axes": "ZYX"}, **options)


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej_spacing_and_resolution_are_a_voxel_size(tmp_path: Path, unit: str) -> None:
    found = open_image(imagej(tmp_path / "a.tif", unit))
    assert found.grid.voxel_nm == (50.0, 5.0, 4.0)
    assert np.array_equal(found.read(), STACK)
    assert describe(tmp_path / "a.tif").format == "ImageJ TIFF"


def test_pixels_are_no_unit(tmp_path: Path) -> None:
    with pytest.raises(UnitError, match="--voxel-nm Z Y X"):
        open_image(imagej(tmp_path / "a.tif", "pixel"))


def test_resolution_tags_count_only_with_a_section_distance(tmp_path: Path) -> None:
    tags = {"resolution": (1e7 / 4, 1e7 / 4), "resolutionunit": "CENTIMETER"}
    without = write(tmp_path / "a.tif", **tags)
    with_distance = write(tmp_path / "b.tif", **tags, metadata={"spacing": 0.05, "unit": "um"})
    dpi = write(tmp_path / "c.tif", resolution=(72, 72), resolutionunit="INCH", metadata={"spacing": 0.05, "unit": "um"})
    assert describe(without).voxel_nm is None
    assert describe(with_distance).voxel_nm == (50.0, 4.0, 4.0)
    assert describe(dpi).voxel_nm is None


def test_ome_sizes_are_micrometres_unless_they_say_otherwise(tmp_path: Path) -> None:
    sizes = {"axes": "ZYX", "PhysicalSizeZ": 0.03, "PhysicalSizeY": 60, "PhysicalSizeYUnit": "Å", "PhysicalSizeX": 6}
    known = write(tmp_path / "a.ome.tif", metadata={**sizes, "PhysicalSizeXUnit": "nm"})
    assert describe(known).voxel_nm == (30.0, 6.0, 6.0)
    pixel = write(tmp_path / "b.ome.tif", metadata={**sizes, "PhysicalSizeXUnit": "pixel"})
    with pytest.raises(UnitError, match=r"it says 30, 6, \? nm"):
        open_image(pixel)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "lzw"},
        {"tile": (32, 32), "compression": "zlib"},
        {"byteorder": ">"},
        {"bigtiff": True},
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_box_of_any_layout(tmp_path: Path, options: dict[str, object], dtype: type) -> None:
    pixels = STACK.astype(dtype)
    found = open_image(write(tmp_path / "a.tif", pixels, **options), voxel_nm=VOXEL)
    box = Box((1, 5, 7), (4, 60, 9))
    assert np.array_equal(found.read(box), pixels[box.slices])
    assert np.array_equal(found.crop(box).read(Box((1, 0, 0), (2, 3, 2))), pixels[2:3, 5:8, 7:9])
    assert found.read().dtype == dtype


def test_one_page_is_a_stack_of_one(tmp_path: Path) -> None:
    found = open_image(write(tmp_path / "a.tif", STACK[0]), voxel_nm=VOXEL)
    assert np.array_equal(found.read(), STACK[:1])


def test_pages_appended_one_by_one_are_a_stack(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for page in STACK:
            tif.write(page, metadata=None, contiguous=False)
    assert np.array_equal(open_image(tmp_path / "a.tif", voxel_nm=VOXEL).read(), STACK)


def test_imagej_hyperstack_needs_a_channel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 60000, (6, 2, 64, 48), np.uint16)
    path = write(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": "ZCYX", "Labels": ["a", "b"] * 6})
    with pytest.raises(InputError, match=r"has 2 channels.*--channel"):
        open_image(path, voxel_nm=VOXEL)
    assert np.array_equal(open_image(path, voxel_nm=VOXEL, channel=1).read(), pixels[:, 1])


def test_a_stack_with_one_header_for_all_pages(tmp_path: Path) -> None:
    """ImageJ does so above 4 GB: the description counts 6 images, the file has one header."""
    path = write(tmp_path / "a.tif", imagej=True, metadata={"axes": "ZYX"})
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as tif:
        second = tif.pages[0].offset, tif.pages[1].offset
    cut = whole.replace(int(second[1]).to_bytes(4, "little"), b"\0\0\0\0", 1)
    path.write_bytes(cut)
    with tifffile.TiffFile(path) as tif:
        assert len(tif.pages) == 1
    assert np.array_equal(open_image(path, voxel_nm=VOXEL).read(), STACK)


def colour(path: Path, spoil: bool, **options: object) -> Path:
    pixels = np.repeat(STACK[..., None], 3, axis=-1)
    if spoil:
        pixels[4, 5, 6, 1] ^= 1
    return write(path, pixels, photometric="rgb", **options)


def test_equal_colours_become_grey_and_say_so(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    found = open_image(colour(tmp_path / "a.tif", spoil=False), voxel_nm=VOXEL)
    assert np.array_equal(found.read(), STACK)
    assert "equal colours: read as grey values" in log.text


def test_planar_colours(tmp_path: Path) -> None:
    pixels = np.repeat(STACK[:, None], 3, axis=1)
    path = write(tmp_path / "a.tif", pixels, photometric="rgb", planarconfig="separate")
    assert np.array_equal(open_image(path, voxel_nm=VOXEL).read(), STACK)


def test_one_coloured_pixel_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = colour(tmp_path / "a.tif", spoil=True)
    found = open_image(path, voxel_nm=VOXEL)
    found.read(Box((0, 0, 0), (4, 64, 48)))
    with pytest.raises(InputError, match=r"is a colour picture.*--channel red, green or blue"):
        found.read()
    assert np.array_equal(open_image(path, voxel_nm=VOXEL, channel="red").read(), STACK)


def test_time_series_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ome.tif", STACK.reshape(2, 3, 64, 48), metadata={"axes": "TZYX"})
    with pytest.raises(FormatError, match=r"has axes TZYX.*save one time point"):
        read(path)


@pytest.mark.parametrize(("name", "options"), [("a.tif", {}), ("a.ome.tif", {"metadata": {"axes": "ZYX"}})])
@pytest.mark.parametrize("compression", ["zlib", "lzw"])
def test_a_damaged_page_is_named(tmp_path: Path, name: str, options: dict[str, object], compression: str) -> None:
    path = write(tmp_path / name, compression=compression, **options)
    with tifffile.TiffFile(path) as tif:
        start, length = tif.pages[3].dataoffsets[0], tif.pages[3].databytecounts[0]
    content = bytearray(path.read_bytes())
    content[start : start + length] = b"\xff" * length
    path.write_bytes(content)
    found = open_image(path, voxel_nm=VOXEL)
    assert np.array_equal(found.read(Box((0, 0, 0), (3, 64, 48))), STACK[:3])
    with pytest.raises(FormatError, match=rf"{name}.*page 4 of 6 is damaged"):
        found.read()


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"imagej": True}, {"ome": True, "compression": "zlib"}])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.97])
def test_a_file_cut_short_never_opens_as_a_shorter_one(tmp_path: Path, options: dict[str, object], part: float) -> None:
    path = write(tmp_path / "a.tif", **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(FormatError, match=r"a.tif.*damaged"):
        open_image(path, voxel_nm=VOXEL).read()


def test_not_a_tiff(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"hello, microscope")
    with pytest.raises(FormatError, match=r"a.tif.*not a TIFF file"):
        read(tmp_path / "a.tif")


def test_pages_of_mixed_size_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(STACK[0], metadata=None)
        tif.write(STACK[1, :30], metadata=None)
    with pytest.raises(FormatError, match=r"\(64, 48\) uint8 and \(30, 48\) uint8 \(page 2\)"):
        read(tmp_path / "a.tif")


def test_a_table_of_colours_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", STACK[0], photometric="palette", colormap=np.zeros((3, 256), np.uint16))
    assert "colours come from a table" in describe(path).notes[0]
    assert np.array_equal(open_labels(path, voxel_nm=VOXEL).read()[0], STACK[0])


def test_it_survives_the_way_to_another_process(tmp_path: Path) -> None:
    found = open_image(write(tmp_path / "a.tif", compression="zlib"), voxel_nm=VOXEL)
    found.read()
    assert np.array_equal(pickle.loads(pickle.dumps(found)).read(), STACK)


@pytest.mark.parametrize(
    ("largest", "dtype"), [(255, np.uint8), (256, np.uint16), (65535, np.uint16), (65536, np.uint32), (2**32 - 1, np.uint32)]
)
def test_labels_take_the_smallest_type_that_holds_them(tmp_path: Path, labels: Labels, largest: int, dtype: type) -> None:
    ids = labels.read().copy()
    ids[-1, -1, -1] = largest
    save(Labels(ids, labels.grid), tmp_path / "a.tif")
    found = open_labels(tmp_path / "a.tif").read()
    assert found.dtype == dtype
    assert np.array_equal(found, ids)


def test_ids_too_large_for_tiff_name_the_formats_that_hold_them(tmp_path: Path, labels: Labels) -> None:
    ids = labels.read().copy()
    ids[0, 0, 0] = 2**32
    with pytest.raises(ValueRangeError, match=r"ids up to 4294967296; TIFF holds ids up to 4294967295.*\.ome\.zarr, \.h5"):
        save(Labels(ids, labels.grid), tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


def test_64_bit_images_are_refused(tmp_path: Path, image: Image) -> None:
    with pytest.raises(ValueRangeError, match="uint64, which other TIFF readers"):
        save(Image(image.read().astype(np.uint64), image.grid), tmp_path / "a.tif")


def test_what_is_written_is_ome_that_others_can_read(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_ome
        assert tif.series[0].axes == "ZYX"
        assert tif.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert 'PhysicalSizeZ="30.0" PhysicalSizeZUnit="nm"' in str(tif.ome_metadata)
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), image.read())


def test_bigtiff_starts_where_offsets_end(tmp_path: Path, image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurotome.io.tiff.BIGTIFF_BYTES", image.grid.size - 1)
    save(image, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_bigtiff
    assert np.array_equal(open_image(tmp_path / "a.tif").read(), image.read())
