import numpy as np
import pytest

from neurotome import boundary
from neurotome.core import Grid, Image, UnitError, UnknownNameError


def image(voxel=(30, 6, 6), shape=(3, 96, 96)):
    return Image(np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8), Grid(shape, voxel), "stack")


def test_shipped_network_answers_with_named_uint8_channels():
    probability = boundary.predict(image(), channels=("affinity:0,0,1", "affinity:1,0,0"))
    assert probability.channels == ("affinity:0,0,1", "affinity:1,0,0")
    assert probability.read().dtype == np.uint8 and not probability.read()[1, -1].any()


def test_blocks_give_what_the_whole_gives():
    stack = image(shape=(3, 150, 170))
    whole = boundary.predict(stack).read()
    ready = boundary.predictor(stack, tile=64)
    out = np.zeros_like(whole)

    def write(box, values):
        out[(slice(None), *box.slices)] = values

    boundary.predict_blocks(ready, list(stack.grid.box.tiles((2, 100, 90))), write)
    # One grey value of 255 is the rounding of 1e-3 at most.
    assert np.abs(out.astype(int) - whole).max() <= 1


def test_foreign_voxel_size_is_refused_with_the_remedy():
    with pytest.raises(UnitError, match=r"50, 4, 4 nm.*30, 6, 6 nm.*--rescale"):
        boundary.predict(image((50, 4, 4)))
    boundary.predict(image((40, 5, 5)), channels=("affinity:1,0,0",))


def test_unknown_model_and_channel():
    with pytest.raises(UnknownNameError, match="em-affinity-25d"):
        boundary.predict(image(), "em-affinity")
    with pytest.raises(UnknownNameError, match="affinity:0,0,9"):
        boundary.predict(image(), channels=("affinity:0,0,8",))
