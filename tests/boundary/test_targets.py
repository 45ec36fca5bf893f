"""The toy values of the definition, and the properties that hold for any labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from neurotome.boundary import LONG12, NEAREST, affinity, class_of, cytoplasm, edges, offset_of, overlap, targets
from neurotome.boundary.targets import Known, reach_of, require_channels
from neurotome.core import UnknownNameError

A = np.array([[1, 1, 1, 2, 2, 2]] * 6)
B = np.array([[1, 1, 2, 2, 2, 2]] * 6)
STACK = np.stack([A, B])
LABELS = arrays(np.int32, (3, 7, 8), elements=st.integers(0, 3))


def test_membrane_and_cytoplasm_of_two_halves():
    membrane = edges(STACK)
    assert membrane[0, 0].tolist() == [0, 0, 1, 1, 0, 0]
    assert membrane[1, 0].tolist() == [0, 1, 1, 0, 0, 0]
    assert (membrane[0].sum(), cytoplasm(STACK)[0].sum()) == (12, 24)


def test_overlap_of_two_sections():
    both = overlap(STACK)
    assert both.shape == (1, 6, 6) and both.sum() == 18
    assert both[0, 0].tolist() == [1, 0, 0, 0, 1, 1]


def test_affinities_of_two_sections():
    z, y, x = (affinity(STACK, o) for o in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert (z.sum(), y.sum(), x.sum()) == (30, 60, 48)
    assert not z[-1].any() and not y[:, -1].any() and not x[:, :, -1].any()


def test_unlabelled_interior_is_neither():
    labels = np.ones((1, 7, 7), int)
    labels[0, 2:5, 2:5] = 0
    membrane, inner = edges(labels), cytoplasm(labels)
    assert (membrane.sum(), inner.sum(), (~membrane & ~inner).sum()) == (24, 24, 1)


@settings(max_examples=30, deadline=None)
@given(LABELS)
def test_properties(labels):
    inner, membrane = cytoplasm(labels), edges(labels)
    assert not (inner & membrane).any()
    for section, mask in zip(labels, inner, strict=True):
        parts, n = ndimage.label(mask)
        assert all(len(np.unique(section[parts == k])) == 1 for k in range(1, n + 1))
    both = overlap(labels)
    assert (labels[:-1][both] == labels[1:][both]).all()


@settings(max_examples=20, deadline=None)
@given(LABELS)
def test_targets_agree_with_their_definitions_and_masks(labels):
    target, valid = targets(labels, ("membrane", "inside", "cytoplasm", "overlap", *LONG12))
    assert np.array_equal(target[0], ~target[1])
    assert np.array_equal(target[3, :-1], overlap(labels)) and not valid[3, -1].any()
    for c, channel in enumerate(LONG12, start=4):
        z, y, x = offset_of(channel)
        pairs = [max(0, n - o) for n, o in zip(labels.shape, (z, y, x), strict=True)]
        assert valid[c].sum() == np.prod(pairs)
        assert not (target[c] & ~valid[c]).any()


def test_shrink_takes_the_rim_of_each_label_from_affinities_only():
    target, _ = targets(A[None], ("affinity:0,0,1", "membrane"), shrink=1)
    assert target[0, 0, 0].tolist() == [1, 0, 0, 0, 1, 0]
    assert target[1, 0, 0].tolist() == [0, 0, 1, 1, 0, 0]


def test_binary_truth_says_itself_where_the_membrane_is():
    inside = np.array([[[1, 1, 0, 1, 1]]])
    target, _ = targets(inside, ("membrane", "inside"), binary=True)
    assert target[:, 0, 0].astype(int).tolist() == [[0, 0, 1, 0, 0], [1, 1, 0, 1, 1]]


def test_unknown_channel_names_the_known_ones():
    assert offset_of("membrane") is None and [offset_of(c) for c in NEAREST] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    with pytest.raises(UnknownNameError, match="membrane"):
        offset_of("membranes")
    with pytest.raises(UnknownNameError):
        offset_of("affinity:0,0,0")


def test_classes_and_grey_are_channels_too():
    assert offset_of("class:mitochondria") is None and class_of("class:mitochondria") == "mitochondria"
    assert offset_of("grey") is None and class_of("grey") is None and class_of("membrane") is None
    assert [reach_of(c) for c in ("membrane", "overlap", "affinity:3,0,0", "class:a")] == [0, 1, 3, 0]
    for wrong in ("class:", "class:a:b", "class"):
        with pytest.raises(UnknownNameError, match="class:NAME"):
            offset_of(wrong)


MARKS = np.array([[[0, 1, 2, 3]]], np.uint8)


def test_bits_of_the_marks_are_the_classes():
    known = Known(marks=MARKS, classes=("mitochondria", "synapse"))
    target, valid = known.targets(("class:synapse", "class:mitochondria", "class:soma", "membrane"))
    assert target[:, 0, 0].tolist() == [[0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert valid[:, 0, 0, 0].tolist() == [True, True, False, False]


@pytest.mark.parametrize(("name", "membrane"), [("membrane", [0, 1, 0, 1]), ("inside", [1, 0, 1, 0])])
def test_a_class_called_membrane_or_inside_says_where_the_membrane_is(name, membrane):
    target, valid = Known(marks=MARKS, classes=(name, "synapse")).targets(("membrane", "inside", "cytoplasm"))
    assert target[0, 0, 0].tolist() == membrane and (target[1] == 1 - target[0]).all()
    assert valid[:, 0, 0, 0].tolist() == [True, True, False]


def test_grey_is_given_back_as_it_is():
    grey = np.array([[[0.0, 0.25, 1.0]]], np.float32)
    target, valid = Known(grey=grey).targets(("grey", "membrane"))
    assert np.array_equal(target[0], grey) and valid[0].all() and not valid[1].any()


def test_labels_and_classes_together():
    target, valid = Known(labels=A[None], marks=(A[None] == 2).astype(np.uint8), classes=("axon",)).targets(
        ("affinity:0,0,1", "class:axon", "membrane")
    )
    assert target[:, 0, 0].tolist() == [[1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 0, 0]]
    assert not valid[0, 0, 0, -1] and valid[1:].all()


def test_a_channel_that_nobody_declares_names_the_declared_ones():
    known = [Known(marks=MARKS, classes=("mitochondria", "synapse")), Known(labels=A[None])]
    require_channels(("class:synapse", "affinity:1,0,0", "membrane"), known)
    with pytest.raises(UnknownNameError, match=r"one of mitochondria, synapse.*did you mean 'mitochondria'"):
        require_channels(("class:mitochondrion",), known)
    with pytest.raises(UnknownNameError, match="no volume declares a class"):
        require_channels(("class:synapse",), known[1:])
    with pytest.raises(UnknownNameError, match=r"channel of these volumes 'overlap'.*class:synapse"):
        require_channels(("overlap",), known[:1])


@pytest.mark.realdata
def test_fractions_of_the_real_volume(snemi3d):
    labels = snemi3d.labels.read()
    fractions = [100 * m.mean() for m in (edges(labels), cytoplasm(labels), overlap(labels))]
    assert fractions == pytest.approx([11.07, 80.25, 71.64], abs=0.005)
