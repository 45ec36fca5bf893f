"""Places of which the geometry is known: bends, arms, readings."""

from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import Skeleton, ValueRangeError
from neurotome.tracing.crossing.arms import bend, place_at
from neurotome.tracing.crossing.decide import CrossingSettings, likelihoods, readings
from neurotome.tracing.crossing.forest import Forest, Link


def star(*angles, nodes=8, step=30.0, radius=20.0):
    """A node at 0 with straight branches at these angles; the first holds the root of it, the second leads over a link to
    another tree, of as many nodes. Gives the forest, the link and the way from root to root.
    """
    points, parents, ends = [np.zeros(3)], [-1], []
    for angle in angles:
        way = np.array([0, np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
        for i in range(1, nodes + 1):
            points.append(i * step * way)
            parents.append(0 if i == 1 else len(points) - 2)
        ends.append(len(points) - 1)
    way = np.array([0, np.sin(np.deg2rad(angles[1])), np.cos(np.deg2rad(angles[1]))])
    for i in range(nodes, 0, -1):
        points.append((nodes + i) * step * way)
        parents.append(-1 if i == nodes else len(points) - 2)
    parents = np.array(parents)
    line = list(range(1, nodes + 1))
    parents[line[-1]], parents[0] = -1, 1
    parents[line[:-1]] = line[1:]
    tree = Skeleton.of(parents, points, np.full(len(points), radius))
    row = {tuple(np.round(point, 6)): i for i, point in enumerate(tree.points_nm)}
    rows = [row[tuple(np.round(point, 6))] for point in points]
    forest = Forest(tree, np.ones(len(tree)))
    link = Link(rows[ends[1]], rows[-1], 0)
    return forest, link, forest.way_up(link.one)[::-1] + forest.way_up(link.other), rows[0]


@pytest.mark.parametrize("angle", [20, 45, 90, 135])
def test_bends_are_the_angles_between_the_arms(angle):
    forest, link, way, centre = star(180, 180 + angle, 0, angle)
    place = place_at(forest, link, way, way.index(centre), wide=False)
    far = {round(float(np.degrees(np.arctan2(arm.direction[1], arm.direction[2])))): arm for arm in place.others}
    assert set(far) == {0, angle}
    assert bend(place.here, far[0]) == pytest.approx(0, abs=1e-4)
    assert bend(place.there, far[angle]) == pytest.approx(0, abs=1e-4)
    assert bend(place.here, far[angle]) == pytest.approx(angle, abs=1e-4)
    assert bend(place.here, place.there) == pytest.approx(180 - angle, abs=1e-4)


def test_a_crossing_is_read_as_one():
    forest, link, way, centre = star(180, 270, 0, 90)
    place = place_at(forest, link, way, way.index(centre), wide=False)
    (reading,) = readings(place, is_contact=False)
    assert reading.to_here[0].direction[2] == pytest.approx(1)
    assert reading.to_there[0].direction[1] == pytest.approx(1)
    assert reading.features[1] == 3, "a right angle, in units of 30 degrees"


@pytest.mark.parametrize("angles", [(180, 275, 40, -40), (180, 90, 30), (180, 270, 5, 20)])
def test_no_branch_that_both_or_none_go_on_as_is_another_neurons(angles):
    forest, link, way, centre = star(*angles)
    place = place_at(forest, link, way, way.index(centre), wide=False)
    assert readings(place, is_contact=False) == []


def test_likelihoods_leave_room_for_what_cannot_be_read():
    forest, link, way, centre = star(180, 270, 0, 90)
    place = place_at(forest, link, way, way.index(centre), wide=False)
    found = readings(place, is_contact=True)
    weights = CrossingSettings().weights
    sure = likelihoods(found, weights)
    assert len(found) == 2, "nothing changes, or a crossing"
    assert sure[1] > 0.5 > sure[0] and sure.sum() < 1
    assert likelihoods(found, replace(weights, none=-50.0)).sum() == pytest.approx(1)


def test_a_forest_is_cut_and_joined():
    forest, link, _, centre = star(180, 270, 0, 90)
    branch = next(row for row in sorted(forest.around[centre]) if row != forest.parents[centre])
    rows = forest.subtree(branch)
    assert len(rows) == 8 and forest.length_below(branch) == pytest.approx(210)
    forest.cut(branch)
    forest.join(link.other, rows[-1])
    assert forest.root_of(branch) == forest.root_of(link.other)
    skeleton = forest.skeleton()
    assert len(skeleton) == len(forest.parents) and len(skeleton.roots) == 2


def test_settings_that_cannot_be():
    for wrong in (0.0, 1.1):
        with pytest.raises(ValueRangeError):
            CrossingSettings(least_confidence=wrong)
