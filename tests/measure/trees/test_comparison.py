import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import InputError, Skeleton, UnitError, ValueRangeError
from neurotome.measure.trees import compare_trees

VOXEL_NM = (1000.0, 1000.0, 1000.0)


def grown(seed, branches=8, name="grown"):
    """Straight branches of 20 to 60 um, each from the end or the middle of another: (branch starts, ends, parent branch)."""
    rng = np.random.default_rng(seed)
    corners, parents = [np.zeros(3)], [-1]
    for _ in range(branches):
        parent = int(rng.integers(len(corners)))
        step = rng.normal(size=3)
        corners.append(corners[parent] + step / np.linalg.norm(step) * rng.uniform(20, 60))
        parents.append(parent)
    return Skeleton.of(parents, np.array(corners) * 1000, name=name)


def shaken(tree, seed):
    """Corners moved by a few um and one branch lost."""
    rng = np.random.default_rng(seed)
    moved = tree.points_nm + rng.normal(size=tree.points_nm.shape) * 3000
    changed = Skeleton(tree.ids, tree.parents, moved, tree.radii_nm, tree.kinds, name="shaken")
    return changed.take(np.arange(len(tree) - 1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 200), st.integers(1, 200))
def test_node_density_does_not_count(denser, seed, test_nodes, gold_nodes):
    """0.1 to 20 times 10 nodes per branch, either tree."""
    gold = grown(seed)
    test = shaken(gold, seed)
    plain = compare_trees(denser(test, 10), denser(gold, 10), voxel_nm=VOXEL_NM)
    other = compare_trees(denser(test, test_nodes), denser(gold, gold_nodes), voxel_nm=VOXEL_NM)
    for a, b in ((plain.voxel, other.voxel), (plain.um, other.um)):
        assert abs(a.agreement.f1 - b.agreement.f1) <= 0.005
        assert abs(a.apart.esa - b.apart.esa) <= 0.01
        assert abs(a.apart.pds - b.apart.pds) <= 0.01
        assert {k: m.f1 for k, m in a.critical.items()} == {k: m.f1 for k, m in b.critical.items()}
        assert a.diadem.score == pytest.approx(b.diadem.score)
        assert abs(a.topology.edge_accuracy - b.topology.edge_accuracy) <= 0.02


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_symmetric_metrics_are_symmetric(seed):
    a = grown(seed)
    b = shaken(a, seed + 1)
    there, back = compare_trees(a, b, voxel_nm=VOXEL_NM).um, compare_trees(b, a, voxel_nm=VOXEL_NM).um
    assert there.apart == back.apart and there.vaa3d == back.vaa3d
    assert there.agreement.f1 == pytest.approx(back.agreement.f1, abs=1e-12)
    assert (there.agreement.precision, there.agreement.recall) == (back.agreement.recall, back.agreement.precision)
    assert there.netmets == back.netmets[::-1]
    for kind, matched in there.critical.items():
        assert matched.f1 == back.critical[kind].f1
        assert matched.distance.sum() == pytest.approx(back.critical[kind].distance.sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.permutations([0, 1, 2]), st.tuples(*[st.integers(-50, 50)] * 3))
def test_moving_and_turning_both_trees_changes_nothing(seed, axes, shift):
    gold = grown(seed)
    test = shaken(gold, seed)
    voxel_nm = np.array([1000.0, 500.0, 250.0])
    plain = compare_trees(test, gold, voxel_nm=voxel_nm)
    turned = compare_trees(*(_moved(tree, axes, shift) for tree in (test, gold)), voxel_nm=voxel_nm[axes])
    for a, b in ((plain.voxel, turned.voxel), (plain.um, turned.um)):
        assert vars(a.apart) == pytest.approx(vars(b.apart), abs=1e-6)
        assert vars(a.agreement) == pytest.approx(vars(b.agreement), abs=2e-3)
        assert {k: m.f1 for k, m in a.critical.items()} == {k: m.f1 for k, m in b.critical.items()}
        assert a.topology.erl == pytest.approx(b.topology.erl, rel=5e-3)
    assert plain.gold_counts.length_um == pytest.approx(turned.gold_counts.length_um)


def _moved(tree, axes, shift):
    points = tree.points_nm[:, axes] + np.array(shift) * 64.0
    return Skeleton(tree.ids, tree.parents, points, tree.radii_nm, tree.kinds, name=tree.name)


