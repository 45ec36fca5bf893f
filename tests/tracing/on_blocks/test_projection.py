import numpy as np
import pytest

from neurotome.blocks import blocks_of
from neurotome.core import Grid, Image
from neurotome.io import save
from neurotome.tracing.on_blocks.projection import ProjectBlock
from neurotome.tracing.on_blocks.values import ValuesFile

SHAPE = (20, 60, 50)


@pytest.mark.parametrize("block", [(8, 16, 64), (20, 60, 50)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int16])
def test_projections_are_the_largest_values_along_each_axis(rng, tmp_path, block, dtype):
    values = (rng.normal(size=SHAPE) * 40 + (128 if dtype == np.uint8 else -500)).astype(dtype)
    save(Image(values, Grid(SHAPE, (300, 200, 200))), tmp_path / "a.h5")
    blocks = blocks_of(Grid(SHAPE, (300, 200, 200)), block)
    work = ProjectBlock(ValuesFile(str(tmp_path / "a.h5"), "image"), tmp_path / "views")
    for one in blocks:
        work(one)
    found = work.joined(blocks, SHAPE)
    for axis, name in enumerate("zyx"):
        np.testing.assert_array_equal(found[name], values.max(axis))


def test_a_long_volume_is_thinned_and_keeps_thin_lines(tmp_path):
    values = np.zeros((4, 8, 3301), np.uint8)
    values[2, 3, 3300] = 9
    grid = Grid(values.shape, (300, 200, 200))
    save(Image(values, grid), tmp_path / "a.h5")
    blocks = blocks_of(grid, (4, 8, 1000))
    work = ProjectBlock(ValuesFile(str(tmp_path / "a.h5"), "image"), tmp_path / "views")
    for one in blocks:
        work(one)
    found = work.joined(blocks, grid.shape)["z"]
    assert found.shape == (3, 1101) and found[1, 1100] == 9 and found.sum() == 9
