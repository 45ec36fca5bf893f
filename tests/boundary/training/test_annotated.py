"""What is read, what is refused, and what the message says."""

import numpy as np
import pytest

from neurotome.boundary.training.annotated import AnnotatedVolume, polarity_fault
from neurotome.core import Grid, Image, InputError, Labels, ShapeError, UnknownNameError, ValueRangeError

GRID = Grid((4, 8, 8), (30, 6, 6))
IMAGE = np.arange(256, dtype=np.uint8).reshape(GRID.shape)
HALVES = np.zeros(GRID.shape, np.uint8)
HALVES[:, :, 4:] = 255


def load(truth, *, image=IMAGE, sections=(0, 4), kind=Labels, grid=GRID, **options):
    defaults = {"normalization": "unit", "truth_is": "inside"}
    return AnnotatedVolume.load(Image(image, GRID, "a.tif"), kind(truth, grid, name="b.tif"), sections, **{**defaults, **options})


def test_only_the_block_is_read():
    loaded = load(HALVES, sections=(1, 3))
    assert np.array_equal(loaded.pixels, IMAGE[1:3]) and loaded.labels.shape == (2, 8, 8)
    assert loaded.scales == ((0.0, 1 / 255),) * 2


def test_shapes_that_differ():
    with pytest.raises(ShapeError, match=r"'a.tif' has shape \(4, 8, 8\), truth 'b.tif' has \(2, 8, 8\)"):
        load(HALVES[:2], grid=Grid((2, 8, 8), (30, 6, 6)))
    mask = Labels(HALVES[:2], Grid((2, 8, 8), (30, 6, 6)), name="m.tif")
    with pytest.raises(ShapeError, match=r"'m.tif' has \(2, 8, 8\)"):
        load(HALVES, classes={"mitochondria": mask})


def test_more_than_two_values_shows_the_first_ten():
    with pytest.raises(ValueRangeError, match=r"values 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 246 more.*two.*instances.*classes"):
        load(IMAGE)
    with pytest.raises(ValueRangeError, match="said to be class synapse"):
        load(HALVES, classes={"synapse": Labels(IMAGE, GRID, name="m.tif")})


def test_a_constant_section_is_named():
    truth = HALVES.copy()
    truth[2] = 255
    with pytest.raises(InputError, match=r"'b.tif' is 255 everywhere in section 2"):
        load(truth, sections=(1, 4))
    # A section without mitochondria is nothing unusual.
    load(HALVES, classes={"mitochondria": Labels(np.where(truth == 255, 0, truth), GRID)})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_a_number_is_found(bad):
    image = IMAGE.astype(np.float32)
    image[2, 3, 5] = bad
    with pytest.raises(InputError, match=rf"'a.tif' is {bad} in section 2 at \(y, x\) = \(3, 5\)"):
        load(HALVES, image=image, sections=(1, 4))


def test_an_image_to_imitate_is_brought_to_unit_scale():
    assert load(IMAGE, kind=Image, truth_is="grey").grey.max() == 1
    deep = load(IMAGE.astype(np.uint16) * 257, kind=Image, truth_is="grey")
    assert deep.grey.dtype == np.float32 and np.allclose(deep.grey, IMAGE / 255)
    with pytest.raises(ValueRangeError, match="values from 0 to 255"):
        load(IMAGE.astype(np.float32), kind=Image, truth_is="grey")


def test_values_of_classes_must_have_names_and_occur():
    with pytest.raises(InputError, match="class_values"):
        load(HALVES, truth_is="classes")
    with pytest.raises(ValueRangeError, match=r"the values 0, 255.*one of 1 \(membrane\)"):
        load(HALVES, truth_is="classes", class_values={"membrane": 1})


def test_many_classes_need_more_than_a_byte():
    masks = {f"kind{k}": Labels(np.where(k == IMAGE, 1, 0).astype(np.uint8), GRID) for k in range(20)}
    known = load(HALVES, classes=masks).known()
    for k in (0, 7, 8, 15, 19):
        assert np.array_equal(known.targets((f"class:kind{k}",))[0][0], k == IMAGE)


def test_unknown_meaning():
    with pytest.raises(UnknownNameError, match="classes, grey, inside, instances, membrane"):
        load(HALVES, truth_is="cells")


def test_polarity_that_nobody_stated():
    truth = HALVES.copy()
    truth[:, :, 0] = 255
    told = str(polarity_fault(truth, "b.tif", "truth_is: {}"))
    assert "0 (37.5 %), 255 (62.5 %)" in told and "truth_is: inside or truth_is: membrane" in told
    many = str(polarity_fault(IMAGE, "b.tif", "--labels-are {}"))
    assert "9 (0.4 %) and 246 more" in many and "--labels-are instances or --labels-are classes" in many
