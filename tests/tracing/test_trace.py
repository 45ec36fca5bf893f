"""The whole way from a volume to trees, on shapes whose answer is known."""

import numpy as np
import pytest

from neurotome.core import ROOT, SOMA, InputError, UnknownNameError, ValueRangeError
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.trace import TraceSettings, trace

UM = (1000.0, 1000.0, 1000.0)


def traced(mask, seeds=None, voxel_nm=UM, **settings):
    volume = mask.astype(np.uint8) * 255 if mask.dtype == bool else mask
    return trace(Bricks.of(volume, voxel_nm), TraceSettings(**settings), seeds=None if seeds is None else np.array(seeds))


def ends_and_branches(skeleton):
    degree = skeleton.children + (skeleton.parents != ROOT)
    return int((degree <= 1).sum()), int((degree >= 3).sum())


def two_fibres(radius, apart, shift=0):
    """Two parallel fibres along x with `apart` background voxels between them, the second one shifted along x."""
    z, y, x = np.ogrid[:21, :51, :121]
    second = 15 + int(2 * radius) + 1 + apart
    one = ((z - 10) ** 2 + (y - 15) ** 2 <= radius**2) & (x >= 10) & (x <= 80)
    return one | ((z - 10) ** 2 + (y - second) ** 2 <= radius**2) & (x >= 10 + shift) & (x <= 80 + shift)


@pytest.mark.parametrize("gap", range(1, 8))
@pytest.mark.parametrize("radius", [1.5, 3, 5])
def test_gaps_of_one_to_seven_voxels_are_bridged(shapes, gap, radius):
    mask = shapes.tube(radius)
    mask[:, :, 50 : 50 + gap] = False
    found = traced(mask)
    assert ends_and_branches(found.skeleton) == (2, 0)
    assert len(found.skeleton.roots) == 1
    assert found.skeleton.features["jump"].sum() == 1
    assert found.skeleton.length_nm == pytest.approx(80_000, abs=1500)
    (made,) = found.bridges[found.bridges["verdict"] == "made"].to_dict("records")
    assert made["gap_nm"] == pytest.approx(1000 * (gap + 1), abs=1)
    assert made["confidence"] >= 0.5


@pytest.mark.parametrize("radius", [1.5, 3, 5])
@pytest.mark.parametrize("apart", [1, 2, 3, 6])
@pytest.mark.parametrize("shift", [0, 10, 25])
def test_parallel_fibres_are_not_joined(radius, apart, shift):
    found = traced(two_fibres(radius, apart, shift))
    assert len(found.skeleton.roots) == 2
    assert not found.skeleton.features["jump"].any()


def test_wider_gaps_are_less_sure_and_dim_ones_surer(shapes):
    def sure(gap, value):
        volume = shapes.filled(shapes.tube(3))
        volume[:, :, 50 : 50 + gap] = np.minimum(volume[:, :, 50 : 50 + gap], value)
        return traced(volume).bridges["confidence"].max()

    assert sure(1, 0) > sure(4, 0) > sure(7, 0)
    assert sure(4, 100) > sure(4, 30) > sure(4, 0)


def test_the_broken_tube_of_the_table(shapes):
    before = traced(shapes.broken_tube(), [(15, 15, 10)], bridges="none")
    untraced = before.components[before.components["tree"] == -1]
    assert untraced["voxels"].tolist() == [1073]
    after = traced(shapes.broken_tube(), [(15, 15, 10)])
    assert (after.components["tree"] == 0).all()
    assert after.skeleton.features["jump"].sum() == 1
    jump = np.flatnonzero(after.skeleton.features["jump"])[0]
    assert 0.5 <= after.skeleton.features["confidence"][jump] < 1
    assert after.skeleton.features["gap_nm"][jump] == pytest.approx(5000)
    assert (after.skeleton.features["confidence"][~after.skeleton.features["jump"]] == 1).all()


def test_the_broken_tube_as_caat_would(shapes):
    found = traced(shapes.broken_tube(), bridges="caat")
    assert len(found.skeleton.roots) == 1
    assert found.skeleton.features["jump"].sum() == 1
    assert found.bridges["confidence"].max() == pytest.approx(0.513, abs=1e-3)
    wider = shapes.tube(3)
    wider[:, :, 50:56] = False
    assert len(traced(wider, bridges="caat").skeleton.roots) == 2


