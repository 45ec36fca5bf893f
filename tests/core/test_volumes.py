import numpy as np
import pytest

from neurotome.core import (
    Box,
    Grid,
    Image,
    Labels,
    Legend,
    Probability,
    RegionGraph,
    ShapeError,
    SynapseSites,
    UnknownNameError,
    ValueRangeError,
)

GRID = Grid((2, 3, 4), (30, 6, 6))


def test_read_gives_the_box_and_crop_moves_the_origin():
    image = Image(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), GRID)
    box = Box((1, 1, 2), (2, 3, 4))
    assert image.read(box).tolist() == [[[18, 19], [22, 23]]]
    assert np.array_equal(image.crop(box).read(), image.read(box)) and image.crop(box).grid.origin_nm == (30, 6, 12)


def test_data_and_grid_must_agree():
    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(2, 3, 4\)"):
        Image(np.zeros((2, 3)), GRID)
    with pytest.raises(ShapeError, match=r"\(1, 2, 3, 4\)"):
        Probability(np.zeros((2, 3, 4), np.uint8), GRID, ("membrane",))


@pytest.mark.parametrize("bad", [-0.1, 1.01, np.nan, 200.0])
def test_probabilities_lie_between_0_and_1(bad):
    data = np.zeros((1, 2, 3, 4), np.float32)
    data[0, 1, 2, 3] = bad
    with pytest.raises(ValueRangeError, match=r"\[0, 1\]"):
        Probability(data, GRID, ("membrane",))


def test_channels_go_by_name():
    data = np.arange(48, dtype=np.uint8).reshape(2, 2, 3, 4)
    probability = Probability(data, GRID, ("membrane", "inside"))
    assert np.array_equal(probability.read(("inside",)), data[1:])
    assert np.array_equal(probability.crop(Box((1, 0, 0), (2, 3, 4))).read(), data[:, 1:])
    with pytest.raises(UnknownNameError, match="did you mean 'membrane'"):
        probability.read(("membranes",))


def test_labels_are_whole_numbers_of_0_and_more():
    with pytest.raises(ValueRangeError, match="float64"):
        Labels(np.zeros(GRID.shape), GRID)
    with pytest.raises(ValueRangeError, match="-3"):
        Labels(np.full(GRID.shape, -3), GRID)
    assert Labels(np.ones(GRID.shape, bool), GRID).read().all()


def test_legend_finds_ids_by_name():
    legend = Legend({1: "mitochondria", 2: "cleft"})
    assert legend.id_of("cleft") == 2
    with pytest.raises(UnknownNameError, match="cleft, mitochondria"):
        legend.id_of("clefts")


def test_tables_of_unequal_length_are_refused():
    with pytest.raises(ShapeError, match=r"\(n, 2\)"):
        RegionGraph(np.zeros((3, 2), np.uint64), np.zeros(2, np.uint64), np.zeros(3, np.uint64))
    with pytest.raises(ShapeError, match="one point"):
        SynapseSites(np.arange(2), np.zeros((2, 2)), np.zeros(2), np.zeros(2))


def test_sites_as_rows():
    sites = SynapseSites(np.array([7]), np.array([[1.0, 2.0, 3.0]]), np.array([4]), np.array([5]))
    assert sites.to_rows() == [{"id": 7, "z_nm": 1.0, "y_nm": 2.0, "x_nm": 3.0, "pre": 4, "post": 5}]
