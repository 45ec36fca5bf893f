import numpy as np
import pytest
from skimage.filters import sato

from neurotome.core import ShapeError
from neurotome.tracing.ridges import SLAB, ridge_response


def test_slabs_make_no_seams(rng):
    """Taller than two slabs: each plane of a volume that repeats nothing is the same as in a filter of the whole."""
    image = rng.normal(50, 10, (2 * SLAB + 5, 14, 15))
    whole = ridge_response(image, (1.0, 1.5))
    middle = ridge_response(image[SLAB - 20 : SLAB + 20], (1.0, 1.5))
    assert whole[SLAB - 5 : SLAB + 5] == pytest.approx(middle[15:25], abs=2e-3)


def test_agrees_with_an_independent_implementation(rng):
    """scikit-image takes first derivatives twice; on a smooth bright line both see the same ridge."""
    from scipy import ndimage

    line = np.zeros((24, 24, 24))
    line[12, 12], line[5, :, 5] = 1000, 700
    smooth = ndimage.gaussian_filter(line, 1.5)
    ours, theirs = ridge_response(smooth, (2.0,)), sato(smooth, [2.0], black_ridges=False)
    inner = (slice(2, -2),) * 3
    assert np.corrcoef(ours[inner].ravel(), theirs[inner].ravel())[0, 1] > 0.995
    assert ours.max() == pytest.approx(theirs.max(), rel=0.1)


def test_plates_and_dark_lines_are_no_ridges():
    plate = np.zeros((15, 15, 15))
    plate[7] = 100
    dark = np.full((15, 15, 15), 100.0)
    dark[7, 7] = 0
    line = 100 - dark
    assert ridge_response(plate, (1.0,))[7, 7, 7] < 0.15 * ridge_response(line, (1.0,))[7, 7, 7]
    assert ridge_response(dark, (1.0,))[7, 7, 7] == 0


def test_a_single_section_and_wrong_axes():
    section = np.zeros((1, 21, 21))
    section[0, 10] = 100
    assert ridge_response(section, (1.0,))[0, 10, 10] > 10
    with pytest.raises(ShapeError, match="Image of shape"):
        ridge_response(section[0])


def test_background_does_not_leak_in():
    assert ridge_response(np.full((10, 10, 10), 5e4), (1.0, 3.0)).max() == 0
