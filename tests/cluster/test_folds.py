import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.cluster.prediction import dealt, task_of
from neurotome.core import InputError, UnknownNameError, ValueRangeError


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(2, 10), st.integers(0, 1000))
def test_folds_are_even_in_every_class(sizes, folds, seed):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    fold = dealt(codes, folds, seed=seed)
    for name in range(len(sizes)):
        held = np.bincount(fold[codes == name], minlength=folds)
        assert held.max() - held.min() <= 1
    whole = np.bincount(fold, minlength=folds)
    assert whole.max() - whole.min() <= 1
    assert (dealt(codes, folds, seed=seed) == fold).all()


def test_groups_are_never_torn_apart(rng):
    groups = rng.integers(0, 40, 300)
    codes = groups % 3
    fold = dealt(codes, 5, seed=0, groups=np.unique(groups, return_inverse=True)[1])
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1
    for name in range(3):
        share = np.bincount(fold[codes == name], minlength=5) / (codes == name).sum()
        assert share.min() > 0.1


def test_a_small_class_is_refused_with_what_would_do():
    labels = np.repeat(["common", "rare"], [20, 3])
    with pytest.raises(ValueRangeError, match=r"Class 'rare' has 3 members for 10 folds.*largest legal number of folds is 3"):
        task_of(labels, 10)
    assert task_of(labels, 3).names == ("common", "rare")
    with pytest.raises(ValueRangeError, match="Class 'rare' has 1 member\\."):
        task_of(labels[:-2], 10, small="spread")
    with pytest.raises(ValueRangeError, match="Class 'rare' has 2 groups for 3 folds"):
        task_of(labels, 3, groups=np.r_[np.arange(20), 30, 30, 31])


def test_small_classes_can_be_spread_dropped_or_merged():
    labels = np.repeat(["a", "b", "x", "y"], [12, 11, 5, 6])
    spread = task_of(labels, 10, small="spread")
    assert (len(spread.rows), spread.left_out) == (34, {})
    dropped = task_of(labels, 10, small="drop")
    assert (dropped.names, dropped.left_out, len(dropped.rows)) == (("a", "b"), {"x": 5, "y": 6}, 23)
    merged = task_of(labels, 10, small="merge")
    assert (merged.names, merged.merged, merged.sizes.tolist()) == (("a", "b", "other"), ("x", "y"), [12, 11, 11])
    still_small = task_of(labels, 12, small="merge")
    assert (still_small.names, still_small.sizes.tolist()) == (("a", "other"), [12, 22])


def test_rows_without_a_label_take_no_part():
    task = task_of(np.array(["a", None, "b", "", "a", "b", np.nan], object), 2)
    assert task.rows.tolist() == [0, 2, 4, 5]
    assert task.left_out == {"": 3}


def test_one_class_is_no_task():
    with pytest.raises(InputError, match="Labels of 1 class: a"):
        task_of(np.repeat("a", 20))
    with pytest.raises(InputError, match="Labels of 0 classes: none"):
        task_of(np.repeat(["a", "b"], 3), 5, small="drop")
    with pytest.raises(UnknownNameError, match="did you mean 'merge'"):
        task_of(np.repeat(["a", "b"], 3), small="merged")
    with pytest.raises(ValueRangeError, match="2 at least"):
        task_of(np.repeat(["a", "b"], 3), 1)
