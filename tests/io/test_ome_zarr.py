import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from neurotome.core import Box, FormatError, Grid, Image, InputError, Labels, MissingFileError, ShapeError, UnitError
from neurotome.io import describe, ome_zarr, open_image, open_labels, open_probability, save

STACK = np.random.default_rng(0).integers(0, 255, (6, 40, 50), np.uint8)


def old(path: Path, axes: str = "zyx", unit: str | None = "nanometer", pixels: np.ndarray = STACK, **more: Any) -> Path:
    """A 0.4 image with two levels, as other programs write it."""
    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    for level in (0, 1):
        values = pixels[..., :: 2**level, :: 2**level]
        group.create_array(str(level), data=values, chunks=tuple(min(n, 16) for n in values.shape))
    kinds = {"t": "time", "c": "channel"}
    named = [{"name": a, "type": kinds.get(a, "space"), **({"unit": unit} if a in "zyx" and unit else {})} for a in axes]
    sizes = {"z": 30.0, "y": 6.0, "x": 4.0}
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [sizes.get(a, 1.0) * (2**level if a in "yx" else 1) for a in axes]},
                {"type": "translation", "translation": [{"z": 60.0, "x": 8.0}.get(a, 0.0) for a in axes]},
            ],
        }
        for level in (0, 1)
    ]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": named, "datasets": datasets, **more}]
    return path


@pytest.mark.parametrize("axes", ["zyx", "czyx", "tzyx", "tczyx", "yx", "cyx", "zxy"])
def test_axes_in_any_subset_and_order(tmp_path: Path, axes: str) -> None:
    wanted = STACK if "z" in axes else STACK[:1]
    letters = [a for a in "zyx" if a in axes]
    pixels = wanted if "z" in axes else wanted[0]
    pixels = pixels.transpose([letters.index(a) for a in axes if a in "zyx"])
    for _ in [a for a in axes if a in "tc"]:
        pixels = pixels[None]
    path = old(tmp_path / "a.zarr", axes, pixels=pixels)
    assert np.array_equal(open_image(path, voxel_nm=(30, 6, 4)).read(), wanted)
    assert describe(path).voxel_nm == ((30.0, 6.0, 4.0) if "z" in axes else None)


@pytest.mark.parametrize(("unit", "factor"), [("nanometer", 1), ("micrometer", 1e3), ("angstrom", 0.1), ("millimeter", 1e6)])
def test_units(tmp_path: Path, unit: str, factor: float) -> None:
    grid = open_image(old(tmp_path / "a.zarr", unit=unit)).grid
    assert grid.voxel_nm == pytest.approx((30 * factor, 6 * factor, 4 * factor))
    assert grid.origin_nm == pytest.approx((60 * factor, 0, 8 * factor))


@pytest.mark.parametrize("unit", [None, "second", "pixel"])
def test_a_scale_without_a_length_unit_says_nothing(tmp_path: Path, unit: str | None) -> None:
    with pytest.raises(UnitError, match="--voxel-nm Z Y X"):
        open_image(old(tmp_path / "a.zarr", unit=unit))


def test_the_transformation_of_the_image_comes_after_that_of_the_level(tmp_path: Path) -> None:
    whole = [{"type": "scale", "scale": [2.0, 2.0, 2.0]}, {"type": "translation", "translation": [1.0, 0.0, 0.0]}]
    grid = open_image(old(tmp_path / "a.zarr", coordinateTransformations=whole)).grid
    assert (grid.voxel_nm, grid.origin_nm) == ((60.0, 12.0, 8.0), (121.0, 0.0, 16.0))


def test_a_level_by_its_path(tmp_path: Path) -> None:
    found = open_image(old(tmp_path / "a.zarr") / "1")
    assert found.grid.voxel_nm == (30.0, 12.0, 8.0)
    assert np.array_equal(found.read(), STACK[:, ::2, ::2])
    assert describe(tmp_path / "a.zarr").levels == 2


def test_a_group_with_one_image_inside(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "g.zarr"), mode="w", zarr_format=2)
    old(tmp_path / "g.zarr" / "0")
    assert np.array_equal(open_image(tmp_path / "g.zarr").read(), STACK)
    old(tmp_path / "g.zarr" / "1")
    with pytest.raises(FormatError, match=r"holds 2 images \(0, 1\)"):
        open_image(tmp_path / "g.zarr")


