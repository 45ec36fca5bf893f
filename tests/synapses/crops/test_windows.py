"""Boxes of lazy volumes: right, and each stored piece unpacked once."""

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Box, Grid, Image, Labels, SynapseVolume
from neurotome.io import LazyArray, ome_zarr, open_image, save, save_sections
from neurotome.synapses.crops import IsotropicReader, WindowReader
from neurotome.synapses.crops.isotropic import resample
from neurotome.synapses.crops.windows import stored_blocks

SHAPE = (40, 12, 14)
VALUES = np.random.default_rng(0).integers(0, 255, SHAPE, np.uint8)


def counted(values, reads):
    """A stack of pictures that notes which sections are decoded."""

    def read(ranges):
        reads.update(range(*ranges[0]))
        return values[tuple(slice(a, b) for a, b in ranges)]

    return LazyArray.whole(read, values.shape, values.dtype, Path("stack.tif"))


def volume(reads, *, dtype=np.uint8):
    grid = Grid(SHAPE, (8.0, 8.0, 8.0))
    image, neurons = counted(VALUES, reads["image"]), counted(VALUES.astype(dtype), reads["neurons"])
    organelles = counted(VALUES, reads["organelles"])
    return SynapseVolume("v", Image(image, grid), Labels(neurons, grid), Labels(organelles, grid), {"cleft": (1,)})


def windows(depth):
    return [Box((z, 2, 3), (z + depth, 9, 11)) for z in range(0, SHAPE[0] - depth + 1, 3)]


def test_every_section_is_decoded_once_when_sites_come_in_order():
    reads = {"image": Counter(), "neurons": Counter(), "organelles": Counter()}
    reader = WindowReader(volume(reads, dtype=np.uint64), cache_bytes=12 * SHAPE[1] * SHAPE[2] * 10)
    for box in windows(10):
        for what in reads:
            assert np.array_equal(reader.read(what, box), VALUES[box.slices])
    for what, sections in reads.items():
        assert set(sections) == set(range(40)), what
        assert set(sections.values()) == {1}, what


def test_a_cache_smaller_than_a_window_still_gives_the_values_and_keeps_some():
    reads = {"image": Counter(), "neurons": Counter(), "organelles": Counter()}
    reader = WindowReader(volume(reads), cache_bytes=4 * SHAPE[1] * SHAPE[2] * 3)
    box = Box((0, 0, 0), (10, 12, 14))
    for _ in range(3):
        assert np.array_equal(reader.read("image", box), VALUES[:10])
    assert [reads["image"][z] for z in (0, 3, 4, 9)] == [1, 1, 3, 3]


def test_blocks_are_those_of_the_file(tmp_path):
    image = Image(VALUES, Grid(SHAPE, (8.0, 8.0, 8.0)))
    save_sections(image, tmp_path / "stack", "tif")
    assert stored_blocks(open_image(tmp_path / "stack", voxel_nm=(8, 8, 8)).data) == (1, 12, 14)
    save(image, tmp_path / "v.tif")
    assert stored_blocks(open_image(tmp_path / "v.tif").data) == (1, 12, 14)
    array = ome_zarr.create(
        tmp_path / "v.ome.zarr", shape=SHAPE, dtype=np.uint8, grid=image.grid, chunk=(4, 8, 8), shard=(8, 8, 16)
    )
    array[...].write(VALUES).result()
    lazy = open_image(tmp_path / "v.ome.zarr").data
    assert stored_blocks(lazy) == (4, 8, 8)
    assert stored_blocks(VALUES) is None
    np.save(tmp_path / "v.npy", VALUES)
    assert stored_blocks(open_image(tmp_path / "v.npy", voxel_nm=(8, 8, 8)).data) is None
    # Made of several files: the file is not told.
    assert stored_blocks(LazyArray.whole(lambda ranges: VALUES, SHAPE, np.uint8)) == (8, 256, 256)


@pytest.mark.parametrize("corner", [(0, 0, 0), (3, 5, 1)])
def test_a_part_of_a_stored_array_is_read_along_the_stored_blocks(tmp_path, corner):
    asked = []

    def read(ranges, values):
        asked.append(ranges)
        return values[tuple(slice(a, b) for a, b in ranges)]

    image = Image(VALUES, Grid(SHAPE, (8.0, 8.0, 8.0)))
    array = ome_zarr.create(
        tmp_path / "v.ome.zarr", shape=SHAPE, dtype=np.uint8, grid=image.grid, chunk=(4, 8, 8), shard=(8, 8, 16)
    )
    array[...].write(VALUES).result()
    lazy = LazyArray.whole(partial(read, values=VALUES), SHAPE, np.uint8, tmp_path / "v.ome.zarr")
    part = lazy[corner[0] :, corner[1] :, corner[2] :]
    grid = Grid(part.shape, (8.0, 8.0, 8.0))
    labels = Labels(VALUES[corner[0] :, corner[1] :, corner[2] :], grid)
    reader = WindowReader(SynapseVolume("v", Image(part, grid), labels, labels, {"cleft": (1,)}))
    found = reader.read("image", Box((2, 1, 2), (9, 6, 11)))
    assert np.array_equal(found, part[2:9, 1:6, 2:11])
    whole = [r for r in asked if r[0][1] - r[0][0] <= 4]
    assert all(b % 4 == 0 for r in whole for b in r[0][1:])


class TestIsotropic:
    def reader(self):
        grid = Grid(SHAPE, (40.0, 8.0, 8.0))
        labels = Labels(VALUES, grid)
        held = SynapseVolume("v", Image(VALUES, grid), labels, labels, {"cleft": (1,)})
        return IsotropicReader(WindowReader(held), 8.0)

    def test_ids_are_repeated_and_grey_values_lie_between(self):
        reader = self.reader()
        assert reader.shape == (200, 12, 14)
        box = Box((50, 0, 0), (60, 12, 14))
        assert np.array_equal(reader.read("neurons", box), np.repeat(VALUES[10:12], 5, 0))
        image = reader.read("image", box).astype(int)
        # The middle cube of five is the middle of the section; two cubes on, it is 2/5 of the way to the next.
        assert np.array_equal(image[2], VALUES[10])
        assert np.abs(image[4] - (0.6 * VALUES[10] + 0.4 * VALUES[11])).max() <= 0.5
        assert reader.position((10, 3, 4)) == pytest.approx((52, 3, 4))

    def test_the_ends_of_the_volume_go_on(self):
        reader = self.reader()
        top, bottom = reader.read("image", Box((0, 0, 0), (3, 12, 14))), reader.read("image", Box((197, 0, 0), (200, 12, 14)))
        assert np.array_equal(top, np.repeat(VALUES[:1], 3, 0))
        assert np.array_equal(bottom, np.repeat(VALUES[-1:], 3, 0))

    def test_larger_cubes(self):
        found = resample(np.arange(8.0).reshape(1, 1, 8), [np.zeros(1), np.zeros(1), np.array([0.5, 2.5, 4.5])], linear=True)
        assert found.ravel().tolist() == [0.5, 2.5, 4.5]
