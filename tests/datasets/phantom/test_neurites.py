from collections import Counter

import numpy as np
import pytest

from neurotome.datasets.phantom.neurites import grow
from neurotome.datasets.phantom.routes import capsule_gap

EXTENT = np.array([1200.0, 1800.0, 1800.0])


@pytest.fixture(scope="module")
def grown():
    return grow(EXTENT, np.random.default_rng(0), soma=True, myelin=True)


def test_all_calibres_are_there(grown):
    kinds = Counter(grown.kinds)
    assert kinds["soma"] == kinds["myelinated"] == 1
    assert kinds["dendrite"] >= 1
    assert kinds["axon"] > 15
    radii = np.concatenate([r for _, _, r in grown.paths if len(r) > 1])
    assert radii.min() < 50
    assert radii.max() > 180


def test_neurites_branch(grown):
    assert max(Counter(number for number, _, _ in grown.paths).values()) >= 2


def test_tubes_of_different_neurites_hardly_overlap(grown):
    """Else the cells that grow around them would not be connected."""
    capsules, owners = np.vstack(grown.capsules).astype(np.float32), np.concatenate(grown.owners)
    gaps = []
    for number, points, _ in grown.paths:
        others = capsules[owners != number]
        gaps.extend(min(capsule_gap(c, *point) for c in others) for point in points[2:-2:4])
    assert np.mean(np.array(gaps) < 0) < 0.01


def test_little_room_is_left(grown):
    assert (grown.clearance > 60).mean() < 0.06


def test_neurites_reach_from_face_to_face(grown):
    ends = np.array([[p[0], p[-1]] for _, p, r in grown.paths if len(r) > 1])
    to_face = np.minimum(ends, EXTENT - ends).min(2)
    assert (to_face[:, 1] < 60).mean() > 0.6


def test_boutons_are_swellings_of_axons(grown):
    assert len(grown.boutons) >= 3
    for bouton in grown.boutons:
        assert grown.kinds[bouton.neurite - 1] == "axon"
        assert bouton.radius_nm > 100


def test_switches():
    bare = grow(EXTENT, np.random.default_rng(0), soma=False, myelin=False)
    assert not {"soma", "myelinated"} & set(bare.kinds)
    assert bare.soma is None