@pytest.mark.parametrize("version", [2, 3])
def test_a_bare_array_has_no_voxel_size(tmp_path: Path, version: int) -> None:
    zarr.create_array(str(tmp_path / "a.zarr"), data=STACK, zarr_format=version)
    assert np.array_equal(open_image(tmp_path / "a.zarr", voxel_nm=(30, 6, 4)).read(), STACK)
    assert describe(tmp_path / "a.zarr").voxel_nm is None


def test_channel_names(tmp_path: Path) -> None:
    path = old(tmp_path / "a.zarr", "czyx", pixels=np.stack([STACK, 255 - STACK]))
    with pytest.raises(InputError, match=r"has 2 channels \(0, 1\)"):
        open_image(path)
    attributes = json.loads((path / ".zattrs").read_text())
    (path / ".zattrs").write_text(json.dumps({**attributes, "omero": {"channels": [{"label": "em"}, {"label": "inverse"}]}}))
    assert np.array_equal(open_image(path, channel="inverse").read(), 255 - STACK)


def test_time_series_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="2 time points"):
        open_image(old(tmp_path / "a.zarr", "tzyx", pixels=np.stack([STACK, STACK])))


def test_unknown_transformations_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="rotation"):
        open_image(old(tmp_path / "a.zarr", coordinateTransformations=[{"type": "rotation", "rotation": []}]))


def test_crops_start_at_their_own_zero(tmp_path: Path) -> None:
    found = open_image(old(tmp_path / "a.zarr")).crop(Box((1, 2, 3), (5, 30, 40)))
    assert np.array_equal(found.read(Box((0, 0, 0), (2, 3, 4))), STACK[1:3, 2:5, 3:7])
    assert found.grid.origin_nm == (90.0, 12.0, 20.0)
    assert np.array_equal(pickle.loads(pickle.dumps(found)).read(), STACK[1:5, 2:30, 3:40])


def test_created_arrays_are_sharded_and_read_by_others(tmp_path: Path) -> None:
    grid = Grid((40, 100, 120), (30.0, 6.0, 4.0), (1.0, 2.0, 3.0))
    names = ("membrane", "affinity:1,0,0")
    array = ome_zarr.create(
        tmp_path / "a.ome.zarr",
        shape=(2, *grid.shape),
        dtype=np.uint8,
        grid=grid,
        channels=names,
        chunk=(8, 64, 64),
        shard=(16, 128, 128),
    )
    values = np.random.default_rng(0).integers(0, 255, (2, *grid.shape), np.uint8)
    assert ome_zarr.shard_shape(array) == (16, 128, 128)
    for box in grid.box.tiles((16, 100, 120)):
        array[(slice(None), *box.slices)].write(values[(slice(None), *box.slices)]).result()
    theirs = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="r")["0"]
    assert np.array_equal(theirs[:], values)
    assert (theirs.chunks, theirs.shards) == ((1, 8, 64, 64), (1, 16, 128, 128))
    ours = open_probability(tmp_path / "a.ome.zarr")
    assert (ours.grid, ours.channels) == (grid, names)
    assert np.array_equal(ours.read(), values)


def test_small_volumes_are_not_padded(tmp_path: Path) -> None:
    ome_zarr.create(tmp_path / "a.zarr", shape=(3, 20, 300), dtype=np.uint64, grid=Grid((3, 20, 300), (1, 1, 1)))
    found = describe(tmp_path / "a.zarr")
    assert (found.chunk, found.shard, found.kind) == ((3, 20, 256), (3, 20, 512), "labels")


def test_never_written_is_zero(tmp_path: Path) -> None:
    ome_zarr.create(tmp_path / "a.zarr", shape=(3, 4, 5), dtype=np.uint8, grid=Grid((3, 4, 5), (1, 1, 1)))
    assert not open_image(tmp_path / "a.zarr").read().any()