def test_a_soma_with_four_dendrites_has_four_stems(shapes):
    found = traced(shapes.soma())
    assert ends_and_branches(found.skeleton) == (4, 1)
    root = found.skeleton.roots[0]
    assert found.skeleton.children[root] == 4
    assert found.skeleton.kinds[root] == SOMA
    assert (found.skeleton.kinds == SOMA).sum() == 1
    assert found.skeleton.points_nm[root].tolist() == [30_000, 50_000, 50_000]
    assert found.skeleton.radii_nm[root] == pytest.approx(12_000, abs=500)
    assert found.somata[["tree", "z", "y", "x"]].to_numpy().tolist() == [[0, 30, 50, 50]]


def test_a_ring_is_cut(shapes):
    found = traced(shapes.ring())
    assert ends_and_branches(found.skeleton) == (2, 0)
    assert found.skeleton.features["loop_contact"].sum() >= 1
    assert not found.skeleton.features["jump"].any()


def crossing_neurons():
    """Two somata with a neurite each; the neurites touch at (20, 60, 60)."""
    z, y, x = np.ogrid[:41, :121, :121]
    along_x = ((z - 18) ** 2 + (y - 60) ** 2 <= 5) & (x >= 15) & (x <= 110)
    along_y = ((z - 22) ** 2 + (x - 60) ** 2 <= 5) & (y >= 15) & (y <= 110)
    somata = ((z - 18) ** 2 + (y - 60) ** 2 + (x - 20) ** 2 <= 81) | ((z - 22) ** 2 + (y - 20) ** 2 + (x - 60) ** 2 <= 81)
    return along_x | along_y | somata


def test_two_crossing_neurons_become_two_trees_and_the_contact_is_listed():
    found = traced(crossing_neurons())
    assert len(found.components) == 1
    assert len(found.skeleton.roots) == len(found.somata) == 2
    assert sorted(found.somata["tree"]) == [0, 1]
    assert not found.skeleton.features["jump"].any(), "two somata are never connected"
    assert len(found.contested) >= 1
    near = found.contested[["z", "y", "x"]].to_numpy() - (20, 60, 60)
    assert np.abs(near).max() <= 5
    assert set(found.contested["tree"]) | set(found.contested["other_tree"]) == {0, 1}


def test_two_start_points_in_one_piece_divide_it(shapes):
    found = traced(shapes.tube(3), [(15, 15, 12), (15, 15, 88)])
    assert len(found.skeleton.roots) == 2
    assert found.contested["x"].iloc[0] == pytest.approx(50, abs=2)
    assert found.skeleton.length_nm == pytest.approx(78_000, abs=4000)


def test_a_start_point_in_a_neuron_with_a_soma_means_the_soma(shapes):
    found = traced(shapes.soma(), [(30, 50, 85)])
    assert found.skeleton.kinds[found.skeleton.roots[0]] == SOMA
    assert found.notes == ("Start point (30, 50, 85) lies in the neuron of the soma at (30, 50, 50); that is its root",)


def test_only_pieces_with_a_start_point_and_what_is_bridged_to_them(shapes):
    mask = shapes.broken_tube()
    mask[3:6, 3:6, 5:95] = True
    assert len(traced(mask).skeleton.roots) == 2
    found = traced(mask, [(15, 15, 12)])
    assert len(found.skeleton.roots) == 1
    assert sorted(found.components["tree"]) == [-1, 0, 0]
    assert found.skeleton.points_nm[:, 1].min() > 12_000


def test_start_points_in_the_background(shapes):
    found = traced(shapes.tube(3), [(15, 25, 40)])
    assert found.notes == ("Start point (15, 25, 40) lies in the background; moved 7.0 voxels, to (15, 18, 40)",)
    with pytest.raises(InputError, match=r"12\.0 voxels from the nearest object voxel \(15, 18, 40\)"):
        traced(shapes.tube(3), [(15, 30, 40)])
    with pytest.raises(InputError, match="outside of the volume"):
        traced(shapes.tube(3), [(15, 15, 101)])


