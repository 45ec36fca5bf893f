import numpy as np

from neurotome.datasets.phantom import camera


def test_each_section_has_at_most_one_fault_and_the_ends_have_none():
    faults = camera.pick_faults(12, 3, 3, 4, np.random.default_rng(0))
    assert [len(faults[k]) for k in ("misaligned", "missing", "blurred")] == [3, 3, 4]
    assert sorted(z for kind in faults.values() for z in kind) == list(range(1, 11))


def test_only_misaligned_sections_move_and_within_bounds():
    for seed in range(20):
        moves = camera.shifts(9, (2, 5), 12, np.random.default_rng(seed))
        size = np.hypot(*moves.T)
        assert not size[[0, 1, 3, 4, 6, 7, 8]].any()
        assert (size[[2, 5]] >= 3).all()
        assert np.abs(moves).max() <= 12


def test_brightness_keeps_the_order_of_grey_values_of_a_section():
    image = np.tile(np.array([50.0, 150.0], np.float32), (6, 4, 2))
    camera.change_brightness(image, 1.0, np.random.default_rng(0))
    assert np.ptp(image.mean((1, 2))) > 10
    assert (image[..., 1::2] - image[..., ::2] > 70).all()


def test_no_brightness_change_when_none_is_asked_for():
    image = np.random.default_rng(0).uniform(0, 255, (3, 8, 8)).astype(np.float32)
    before = image.copy()
    camera.change_brightness(image, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(image, before, atol=1e-3)


def test_noise_has_the_asked_strength_and_no_offset():
    quiet, loud = np.zeros((2, 256, 256), np.float32), np.zeros((2, 256, 256), np.float32)
    camera.add_noise(quiet, 1.0, np.random.default_rng(0))
    camera.add_noise(loud, 2.0, np.random.default_rng(0))
    np.testing.assert_allclose(loud, 2 * quiet, atol=1e-3)
    assert abs(quiet.mean()) < 0.5
    assert 5 < quiet.std() < 15


def test_blur_keeps_the_mean_and_loses_the_detail():
    section = np.random.default_rng(0).uniform(0, 255, (64, 64))
    soft = camera.blur(section, np.random.default_rng(0))
    assert abs(soft.mean() - section.mean()) < 2
    assert soft.std() < 0.25 * section.std()