def test_voxels_are_divided_by_their_size(line):
    """3 um apart along y is 6 voxels of 500 nm; radii count in voxels of the plane."""
    test, gold = line(0, 100, offset=3, radius=1500.0), line(0, 100)
    found = compare_trees(test, gold, voxel_nm=(2000, 500, 500))
    assert (found.voxel.apart.esa, found.um.apart.esa) == pytest.approx((6, 3))
    near = compare_trees(test, gold, voxel_nm=(2000, 500, 500), tau_um=3.5, tau_voxels=7)
    assert (near.um.radius.mean_absolute, near.um.radius.bias) == pytest.approx((0.5, 0.5))
    assert near.voxel.radius.mean_absolute == pytest.approx(1.0)
    assert (near.um.agreement.f1, near.voxel.agreement.f1, found.um.agreement.f1) == (1, 1, 0)


def test_radii_of_zero_are_unknown(line):
    found = compare_trees(line(0, 100, radius=0.0), line(0, 100), voxel_nm=VOXEL_NM).um.radius
    assert found.samples == 0 and np.isnan(found.mean_absolute)


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.zeros((1, 3)), np.zeros((2, 3))], ids=["empty", "one node", "no length"])
def test_a_tree_without_length_is_refused_by_name(line, points):
    point = Skeleton.of(np.arange(len(points)) - 1, points, name="dot")
    for test, gold, role in ((point, line(0, 9), "test"), (line(0, 9), point, "gold")):
        with pytest.raises(InputError, match=f"The {role} tree 'dot' has {len(points)} node") as error:
            compare_trees(test, gold, voxel_nm=VOXEL_NM)
        assert "worst case" in error.value.remedy


def test_lonely_nodes_beside_a_tree_do_not_count(line):
    whole = line(0, 100)
    points = np.concatenate([whole.points_nm, [[0, 90000, 0]]])
    lonely = Skeleton.of([*whole.parent_rows, -1], points, name="with a dot")
    found = compare_trees(lonely, whole, voxel_nm=VOXEL_NM)
    assert found.um.agreement.f1 == 1 and found.um.apart.hausdorff == pytest.approx(0, abs=1e-9)
    assert found.test_counts.roots == 2


def test_settings_are_checked(line):
    with pytest.raises(UnitError, match="Voxel size"):
        compare_trees(line(0, 9), line(0, 9), voxel_nm=(0, 1, 1))
    with pytest.raises(ValueRangeError, match="Tolerances"):
        compare_trees(line(0, 9), line(0, 9), voxel_nm=VOXEL_NM, tau_um=0)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("test", "gold", "vaa3d", "by_length"),
    [
        ("1/02_1_neutube_updated", "1/gold", (1.8814, 4.3035, 0.2782), (0.8197, 0.6206)),
        ("1/09_1_x315_y254_z136_app2", "1/gold", (2.4332, 3.8255, 0.4351), (0.6831, 0.4457)),
        ("106/26_106_x378_y423_z13_app2", "106/gold", (69.98, 85.92, 0.5149), (0.1614, 0.8117)),
    ],
)
def test_published_reconstructions(bigneuron, test, gold, vaa3d, by_length):
    found = compare_trees(bigneuron(test), bigneuron(gold), voxel_nm=VOXEL_NM).voxel
    tolerance = 0.005 if vaa3d[0] > 10 else 0.002
    assert (found.vaa3d.esa, found.vaa3d.dsa, found.vaa3d.pds) == pytest.approx(vaa3d, abs=tolerance)
    assert (found.agreement.precision, found.agreement.recall) == pytest.approx(by_length, abs=0.002)


@pytest.mark.realdata
def test_a_finer_copy_of_a_real_reconstruction_scores_the_same(bigneuron, denser):
    test, gold = bigneuron("1/02_1_neutube_updated"), bigneuron("1/gold")
    plain = compare_trees(test, gold, voxel_nm=VOXEL_NM)
    for a, b in ((denser(test, 20), gold), (test, denser(gold, 20))):
        finer = compare_trees(a, b, voxel_nm=VOXEL_NM)
        assert abs(finer.voxel.agreement.f1 - plain.voxel.agreement.f1) <= 0.005
        assert abs(finer.voxel.apart.pds - plain.voxel.apart.pds) <= 0.005
