import time

import numpy as np
import pytest

from neurotome.core import SOMA, UnknownNameError
from neurotome.datasets.neuron_shapes import KINDS, collection, grown


@pytest.mark.parametrize("kind", KINDS)
def test_a_neuron_of_each_kind_is_one_tree_from_a_soma_at_its_depth(kind):
    neuron = grown(kind, 4)
    low, high = KINDS[kind].depth
    assert len(neuron.roots) == 1
    assert neuron.kinds.tolist().count(SOMA) == 1
    assert neuron.kinds[0] == SOMA
    assert low * 1000 <= neuron.points_nm[0, 1] <= high * 1000
    assert neuron.radii_nm.min() >= 150
    assert neuron.radii_nm.argmax() == 0
    assert 1e6 < neuron.length_nm < 15e6
    assert set(neuron.kinds.tolist()) == {SOMA} | {rule.kind for rule in KINDS[kind].neurites}


def test_the_same_seed_gives_the_same_neuron_and_another_another():
    one, same, other = grown("basket", 1), grown("basket", 1), grown("basket", 2)
    assert one.points_nm.tobytes() == same.points_nm.tobytes()
    assert len(one) != len(other) or not np.array_equal(one.points_nm, other.points_nm)
    assert not np.array_equal(grown("granule", 1).points_nm[:9], grown("bipolar", 1).points_nm[:9])


def test_kinds_have_the_form_they_are_named_for():
    def extent(kind):
        return np.median([np.ptp(grown(kind, seed).points_nm, axis=0) for seed in range(8)], axis=0) / 1000

    z, y, x = extent("starburst")
    assert y < 0.2 * min(z, x)
    z, y, x = extent("columnar")
    assert y > 1.5 * max(z, x)
    z, y, x = extent("tangential")
    assert y < 0.2 * min(z, x)
    assert extent("projection").max() > 1.5 * extent("stellate").max()
    neuron = grown("pyramidal", 0)
    assert neuron.points_nm[neuron.kinds == 4, 1].min() < neuron.points_nm[0, 1] - 100e3


def test_classes_are_neither_told_by_length_alone_nor_beyond_telling():
    neurons, table = collection(12, 0)
    kinds = table["cell_type"].to_numpy().astype(str)
    sizes = np.log([neuron.length_nm for neuron in neurons])[:, None]
    forms = np.array([_form(neuron) for neuron in neurons])
    assert _nearest_agrees(sizes, kinds) < 0.3
    assert _nearest_agrees((forms - forms.mean(0)) / forms.std(0), kinds) > 0.6


def test_a_neuron_takes_less_than_20_ms():
    grown("purkinje", 0)
    start = time.perf_counter()
    for seed in range(3):
        for kind in KINDS:
            grown(kind, seed)
    assert (time.perf_counter() - start) / 36 < 0.02


def test_an_unknown_kind_is_said():
    with pytest.raises(UnknownNameError, match="pyramidal"):
        grown("pyramdal", 0)


def _form(neuron):
    about = (neuron.points_nm - neuron.points_nm[0]) / 1e3
    spread = np.log(about.std(0) + 1)
    return [
        *spread[1:2],
        np.hypot(*about.std(0)[[0, 2]]),
        about[:, 1].mean(),
        (neuron.children > 1).sum(),
        (neuron.kinds == 2).mean(),
    ]


def _nearest_agrees(features, kinds):
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return (kinds[distances.argmin(1)] == kinds).mean()
