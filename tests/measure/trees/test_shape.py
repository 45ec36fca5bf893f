import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import SOMA, Skeleton, ValueRangeError
from neurotome.datasets import data_root
from neurotome.io.swc import read_swc
from neurotome.measure.trees.branches import without_soma_outline
from neurotome.measure.trees.shape import TREE_SUMMARY_COLUMNS, sholl, tree_summary

Y = Skeleton.of(
    parents=[-1, 0, 1, 1, 3],
    points_nm=np.array([[0, 0, 0], [0, 0, 10], [0, 6, 18], [0, -10, 10], [0, -10, 34]]) * 1000.0,
    radii_nm=np.array([5, 1, 1, 2, 2]) * 1000.0,
    kinds=[1, 3, 3, 2, 2],
    name="y",
)


def forest(seed: int, n: int) -> Skeleton:
    """Random trees with a soma at the first root, some radii unknown."""
    rng = np.random.default_rng(seed)
    parents = np.array([-1, *[rng.integers(max(0, i - 5), i) if rng.random() > 0.1 else -1 for i in range(1, n)]])
    radii = rng.uniform(100, 900, n) * (rng.random(n) > 0.2)
    return Skeleton.of(parents, rng.normal(size=(n, 3)) * 5000, radii, np.where(np.arange(n) < 2, SOMA, 3))


def resampled(tree: Skeleton, seed: int) -> Skeleton:
    """Up to three nodes more on each edge, with radii in between. (A radius that is known at one end only stays known there.)"""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(tree)).tolist()
    parents, points = tree.parent_rows.tolist(), list(tree.points_nm)
    radii, kinds = tree.radii_nm.tolist(), tree.kinds.tolist()
    for row in rows:
        above = tree.parent_rows[row]
        for at in np.sort(rng.random(rng.integers(0, 4))) if above >= 0 else ():
            enters = tree.kinds[above] == SOMA and tree.kinds[row] != SOMA
            start, end = tree.radii_nm[row if enters else above], tree.radii_nm[row]
            points.append(tree.points_nm[above] * (1 - at) + tree.points_nm[row] * at)
            radii.append(start * (1 - at) + end * at if start and end else 0.0)
            kinds.append(int(tree.kinds[row]))
            parents.append(parents[row])
            parents[row] = len(points) - 1
    return Skeleton.of(parents, np.array(points), radii, kinds)


def close(one: Skeleton, other: Skeleton, factors: dict[str, float] | None = None) -> None:
    a = tree_summary(one).drop(columns=["nodes", "root_id", "name", "min_radius_um", "max_radius_um"])
    b = tree_summary(other).drop(columns=["nodes", "root_id", "name", "min_radius_um", "max_radius_um"])
    for column in a:
        expected = a[column].to_numpy(float) * (factors or {}).get(column, 1.0)
        assert np.allclose(b[column].to_numpy(float), expected, rtol=1e-7, atol=1e-6, equal_nan=True), column


def test_every_column_of_a_tree_made_by_hand() -> None:
    (row,) = tree_summary(Y).to_dict("records")
    assert tuple(row) == TREE_SUMMARY_COLUMNS
    assert row == {
        "name": "y",
        "tree": 0,
        "root_id": 1,
        "nodes": 5,
        "stems": 1,
        "bifurcations": 1,
        "tips": 2,
        "length_um": pytest.approx(54),
        "longest_path_um": pytest.approx(44),
        "max_euclidean_um": pytest.approx(math.sqrt(1256)),
        "max_branch_order": 1,
        "strahler": 2,
        "tortuosity": pytest.approx((2 + 34 / 26) / 3),
        "local_angle_deg": pytest.approx(math.degrees(math.acos(-0.6))),
        "remote_angle_deg": pytest.approx(math.degrees(math.acos(132 / 260))),
        "mean_radius_um": pytest.approx((10 + 10 + 15 + 48) / 54),
        "min_radius_um": 1,
        "max_radius_um": 2,
        "known_radii": 1,
        "soma_radius_um": 5,
        "surface_um2": pytest.approx(math.pi * (20 + 20 + 3 * math.sqrt(101) + 4 * 24)),
        "volume_um3": pytest.approx(math.pi * (10 + 10 + 10 / 3 * 7 + 96)),
    }


def test_what_is_not_known_is_nan_not_zero() -> None:
    lone = Skeleton.of([-1, 0, -1], [[0, 0, 0], [0, 0, 3000], [9, 9, 9]])
    table = tree_summary(lone)
    assert table.nodes.tolist() == [2, 1]
    assert table.tips.tolist() == [1, 0]
    assert table.strahler.tolist() == [1, 0]
    assert table.known_radii.tolist() == pytest.approx([0, math.nan], nan_ok=True)
    assert table[["mean_radius_um", "min_radius_um", "soma_radius_um", "local_angle_deg"]].isna().all().all()
    assert list(tree_summary(lone.take(np.zeros(3, bool))).columns) == list(TREE_SUMMARY_COLUMNS)


