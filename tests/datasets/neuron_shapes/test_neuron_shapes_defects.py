import numpy as np
import pytest

from neurotome.core import SOMA, InputError, Skeleton, UnknownNameError
from neurotome.datasets.neuron_shapes import DEFECTS, collection, grown, merged, missing_branch, truncated, with_defect

FORK = Skeleton.of([-1, 0, 1, 1, 3], [[0, 0, 0], [0, 0, 4], [0, 3, 4], [0, 0, 5], [0, 0, 6]], kinds=[1, 3, 3, 3, 3])


def test_the_branch_whose_cable_is_nearest_to_the_share_goes():
    assert missing_branch(FORK, 0.2).length_nm == 7
    assert missing_branch(FORK, 0.4).length_nm == 6
    assert missing_branch(FORK, 0.4).ids.tolist() == [1, 2, 4, 5]
    neuron = grown("stellate", 3)
    left = missing_branch(neuron, 0.3)
    assert len(left.roots) == 1
    assert 0.5 < left.length_nm / neuron.length_nm < 0.95


def test_a_merge_holds_both_whole_in_one_tree():
    one, other = grown("granule", 1), grown("bipolar", 1)
    both = merged(one, other, np.random.default_rng(0), gap_nm=500)
    assert len(both) == len(one) + len(other)
    assert len(both.roots) == 1
    assert both.length_nm == pytest.approx(one.length_nm + other.length_nm + 500)
    assert both.kinds.tolist().count(SOMA) == 2
    assert both.name == one.name


def test_a_box_cuts_and_may_leave_several_trees():
    u = Skeleton.of([-1, 0, 1, 2], [[0, 0, 0], [0, 9, 0], [0, 9, 5], [0, 0, 5]])
    cut = truncated(u, np.array([0, 0, 0]), np.array([0, 5, 5]))
    assert cut.points_nm[:, 1].tolist() == [0, 0]
    assert len(cut.roots) == 2
    with pytest.raises(InputError, match="No node"):
        truncated(u, np.array([5, 5, 5]), np.array([6, 6, 6]))


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_changes_a_neuron_that_keeps_its_soma(defect):
    neuron = grown("basket", 5)
    bad = with_defect(neuron, defect, np.random.default_rng(1))
    assert len(bad) != len(neuron)
    assert (bad.points_nm == neuron.points_nm[0]).all(1).any()


def test_a_collection_is_a_table_of_what_its_neurons_are():
    neurons, table = collection(6, 2, kinds=("purkinje", "bipolar"), defects=0.5)
    assert [neuron.name for neuron in neurons] == list(table.index) == sorted(table.index)
    assert table["cell_type"].value_counts().to_dict() == {"bipolar": 6, "purkinje": 6}
    assert set(table["defect"]) <= {"none", *DEFECTS}
    assert 2 <= (table["defect"] != "none").sum() <= 10
    again, same = collection(6, 2, kinds=("bipolar", "purkinje"), defects=0.5)
    assert same.equals(table)
    assert all(np.array_equal(a.points_nm, b.points_nm) for a, b in zip(neurons, again, strict=True))
    sound, _ = collection(6, 2, kinds=("bipolar",))
    assert all(table.loc[n.name, "depth_nm"] == n.points_nm[0, 1] for n in sound)


def test_bad_input():
    with pytest.raises(InputError, match="share of 1"):
        missing_branch(FORK, 1.0)
    with pytest.raises(InputError, match="no branch"):
        missing_branch(FORK.take(np.array([0, 1])), 0.5)
    with pytest.raises(InputError, match="without nodes"):
        merged(FORK, FORK.take(np.zeros(5, bool)), np.random.default_rng(0))
    with pytest.raises(UnknownNameError, match="missing_branch"):
        with_defect(FORK, "fusion", np.random.default_rng(0))
    with pytest.raises(InputError, match="0 neurons per class"):
        collection(0, 0)
