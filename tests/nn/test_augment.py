from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import InputError, UnknownNameError
from neurotome.nn import Augmentation, Draw, augment, dihedral, jittered_corners


def test_eight_symmetries_all_occur():
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    how = Augmentation(elastic=0, grey=0, shade=0, noise=0, blur=0, defect=0)
    rng = np.random.default_rng(0)
    seen = Counter(augment(image, image.astype(np.int32), how, rng, 4)[0].tobytes() for _ in range(200))
    assert len(seen) == 8
    assert all(8 <= n <= 42 for n in seen.values())


def test_image_and_labels_move_together():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, (3, 8, 8)).repeat(10, 1).repeat(10, 2).astype(np.int32)
    how = Augmentation(grey=0, shade=0, noise=0, blur=0, defect=0)
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
    how = Augmentation(symmetries=False, elastic=0, grey=0, shade=0, noise=0, blur=0, defect=1.0)
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


def test_ids_of_any_size_stay_what_they_are():
    ids = np.array([0, 65_535, 65_537, 2**24 + 1, 2**40 + 3], np.uint64)
    labels = ids[np.random.default_rng(0).integers(0, 5, (2, 10, 10))].repeat(4, 1).repeat(4, 2)
    draw = Draw.of(Augmentation(elastic=1.0), np.random.default_rng(1), 40, 32)
    assert draw.where is not None
    moved = draw.labels(labels)
    assert moved.dtype == np.uint64 and set(np.unique(moved)) == set(ids)


def test_what_is_to_be_imitated_moves_with_the_image_and_is_not_changed():
    image = np.random.default_rng(0).random((2, 40, 40)).astype(np.float32)
    still = Augmentation(elastic=1.0, grey=0, shade=0, noise=0, blur=0, defect=0)
    loud = Augmentation(elastic=1.0, grey=1.0, noise=1.0)
    for seed in range(5):
        draw = Draw.of(still, np.random.default_rng(seed), 40, 32)
        assert np.array_equal(draw.image(image), draw.values(image))
        draw = Draw.of(loud, np.random.default_rng(seed), 40, 32)
        assert not np.array_equal(draw.image(image), draw.values(image))
        assert draw.values(image).min() >= 0 and draw.values(image).max() <= 1


def test_preset_zambare_draws_inside_its_ranges():
    how, size = Augmentation.of({"preset": "zambare"}), 8
    assert how.side(size) == size
    rng = np.random.default_rng(1)
    draws = [Draw.of(how, rng, size, size) for _ in range(1000)]
    ranges = {
        "rotation_deg": ([d.rotation_deg for d in draws], -0.2, 0.2),
        "shear_deg": ([d.shear_deg for d in draws], -0.05, 0.05),
        "shift y": ([d.shift[0] / size for d in draws], -0.05, 0.05),
        "shift x": ([d.shift[1] / size for d in draws], -0.05, 0.05),
        "zoom y": ([d.zoom[0] for d in draws], 0.95, 1.05),
        "zoom x": ([d.zoom[1] for d in draws], 0.95, 1.05),
    }
    for name, (values, low, high) in ranges.items():
        assert low <= min(values) < low + 0.05 * (high - low), name
        assert high - 0.05 * (high - low) < max(values) <= high, name
        assert abs(np.mean(values) - (low + high) / 2) < 0.05 * (high - low), name
    assert {d.variant for d in draws} == {0, 2} and 400 < sum(d.variant == 2 for d in draws) < 600
    assert not any(d.reverse or d.blank for d in draws)
    # y and x are drawn each by itself.
    assert abs(np.corrcoef([d.zoom for d in draws], rowvar=False)[0, 1]) < 0.1


def test_preset_zambare_fills_with_the_nearest_pixel():
    columns = np.broadcast_to(np.arange(1, 41), (1, 40, 40))
    how = Augmentation.of({"preset": "zambare", "flip_x": False, "rotation_deg": 0, "shear_deg": 0, "shift": 0.3})
    filled = 0
    for seed in range(10):
        moved = Draw.of(how, np.random.default_rng(seed), 40, 40).labels(columns)[0]
        # A mirror image would turn around at the edge; the nearest pixel is only repeated.
        assert (np.diff(moved, axis=1) >= 0).all()
        filled += (moved[:, :3] == 1).all() or (moved[:, -3:] == 40).all()
    assert filled > 5


def test_preset_flips_is_three_draws_and_nothing_else():
    how = Augmentation.of({"preset": "flips"})
    image = np.random.default_rng(0).random((2, 4, 4)).astype(np.float32)
    rng = np.random.default_rng(0)
    draws = [Draw.of(how, rng, 4, 4) for _ in range(200)]
    seen = Counter(d.variant for d in draws)
    assert len(seen) == 8 and all(8 <= n <= 42 for n in seen.values())
    for bit in (1, 2, 4):
        assert 70 <= sum(bool(d.variant & bit) for d in draws) <= 130
    assert all(np.array_equal(d.image(image), dihedral(image, d.variant)) for d in draws[:20])


def test_cutout_blanks_a_square_of_three_tenths_and_leaves_the_truth():
    how = Augmentation.of({"preset": "none", "cutout": 1.0})
    image = np.random.default_rng(0).random((3, 40, 40)).astype(np.float32)
    places = set()
    for seed in range(20):
        draw = Draw.of(how, np.random.default_rng(seed), 40, 40)
        changed = draw.image(image) != image
        y, x, length = draw.blank
        places.add((y, x))
        assert length == 12 and changed.sum() == 3 * 12 * 12
        assert changed[:, y : y + 12, x : x + 12].all()
        assert np.unique(draw.image(image)[changed]).size == 1
        assert np.array_equal(draw.labels(image), image)
    assert len(places) > 15
    assert Draw.of(Augmentation(), np.random.default_rng(0), 40, 32).blank is None


def test_what_was_drawn_can_be_told():
    told = Draw.of(Augmentation(elastic=1.0), np.random.default_rng(2), 40, 32).told()
    assert any(word.startswith("turned") for word in told) and "bent" in told
    assert Draw.of(Augmentation.none(), np.random.default_rng(0), 40, 40).told() == ()


def test_options_start_from_a_preset_and_have_known_names():
    assert Augmentation.of({}) == Augmentation() == Augmentation.of({"preset": "default"})
    assert Augmentation.of({"preset": "none", "grey": 0.5}).grey == 0.5
    with pytest.raises(UnknownNameError, match="did you mean 'zambare'"):
        Augmentation.of({"preset": "zambarre"})
    with pytest.raises(UnknownNameError, match="did you mean 'elastic'"):
        Augmentation.of({"elastics": 0.5})
    with pytest.raises(UnknownNameError, match="nearest, reflect"):
        Augmentation(outside="black")
    with pytest.raises(InputError, match="symmetries and flip_x"):
        Augmentation(flip_x=True)


def test_shade_is_smooth_and_bounded():
    how = replace(Augmentation.none(), shade=1.0, shade_sd=0.8)
    shaded, _ = augment(np.zeros((4, 64, 64), np.float32), np.zeros((4, 64, 64), np.int32), how, np.random.default_rng(0), 64)
    strength = np.abs(shaded).max(axis=(1, 2))
    assert (strength > 0).all() and strength.max() <= 0.8 and len(np.unique(strength)) == 4
    assert np.abs(np.diff(shaded, axis=2)).max() < 0.2
