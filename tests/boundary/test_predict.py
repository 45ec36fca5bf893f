import numpy as np
import pytest

from neurotome import boundary
from neurotome.core import Box, Grid, Image, UnitError, UnknownNameError


def image(voxel=(30, 6, 6), shape=(3, 96, 96)):
    return Image(np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8), Grid(shape, voxel), "stack")


def test_shipped_network_answers_with_named_uint8_channels():
    probability = boundary.predict(image(), channels=("affinity:0,0,1", "affinity:1,0,0"))
    assert probability.channels == ("affinity:0,0,1", "affinity:1,0,0")
    assert probability.read().dtype == np.uint8 and not probability.read()[1, -1].any()


@pytest.mark.parametrize("source", ["phantom", "snemi3d"])
def test_any_box_has_the_bits_of_the_whole(source, small_phantom, rng, request):
    """In float32, where arrays of another shape round differently, and wider than the network sees: tiles do differ."""
    pixels = (small_phantom.image if source == "phantom" else request.getfixturevalue("snemi3d").image).read()
    pixels = np.concatenate([pixels[4:6, 9:73, :128]] * 3, axis=2) if source == "phantom" else pixels[4:6, 9:73, 11:395]
    stack = Image(pixels, Grid(pixels.shape, (30, 6, 6)))
    ready = boundary.predictor(stack, tile=64, bf16=False)
    expected, rounded = ready(stack.grid.box), boundary.predict_box(ready, stack.grid.box)
    for _ in range(4):
        start, stop = np.sort([rng.integers(0, n, 2) for n in stack.grid.shape], axis=1).T
        box = Box(tuple(start), tuple(stop + 1))
        assert np.array_equal(ready(box), expected[(slice(None), *box.slices)])
        assert np.array_equal(boundary.predict_box(ready, box), rounded[(slice(None), *box.slices)])


def test_tiles_of_another_size_differ_by_rounding_at_most():
    stack = image(shape=(2, 150, 170))
    whole = boundary.predict(stack).read()
    tiled = boundary.predict_box(boundary.predictor(stack, tile=64), stack.grid.box)
    # One grey value of 255 is the rounding of 1e-3 at most.
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_progress_counts_voxels():
    told = []
    boundary.predict(image(), channels=("affinity:1,0,0",), progress=lambda what, done, total: told.append((what, done, total)))
    assert told[0] == ("predict", 0, 3 * 96 * 96) and told[-1] == ("predict", 3 * 96 * 96, 3 * 96 * 96)


def test_foreign_voxel_size_is_refused_with_the_remedy():
    with pytest.raises(UnitError, match=r"50, 3, 3 nm.*30, 6, 6 nm.*--rescale"):
        boundary.predict(image((50, 3, 3)))
    with pytest.raises(UnitError, match=r"70, 6, 6 nm.*Remedy: choose another --model"):
        boundary.predict(image((70, 6, 6)))
    boundary.predict(image((40, 5, 5)), channels=("affinity:1,0,0",))


def test_unknown_model_and_channel():
    with pytest.raises(UnknownNameError, match="em-affinity-25d"):
        boundary.predict(image(), "em-affinity")
    with pytest.raises(UnknownNameError, match="affinity:0,0,9"):
        boundary.predict(image(), channels=("affinity:0,0,8",))
