import numpy as np
import pytest

from neurotome.core import Skeleton, ValueRangeError
from neurotome.morphology.occupancy import (
    Variation,
    flipped,
    jittered,
    random_rotation,
    resampled,
    rotated,
    scaled,
    varied,
    without_branches,
    without_tips,
)


def tips(skeleton):
    return ((skeleton.children == 0) & (skeleton.parent_rows >= 0)).sum()


def test_turned_flipped_and_scaled_about_the_soma(tree, rng):
    turn = random_rotation(rng)
    turned = rotated(tree, turn)
    assert np.allclose(turned.points_nm[0], tree.points_nm[0]) and np.allclose(turned.edge_nm, tree.edge_nm)
    assert np.allclose(turned.points_nm - turned.points_nm[0], (tree.points_nm - tree.points_nm[0]) @ turn.T)
    assert np.allclose(rotated(turned, turn.T).points_nm, tree.points_nm)
    assert np.allclose(flipped(flipped(tree, 1), 1).points_nm, tree.points_nm)
    larger = scaled(tree, 1.5)
    assert larger.length_nm == pytest.approx(1.5 * tree.length_nm) and np.allclose(larger.radii_nm, 1.5 * tree.radii_nm)
    for wrong in (np.diag([1.0, 1, -1]), np.eye(3) * 2, np.eye(2)):
        with pytest.raises(ValueRangeError):
            rotated(tree, wrong)


def test_jitter_has_the_deviation_asked_for(tree, rng):
    moved = jittered(tree, 300.0, rng).points_nm - tree.points_nm
    assert moved.std() == pytest.approx(300, rel=0.1) and abs(moved.mean()) < 30
    assert (jittered(tree, 0.0, rng).points_nm == tree.points_nm).all()


def test_resampling_keeps_the_course(tree):
    fine = resampled(tree, 150.0)
    assert fine.length_nm == pytest.approx(tree.length_nm, rel=0.01) and fine.edge_nm.max() <= 150 * (1 + 1e-9)
    coarse = resampled(tree, 1e9)
    kept = (tree.parent_rows < 0) | (tree.children != 1) | (tree.kinds == 1)
    assert len(coarse) == kept.sum()
    for made in (fine, coarse):
        assert tips(made) == tips(tree) and len(made.roots) == 1 and (made.kinds == 1).sum() == 1
        ends = {tuple(p) for p in tree.points_nm[kept].tolist()}
        assert ends <= {tuple(p) for p in made.points_nm.tolist()}


def test_resampling_a_bent_line_by_hand():
    bent = Skeleton.of([-1, 0, 1], [[0, 0, 0], [0, 0, 30], [0, 50, 30]], [2, 5, 10], [1, 3, 2])
    made = resampled(bent, 40.0)  # 80 long: two parts
    assert np.allclose(made.points_nm, [[0, 0, 0], [0, 10, 30], [0, 50, 30]], atol=1e-9)
    assert np.allclose(made.radii_nm, [2, 6, 10]) and made.kinds.tolist() == [1, 2, 2]
    doubled = Skeleton.of([-1, 0, 1, -1], [[0, 0, 0], [0, 0, 0], [0, 0, 9], [5, 5, 5]])
    assert resampled(doubled, 3.0).points_nm[:, 2].round(9).tolist() == [0, 3, 6, 9, 5]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 1.0])
def test_tips_go_down_to_their_bifurcation(tree, share):
    lighter = without_tips(tree, share, np.random.default_rng(0))
    lost = set(tree.ids.tolist()) - set(lighter.ids.tolist())
    branching = {int(tree.ids[row]) for row in np.flatnonzero(tree.children > 1)}
    assert not lost & branching and len(lighter) >= 1
    ended = tree.ids[(tree.children == 0) & (tree.parent_rows >= 0)]
    assert len(lost & set(ended.tolist())) == round(share * len(ended))
    assert len(lighter.roots) == 1


@pytest.mark.parametrize("share", [0.0, 0.15, 0.5])
def test_whole_subtrees_go(tree, share):
    lighter = without_branches(tree, share, np.random.default_rng(1))
    assert len(lighter.roots) == 1  # nothing is left hanging in the air
    gone = 1 - lighter.length_nm / tree.length_nm
    assert share * 0.9 <= gone <= share + 1e-12


def test_a_line_and_a_single_node_survive(rng):
    single = Skeleton.of([-1], [[0, 0, 0]])
    line = Skeleton.of([-1, 0, 1], [[0, 0, 0], [0, 0, 10], [0, 0, 20]])
    for shape in (single, line):
        assert len(without_tips(shape, 1.0, rng)) == 1 and len(without_branches(shape, 1.0, rng)) == 1
        assert len(resampled(shape, 1e3)) in (1, 2)
    assert without_tips(line, 0.3, rng).ids.tolist() == [1, 2, 3]


def test_a_variation_is_the_same_from_the_same_state_and_another_from_another(tree):
    variation = Variation(flip=(0, 2), scale=(0.95, 1.05), jitter_nm=400, tips=0.3, branches=0.3, step_nm=(500.0, 4000.0))
    one, same, other = (varied(tree, variation, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (one.points_nm == same.points_nm).all() and len(one.points_nm) != len(other.points_nm)
    assert np.allclose(one.points_nm[0], tree.points_nm[0], atol=3000)
    still = varied(tree, Variation(turn="none"), np.random.default_rng(0))
    assert np.allclose(still.points_nm, tree.points_nm)
    about_depth = varied(tree, Variation(turn="depth"), np.random.default_rng(0))
    assert np.allclose(about_depth.points_nm[:, 1], tree.points_nm[:, 1]) and np.allclose(about_depth.edge_nm, tree.edge_nm)


def test_random_rotations_have_no_preferred_direction():
    rng = np.random.default_rng(0)
    turned = np.array([random_rotation(rng)[:, 0] for _ in range(2000)])
    assert np.abs(turned.mean(0)).max() < 0.05 and np.abs(turned.T @ turned / 2000 - np.eye(3) / 3).max() < 0.05
