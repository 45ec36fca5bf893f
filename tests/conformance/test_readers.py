"""What every reader and writer of volumes must do, whatever the format.

A new format joins by one line in READERS, and in WRITERS if it is also written.
"""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr

from neurotome.core import Box, Grid, Image, Labels, Legend, Probability
from neurotome.datasets import data_root
from neurotome.io import (
    PrecomputedScale,
    VolumeSource,
    create_scales,
    describe,
    open_image,
    open_labels,
    open_probability,
    open_volume,
    save,
    sha256,
)
from neurotome.io.source import Volume

GRID = Grid((11, 40, 52), (30.0, 6.0, 4.6), (60.0, 12.0, 46.0))
PLAIN = Grid(GRID.shape, GRID.voxel_nm)
VALUES = np.random.default_rng(0).integers(0, 255, GRID.shape, np.uint8)

WRITERS = [".ome.zarr", ".tif", ".h5", ".precomputed"]


def make_tiff(path: Path) -> Path:
    tifffile.imwrite(path / "a.tif", VALUES)
    return path / "a.tif"


def make_ome_tiff(path: Path) -> Path:
    sizes = {"PhysicalSizeZ": 0.03, "PhysicalSizeY": 0.006, "PhysicalSizeX": 4.6, "PhysicalSizeXUnit": "nm"}
    tifffile.imwrite(path / "a.ome.tif", VALUES, metadata={"axes": "ZYX", **sizes}, compression="zlib")
    return path / "a.ome.tif"


