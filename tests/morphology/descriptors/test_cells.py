import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.morphology.descriptors.cells import cells_crossed

POSITION = st.one_of(st.integers(-2, 8).map(float), st.floats(-2, 8, width=32))
POINT = st.tuples(POSITION, POSITION, POSITION)


@given(POINT, POINT)
@settings(max_examples=200, deadline=None)
def test_parts_lie_in_their_cells_and_make_up_what_is_inside(start, end):
    starts, ends = np.array([start]), np.array([end])
    cells, shares, pieces = cells_crossed(starts, ends, 6)
    assert (shares > 0).all() and not pieces.any()
    assert cells.size == 0 or (cells.min() >= 0 and cells.max() < 6)
    fine = (np.arange(4000) + 0.5) / 4000
    places = starts + fine[:, None] * (ends - starts)
    inside = ((places >= 0) & (places <= 6)).all(1)
    certain = inside & (np.abs(places - np.round(places)) > 1e-6).all(1)
    if certain.sum() == inside.sum():
        assert abs(shares.sum() - inside.mean()) < 2e-3
    crossed = {tuple(cell) for cell in cells.tolist()}
    assert {tuple(cell) for cell in np.floor(places[certain]).astype(int).tolist()} <= crossed


def test_a_diagonal_is_cut_at_each_plane():
    cells, shares, _ = cells_crossed(np.array([[0.0, 0.0, 0.25]]), np.array([[2.0, 0.0, 2.25]]), 3)
    assert cells.tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 0, 2]]
    np.testing.assert_allclose(shares, [0.375, 0.125, 0.375, 0.125])


def test_backwards_is_the_same():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 9, (2, 40, 3))
    forth, back = (cells_crossed(*ends, 9) for ends in ((a, b), (b, a)))
    sums = [np.bincount(np.ravel_multi_index(cells.T, (9, 9, 9)), shares, 729) for cells, shares, _ in (forth, back)]
    np.testing.assert_allclose(sums[0], sums[1], atol=1e-12)
    np.testing.assert_allclose(sums[0].sum(), 40)


def test_points_are_pieces_of_one_part():
    cells, shares, pieces = cells_crossed(*[np.array([[0.5, 1.0, 2.0], [7.0, 0.0, 0.0]])] * 2, 3)
    assert (cells.tolist(), shares.tolist(), pieces.tolist()) == ([[0, 1, 2]], [1.0], [0])
