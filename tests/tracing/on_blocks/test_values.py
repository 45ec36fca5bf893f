"""What is traced, by its path: scales, counts, bricks from blocks."""

import numpy as np
import pytest

from neurotome.blocks import blocks_of
from neurotome.core import Box, Grid, Image, Probability, ShapeError, UnknownNameError, ValueRangeError
from neurotome.io import save
from neurotome.tracing.on_blocks.values import CountValues, GatherBricks, ValuesFile, brick_aligned
from neurotome.tracing.sparse.bricks import Bricks

SHAPE = (40, 70, 90)
GRID = Grid(SHAPE, (300.0, 200.0, 200.0))


@pytest.fixture
def stored(rng, tmp_path):
    """A function that saves an array as an image and names the file."""

    def write(values, name="stack.ome.tif"):
        save(Image(values, GRID), tmp_path / name)
        return str(tmp_path / name)

    return write


def _settled(source, folder, block=(32, 64, 64)):
    blocks = blocks_of(source.grid(), block)
    work = CountValues(source, folder)
    for one in blocks:
        work(one)
    return work, blocks, work.settled(blocks)


def test_bytes_are_probabilities_as_they_are(stored, rng, tmp_path):
    values = rng.integers(0, 256, SHAPE).astype(np.uint8)
    _, _, source = _settled(ValuesFile(stored(values)), tmp_path / "counts")
    assert (source.offset, source.factor) == (0.0, 1.0)
    np.testing.assert_array_equal(source.read(GRID.box), values)


def test_a_mask_becomes_sure(stored, rng, tmp_path):
    mask = (rng.random(SHAPE) > 0.9).astype(np.uint8)
    _, _, source = _settled(ValuesFile(stored(mask)), tmp_path / "counts")
    np.testing.assert_array_equal(source.read(GRID.box), 255 * mask)


def test_fractions_are_rounded(tmp_path):
    values = np.zeros((1, *SHAPE), np.float32)
    values[0, 0, 0, :3] = 0.5, 1.0, 0.001
    path = tmp_path / "map.ome.zarr"
    save(Probability(values, GRID, ("neurite",)), path)
    _, _, source = _settled(ValuesFile(str(path)), tmp_path / "counts")
    assert source.read(Box((0, 0, 0), (1, 1, 3))).tolist() == [[[128, 255, 0]]]


def test_an_image_is_stretched_between_its_ends(stored, rng, tmp_path):
    values = rng.integers(100, 200, SHAPE).astype(np.uint16)
    values[3, 4, 5] = 65535  # one hot voxel does not decide
    work, blocks, source = _settled(ValuesFile(stored(values), "image"), tmp_path / "counts")
    found = source.read(GRID.box)
    assert found.min() == 0 and found[3, 4, 5] == 255
    assert (found == 255).mean() < 0.02
    np.testing.assert_array_equal(work.scaled_counts(blocks, source), np.bincount(found.reshape(-1), minlength=256))


def test_wide_integers_are_no_probability(stored, tmp_path):
    with pytest.raises(ValueRangeError, match=r"uint16 and values up to 300.*--raw"):
        _settled(ValuesFile(stored(np.full(SHAPE, 300, np.uint16))), tmp_path / "counts")


def test_a_constant_image_is_refused(stored, tmp_path):
    with pytest.raises(ValueRangeError, match="has the value 7 everywhere"):
        _settled(ValuesFile(stored(np.full(SHAPE, 7, np.uint8)), "image"), tmp_path / "counts")


def test_what_is_not_finite_is_named_with_its_voxel(tmp_path):
    values = np.zeros(SHAPE, np.float32)
    values[35, 66, 80] = np.nan
    save(Image(values, GRID), tmp_path / "nan.h5")
    with pytest.raises(ValueRangeError, match=r"not finite at voxel \(35, 66, 80\)"):
        _settled(ValuesFile(str(tmp_path / "nan.h5"), "image"), tmp_path / "counts")


def test_one_section_is_no_stack(tmp_path):
    save(Image(np.zeros((1, 50, 50), np.uint8), Grid((1, 50, 50), (300, 200, 200))), tmp_path / "flat.ome.tif")
    with pytest.raises(ShapeError, match=r"one section of 50 x 50.*projection"):
        ValuesFile(str(tmp_path / "flat.ome.tif"), "image").open()


def test_unknown_kind():
    with pytest.raises(UnknownNameError, match="image, probability"):
        ValuesFile("a.tif", "labels")


@pytest.mark.parametrize("block", [(32, 32, 32), (64, 32, 96), (40, 70, 90)])
def test_bricks_do_not_depend_on_the_blocks(stored, rng, tmp_path, block):
    values = (rng.random(SHAPE) > 0.9999).astype(np.uint8) * rng.integers(1, 256, SHAPE).astype(np.uint8)
    source = ValuesFile(stored(values), "image")
    blocks = blocks_of(GRID, brick_aligned(block))
    work = GatherBricks(source, 20, tmp_path / "bricks")
    for one in reversed(blocks):
        work(one)
    expected, found = Bricks.of(values, GRID.voxel_nm, floor=20), work.joined(blocks)
    np.testing.assert_array_equal(found.table, expected.table)
    np.testing.assert_array_equal(found.values, expected.values)
    assert 0 < len(found.values) < found.table.size
