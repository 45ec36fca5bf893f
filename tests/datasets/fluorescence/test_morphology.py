from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import SOMA, InputError, Skeleton
from neurotome.datasets.fluorescence import FluorescenceSpec
from neurotome.datasets.fluorescence.grow import Habit, grown
from neurotome.datasets.fluorescence.morphology import _steadied, _with_round_soma, placed

SPEC = FluorescenceSpec(shape=(40, 128, 128), voxel_nm=(800, 400, 400), radius_vox=(1.0, 3.0), cable_vox=700.0)


@pytest.fixture(scope="module")
def neuron():
    """Flat along y, in units of its own, with a soma."""
    habit = Habit(radius=(0.1, 1.0), cable=4000.0, soma=8.0, taper=0.0003)
    tree = grown(np.array([300.0, 40.0, 500.0]), habit, np.random.default_rng(0))
    return Skeleton(tree.ids, tree.parents, tree.points_nm * 1000, tree.radii_nm * 1000, tree.kinds, name="flat")


def within(tree):
    window = (np.array(SPEC.shape) - 1) * SPEC.voxel_nm
    return tree.take(((tree.points_nm >= 0) & (tree.points_nm <= window)).all(1))


def test_the_window_holds_a_good_part_and_not_too_much(neuron):
    for seed in range(5):
        shown = within(placed(neuron, SPEC, np.random.default_rng(seed))).length_nm / SPEC.unit_nm
        assert 0.5 * SPEC.cable_vox < shown <= SPEC.cable_vox


def test_radii_are_those_asked_for_and_the_thickest_stays_the_thickest(neuron):
    tree = placed(neuron, SPEC, np.random.default_rng(0))
    radii = tree.radii_nm[tree.kinds != SOMA] / SPEC.unit_nm
    assert 1.0 <= radii.min() < radii.max() <= 3.0
    assert (tree.radii_nm[tree.kinds == SOMA] == SPEC.soma_vox * SPEC.unit_nm).all()
    fork = placed(FORK, SPEC, np.random.default_rng(0))
    by_distance = fork.radii_nm[np.argsort(np.linalg.norm(fork.points_nm - fork.points_nm[0], axis=1))]
    assert by_distance[0] == 3.0 * SPEC.unit_nm
    assert by_distance[-1] < 1.6 * SPEC.unit_nm


# Thick at the root, with arms of 200 and 100.
FORK = Skeleton.of([-1, 0, 1, 1], [[0, 0, 0], [0, 0, 300], [0, 200, 300], [0, 0, 400]], [9, 4, 1, 2])


def test_shape_is_kept_but_for_one_scale():
    tree = placed(FORK, SPEC, np.random.default_rng(1))
    fork = int(np.flatnonzero(tree.children == 2)[0])
    arms = sorted(np.linalg.norm(tree.points_nm[tree.children == 0] - tree.points_nm[fork], axis=1))
    stem = np.linalg.norm(tree.points_nm[0] - tree.points_nm[fork])
    np.testing.assert_allclose(np.array(arms) / stem, [1 / 3, 2 / 3], rtol=1e-9)


def test_what_would_be_a_tangle_is_magnified():
    rng = np.random.default_rng(5)
    turns = np.cumsum(rng.normal(size=(400, 3)), axis=0) * 1000
    knot = Skeleton.of(np.arange(400) - 1, turns, np.ones(400))
    tree = within(placed(knot, replace(SPEC, cable_vox=1e9), rng))
    cells = len(np.unique((tree.points_nm / SPEC.unit_nm / 6).astype(int), axis=0))
    assert cells * 6 > 0.8 * tree.length_nm / SPEC.unit_nm


def test_the_zigzag_of_hands_is_smoothed_and_ends_stay():
    x = np.arange(81.0)
    zigzag = Skeleton.of(np.arange(81) - 1, np.column_stack([3 * (np.arange(81) // 4 % 2), 0 * x, x]))
    steady = _steadied(zigzag, 32)
    assert steady.points_nm[[0, -1]].tolist() == zigzag.points_nm[[0, -1]].tolist()
    assert np.ptp(steady.points_nm[20:-20, 0]) < 0.6
    assert np.abs(steady.points_nm[:, 2] - x).max() < 1e-9


def test_the_flat_side_of_the_arbor_lies_in_the_sections(neuron):
    spec = FluorescenceSpec(shape=(64, 128, 128), voxel_nm=(400, 400, 400), cable_vox=1e9)
    spread = placed(neuron, spec, np.random.default_rng(2)).points_nm.std(0)
    assert spread[0] < 0.7 * spread[1:].min()


def test_a_neuron_without_length_is_refused():
    with pytest.raises(InputError, match="some length"):
        placed(Skeleton.of([-1], [[0, 0, 0]]), SPEC, np.random.default_rng(0))


def test_a_soma_of_three_points_is_one_ball():
    points = [[0, 0, 0], [0, 5, 0], [0, -5, 0], [0, 9, 0], [0, 60, 0], [0, 0, 70]]
    tree = _with_round_soma(Skeleton.of([-1, 0, 0, 1, 3, 0], points, [5, 5, 5, 1, 1, 1], [SOMA, SOMA, SOMA, 3, 3, 3]))
    assert tree.kinds.tolist() == [SOMA, 3, 3, 3]
    assert tree.parent_rows.tolist() == [-1, 0, 1, 0]
    assert tree.points_nm[0].tolist() == [0, 0, 0]
