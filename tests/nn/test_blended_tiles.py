"""Tiles that fade into one another: what goes in comes out, whatever the size, and any box gives the same bytes."""

import numpy as np
import pytest

from neurotome.core import Box, InputError
from neurotome.nn import BlendedTiles, build, channel_answer


def tiles(volume, answer=lambda region: region, **options):
    return BlendedTiles(answer, lambda box: volume[box.slices], volume.shape, **options)


def whole(volume):
    return Box((0, 0, 0), volume.shape)


@pytest.mark.parametrize("size", [*range(1, 42), 95, 96, 97, 127, 128, 129, 160, 223, 224, 225, 300, 383, 384, 385, 499, 500])
def test_identity_is_exact_for_any_size(size):
    volume = np.random.default_rng(size).integers(0, 256, (1, 2, size)).astype(np.float32) / 255
    for axis in range(3):
        turned = np.moveaxis(volume, 2, axis)
        out = tiles(turned)(whole(turned))
        assert np.array_equal(np.floor(out * 255 + 0.5), np.floor(turned * 255 + 0.5))
        assert np.abs(out - turned).max() < 1e-6


def test_tiles_lie_on_one_lattice_and_their_weights_sum_to_one():
    ready = tiles(np.zeros((300, 130, 20), np.float32))
    assert [(s.start, s.stop) for s in ready._lattice(0)] == [(0, 128), (96, 224), (176, 304)]
    assert [(s.start, s.stop) for s in ready._lattice(1)] == [(0, 128), (8, 136)]
    assert [(s.start, s.stop) for s in ready._lattice(2)] == [(0, 24)]
    for axis, size in enumerate((304, 136, 24)):
        total = np.zeros(size)
        for side in ready._lattice(axis):
            total[side.start : side.stop] += side.weights
        assert np.allclose(total, 1, atol=1e-6)
    window = ready._lattice(2)[0].weights
    assert np.all(window == 1)  # a tile alone counts everywhere


def test_blocks_give_the_bytes_of_the_whole():
    rng = np.random.default_rng(0)
    volume = rng.random((70, 90, 110)).astype(np.float32)
    # An answer that depends on where in its tile a voxel is, as a network's does.
    ramp = lambda region: region * np.linspace(0, 1, region.shape[2], dtype=np.float32) + region.mean()  # noqa: E731
    ready = tiles(volume, ramp, tile=40, overlap=16)
    expected = ready(whole(volume))
    for shape in ((70, 90, 110), (16, 33, 50), (7, 90, 13)):
        for box in whole(volume).tiles(shape):
            assert np.array_equal(ready(box), expected[box.slices])
    slabs = list(ready.parts(whole(volume)))
    assert [part.shape[0] for part, _ in slabs] == [24, 8, 40] or sum(part.shape[0] for part, _ in slabs) == 70
    assert np.array_equal(np.concatenate([values for _, values in slabs]), expected)


def test_there_is_no_seam_where_tiles_disagree():
    """Each tile answers with a number of its own; the answer moves from one to the other in small steps."""
    asked = []

    def answer(region):
        asked.append(region.shape)
        return np.full_like(region, len(asked) % 2)

    out = tiles(np.ones((8, 8, 416), np.float32), answer)(Box((0, 0, 0), (8, 8, 416)))[0, 0]
    assert asked == [(8, 8, 128)] * 4 and {float(v) for v in out[[0, 60, 150, 415]].round(3)} == {0.0, 1.0}
    assert np.abs(np.diff(out)).max() < 0.07 and 10 < ((out > 0.05) & (out < 0.95)).sum() < 96


def test_small_volumes_are_continued_by_reflection():
    volume = np.arange(5, dtype=np.float32).reshape(1, 1, 5)
    seen = []
    tiles(volume, lambda region: seen.append(region[0, 0].tolist()) or region)(whole(volume))
    assert seen == [[0, 1, 2, 3, 4, 3, 2, 1]]


def test_dark_tiles_are_not_asked_about():
    volume = np.zeros((8, 8, 416), np.float32)
    volume[..., :20] = 1
    ready = tiles(volume, lambda region: np.ones_like(region), dark=0.0)
    out = ready(whole(volume))
    assert out[0, 0, 0] == 1 and not out[..., 130:].any()
    assert sorted(box.start[2] for box in ready.skipped) == [96, 192, 288]


def test_a_network_of_volumes_answers():
    network = build("voxresnet", {"widths": (2, 2)})
    volume = np.random.default_rng(0).random((9, 30, 40)).astype(np.float32)
    ready = tiles(volume, channel_answer(network, 1), tile=16, overlap=8)
    out = ready(whole(volume))
    assert out.shape == volume.shape and out.min() > 0 and out.max() < 1
    box = Box((3, 5, 7), (9, 25, 33))
    assert np.array_equal(ready(box), out[box.slices])


def test_tiles_that_do_not_fit_the_network_are_refused():
    volume = np.zeros((8, 8, 8), np.float32)
    with pytest.raises(InputError, match="tile of 100 voxels"):
        tiles(volume, tile=100)
    with pytest.raises(InputError, match="Overlap of 32 in tiles of 32"):
        tiles(volume, tile=32, overlap=32)
