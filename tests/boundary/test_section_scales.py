"""Grey scales found in parts are those of whole sections, to the last bit, in whatever way the image is stored and cut."""

import numpy as np
import pytest

from neurotome import boundary
from neurotome.blocks import Engine, Step, blocks_of, make_executor
from neurotome.boundary.section_scales import grown
from neurotome.core import Grid, Image, ValueRangeError
from neurotome.io import ome_zarr, open_image, save
from neurotome.io.source import numpy_dtype
from neurotome.nn import section_scales

GRID = Grid((10, 96, 150), (30.0, 6.0, 6.0))


def stored(values: np.ndarray, path, chunk=(4, 32, 32)) -> boundary.ImageFile:
    if path.name.endswith(".zarr"):
        array = ome_zarr.create(path, shape=values.shape, dtype=values.dtype, grid=GRID, kind="image", chunk=chunk, shard=chunk)
        array.write(values).result()
    elif path.suffix == ".npy":
        np.save(path, values)
    else:
        save(Image(values, GRID), path)
    return boundary.ImageFile(str(path), GRID.voxel_nm if path.suffix == ".npy" else None)


def found(source, method, folder, *, workers=1) -> tuple[np.ndarray, int]:
    """The scales by blocks, and how many blocks there were."""
    work = boundary.SectionScales(source, method, folder / "parts")
    blocks = blocks_of(source.open().grid, work.shape())
    with make_executor(workers=workers) as executor:
        Engine(folder, key="k", executor=executor).run(Step("grey-scales", blocks, work))
    return work.merged(blocks), len(blocks)


def whole(source, method) -> np.ndarray:
    image = open_image(source.path, voxel_nm=source.voxel_nm) if source.resample_nm is None else source.open()
    return section_scales(image.read, image.grid.shape, numpy_dtype(image.data), method)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr("neurotome.boundary.section_scales.BLOCK_VOXELS", 20_000)
    monkeypatch.setattr("neurotome.boundary.section_scales.SCALED_AT_ONCE", 5_000)


@pytest.mark.parametrize("method", ["section_zscore", "percentile", "unit", "signed_unit"])
@pytest.mark.parametrize(
    ("name", "dtype"), [("a.ome.zarr", "uint8"), ("a.ome.zarr", "uint16"), ("a.ome.tif", "uint8"), ("a.npy", "int16")]
)
def test_counted_grey_values_may_be_cut_anywhere(rng, small_parts, tmp_path, name, dtype, method):
    source = stored(
        rng.integers(0, 120, GRID.shape).astype(dtype) * np.array(range(1, 11))[:, None, None].astype(dtype), tmp_path / name
    )
    scales, blocks = found(source, method, tmp_path)
    assert blocks > 4 and scales.dtype == np.float32
    assert np.array_equal(scales, whole(source, method))


@pytest.mark.parametrize("method", ["section_zscore", "percentile"])
def test_grey_values_with_fractions_come_in_whole_sections(rng, small_parts, tmp_path, method):
    source = stored(rng.normal(3, 40, GRID.shape).astype(np.float32), tmp_path / "a.ome.zarr")
    scales, blocks = found(source, method, tmp_path)
    assert blocks == 3
    assert np.array_equal(scales, whole(source, method))


def test_an_image_that_is_resampled_and_two_workers(rng, tmp_path):
    plain = stored(rng.integers(0, 256, GRID.shape).astype(np.uint8), tmp_path / "a.ome.zarr")
    source = boundary.ImageFile(plain.path, resample_nm=(30.0, 12.0, 12.0))
    assert plain.chunk() == (4, 32, 32) and source.chunk() == (4, 16, 16)
    assert np.array_equal(found(source, "section_zscore", tmp_path, workers=2)[0], whole(source, "section_zscore"))


def test_the_real_stack(snemi3d, small_parts, tmp_path):
    save(
        Image(snemi3d.image.read()[:5], Grid((5, *snemi3d.image.grid.shape[1:]), snemi3d.image.grid.voxel_nm)),
        tmp_path / "a.ome.zarr",
    )
    source = boundary.ImageFile(str(tmp_path / "a.ome.zarr"))
    assert np.array_equal(found(source, "section_zscore", tmp_path)[0], whole(source, "section_zscore"))


def test_grey_values_that_say_nothing_are_named_when_all_is_known(rng, small_parts, tmp_path):
    with pytest.raises(ValueRangeError, match="Every section of the image is constant"):
        found(stored(np.full(GRID.shape, 7, np.uint8), tmp_path / "flat.ome.zarr"), "section_zscore", tmp_path / "1")
    broken = rng.normal(0, 1, GRID.shape).astype(np.float32)
    broken[6, 41, 6] = np.nan
    with pytest.raises(ValueRangeError, match=r"Section 6 is not finite at \(y, x\) = \(41, 6\)"):
        found(stored(broken, tmp_path / "broken.ome.zarr"), "section_zscore", tmp_path / "2")


def test_blocks_of_a_huge_image_are_whole_chunks_of_bounded_size():
    huge = (20_000, 100_000, 60_000)
    for chunk in ((1, 4096, 4096), (16, 256, 256), (64, 64, 64), (1, 1, 60_000)):
        block = grown(chunk, (64, *huge[1:]), 2**30)
        assert 2**28 < np.prod(block) <= 2**30
        assert all(b % c == 0 or b == n for b, c, n in zip(block, chunk, huge, strict=True))
