import numpy as np

from neurotome.datasets.phantom.render import make_look, membrane_darkness


def test_two_dark_lines_with_a_paler_gap():
    at = np.linspace(0, 40, 81)
    dark = membrane_darkness(at, np.zeros_like(at), 30.0)
    line = at[dark.argmax()]
    assert 6 < line < 12
    assert dark[0] < 0.75 * dark.max()
    assert dark[-1] < 0.02
    assert 0.7 < dark.max() <= 1


def test_oblique_membranes_are_wide_and_pale_but_hold_as_much_stain():
    at = np.arange(-90, 90, 0.5)
    straight, oblique = (membrane_darkness(np.abs(at), np.full(at.shape, t), 30.0) for t in (0.0, 1.0))
    assert oblique.max() < 0.75 * straight.max()
    assert (oblique > 0.2).sum() > (straight > 0.2).sum()
    assert abs(oblique.sum() / straight.sum() - 1) < 0.02


def test_each_neurite_has_its_own_look():
    look = make_look(["axon"] * 50 + ["dendrite"] * 50, np.random.default_rng(0))
    assert len(np.unique(look.grey)) > 95
    assert look.grey[51:].mean() > look.grey[1:51].mean()
    np.testing.assert_allclose(np.linalg.norm(look.cristae, axis=1), 1)
