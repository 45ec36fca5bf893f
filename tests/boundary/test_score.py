import numpy as np
import pytest

from neurotome import boundary
from neurotome.core import Grid, InputError, Labels, Probability, ShapeError, UnknownNameError

GRID = Grid((1, 5, 11), (50, 4, 4))


def wall(value=1.0):
    p = np.zeros((1, 1, 5, 11), np.float32)
    p[..., 5] = value
    return p


def test_polarity_is_part_of_the_name():
    truth = Labels((wall()[0] == 0).astype(np.uint8) * 255, GRID)
    membrane = Probability(wall(), GRID, ("membrane",))
    inside = Probability(1 - wall(), GRID, ("inside",))
    for probability in (membrane, inside):
        assert boundary.score(probability, truth, truth_is="inside")["v_rand"] == pytest.approx(1)
    assert boundary.score(Probability(wall(), GRID, ("inside",)), truth, truth_is="inside")["v_rand"] < 0.9


def test_instances_and_membrane_truth_say_the_same():
    labels = np.ones((1, 5, 11), np.uint16)
    labels[..., 6:], labels[..., 5] = 2, 0
    broken = wall()
    broken[0, 0, 2, 5] = 0
    probability = Probability(broken, GRID, ("membrane",))
    by_instances = boundary.score(probability, Labels(labels, GRID), truth_is="instances")
    by_membrane = boundary.score(probability, Labels((labels == 0).astype(np.uint8), GRID), truth_is="membrane")
    assert by_instances["v_rand"] == by_membrane["v_rand"] == pytest.approx(2 / 3)


def test_bad_input():
    probability = Probability(wall(), GRID, ("membrane",))
    many = Labels(np.arange(55, dtype=np.uint8).reshape(GRID.shape), GRID)
    with pytest.raises(InputError, match="more than two values"):
        boundary.score(probability, many, truth_is="inside")
    with pytest.raises(UnknownNameError, match="instances"):
        boundary.score(probability, many, truth_is="cells")
    with pytest.raises(ShapeError, match="same shape"):
        boundary.score(probability, Labels(np.ones((1, 5, 10), np.uint8), Grid((1, 5, 10), (50, 4, 4))), truth_is="inside")
    with pytest.raises(UnknownNameError, match="membrane"):
        boundary.score(Probability(wall(), GRID, ("overlap",)), many, truth_is="instances")
