import base64
import io
import math

import imageio.v3 as iio
import numpy as np

from neurotome.core import Grid, Image
from neurotome.io.lazy import LazyArray, Ranges
from neurotome.report.colours import label_colours
from neurotome.report.pictures import data_uri, grey, grey_range, overlay, painted, spread, thinned


def test_spread_takes_the_middles_of_equal_parts() -> None:
    assert spread(70) == [11, 35, 58]
    assert spread(1) == [0]


def test_grey_stretches_between_its_limits() -> None:
    assert grey(np.array([[10, 20, 30]]), (10, 30))[0, :, 0].tolist() == [0, 128, 255]


def test_grey_range_leaves_out_the_ends_and_bears_a_constant_image() -> None:
    section = np.full((100, 100), 50.0)
    section[0, :2] = (-1000, 1000)
    assert grey_range(Image(section[None], Grid((1, 100, 100), (30, 6, 6)))) == (50.0, 50.0 + 1e-6)


def test_grey_range_of_a_large_section_reads_little_of_it() -> None:
    largest = 0

    def read(ranges: Ranges) -> np.ndarray:
        nonlocal largest
        shape = [b - a for a, b in ranges]
        largest = max(largest, math.prod(shape))
        return np.broadcast_to((np.arange(*ranges[2]) % 200).astype(np.uint8), shape)

    shape = (3, 60_000, 100_000)
    assert grey_range(Image(LazyArray.whole(read, shape, np.uint8), Grid(shape, (30, 6, 6)))) == (1.0, 198.0)
    assert largest < 10**6


def test_thinned_labels_are_labels() -> None:
    labels = np.repeat(np.repeat(np.array([[3, 9], [4, 5]]), 4, 0), 4, 1)
    assert thinned(labels, 4, mean=False).tolist() == [[3, 9], [4, 5]]


def test_overlay_colours_labels_and_leaves_background() -> None:
    tissue = np.full((5, 5, 3), 100, np.uint8)
    labels = np.zeros((5, 5), np.uint64)
    labels[1:4, 1:4] = 8
    picture = overlay(tissue, labels, opacity=0.5)
    expected = np.round((100 + label_colours(np.array(8)).astype(float)) / 2)
    assert picture[0, 0].tolist() == [100, 100, 100]
    assert picture[2, 2].tolist() == expected.tolist()


def test_partners_share_a_colour() -> None:
    assert (painted(np.array([[5]]), {5: 77}) == painted(np.array([[77]]))).all()


def test_a_data_uri_holds_the_picture() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[:, 15:] = (200, 40, 40)
    head, _, body = data_uri(picture).partition(",")
    read = iio.imread(io.BytesIO(base64.b64decode(body)), extension=".webp")
    assert head == "data:image/webp;base64"
    assert np.abs(read[..., :3].astype(int) - picture).mean() < 6