def test_points_that_draw_a_soma_are_neither_stems_nor_tips() -> None:
    """The three-point soma of NeuroMorpho, a contour node that carries a neurite, and one that carries another soma node."""
    ring = np.array([[0, 0, 0], [0, 7, 0], [0, -7, 0], [0, 0, 7], [0, 0, 17], [7, 0, 0], [9, 0, 0]]) * 1000.0
    tree = Skeleton.of([-1, 0, 0, 0, 3, 0, 5], ring, [7000, 7000, 7000, 7000, 1000, 7000, 8000], [1, 1, 1, 1, 3, 1, 1])
    (row,) = tree_summary(tree).to_dict("records")
    assert (row["nodes"], row["stems"], row["tips"], row["bifurcations"], row["strahler"]) == (7, 1, 1, 0, 1)
    assert (row["length_um"], row["mean_radius_um"], row["known_radii"], row["soma_radius_um"]) == (17, 1, 1, 8)
    assert row["surface_um2"] == pytest.approx(2 * math.pi * 10)
    assert sholl(tree, 5000.0).crossings.tolist() == [1, 1, 1]
    all_soma = Skeleton.of(tree.parent_rows, ring, kinds=[1] * 7)
    assert tree_summary(all_soma).tips.tolist() == [4]


def test_angles_between_stems_at_the_soma_are_no_bifurcation_angles() -> None:
    points = [[0, 0, 0], [0, 0, 1000], [0, 1000, 0]]
    kinds = [SOMA, 3, 3]
    assert math.isnan(tree_summary(Skeleton.of([-1, 0, 0], points, kinds=kinds)).local_angle_deg[0])
    assert tree_summary(Skeleton.of([-1, 0, 0], points)).local_angle_deg[0] == pytest.approx(90)


def test_sholl_counts_crossings_not_nodes() -> None:
    """Along x from 0 to 10, then past the centre at a distance of 3 from x = 10 to x = -10."""
    line = Skeleton.of([-1, 0, 1, 2], [[0, 0, 0], [0, 0, 10_000], [0, 3000, 10_000], [0, 3000, -10_000]])
    table = sholl(line, 2000.0)
    assert table.radius_um.tolist() == [2, 4, 6, 8, 10]
    # 2: outward only. 4 to 8: outward, in and out again. 10: outward, on to 10.44; in; out.
    assert table.crossings.tolist() == [1, 3, 3, 3, 3]
    assert set(table.tree) == {0}


def test_sholl_of_several_trees_and_of_none() -> None:
    two = Skeleton.of([-1, 0, -1, 2], [[0, 0, 0], [0, 0, 2500], [7, 7, 7], [7, 7, 1507]])
    assert sholl(two, 1000.0).to_numpy().tolist() == [[0, 1, 1], [0, 2, 1], [1, 1, 1]]
    assert len(sholl(Skeleton.of([-1], [[0, 0, 0]]), 1000.0)) == 0
    for step in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueRangeError, match="more than 0"):
            sholl(two, step)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_sholl_agrees_with_counting_along_finely_cut_edges(seed: int, n: int) -> None:
    tree = without_soma_outline(forest(seed, n))
    found = sholl(tree, 1713.0)
    expected: dict[tuple[int, int], int] = {}
    root = tree.points_nm[tree.roots][tree.trees]
    for row in np.flatnonzero(tree.parent_rows >= 0):
        at = np.linspace(0, 1, 20_001)[:, None]
        line = tree.points_nm[tree.parent_rows[row]] * (1 - at) + tree.points_nm[row] * at - root[row]
        shell = np.floor(np.sqrt((line**2).sum(1)) / 1713.0).astype(int)
        for low, high in zip(np.minimum(shell[1:], shell[:-1]), np.maximum(shell[1:], shell[:-1]), strict=True):
            for k in range(low, high):
                expected[tree.trees[row], k] = expected.get((tree.trees[row], k), 0) + 1
    got = {(r.tree, round(r.radius_um / 1.713) - 1): r.crossings for r in found.itertuples() if r.crossings}
    # A dip thinner than the cuts is missed by cutting; it is worth two crossings.
    assert (sum(got.values()) - sum(expected.values())) % 2 == 0
    assert all(got.get(key, 0) >= count for key, count in expected.items())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_nothing_depends_on_how_densely_edges_are_drawn(seed: int, n: int) -> None:
    tree = forest(seed, n)
    dense = resampled(tree, seed + 1)
    close(tree, dense)
    assert sholl(tree, 1713.0).to_numpy() == pytest.approx(sholl(dense, 1713.0).to_numpy())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_nothing_depends_on_place_and_direction(seed: int, n: int) -> None:
    tree = forest(seed, n)
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    moved = tree.points_nm @ turn + rng.normal(size=3) * 1e5
    close(tree, Skeleton.of(tree.parent_rows, moved, tree.radii_nm, tree.kinds))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.01, 100))
def test_lengths_surfaces_and_volumes_scale(seed: int, n: int, scale: float) -> None:
    tree = forest(seed, n)
    larger = Skeleton.of(tree.parent_rows, tree.points_nm * scale, tree.radii_nm * scale, tree.kinds)
    lengths = ("length_um", "longest_path_um", "max_euclidean_um", "mean_radius_um", "soma_radius_um")
    close(tree, larger, {**dict.fromkeys(lengths, scale), "surface_um2": scale**2, "volume_um3": scale**3})
    assert sholl(larger, 1713.0 * scale).crossings.sum() == pytest.approx(sholl(tree, 1713.0).crossings.sum(), abs=2)


@pytest.mark.realdata
def test_a_real_neuron() -> None:
    path = Path(data_root()) / "tracing" / "fly_neuron.swc"
    if not path.is_file():
        pytest.skip("real data is not on this machine: set NEUROTOME_DATA")
    (row,) = tree_summary(read_swc(path, unit="um").skeleton).to_dict("records")
    assert (row["nodes"], row["tips"], row["bifurcations"], row["root_id"]) == (1679, 24, 23, 0)
    assert row["length_um"] == pytest.approx(1576.034, abs=5e-4)