def make_imagej(path: Path) -> Path:
    metadata = {"spacing": 0.03, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(path / "a.tif", VALUES, imagej=True, resolution=(1 / 0.0046, 1 / 0.006), metadata=metadata)
    return path / "a.tif"


def make_sections(path: Path) -> Path:
    for z, section in enumerate(VALUES):
        imagecodecs.imwrite(str(path / f"{z}.png"), section)
    return path


def make_hdf5(path: Path) -> str:
    with h5py.File(path / "a.h5", "w") as file:
        file["volumes/raw"] = VALUES
        file["volumes/raw"].attrs["resolution"] = GRID.voxel_nm
        file["volumes/labels"] = VALUES
    return f"{path}/a.h5:/volumes/raw"


def make_old_ome_zarr(path: Path) -> Path:
    group = zarr.open_group(str(path / "a.zarr"), mode="w", zarr_format=2)
    group.create_array("s0", data=VALUES, chunks=(4, 16, 16))
    axes = [{"name": a, "type": "space", "unit": "nanometer"} for a in "zyx"]
    scale = [{"type": "scale", "scale": list(GRID.voxel_nm)}]
    group.attrs["multiscales"] = [
        {"version": "0.4", "axes": axes, "datasets": [{"path": "s0", "coordinateTransformations": scale}]}
    ]
    return path / "a.zarr"


def make_npy(path: Path) -> Path:
    np.save(path / "a.npy", VALUES)
    return path / "a.npy"


def make_nrrd(encoding: str) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        directions = 'space directions: (4.6,0,0) (0,6,0) (0,0,30)\nspace units: "nm" "nm" "nm"'
        header = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 52 40 11\nencoding: {encoding}\n{directions}\n\n"
        content = VALUES.tobytes() if encoding == "raw" else gzip.compress(VALUES.tobytes())
        (path / "a.nrrd").write_bytes(header.encode() + content)
        return path / "a.nrrd"

    return make


def make_v3draw(path: Path) -> Path:
    sizes = struct.pack("<h4i", 1, *GRID.shape[::-1], 1)
    (path / "a.v3draw").write_bytes(b"raw_image_stack_by_hpengL" + sizes + VALUES.tobytes())
    return path / "a.v3draw"


def make_v3dpbd(path: Path) -> Path:
    runs = [VALUES.ravel()[at : at + 33].tobytes() for at in range(0, VALUES.size, 33)]
    packed = b"".join(bytes([len(run) - 1]) + run for run in runs)
    (path / "a.v3dpbd").write_bytes(b"v3d_volume_pkbitdf_encodL" + struct.pack("<h4i", 1, *GRID.shape[::-1], 1) + packed)
    return path / "a.v3dpbd"


def make_written(suffix: str) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        save(Image(VALUES, PLAIN), path / f"a{suffix}")
        return path / f"a{suffix}"

    return make


def make_sharded(path: Path) -> Path:
    source = VolumeSource(str(make_written(".ome.zarr")(path)))
    (path / "sharded").mkdir()
    for scale in range(create_scales(path / "sharded", source.open())):
        work = PrecomputedScale(path / "sharded", scale, source)
        for block in work.blocks():
            work(block)
    return path / "sharded"


READERS: dict[str, Callable[[Path], Path | str]] = {
    "TIFF": make_tiff,
    "OME-TIFF": make_ome_tiff,
    "ImageJ": make_imagej,
    "sections": make_sections,
    "HDF5": make_hdf5,
    "OME-Zarr 0.4": make_old_ome_zarr,
    "NumPy": make_npy,
    "NRRD": make_nrrd("raw"),
    "NRRD (gzip)": make_nrrd("gzip"),
    "Vaa3D": make_v3draw,
    "Vaa3D (packed)": make_v3dpbd,
    "sharded precomputed": make_sharded,
    **{f"written {suffix}": make_written(suffix) for suffix in WRITERS},
}
UNITLESS = {"TIFF", "sections", "NumPy", "Vaa3D", "Vaa3D (packed)"}


@pytest.fixture(params=READERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    return open_image(READERS[request.param](tmp_path), voxel_nm=GRID.voxel_nm)


def test_values_and_voxel_size(opened: Image) -> None:
    assert opened.grid == PLAIN
    assert np.array_equal(opened.read(), VALUES)
    assert opened.read().dtype == np.uint8


@pytest.mark.parametrize("box", [Box((0, 0, 0), (1, 1, 1)), Box((9, 3, 15), (11, 40, 33)), Box((4, 4, 4), (4, 4, 4))])
def test_any_box(opened: Image, box: Box) -> None:
    assert np.array_equal(opened.read(box), VALUES[box.slices])
    assert np.array_equal(opened.crop(box).read(), VALUES[box.slices]) if box.size else True


def test_lazy_arrays_behave_like_arrays(opened: Image) -> None:
    assert opened.data.shape == GRID.shape
    assert opened.data.dtype == np.uint8
    assert np.array_equal(np.asarray(opened.data[3]), VALUES[3])
    assert np.array_equal(np.asarray(opened.data[-1, 5:9, ::2]), VALUES[-1, 5:9, ::2])


@pytest.mark.parametrize("name", READERS)
def test_describe_agrees_with_open(tmp_path: Path, name: str) -> None:
    found = describe(READERS[name](tmp_path))
    assert found.shape == GRID.shape
    assert found.dtype == "uint8"
    assert found.voxel_nm == (None if name in UNITLESS else GRID.voxel_nm)
    assert found.kind == "image"


@pytest.mark.parametrize("target", WRITERS)
@pytest.mark.parametrize("name", READERS)
def test_conversion_keeps_voxel_size_and_values_and_leaves_the_source_alone(tmp_path: Path, name: str, target: str) -> None:
    (tmp_path / "in").mkdir()
    source = READERS[name](tmp_path / "in")
    before = sha256(source)
    save(open_image(source, voxel_nm=GRID.voxel_nm), tmp_path / f"out{target}")
    result = open_image(tmp_path / f"out{target}")
    assert result.grid == PLAIN
    assert np.array_equal(result.read(), VALUES)
    assert sha256(source) == before


def volume(kind: str) -> Volume:
    rng = np.random.default_rng(1)
    if kind == "labels":
        return Labels(rng.integers(0, 70_000, GRID.shape).astype(np.uint64), GRID, Legend({5: "axon", 69_999: "glia, left"}))
    if kind == "image":
        return Image(rng.random(GRID.shape, np.float32), GRID)
    dtype = np.uint8 if kind == "bytes" else np.float16 if kind == "half" else np.float32
    values = (rng.random((3, *GRID.shape)) * (255 if kind == "bytes" else 1)).astype(dtype)
    return Probability(values, GRID, ("membrane", "affinity:1,0,0", "affinity:0,-3,0"))


@pytest.mark.parametrize("kind", ["image", "labels", "float", "half", "bytes"])
@pytest.mark.parametrize("second", WRITERS)
@pytest.mark.parametrize("first", WRITERS)
def test_nothing_is_lost_between_any_two_formats(tmp_path: Path, kind: str, first: str, second: str) -> None:
    original = volume(kind)
    save(original, tmp_path / f"first{first}")
    save(open_volume(tmp_path / f"first{first}"), tmp_path / f"second{second}")
    result = open_volume(tmp_path / f"second{second}")
    assert type(result) is type(original)
    assert result.grid == GRID
    assert np.array_equal(np.asarray(result.data), np.asarray(original.data))
    if isinstance(original, Labels) and isinstance(result, Labels):
        assert result.legend == original.legend
    if isinstance(original, Probability) and isinstance(result, Probability):
        assert result.channels == original.channels


@pytest.mark.parametrize("suffix", [s for s in WRITERS if s != ".tif"])
def test_ids_of_64_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    ids = np.zeros(GRID.shape, np.uint64)
    ids[0, 0, :3] = 2**64 - 1, 2**53 + 1, 2**32
    save(Labels(ids, GRID), tmp_path / f"a{suffix}")
    assert np.array_equal(open_labels(tmp_path / f"a{suffix}").read(), ids)


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_probability_keeps_each_channel_apart(tmp_path: Path, suffix: str) -> None:
    original = volume("bytes")
    assert isinstance(original, Probability)
    save(original, tmp_path / f"a{suffix}")
    found = open_probability(tmp_path / f"a{suffix}")
    box = Box((2, 3, 4), (9, 30, 40))
    assert np.array_equal(found.read(("affinity:0,-3,0",), box)[0], original.read()[2][box.slices])


@pytest.mark.realdata
@pytest.mark.parametrize("suffix", WRITERS)
def test_real_sections_and_labels(tmp_path: Path, suffix: str) -> None:
    folder = Path(data_root()) / "isbi2012"
    if not folder.is_dir():
        pytest.skip("real data is not on this machine: set NEUROTOME_DATA")
    image, labels = open_image(folder / "train-volume.ome.tif"), open_labels(folder / "train-labels.ome.tif")
    assert image.grid == labels.grid == Grid((24, 512, 512), (50.0, 4.0, 4.0))
    for name, original in (("image", image), ("labels", labels)):
        save(original, tmp_path / f"{name}{suffix}")
        result = open_volume(tmp_path / f"{name}{suffix}")
        assert result.grid == original.grid
        assert np.array_equal(np.asarray(result.data), np.asarray(original.data))
