from collections import Counter

import numpy as np

from neurotome.nn import Augmentation, augment, dihedral, jittered_corners


def test_eight_symmetries_all_occur():
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    how = Augmentation(elastic=0, grey=0, noise=0, blur=0, defect=0)
    rng = np.random.default_rng(0)
    seen = Counter(augment(image, image.astype(np.int32), how, rng, 4)[0].tobytes() for _ in range(200))
    assert len(seen) == 8
    assert all(8 <= n <= 42 for n in seen.values())


def test_image_and_labels_move_together():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, (3, 8, 8)).repeat(10, 1).repeat(10, 2).astype(np.int32)
    how = Augmentation(grey=0, noise=0, blur=0, defect=0)
    for _ in range(10):
        image, moved = augment(labels.astype(np.float32), labels, how, rng, 64)
        assert image.shape == moved.shape == (3, 64, 64)
        # Linear and nearest sampling differ only within a pixel of a border.
        assert np.mean(np.abs(image - moved) < 0.5) > 0.85
        assert set(np.unique(moved)) <= {0, 1, 2, 3}


def test_no_augmentation_is_the_identity():
    image = np.random.default_rng(0).random((2, 16, 16)).astype(np.float32)
    out, _ = augment(image, np.zeros((2, 16, 16), np.int32), Augmentation.none(), np.random.default_rng(0), 16)
    assert np.array_equal(out, image)


def test_same_draw_same_sample():
    image = np.random.default_rng(0).random((5, 40, 40)).astype(np.float32)
    labels = (image * 5).astype(np.int32)
    first, second = (augment(image, labels, Augmentation(), np.random.default_rng(7), 32) for _ in range(2))
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_defects_shift_slip_and_blank_sections():
    rng = np.random.default_rng(0)
    corners = [jittered_corners(rng, 5, Augmentation(defect=1.0)) for _ in range(100)]
    moved = [np.flatnonzero(c.any(axis=1)) for c in corners]
    assert any(len(m) == 1 for m in moved) and any(len(m) > 1 and m[-1] == 4 for m in moved)
    assert max(np.abs(c).max() for c in corners) <= 12
    how = Augmentation(symmetries=False, elastic=0, grey=0, noise=0, blur=0, defect=1.0)
    image = rng.random((5, 16, 16)).astype(np.float32) + 1
    outs = [augment(image, np.zeros(image.shape, np.int32), how, rng, 16)[0] for _ in range(40)]
    assert any((o == 0).all(axis=(1, 2)).sum() == 1 for o in outs)


def test_dihedral_is_a_bijection_of_the_pixels():
    a = np.arange(12).reshape(3, 4)
    for v in range(8):
        assert sorted(dihedral(a, v).ravel()) == list(range(12))


def test_a_single_section_can_be_changed_in_every_way():
    image, labels = np.zeros((1, 40, 40), np.float32), np.zeros((1, 40, 40), np.int32)
    how = Augmentation(elastic=1.0)
    for seed in range(20):
        assert augment(image, labels, how, np.random.default_rng(seed), 32)[0].shape == (1, 32, 32)
