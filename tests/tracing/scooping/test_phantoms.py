"""The phantom table: ends and branches exactly, nodes +-2, distance to the true axis at most 0.05 µm above the table's."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from neurotome.tracing.scooping import extend_tips, prune, rayburst, reduce_nodes, scoop, smooth_radii

END, MIDDLE = (15, 15, 10), (15, 15, 50)

# Shape, arguments, start, raw ends and branches, pruned ends and branches, nodes after pruning.
TABLE = {
    "thin tube": ("tube", (1.5,), END, (2, 0), (2, 0), 80),
    "tube": ("tube", (3,), END, (6, 1), (2, 0), 43),
    "thick tube": ("tube", (5,), END, (2, 0), (2, 0), 32),
    "thin tube from its middle": ("tube", (1.5,), MIDDLE, (3, 1), (2, 0), 79),
    "tube from its middle": ("tube", (3,), MIDDLE, (3, 1), (2, 0), 43),
    "thick tube from its middle": ("tube", (5,), MIDDLE, (3, 1), (2, 0), 33),
    "thick tube off its axis": ("tube", (5,), (15, 19, 10), (9, 1), (2, 0), 30),
    "fork": ("y_fork", (), (15, 40, 10), (3, 1), (3, 1), 72),
    "ring": ("ring", (), (10, 35, 60), (3, 1), (2, 0), 84),
    "soma": ("soma", (), (30, 50, 50), (5, 1), (4, 1), 89),
    "broken tube": ("broken_tube", (), END, (6, 1), (2, 0), 21),
    "slanted": ("slanted", (), (2, 25, 10), (5, 2), (2, 0), 37),
}


def traced(shapes, row, *, pruned=True):
    name, arguments, start, *_ = TABLE[row]
    spacing = (3.0, 1.0, 1.0) if name == "slanted" else (1.0, 1.0, 1.0)
    tree = scoop(shapes.bricks_of(getattr(shapes, name)(*arguments), spacing), start)
    return prune(tree) if pruned else tree


@pytest.mark.parametrize("row", TABLE)
def test_the_table(shapes, row):
    _, _, _, raw, pruned, nodes = TABLE[row]
    assert shapes.ends_and_branches(traced(shapes, row, pruned=False)) == raw
    tree = traced(shapes, row)
    assert shapes.ends_and_branches(tree) == pruned
    assert abs(len(tree) - nodes) <= 2
    assert len(tree.roots) == 1


@pytest.mark.parametrize(
    ("row", "mean", "largest"),
    [
        *(
            (row, 0, 0)
            for row in TABLE
            if row.startswith(("thin", "tube")) or row in ("thick tube", "thick tube from its middle")
        ),
        ("thick tube off its axis", 0.02, 0.07),
        ("fork", 0.12, 1.45),
        ("ring", 0.10, 0.26),
        ("soma", 0, 0),
        ("slanted", 0.44, 2.44),
    ],
)
def test_distance_to_the_true_axis(shapes, row, mean, largest):
    points = traced(shapes, row).points_nm / shapes.UM
    axes = {"fork": shapes.FORK_AXES, "soma": shapes.SOMA_AXES, "slanted": shapes.SLANTED_AXIS}.get(row, shapes.TUBE_AXIS)
    distance = shapes.distance_to_ring(points) if row == "ring" else shapes.distance_to_lines(points, axes)
    assert distance.mean() <= mean + 0.05
    assert distance.max() <= largest + 0.05


def test_an_uncentred_start_costs_accuracy_before_pruning(shapes):
    points = traced(shapes, "thick tube off its axis", pruned=False).points_nm / shapes.UM
    distance = shapes.distance_to_lines(points, shapes.TUBE_AXIS)
    assert distance.mean() == pytest.approx(1.14, abs=0.01)
    assert distance.max() == pytest.approx(4.64, abs=0.01)


@pytest.mark.parametrize("random_state", range(10))
def test_a_rough_tube_has_two_ends(shapes, random_state):
    tree = scoop(shapes.bricks_of(shapes.rough_tube(random_state)), END)
    ends, branches = shapes.ends_and_branches(tree)
    assert 2 <= ends <= 10
    assert branches <= 3
    tree = prune(tree)
    assert shapes.ends_and_branches(tree) == (2, 0)
    assert 35 <= len(tree) <= 40
    distance = shapes.distance_to_lines(tree.points_nm / shapes.UM, shapes.TUBE_AXIS)
    assert distance.mean() <= 0.13 + 0.05
    assert distance.max() <= 2.03 + 0.05


@pytest.mark.parametrize("length", range(1, 16))
def test_a_twig_stays_when_it_is_clearly_longer_than_the_scoop(shapes, length):
    tree = prune(scoop(shapes.bricks_of(shapes.twig(length)), END))
    # The twig begins at y = 16; up to y = 18 it lies in the tube.
    assert shapes.ends_and_branches(tree) == ((2, 0) if length <= 7 else (3, 1))


def test_the_soma_has_four_stems(shapes):
    tree = traced(shapes, "soma")
    degree = tree.children + (tree.parent_rows >= 0)
    assert degree.max() == 4


def test_the_ring_is_cut_where_its_fronts_met(shapes):
    tree = traced(shapes, "ring")
    met = np.flatnonzero(tree.features["loop_contact"])
    assert len(met) == 2
    assert (tree.children + (tree.parent_rows >= 0))[met].tolist() == [1, 1]
    assert np.linalg.norm(np.subtract(*tree.points_nm[met])) <= 8 * shapes.UM
    assert (tree.points_nm[met, 2] < 12 * shapes.UM).all(), "opposite of the start"


@pytest.mark.parametrize("row", [row for row in TABLE if row != "ring"])
def test_without_a_loop_no_fronts_meet(shapes, row):
    assert not traced(shapes, row, pruned=False).features["loop_contact"].any()


def test_a_gap_is_not_crossed(shapes):
    tube = shapes.broken_tube()
    tree = scoop(shapes.bricks_of(tube), END)
    assert int(tube.sum() - tree.features["cluster_voxels"].sum()) == 1073


@pytest.mark.parametrize(("radius", "length"), [(1.5, 78.6), (2, 77.4), (3, 77.3), (4, 76.4), (5, 74.5), (8, 72.3)])
def test_path_length_and_what_extended_tips_add(shapes, radius, length):
    bricks = shapes.bricks_of(shapes.tube(radius))
    tree = prune(scoop(bricks, END))
    assert tree.length_nm / shapes.UM == pytest.approx(length, abs=0.05)
    sizes = tree.features["cluster_size_nm"]
    tree = smooth_radii(replace(tree, radii_nm=rayburst(bricks, tree.points_nm, 128, cluster_size_nm=sizes)))
    for finished in (tree, reduce_nodes(tree, smallest_nm=shapes.UM)):
        assert 78.5 <= extend_tips(finished, bricks, 128).length_nm / shapes.UM <= 80


def moved(mask, start, order, flips):
    """A shape with its axes in another order, and some of them running backwards."""
    turned = np.flip(np.transpose(mask, order), flips)
    place = [start[axis] for axis in order]
    return turned, tuple(turned.shape[k] - 1 - p if k in flips else p for k, p in enumerate(place))


MOVES = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
]


@pytest.mark.parametrize("row", TABLE)
def test_flipped_or_permuted_axes_change_nothing(shapes, row):
    name, arguments, start, raw, pruned, _ = TABLE[row]
    mask, spacing = getattr(shapes, name)(*arguments), np.array((3.0, 1, 1) if name == "slanted" else (1.0, 1, 1))
    sizes = []
    for order, flips in MOVES:
        turned, place = moved(mask, start, order, flips)
        tree = scoop(shapes.bricks_of(turned, tuple(spacing[list(order)])), place)
        assert shapes.ends_and_branches(tree) == raw, (order, flips)
        assert shapes.ends_and_branches(prune(tree)) == pruned, (order, flips)
        sizes.append(np.sort(tree.features["cluster_voxels"]).tolist())
    assert all(size == sizes[0] for size in sizes)
