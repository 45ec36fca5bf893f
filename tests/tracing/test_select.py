import numpy as np
import pandas as pd
import pytest

from neurotome.core import InputError, ShapeError, ValueRangeError
from neurotome.tracing.select import (
    DhprSettings,
    choose_dhpr,
    choose_label_free,
    dhpr_scores,
    label_free_scores,
)


@pytest.fixture
def published():
    """32^3: half of the background 100, half 110; 600 foreground voxels at 124 and 400 at 126."""
    image, labels = np.empty(32**3), np.zeros(32**3)
    order = np.random.default_rng(3).permutation(32**3)
    labels[order[:1000]] = 1
    image[order[:600]], image[order[600:1000]] = 124, 126
    image[order[1000:16884]], image[order[16884:]] = 100, 110
    return image.reshape(32, 32, 32).astype(np.uint16), labels.reshape(32, 32, 32).astype(np.uint8)


def test_dhpr_scores_of_the_specification(published):
    scores = dhpr_scores(*published)
    assert (scores.d, scores.n, scores.h) == (0.02, 5.0, 0.6)
    assert dhpr_scores(published[0], published[1] * 255) == scores


def test_noise_above_the_limit_does_not_make_an_image_harder(published):
    """With n = 10 the limit 6.5 decides: (131 - 105) / 6.5 / 2 = 2 is the border, though 131 is less than 3 n away."""
    image, labels = published
    wide = image.astype(float)
    wide[image == 100], wide[image == 110] = 95, 115
    wide[image == 124], wide[image == 126] = 130.9, 131.1
    scores = dhpr_scores(wide, labels)
    assert (scores.n, scores.h) == (10.0, 0.6)


def test_background_above_60_is_dropped():
    image, labels = np.full((8, 8, 8), 100.0), np.zeros((8, 8, 8))
    image[::2] = 104
    labels[0, 0, 0] = labels[7, 7, 7] = 1
    image[3, 3, :4] = 5000
    background = image[(labels == 0) & (image < 5000)]
    assert dhpr_scores(image, labels).n == pytest.approx(background.std(), abs=1e-12)


def test_the_region_of_a_long_label_lacks_its_last_plane():
    """Extent 10 against a least side of 10: the end index is exclusive, so the bright last plane is not seen; with 11 it is."""
    image, labels = np.zeros((3, 3, 30)), np.zeros((3, 3, 30))
    labels[1, 1, 5:15] = 1
    image[..., 14] = 50.0
    image[1, 1, :] = 200
    small = DhprSettings(roi_voxels=10, full_voxels=10)
    assert dhpr_scores(image, labels, small).d == 0.9 and dhpr_scores(image, labels, small).n == 0
    wider = DhprSettings(roi_voxels=11, full_voxels=10)
    assert dhpr_scores(image, labels, wider).d == 1.0 and dhpr_scores(image, labels, wider).n > 10


def test_a_sample_is_the_same_for_the_same_seed(published, rng):
    image = published[0] + rng.normal(0, 3, published[0].shape)
    few = DhprSettings(sample=500)
    first, second = (dhpr_scores(image, published[1], few, seed=s) for s in (1, 2))
    assert first == dhpr_scores(image, published[1], few, seed=1) and first.n != second.n


def test_labels_that_say_nothing(published):
    image, labels = published
    with pytest.raises(ValueRangeError, match="The labels are empty"):
        dhpr_scores(image, labels * 0)
    with pytest.raises(ValueRangeError, match="no background in the region"):
        dhpr_scores(image, labels * 0 + 1)
    with pytest.raises(ShapeError, match=r"\(32, 32, 32\) and labels of \(31, 32, 32\)"):
        dhpr_scores(image, labels[1:])
    with pytest.raises(ValueRangeError, match=r"roi_voxels 0. Expected: a number above 0"):
        DhprSettings(roi_voxels=0)


def table(names, **columns):
    return pd.DataFrame({"name": list(names), **columns})


def test_only_images_with_more_noise_than_the_median():
    scores = table("abcde", d=[1.0] * 5, n=[1.0, 2, 3, 4, 5], h=[1.0, 1, 1, 0.2, 0.1])
    chosen = choose_dhpr(scores)
    assert chosen["name"][chosen["kept"]].tolist() == ["d", "e"] and chosen["selected"].equals(chosen["kept"])
    assert chosen["r"].tolist() == [2, 2, 2, 1.2, 1.1]
    assert choose_dhpr(scores, 1)["selected"].tolist() == [False, False, False, True, False]


