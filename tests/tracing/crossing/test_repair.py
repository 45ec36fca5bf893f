"""Neurites that cross: each neuron keeps what its own goes straight on as, and nothing else changes."""

import numpy as np
import pytest

from neurotome.core import ROOT

MIDDLE = np.array([20.0, 80.0, 100.0])


def at(*away):
    return MIDDLE + np.array(away)


def lengths_um(found):
    """The length of each soma's tree, in the order of their z, y, x."""
    skeleton = found.skeleton
    lengths = np.bincount(skeleton.trees, skeleton.edge_nm, len(skeleton.roots)) / 1000
    somata = found.somata.sort_values(["z", "y", "x"])
    return lengths[somata["tree"].to_numpy()]


def tree_at(found, point):
    """The tree of the node nearest to a point (voxels), and how far that is."""
    away = np.sqrt(((found.skeleton.points_nm / 1000 - point) ** 2).sum(1))
    return int(found.skeleton.trees[away.argmin()]), float(away.min())


def tree_of_soma(found, number, neurons):
    away = ((found.somata[["z", "y", "x"]].to_numpy() - neurons.somata[number]) ** 2).sum(1)
    return int(found.somata["tree"].to_numpy()[away.argmin()])


def require_trees(skeleton):
    assert len(skeleton.ids) == len(np.unique(skeleton.ids)) == len(skeleton)
    assert (skeleton.parent_rows < np.arange(len(skeleton))).all()
    assert len(np.unique(skeleton.points_nm, axis=0)) == len(skeleton)


@pytest.mark.parametrize("angle", [90, 60, 30])
@pytest.mark.parametrize(("one", "other"), [(40, 70), (70, 45)])
@pytest.mark.parametrize("radius", [2.5, 1.6])
def test_two_neurites_that_cross(neurons, angle, one, other, radius):
    far = [neurons.through(0, one), neurons.through(angle, other, radius=radius)]
    before, after = neurons.traced(crossings=False), neurons.traced()
    wrong = [tree_at(before, point)[0] != tree_of_soma(before, i, neurons) for i, point in enumerate(far)]
    assert sum(wrong) == 1, "the nearer soma took it"
    for i, point in enumerate(far):
        tree, away = tree_at(after, point)
        assert tree == tree_of_soma(after, i, neurons) and away < 3
    # To the ends of the tubes, from the middles of the somata.
    expected = sorted([one + 70 + 2.5, other + 70 + radius])
    assert sorted(lengths_um(after)) == pytest.approx(expected, abs=18)
    require_trees(after.skeleton)
    (row,) = after.contested.to_dict("records")
    assert row["verdict"] == "moved" and row["confidence"] > 0.5
    # The far part, and what the nearer one took of the way there where that was not pruned.
    assert 55_000 < row["moved_nm"] < 1000 * (75 + abs(one - other) / 2)
    assert np.abs(np.array([row["crossing_z"], row["crossing_y"], row["crossing_x"]]) - MIDDLE).max() < 12


def test_somata_at_the_same_distance(neurons):
    far = [neurons.through(0, 55), neurons.through(90, 55)]
    after = neurons.traced()
    assert [tree_at(after, point)[0] for point in far] == [tree_of_soma(after, i, neurons) for i in range(2)]


def test_one_soma_has_no_crossings(neurons):
    neurons.through(0, 40)
    neurons.tube(at(0, -60, 0), at(0, 60, 0))
    before, after = neurons.traced(crossings=False), neurons.traced()
    for name in ("ids", "parents", "points_nm", "radii_nm"):
        np.testing.assert_array_equal(getattr(before.skeleton, name), getattr(after.skeleton, name))
    assert len(after.contested) == 0 and "verdict" in after.contested


