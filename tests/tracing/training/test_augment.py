import numpy as np
import pytest

from neurotome.core import ValueRangeError
from neurotome.tracing.training import StackAugmentation

CUBE = (1.0, 1.0, 1.0)


def pair(shape=(6, 6, 6)):
    rng = np.random.default_rng(3)
    image = rng.random(shape).astype(np.float32)
    return image, image > 0.7


def test_nothing_changes_without_chance():
    image, labels = pair()
    for seed in range(20):
        a, b = StackAugmentation(chance=0).apply(image, labels, np.random.default_rng(seed), CUBE)
        assert np.array_equal(a, image) and np.array_equal(b, labels) and a is not image


def test_labels_go_through_the_same_geometry():
    image, labels = pair()
    still = StackAugmentation(noise_sd=0, gain=(1, 1), shift=0)
    results = [still.apply(image, labels, np.random.default_rng(seed), CUBE) for seed in range(60)]
    for a, b in results:
        assert np.array_equal(a > np.float32(0.7), b) and np.array_equal(np.sort(a, axis=None), np.sort(image, axis=None))
    assert len({a.tobytes() for a, _ in results}) >= 15


def test_flat_voxels_and_flat_patches_turn_in_their_sections_only():
    still = StackAugmentation(chance=1, noise_sd=0, gain=(1, 1), shift=0)
    for shape, voxel in (((6, 6, 6), (3.0, 1.0, 1.0)), ((4, 6, 6), CUBE)):
        image = np.broadcast_to(np.arange(shape[0], dtype=np.float32)[:, None, None], shape)
        for seed in range(20):
            out, _ = still.apply(image, image > 1, np.random.default_rng(seed), voxel)
            assert out.shape == shape and np.all(out == out[:, :1, :1])
    image = np.zeros((4, 6, 8), np.float32)
    assert still.apply(image, image > 1, np.random.default_rng(0), CUBE)[0].shape == (4, 6, 8)


def test_grey_values_change_as_much_as_said():
    image, labels = np.ones((20, 20, 20), np.float32), np.zeros((20, 20, 20), bool)
    draws = [StackAugmentation(noise_sd=0).apply(image, labels, np.random.default_rng(s), CUBE)[0][0, 0, 0] for s in range(300)]
    assert 0.3 <= min(draws) < 0.45 and 1.55 < max(draws) <= 1.7 and draws.count(1.0) > 40
    noisy = [
        StackAugmentation(gain=(1, 1), shift=0).apply(image, labels, np.random.default_rng(s), CUBE)[0].std() for s in range(99)
    ]
    assert max(noisy) <= 0.02 * 2**0.5 + 0.001 and max(noisy) > 0.012 and min(noisy) == 0


def test_impossible_strengths_are_refused():
    with pytest.raises(ValueRangeError, match=r"chance 1\.5"):
        StackAugmentation(chance=1.5)
    with pytest.raises(ValueRangeError, match=r"gain \(2, 1\)"):
        StackAugmentation(gain=(2, 1))
