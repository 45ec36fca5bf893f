"""Which gaps are bridged: the surest first, no loops, never two neurons, each end once."""

import numpy as np
import pytest

from neurotome.core import ROOT, SOMA, Skeleton, ValueRangeError
from neurotome.tracing.bridging import BridgeSettings, bridge, candidates, confidence, score
from neurotome.tracing.bridging.candidates import ends_of
from neurotome.tracing.bridging.score import Gaps
from neurotome.tracing.sparse.bricks import Bricks

UM = (1000.0, 1000.0, 1000.0)
SHAPE = (21, 61, 121)


def scene(*lines, value=0, radius=2):
    """A volume with straight fibres between the given ends (z, y, x), and one tree along each."""
    volume = np.full(SHAPE, value, np.uint8)
    grid = np.stack(np.indices(SHAPE), axis=-1)
    parents, points = [], []
    for a, b in lines:
        a, b = np.array(a, float), np.array(b, float)
        share = np.clip(((grid - a) @ (b - a)) / ((b - a) @ (b - a)), 0, 1)
        volume[((grid - a - share[..., None] * (b - a)) ** 2).sum(-1) <= radius**2] = 255
        steps = np.linspace(a, b, 1 + int(np.abs(b - a).max()) // 2)
        parents += [ROOT, *range(len(points), len(points) + len(steps) - 1)]
        points += list(steps * 1000)
    return Bricks.of(volume, UM), Skeleton.of(parents, points, radii_nm=np.full(len(points), 1000.0 * radius))


def bridged(bricks, trees, neurons=None, **settings):
    known = np.zeros(len(trees.roots), bool) if neurons is None else np.array(neurons)
    return bridge(trees, bricks, 128, BridgeSettings(**settings), neurons=known)


LEFT, RIGHT = ((10, 30, 10), (10, 30, 50)), ((10, 30, 57), (10, 30, 100))


def test_a_gap_in_a_line():
    found = bridged(*scene(LEFT, RIGHT))
    assert len(found.trees.roots) == 1
    assert found.table["verdict"].tolist() == ["made"]
    assert found.main.tolist() == [0, 0]


def test_two_neurons_are_never_connected():
    found = bridged(*scene(LEFT, RIGHT), neurons=[True, True])
    assert len(found.trees.roots) == 2
    assert found.table["verdict"].tolist() == ["two neurons"]


def test_two_neurons_are_not_connected_through_a_third_piece_either():
    pieces = [((10, 30, 5), (10, 30, 35)), ((10, 30, 41), (10, 30, 71)), ((10, 30, 79), (10, 30, 115))]
    found = bridged(*scene(*pieces), neurons=[True, False, True])
    assert found.main.tolist() == [0, 0, 2], "the narrower gap is bridged"
    assert found.trees.ids[found.trees.roots].tolist() == [1, found.trees.ids[found.trees.trees == 1].min()]
    assert sorted(found.table["verdict"])[:2] == ["made", "two neurons"]


def test_bridges_close_no_loop():
    third = ((10, 44, 53), (10, 34, 53))
    found = bridged(*scene(LEFT, RIGHT, third))
    assert len(found.trees.roots) == 3 - (found.table["verdict"] == "made").sum()
    assert len(np.unique(found.trees.ids)) == len(found.trees)


def test_the_neuron_keeps_its_root_even_if_it_is_smaller():
    found = bridged(*scene(RIGHT, LEFT), neurons=[False, True])
    first_of_left = scene(RIGHT, LEFT)[1].roots[1] + 1
    assert found.trees.ids[found.trees.roots].tolist() == [first_of_left]
    assert found.main.tolist() == [1, 1]


def test_an_end_that_looks_at_a_side_is_joined_to_it():
    trunk, branch = ((10, 50, 10), (10, 50, 110)), ((10, 10, 60), (10, 42, 60))
    found = bridged(*scene(trunk, branch, value=70))
    assert len(found.trees.roots) == 1
    assert found.table["to_side"].tolist() == [True]
    junction = found.trees.children.argmax()
    assert found.trees.points_nm[junction] == pytest.approx([10_000, 50_000, 60_000], abs=1500)


def test_too_wide_or_looking_elsewhere():
    assert len(bridged(*scene(LEFT, RIGHT), max_gap_nm=3000.0).table) == 0
    aside = ((10, 38, 46), (10, 58, 46))
    assert len(bridged(*scene(LEFT, aside)).trees.roots) == 2


def test_ends_and_where_they_look():
    _, trees = scene(LEFT)
    rows, looks = ends_of(trees)
    assert rows.tolist() == [0, len(trees) - 1]
    np.testing.assert_allclose(looks, [[0, 0, -1], [0, 0, 1]])
    alone = Skeleton.of([ROOT], [[0, 0, 0]])
    assert ends_of(alone)[1].tolist() == [[0, 0, 0]]
    soma = Skeleton.of([ROOT, 0], [[0, 0, 0], [0, 0, 9]], kinds=[SOMA, 0])
    assert ends_of(soma)[0].tolist() == [1]


def test_the_gap_is_what_lies_in_the_background():
    (candidate,) = candidates(scene(LEFT, RIGHT)[1], scene(LEFT, RIGHT)[0], 128, BridgeSettings())
    # Capsules reach 2 voxels over the ends of the trees: of the way from 50 to 57 the part from 52 to 55 is empty.
    assert candidate.gap.length_nm.tolist() == [3000.0]
    assert candidate.gap.mean_p.tolist() == [0.0]
    assert candidate.gap.cos_here == pytest.approx([1.0])
    (dim,) = candidates(scene(LEFT, RIGHT)[1], scene(LEFT, RIGHT, value=64)[0], 128, BridgeSettings())
    assert dim.gap.mean_p.tolist() == [0.5]


def gap(**changes):
    plain = {"length_nm": 3000.0, "unit_nm": 2000.0, "cos_here": 1.0, "cos_there": 1.0, "radius_ratio": 1.0, "mean_p": 0.0}
    values = {**plain, "to_side": False, **changes}
    return Gaps(**{name: np.array([value]) for name, value in values.items()})


@pytest.mark.parametrize(
    "worse",
    [{"length_nm": 5000.0}, {"cos_here": 0.6}, {"cos_there": 0.6}, {"radius_ratio": 0.4}, {"to_side": True}, {"unit_nm": 900.0}],
)
def test_what_makes_a_gap_less_likely(worse):
    settings = BridgeSettings()
    assert score(gap(**worse), settings) < score(gap(), settings) < score(gap(mean_p=0.8), settings)
    assert 0 <= confidence(score(gap(**worse), settings), settings)[0] < 1


def test_looking_away_scores_nothing():
    assert score(gap(cos_here=-0.2), BridgeSettings()) == 0
    assert confidence(np.zeros(1), BridgeSettings()) == 0


def test_settings_that_cannot_be():
    for wrong in ({"max_gap_nm": 0.0}, {"least_confidence": 1.5}, {"steepness": -1.0}):
        with pytest.raises(ValueRangeError):
            BridgeSettings(**wrong)
