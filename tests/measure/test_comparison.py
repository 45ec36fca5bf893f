"""What is compared: support, truth parts, forgiven borders, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import Box, Grid, InputError, Labels, ShapeError, UnitError, UnknownNameError, ValueRangeError
from neurotome.measure import adapted_rand, compare, contingency, equal_label_components, split_merge_errors

ids = arrays(np.uint16, (4, 5, 6), elements=st.integers(0, 3)).filter(lambda a: a[1:3].max() > 0)


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("truth", "segmentation", "voxels"))


@given(ids, ids)
@settings(max_examples=30, deadline=None)
def test_components_are_those_of_the_support(truth, segmentation):
    grid = Grid(truth.shape, (30.0, 6.0, 6.0))
    box = Box((1, 0, 0), (3, 5, 6))
    found = compare(Labels(segmentation, grid), Labels(truth, grid), truth_parts="components", support=box)
    pieces = equal_label_components(truth[1:3])
    assert same(found.table, contingency(pieces, segmentation[1:3]))
    (part,) = found.read_boxes()
    assert np.array_equal(part.truth, pieces)
    assert np.array_equal(found.truth_label(part.truth), truth[1:3])
    assert found.support == "box z 1:3, y 0:5, x 0:6; truth components"


def test_a_neuron_cut_by_the_crop_counts_as_two(as_labels):
    truth, segmentation = np.array([[[1, 0, 1]]]), np.array([[[1, 0, 2]]])
    whole = compare(as_labels(segmentation), as_labels(truth))
    cut = compare(as_labels(segmentation), as_labels(truth), truth_parts="components")
    assert adapted_rand(whole.table).error > 0
    assert adapted_rand(cut.table).error == 0


def test_a_forgiven_border_is_that_of_the_whole_section(as_labels):
    truth = np.repeat([[1, 1, 1, 1, 2, 2, 2, 2]], 3, axis=0)
    segmentation = np.repeat([[1, 1, 1, 2, 2, 2, 2, 2]], 3, axis=0)
    assert split_merge_errors(compare(as_labels(segmentation), as_labels(truth)).table, discard=2).splits == 1
    forgiven = compare(as_labels(segmentation), as_labels(truth), border_nm=5.0)
    assert adapted_rand(forgiven.table).error == 0
    assert (forgiven.table.ignored, forgiven.table.support) == (6, 24)
    assert forgiven.support == "full; border 5 nm ignored"
    # The support ends at the border between 1 and 2; its last column is a border column all the same.
    cropped = compare(as_labels(segmentation), as_labels(truth), border_nm=5.0, support=Box((0, 0, 0), (1, 3, 4)))
    assert cropped.table.ignored == 3


def test_progress_counts_voxels(as_labels):
    seen = []
    labels = as_labels(np.ones((4, 2, 2), int))
    compare(labels, labels, progress=lambda what, done, total: seen.append((what, done, total)))
    assert seen == [("compare labels", 16, 16)]


def test_different_grids_are_refused(as_labels):
    labels = as_labels(np.ones((2, 3, 4), int), name="mine")
    with pytest.raises(ShapeError, match="segmentation 'mine' has shape"):
        compare(labels, as_labels(np.ones((2, 3, 5), int)))
    with pytest.raises(UnitError, match=r"30, 6, 6 nm, truth 'theirs' has 30, 5, 5 nm"):
        compare(labels, as_labels(np.ones((2, 3, 4), int), (30.0, 5.0, 5.0), "theirs"))
    moved = Labels(labels.data, Grid((2, 3, 4), (30.0, 6.0, 6.0), (0.0, 0.0, 600.0)))
    with pytest.raises(UnitError, match="origin"):
        compare(labels, moved)


def test_an_empty_truth_is_refused(as_labels):
    truth = np.zeros((2, 3, 4), int)
    truth[1] = 1
    with pytest.raises(InputError, match="no label above 0 in support 'box z 0:1, y 0:3, x 0:4': 12 voxels are 0, 0 ignored"):
        compare(as_labels(truth), as_labels(truth), support=Box((0, 0, 0), (1, 3, 4)))


def test_negative_ids_of_a_lazy_volume_are_refused():
    class Lazy:
        shape, dtype = (1, 2, 2), np.dtype(np.int32)

        def __getitem__(self, key):
            return np.full((1, 2, 2), -3, np.int32)[key]

    lazy = Labels(Lazy(), Grid((1, 2, 2), (1.0, 1.0, 1.0)), name="lazy")
    with pytest.raises(ValueRangeError, match="'lazy' of type int32 have smallest id -3"):
        compare(lazy, lazy)


def test_unknown_names_are_refused(as_labels):
    labels = as_labels(np.ones((1, 2, 2), int))
    with pytest.raises(UnknownNameError, match="did you mean 'components'"):
        compare(labels, labels, truth_parts="component")
    with pytest.raises(UnknownNameError, match="ignore, object"):
        compare(labels, labels, truth_zero="background")
    with pytest.raises(UnknownNameError, match="full, snemi_crop"):
        compare(labels, labels, support="half")