def test_small_pieces_are_listed_not_traced_unless_bridged(shapes):
    mask = shapes.tube(3)
    mask[2:5, 2:5, 2:6] = True
    found = traced(mask)
    assert found.components[["voxels", "tree"]].to_numpy().tolist() == [[2349, 0], [36, -1]]
    assert len(found.skeleton.roots) == 1
    bead = shapes.tube(2)
    bead[:, :, 48:51] = bead[:, :, 54:57] = False
    found = traced(bead)
    assert found.components["voxels"].min() == 39, "a bead of three slices"
    assert len(found.skeleton.roots) == 1
    assert found.skeleton.features["jump"].sum() == 2


def test_trees_come_longest_first_and_ids_from_one():
    z, y, x = np.ogrid[:31, :31, :101]
    mask = ((z - 8) ** 2 + (y - 8) ** 2 <= 16) & (x < 50) | ((z - 22) ** 2 + (y - 22) ** 2 <= 2)
    skeleton = traced(mask, somata=False).skeleton
    lengths = np.bincount(skeleton.trees, skeleton.edge_nm)
    assert lengths[0] > 90_000 > lengths[1]
    assert skeleton.ids.tolist() == list(range(1, len(skeleton) + 1))


def test_the_blocks_of_reading_do_not_matter():
    volume = np.where(crossing_neurons(), 255, 0).astype(np.uint8)
    volume[:, :, 80:84] = 0
    volume += np.random.default_rng(2).integers(0, 40, volume.shape, np.uint8) * (volume == 0)
    results = [
        trace(Bricks.gathered(lambda box: volume[box.slices], volume.shape, UM, floor=20, at_once=at_once))
        for at_once in ((32, 32, 32), (64, 96, 32), (128, 128, 128))
    ]
    for other in results[1:]:
        for name in ("ids", "parents", "points_nm", "radii_nm", "kinds"):
            np.testing.assert_array_equal(getattr(results[0].skeleton, name), getattr(other.skeleton, name))
        for name, values in results[0].skeleton.features.items():
            np.testing.assert_array_equal(values, other.skeleton.features[name])
        assert results[0].bridges.equals(other.bridges)
        assert results[0].components.equals(other.components)
        assert results[0].contested.equals(other.contested)


def test_the_origin_is_added_at_the_end(shapes):
    bricks = Bricks.of(shapes.filled(shapes.tube(3)), UM)
    moved = trace(bricks, origin_nm=(5.0, 70.0, -9.0)).skeleton
    np.testing.assert_allclose(moved.points_nm - [5.0, 70.0, -9.0], trace(bricks).skeleton.points_nm)
    assert (moved.features["probability"] == 1).all()


@pytest.mark.parametrize("tracer", ["fast_marching", "spanning_tree"])
def test_another_tracer_with_somata_bridges_and_territories(shapes, tracer):
    found = traced(shapes.soma(), tracer=tracer)
    assert ends_and_branches(found.skeleton) == (4, 1)
    assert found.skeleton.kinds[found.skeleton.roots[0]] == SOMA
    assert "scoop_nm" not in found.skeleton.features, "this one knows no scooping distance"
    assert traced(shapes.broken_tube(), tracer=tracer).skeleton.features["jump"].sum() == 1
    assert len(traced(crossing_neurons(), tracer=tracer).skeleton.roots) == 2


def test_nothing_to_trace():
    with pytest.raises(InputError, match="Every voxel of the volume is 0"):
        traced(np.zeros((20, 20, 20), bool))
    small = np.zeros((20, 20, 20), bool)
    small[5:8, 5:8, 5:7] = True
    found = traced(small)
    assert len(found.skeleton) == 0
    assert found.notes[-1] == "No piece has 50 voxels; the largest has 18"


def test_settings_that_cannot_be():
    with pytest.raises(UnknownNameError, match="did you mean 'caat'"):
        TraceSettings(bridges="caats")
    with pytest.raises(UnknownNameError, match="threshold method"):
        TraceSettings(threshold_method="guess")
    for wrong in ({"threshold": 0}, {"min_component_voxels": 0}, {"largest_share": 0.0}, {"max_gap_nm": 0.0}):
        with pytest.raises(ValueRangeError):
            TraceSettings(**wrong)
