"""Voxel Scooping against its definition, and its options."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from neurotome.core import InputError, ShapeError, Skeleton, ValueRangeError
from neurotome.tracing.scooping import ScoopSettings, Visited, scoop
from neurotome.tracing.sparse.bricks import SIDE, Bricks

AROUND = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]
FULL = np.ones((3, 3, 3))


def blob(random_state, shape=(14, 40, 36), share=0.3):
    """A volume of one connected, ragged object, uint8, and one of its voxels."""
    rng = np.random.default_rng(random_state)
    noise = ndimage.gaussian_filter(rng.normal(size=shape), 1.3)
    labels, _ = ndimage.label(noise > np.quantile(noise, 1 - share), FULL)
    largest = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    places = np.argwhere(largest)
    values = np.where(largest, rng.integers(128, 256, shape), rng.integers(0, 128, shape)).astype(np.uint8)
    return values, tuple(int(i) for i in places[rng.integers(len(places))])


def defined_scoop(values, start, spacing, threshold=128, z_smear=1.0, *, weighted=False):
    """Rows of (parent, point, scoop, size, voxels) straight from the definition."""
    s = np.array(spacing, float)
    free = {tuple(v) for v in np.argwhere(values >= threshold).tolist()} - {start}
    smear = np.array([1 / z_smear, 1, 1])
    rows = [(-1, start * s, 0.0, np.linalg.norm(s), {start})]

    def near(voxels):
        return {tuple(np.add(v, step).tolist()) for v in voxels for step in AROUND} & free

    for p, (_, parent_point, _, parent_size, cluster) in enumerate(rows):
        unvisited = near(cluster)
        free -= unvisited
        pieces = []
        while unvisited:
            piece, todo = set(), {min(unvisited)}
            while todo:
                piece |= todo
                unvisited -= todo
                todo = {tuple(np.add(v, step).tolist()) for v in todo for step in AROUND} & unvisited
            pieces.append(piece)
        for piece in sorted(pieces, key=min):
            voxels = np.array(sorted(piece))
            weights = values[tuple(voxels.T)].astype(float) if weighted else np.ones(len(voxels))
            centre = (voxels * weights[:, None]).sum(0) / weights.sum() * s
            size = np.linalg.norm((voxels.max(0) - voxels.min(0) + 1) * s)
            point = parent_point + 0.5 ** (min(size, parent_size) / max(size, parent_size)) * (centre - parent_point)
            reach = max(np.linalg.norm((v * s - point) * smear) for v in piece)
            todo = set(piece)
            while todo:
                todo = {v for v in near(todo) if np.linalg.norm((np.array(v) * s - point) * smear) <= reach + 1e-9 * s.min()}
                free -= todo
                piece |= todo
            rows.append((p, point, reach, size, piece))
    return rows


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([(1000.0, 1000.0, 1000.0), (900.0, 300.0, 300.0)]),
    st.sampled_from([1.0, 1.5]),
    st.booleans(),
)
def test_it_is_what_the_definition_says(random_state, spacing, z_smear, weighted):
    values, start = blob(random_state, (10, 38, 36), 0.2)
    tree = scoop(Bricks.of(values, spacing), start, ScoopSettings(z_smear=z_smear, weighted_centre=weighted))
    rows = defined_scoop(values, start, spacing, z_smear=z_smear, weighted=weighted)
    assert tree.parent_rows.tolist() == [row[0] for row in rows]
    assert tree.points_nm == pytest.approx(np.array([row[1] for row in rows]), abs=1e-6)
    assert tree.features["scoop_nm"] == pytest.approx([row[2] for row in rows], abs=1e-6)
    assert tree.features["cluster_size_nm"] == pytest.approx([row[3] for row in rows], abs=1e-6)
    assert tree.features["cluster_voxels"].tolist() == [len(row[4]) for row in rows]


@pytest.mark.parametrize("random_state", range(5))
def test_every_voxel_of_the_component_is_visited_once(random_state):
    values, start = blob(random_state)
    bricks = Bricks.of(values, (1.0, 1.0, 1.0))
    visited = Visited.of(bricks)
    tree = scoop(bricks, start, visited=visited)
    labels, _ = ndimage.label(values >= 128, FULL)
    component = np.argwhere(labels == labels[start])
    assert tree.features["cluster_voxels"].sum() == len(component) == visited.count
    assert set(np.unique(visited.mask)) == {0, 1}
    assert len(tree.roots) == 1


def bytes_of(tree):
    return [tree.points_nm.tobytes(), tree.parents.tobytes()] + [tree.features[key].tobytes() for key in sorted(tree.features)]


def test_two_runs_give_the_same_bytes():
    values, start = blob(1)
    bricks = Bricks.of(values, (1.0, 1.0, 1.0))
    assert bytes_of(scoop(bricks, start)) == bytes_of(scoop(bricks, start))


@pytest.mark.parametrize("shift", [(1, 0, 0), (5, 17, 31), (32, 7, 64), (19, 19, 19)])
def test_the_place_in_the_volume_does_not_matter(shift):
    values, start = blob(2)
    wide = np.pad(values, [(n + 1, 3) for n in shift])
    near = np.pad(values, [(1, 3)] * 3)
    tree = scoop(Bricks.of(near, (300.0, 300.0, 300.0)), tuple(i + 1 for i in start))
    far = scoop(Bricks.of(wide, (300.0, 300.0, 300.0)), tuple(i + n + 1 for i, n in zip(start, shift)))
    assert far.points_nm - np.array(shift) * 300 == pytest.approx(tree.points_nm, abs=1e-6)
    assert bytes_of(replace(far, points_nm=tree.points_nm)) == bytes_of(tree)


@pytest.mark.parametrize("at_once", [(SIDE, SIDE, SIDE), (SIDE, 2 * SIDE, 4 * SIDE), (4 * SIDE, SIDE, 2 * SIDE)])
def test_the_blocks_it_was_read_in_do_not_matter(at_once):
    values, start = blob(3, (40, 70, 90), 0.1)
    bricks = Bricks.of(values, (1.0, 1.0, 1.0))
    gathered = Bricks.gathered(lambda box: values[box.slices], values.shape, (1.0, 1.0, 1.0), at_once=at_once)
    assert bytes_of(scoop(gathered, start)) == bytes_of(scoop(bricks, start))


def test_trees_share_a_mask(shapes):
    tubes = shapes.broken_tube()
    bricks = shapes.bricks_of(tubes)
    visited = Visited.of(bricks)
    first = scoop(bricks, (15, 15, 10), visited=visited)
    second = scoop(bricks, (15, 15, 90), visited=visited)
    assert first.features["cluster_voxels"].sum() + second.features["cluster_voxels"].sum() == tubes.sum() == visited.count
    with pytest.raises(InputError, match=r"\(15, 15, 20\) belongs to a tree already.*fresh Visited"):
        scoop(bricks, (15, 15, 20), visited=visited)


def test_a_tree_keeps_to_its_territory(shapes):
    bricks = shapes.bricks_of(shapes.tube(3))
    allowed = np.ones_like(bricks.values)
    x = np.argwhere(bricks.table >= 0)[:, 2, None] * SIDE + np.arange(SIDE)
    allowed *= (x < 50)[:, None, None, :].astype(np.uint8)
    tree = scoop(bricks, (15, 15, 10), allowed=allowed)
    assert tree.features["cluster_voxels"].sum() == shapes.tube(3)[:, :, :50].sum()
    with pytest.raises(InputError, match="not allowed"):
        scoop(bricks, (15, 15, 60), allowed=allowed)
    with pytest.raises(ShapeError, match="that of the bricks"):
        scoop(bricks, (15, 15, 10), allowed=allowed[:1])
    with pytest.raises(ShapeError, match="that of the bricks"):
        scoop(bricks, (15, 15, 10), visited=Visited.of(shapes.bricks_of(shapes.soma())))


def test_a_side_branch_grafts_onto_an_accepted_tree(shapes):
    fork = shapes.y_fork()
    bricks = shapes.bricks_of(fork)
    trunk = Skeleton.of(
        np.arange(-1, 80), [(15_000.0, 40_000.0, 1000.0 * x) for x in range(10, 91)], radii_nm=np.full(81, 3000.0), name="trunk"
    )
    start = (15, 15, 90)
    visited = Visited.of(bricks)
    tree = scoop(bricks, start, accepted=trunk, visited=visited)
    assert set(np.unique(visited.mask)) == {0, 1}
    grafted = np.flatnonzero(tree.features["graft"] >= 0)
    assert len(grafted) >= 1
    assert tree.children[grafted[0]] == 0
    met = trunk.points_nm[trunk.rows_of(tree.features["graft"][grafted[:1]])[0]]
    reach = tree.features["scoop_nm"][grafted[0]]
    assert np.linalg.norm(met - tree.points_nm[grafted[0]]) <= 3000 + 2 * reach + 2000
    assert tree.features["cluster_voxels"].sum() < fork.sum()
    apart = scoop(bricks, start, accepted=replace(trunk, points_nm=trunk.points_nm + 10**6))
    assert (apart.features["graft"] == -1).all()
    assert apart.features["cluster_voxels"].sum() == fork.sum()


def test_light_smeared_along_z_counts_less():
    z, y, x = np.ogrid[:41, :21, :81]
    values = np.where((((z - 20) / 1.9) ** 2 + (y - 10) ** 2 <= 36) & (x >= 8) & (x <= 72), 255, 0).astype(np.uint8)
    bricks = Bricks.of(values, (1.0, 1.0, 1.0))
    plain, smeared = (scoop(bricks, (20, 10, 8), ScoopSettings(z_smear=smear)) for smear in (1.0, 1.9))
    assert smeared.features["scoop_nm"].max() < plain.features["scoop_nm"].max()
    assert smeared.features["cluster_voxels"].sum() == plain.features["cluster_voxels"].sum() == (values > 0).sum()


def fading_fork():
    """A stem of 255 that splits in two: one arm stays bright, the other fades to 90 on a background of 10."""
    values = np.full((21, 61, 121), 10, np.uint8)
    values[8:13, 28:33, 5:40] = 255
    values[8:13, 14:47, 40:45] = 255
    values[8:13, 14:19, 45:110] = 255
    values[8:13, 42:47, 45:110] = np.linspace(255, 90, 65).astype(np.uint8)
    return Bricks.of(values, (1.0, 1.0, 1.0))


def test_local_thresholds_follow_a_fading_arm():
    bricks = fading_fork()
    fixed = scoop(bricks, (10, 30, 5))
    local = scoop(bricks, (10, 30, 5), ScoopSettings(local_thresholds=True))
    assert (fixed.features["threshold"] == 128).all()
    arm = [tree.points_nm[tree.points_nm[:, 1] > 40][:, 2].max() for tree in (fixed, local)]
    assert arm[0] < 96 < 104 < arm[1]
    trunk = local.points_nm[:, 2] < 38
    assert (local.features["threshold"][trunk] == 128).all(), "the front has not split yet"
    assert local.features["threshold"][~trunk].min() < 110


def test_where_there_are_no_two_sides_a_node_is_dropped():
    bricks = fading_fork()
    visited = Visited.of(bricks)
    none = scoop(bricks, (10, 30, 5), ScoopSettings(local_thresholds=True, least_share=1.0), visited=visited)
    assert set(np.unique(visited.mask)) == {0, 1}
    assert not (none.points_nm[:, 1] > 40).any()
    assert none.points_nm[:, 2].max() > 100, "the other arm has two sides only"


def test_sides_of_the_volume_mark_nodes_or_end_growth():
    values = np.zeros((9, 9, 60), np.uint8)
    values[2:7, 2:7, :] = 255
    bricks = Bricks.of(values, (1.0, 1.0, 1.0))
    tree = scoop(bricks, (4, 4, 30))
    ends = tree.points_nm[tree.features["unremovable"], 2]
    assert ends.min() < 4
    assert ends.max() > 55
    assert tree.features["cluster_voxels"].sum() == 5 * 5 * 60
    ended = scoop(bricks, (4, 4, 30), ScoopSettings(end_at_faces=True))
    marked = ended.features["unremovable"]
    assert marked.any()
    assert (ended.children[marked] == 0).all()


def test_flat_data_lie_at_no_side():
    section = np.zeros((1, 40, 60), np.uint8)
    section[0, 18:23, 5:55] = 255
    tree = scoop(Bricks.of(section, (1.0, 1.0, 1.0)), (0, 20, 5))
    assert not tree.features["unremovable"].any()
    assert tree.features["cluster_voxels"].sum() == 250
    turned = scoop(Bricks.of(np.ascontiguousarray(section.transpose(1, 2, 0)), (1.0, 1.0, 1.0)), (20, 5, 0))
    assert not turned.features["unremovable"].any()


@pytest.mark.parametrize(
    ("shape", "box", "start"),
    [
        ((5, 5, 5), (slice(2, 3),) * 3, (2, 2, 2)),
        ((1, 1, 1), (slice(None),) * 3, (0, 0, 0)),
        ((40, 40, 40), (slice(31, 33), slice(31, 32), slice(31, 32)), (31, 31, 31)),
        ((3, 50, 50), (slice(1, 2), slice(2, 48), slice(2, 48)), (1, 20, 25)),
        ((40, 40, 40), (slice(None),) * 3, (20, 20, 20)),
    ],
    ids=["one voxel", "one voxel is all", "two voxels of two bricks", "plane", "solid block"],
)
def test_odd_objects_have_trees(shape, box, start):
    values = np.zeros(shape, np.uint8)
    values[box] = 255
    tree = scoop(Bricks.of(values, (1.0, 1.0, 1.0)), start)
    assert tree.features["cluster_voxels"].sum() == (values > 0).sum()
    assert tree.points_nm[0].tolist() == list(start)
    assert (tree.points_nm >= [s.start or 0 for s in box]).all()


def test_a_start_in_the_background_is_refused(shapes):
    bricks = shapes.bricks_of(shapes.tube(3))
    for start in ((0, 0, 0), (15, 15, 95), (15, 15, 1000), (-1, 15, 50)):
        with pytest.raises(InputError, match=r"has value 0.*128 or more.*nearest object voxel"):
            scoop(bricks, start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0}, r"Threshold 0\. Expected: 1\.\.255"),
        ({"threshold": 256}, "Threshold 256"),
        ({"z_smear": 1.3}, r"z_smear 1\.3.*one of 1\.0, 1\.2, 1\.5, 1\.9"),
        ({"memory": 2}, "memory 2"),
        ({"least_share": -0.5}, r"least_share -0\.5"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueRangeError, match=message):
        ScoopSettings(**options)