def test_create_refuses_what_does_not_fit(tmp_path: Path) -> None:
    grid = Grid((3, 4, 5), (1, 1, 1))
    with pytest.raises(ShapeError, match=r"\(2, 3, 4, 5\), as grid and channels say"):
        ome_zarr.create(tmp_path / "a.zarr", shape=(3, 4, 5), dtype=np.uint8, grid=grid, channels=("a", "b"))
    ome_zarr.create(tmp_path / "a.zarr", shape=(3, 4, 5), dtype=np.uint8, grid=grid)
    with pytest.raises(InputError, match="exists already"):
        ome_zarr.create(tmp_path / "a.zarr", shape=(3, 4, 5), dtype=np.uint8, grid=grid)
    ome_zarr.create(tmp_path / "a.zarr", shape=(3, 4, 5), dtype=np.uint16, grid=grid, overwrite=True)
    assert describe(tmp_path / "a.zarr").dtype == "uint16"


def test_labels_keep_64_bit_and_their_legend(tmp_path: Path, labels: Labels) -> None:
    ids = labels.read().copy()
    ids[0, 0, 0] = 2**64 - 1
    save(Labels(ids, labels.grid, labels.legend), tmp_path / "a.ome.zarr")
    found = open_labels(tmp_path / "a.ome.zarr")
    assert np.array_equal(found.read(), ids)
    assert found.legend == labels.legend
    assert describe(tmp_path / "a.ome.zarr").format == "OME-Zarr 0.5"


def damage(folder: Path) -> Path:
    path = max((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    return path


def test_a_flipped_shard_is_named(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.zarr")
    found = open_image(tmp_path / "a.zarr")
    path = damage(tmp_path / "a.zarr")
    with pytest.raises(FormatError, match=f"damaged.*{path}"):
        found.read()


def test_a_cut_chunk_of_an_old_zarr_is_named(tmp_path: Path) -> None:
    path = max((old(tmp_path / "a.zarr") / "0").iterdir(), key=lambda p: p.stat().st_size)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FormatError, match=f"damaged.*{path}"):
        open_image(tmp_path / "a.zarr").read()


@pytest.mark.parametrize("content", ["{", '{"zarr_format": 3, "node_type": "array"}'])
def test_damaged_metadata_is_named(tmp_path: Path, image: Image, content: str) -> None:
    save(image, tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "0" / "zarr.json").write_text(content)
    with pytest.raises(FormatError, match=r"a.zarr/0"):
        open_image(tmp_path / "a.zarr")


def test_an_empty_folder_called_zarr(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(FormatError, match="is not a Zarr group or array"):
        open_image(tmp_path / "a.zarr")


def test_writing_can_go_on_in_a_volume_made_before(tmp_path: Path) -> None:
    grid = Grid((6, 8, 10), (30, 6, 4))
    ome_zarr.create(tmp_path / "a.zarr", shape=(2, *grid.shape), dtype=np.uint8, grid=grid, channels=("a", "b"))
    box = Box((2, 0, 3), (4, 8, 10))
    values = np.random.default_rng(0).integers(1, 255, (2, *box.shape), np.uint8)
    ome_zarr.write_box(ome_zarr.reopen(tmp_path / "a.zarr"), box, values)
    found = open_probability(tmp_path / "a.zarr").read()
    assert np.array_equal(found[(slice(None), *box.slices)], values)
    assert np.count_nonzero(found) == values.size


def test_the_files_of_a_box_are_those_that_writing_it_makes(tmp_path: Path) -> None:
    grid, path = Grid((20, 50, 60), (30, 6, 4)), tmp_path / "a.zarr"
    array = ome_zarr.create(
        path, shape=(2, *grid.shape), dtype=np.uint8, grid=grid, channels=("a", "b"), chunk=(8, 16, 16), shard=(8, 32, 32)
    )
    box = Box((8, 30, 0), (20, 40, 32))
    ome_zarr.write_box(array, box, np.ones((2, *box.shape), np.uint8))
    written = [p for p in (path / "0").rglob("*") if p.is_file() and p.name != "zarr.json"]
    assert sorted(ome_zarr.shard_files(path, box)) == sorted(written) and len(written) == 2 * 2 * 2
    assert ome_zarr.shard_files(path, Box((3, 3, 3), (3, 9, 9))) == []
    with pytest.raises(MissingFileError, match=r"a\.zarr/1"):
        ome_zarr.shard_files(path, box, level=1)