def test_a_branch_point_near_the_tip_of_another_neuron_stays_whole(neurons):
    # A forks in a Y at the middle; the neurite of B ends there, and goes on as neither of the two.
    neurons.soma(at(0, 0, -60))
    neurons.tube(at(0, 0, -60), MIDDLE)
    ends = [at(0, dy, 55) for dy in (-38, 38)]
    for end in ends:
        neurons.tube(MIDDLE, end)
    neurons.soma(at(0, 75, -12))
    neurons.tube(at(0, 75, -12), at(0, 6, -1))
    after = neurons.traced()
    own = tree_of_soma(after, 0, neurons)
    assert [tree_at(after, end)[0] for end in ends] == [own, own]
    assert len(after.contested) == 1


def test_a_side_branch_whose_tip_another_neuron_touches_stays(neurons):
    neurons.through(0, 40)
    neurons.tube(MIDDLE, at(0, 25, 10))
    neurons.soma(at(0, 65, 80))
    neurons.tube(at(0, 65, 80), at(0, 27, 12))
    after = neurons.traced()
    own = tree_of_soma(after, 0, neurons)
    assert [tree_at(after, end)[0] for end in (at(0, 0, 70), at(0, 15, 6))] == [own, own]
    assert set(after.contested["verdict"]) <= {"unclear", "confirmed"}
    assert tree_at(after, at(0, 46, 46))[0] == tree_of_soma(after, 1, neurons)


def test_parallel_neurites_that_touch(neurons):
    neurons.soma(at(0, -2.5, -80))
    neurons.tube(at(0, -2.5, -80), at(0, -2.5, 80))
    neurons.soma(at(0, 40, -60))
    neurons.tube(at(0, 40, -60), at(0, 2.5, -20))
    neurons.tube(at(0, 2.5, -20), at(0, 2.5, 20))
    neurons.tube(at(0, 2.5, 20), at(0, 40, 60))
    after = neurons.traced()
    require_trees(after.skeleton)
    assert len(after.skeleton.roots) == 2
    assert len(after.contested) >= 1
    total = [neurons.traced(crossings=setting).skeleton.length_nm for setting in (False, True)]
    assert total[1] == pytest.approx(total[0], rel=0.1), "nothing is lost"


def test_three_neurons_and_two_crossings(neurons):
    # B crosses A, and behind that C, which has the longest way: A takes what lies behind both.
    far = [neurons.through(0, 40, after=70)]
    neurons.soma(at(0, -60, 0))
    far.append(at(0, 70, 0))
    neurons.tube(at(0, -60, 0), far[1])
    neurons.soma(at(0, 40, -85))
    far.append(at(0, 40, 60))
    neurons.tube(at(0, 40, -85), far[2])
    before, after = neurons.traced(crossings=False), neurons.traced()
    right = [[tree_at(f, p)[0] == tree_of_soma(f, i, neurons) for i, p in enumerate(far)] for f in (before, after)]
    assert sum(right[0]) <= 2
    assert right[1] == [True, True, True]
    require_trees(after.skeleton)
    assert (after.contested["verdict"] == "moved").sum() >= 2


def test_two_crossings_of_the_same_two_neurons(neurons):
    # B crosses A twice, so that the two make a loop, of which the watershed gives A all.
    neurons.soma(at(0, 0, -85))
    neurons.tube(at(0, 0, -85), at(0, 0, 90))
    corners = [at(0, dy, dx) for dy, dx in ((-60, -80), (40, 0), (-40, 75))]
    neurons.soma(corners[0])
    neurons.tube(corners[0], corners[1])
    neurons.tube(corners[1], corners[2])
    after = neurons.traced()
    assert tree_at(after, corners[1])[0] == tree_of_soma(after, 1, neurons)
    assert tree_at(after, at(0, 0, 85))[0] == tree_of_soma(after, 0, neurons)
    require_trees(after.skeleton)
    assert (after.skeleton.parents == ROOT).sum() == 2


def test_two_runs_give_the_same_bytes(neurons):
    neurons.through(0, 40)
    neurons.through(60, 70)
    one, other = neurons.traced(), neurons.traced()
    assert one.skeleton.points_nm.tobytes() == other.skeleton.points_nm.tobytes()
    assert one.skeleton.parents.tobytes() == other.skeleton.parents.tobytes()
    assert one.contested.equals(other.contested)
