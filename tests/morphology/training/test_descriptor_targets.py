"""Targets that are even: no table, column or neuron outweighs the others."""

import numpy as np

from neurotome.morphology.training.descriptor_targets import descriptor_targets, even


def test_wide_tables_become_as_many_components_whatever_their_unit():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 100)) + 0.01 * rng.normal(size=(60, 100))
    found = even(values, range(50))
    assert found.shape == (60, 32) and np.abs(found).max() <= 4
    np.testing.assert_allclose(even(1e6 * values + 7, range(50)), found, atol=1e-6)


def test_targets_are_in_the_order_of_the_neurons_and_standardised_on_the_training_part(trees):
    targets = descriptor_targets(trees, ("morphometrics", "sholl"), range(6))
    assert np.abs(targets[:6].mean(0)).max() < 1e-9 and len(targets) == 8
    turned = descriptor_targets(trees[::-1], ("morphometrics", "sholl"), range(2, 8))
    np.testing.assert_allclose(turned[::-1], targets, atol=1e-9)
    assert descriptor_targets(trees, (), range(6)) is None