def test_ties_go_by_name_and_so_does_the_table():
    scores = table(["c.tif", "b.tif", "a.tif", "low"], d=[0.5] * 4, n=[2.0, 2, 2, 1], h=[0.5] * 4)
    shuffled = choose_dhpr(scores.sample(frac=1, random_state=1), 2)
    assert shuffled["name"].tolist() == ["a.tif", "b.tif", "c.tif", "low"]
    assert not shuffled["kept"].any(), "three of four are the median itself"
    more = pd.concat([scores, table("vwxyz", d=[0.0] * 5, n=[0.0] * 5, h=[0.0] * 5)])
    chosen = choose_dhpr(more, 2)
    assert chosen["name"][chosen["selected"]].tolist() == ["a.tif", "b.tif"]


def test_images_without_scores_are_rows_and_not_chosen():
    nan = float("nan")
    scores = table("abcd", d=[1.0, nan, 1, 1], n=[1.0, nan, 2, 3], h=[1.0, nan, 1, 1], note=["", "The labels are empty", "", ""])
    chosen = choose_dhpr(scores)
    assert chosen["kept"].tolist() == [False, False, False, True] and chosen["note"][1] == "The labels are empty"
    with pytest.raises(InputError, match="Two images are called 'a'"):
        choose_dhpr(table("aa", d=[1.0, 1], n=[1.0, 1], h=[1.0, 1]))
    with pytest.raises(ValueRangeError, match="Choose 0 images"):
        choose_dhpr(scores, 0)


@pytest.fixture(scope="module")
def fibre():
    """A fibre of radius 2 along x in Gaussian noise of 10 about 100: 13 x 50 voxels of 80,000."""
    rng = np.random.default_rng(5)
    z, y, _ = np.ogrid[:40, :40, :50]
    mask = ((z - 20) ** 2 + (y - 20) ** 2 <= 4) & np.ones((1, 1, 50), bool)
    return rng.normal(100, 10, mask.shape) + 400 * mask, mask


def test_label_free_scores_of_a_bright_fibre(fibre):
    image, mask = fibre
    scores = label_free_scores(image)
    assert scores.n == pytest.approx(10 / 400, rel=0.1) and scores.h < 0.1 and scores.u == 0
    assert scores.d == 1.0 and mask.mean() > 0.00185
    assert scores.p50 == pytest.approx(100, abs=1)
    assert label_free_scores(image) == scores


def test_label_free_density_and_hardness(fibre):
    """Noise of 10 and a fibre of 35 above it: two standard deviations are 20, so about 35 < 40 is hard."""
    image, mask = fibre
    faint = label_free_scores(image - 365 * mask)
    assert faint.h > 0.6 and faint.n > 0.2
    empty = label_free_scores(np.random.default_rng(1).normal(100, 10, (24, 24, 24)))
    assert empty.d < 1


def test_an_image_without_noise_is_easy_but_not_wrong(fibre):
    """The background is 0 everywhere, as after an offset was taken off: noise 0, and nothing is faint."""
    clean = label_free_scores(np.where(fibre[1], 200, 0).astype(np.uint8))
    assert (clean.n, clean.h, clean.d) == (0, 0, 1)


def test_uncertainty_counts_where_a_network_doubts(fibre):
    image, mask = fibre
    sure = np.where(mask, 1.0, 0.0)
    assert label_free_scores(image, sure).u < 0.1
    unsure = np.where(mask, 0.5, 0.0)
    assert label_free_scores(image, unsure).u > 0.9
    assert label_free_scores(image, np.round(255 * unsure).astype(np.uint8)).u == pytest.approx(1, abs=0.1)
    with pytest.raises(ShapeError, match="probability of"):
        label_free_scores(image, sure[1:])
    with pytest.raises(ValueRangeError, match="Nothing is brighter than the background"):
        label_free_scores(np.full((8, 8, 8), 3))


def free_table(**changed):
    columns = {"d": [0.5] * 4, "n": [1.0] * 4, "h": [0.5] * 4, "u": [0.0] * 4, "p50": [100.0] * 4, "p99": [200.0] * 4}
    return table("abcd", **{**columns, **changed})


def test_label_free_choice_prefers_what_is_unlike_the_chosen():
    """a is best; b is nearly as good and the same; c scores less and looks different; d is worst."""
    scores = free_table(d=[1.0, 0.99, 0.8, 0.1], h=[0.5, 0.5, 0.1, 0.5])
    chosen = choose_label_free(scores, 2)
    assert chosen["selected"].tolist() == [True, False, True, False] and chosen["kept"].all()
    assert choose_label_free(scores, 1)["selected"].tolist() == [True, False, False, False]
    assert choose_label_free(scores, 9)["selected"].all()


def test_label_free_choice_keeps_the_noisy_where_there_are_enough():
    scores = free_table(n=[1.0, 2, 3, 4], d=[0.9, 0.8, 0.2, 0.1])
    assert choose_label_free(scores, 2)["kept"].tolist() == [False, False, True, True]
    assert choose_label_free(scores, 3)["kept"].all()


def test_label_free_ties_go_by_name():
    assert choose_label_free(free_table().iloc[::-1], 2)["selected"].tolist() == [True, True, False, False]
