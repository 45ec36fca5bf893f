import numpy as np

from neurotome.measure.occupancy import centre_line, centre_line_dice, component_count, share_in_largest


def tube():
    """A straight neurite, 3 voxels thick, and its axis."""
    voxels = np.zeros((16, 16, 40), bool)
    voxels[7:10, 7:10, 4:36] = True
    return voxels


def test_the_centre_line_of_a_tube_is_its_axis():
    line = centre_line(tube())
    z, y, _ = np.nonzero(line)
    assert (z == 8).all() and (y == 8).all()
    assert 29 <= line.sum() <= 32
    assert not centre_line(np.zeros((4, 4, 4), bool)).any()


def test_thickness_costs_no_cldice_but_a_gap_does():
    truth, thin, broken = tube(), np.zeros(tube().shape, bool), tube()
    thin[8, 8, 4:36] = True
    broken[:, :, 16:24] = False
    assert centre_line_dice(thin, truth) == 1
    recall = broken[centre_line(truth)].mean()
    assert recall < 0.8
    assert centre_line_dice(broken, truth) == 2 * recall / (1 + recall)


def test_cldice_of_empty_grids():
    empty = np.zeros(tube().shape, bool)
    assert centre_line_dice(empty, empty) == 1
    assert centre_line_dice(empty, tube()) == centre_line_dice(tube(), empty) == 0


def test_components_and_the_share_in_the_largest():
    broken = tube()
    broken[:, :, 28] = False
    line = centre_line(tube())
    assert component_count(broken) == 2
    assert component_count(np.zeros((3, 3, 3), bool)) == 0
    in_largest = line[:, :, :28].sum() / line.sum()
    assert share_in_largest(broken, line) == in_largest
    assert share_in_largest(tube(), line) == 1
    assert share_in_largest(np.zeros(tube().shape, bool), line) == 0
    assert share_in_largest(np.zeros(tube().shape, bool), np.zeros(tube().shape, bool)) == 1
