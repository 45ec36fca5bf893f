import numpy as np
import pytest

from neurotome.datasets.phantom.contacts import MEMBRANE_NM, Synapse, find_synapse, mark_synapse
from neurotome.datasets.phantom.neurites import Bouton, Tissue
from neurotome.datasets.phantom.organelles import CLASS, Contents
from neurotome.datasets.phantom.partition import Partition

VOXEL = np.array([30.0, 6.0, 6.0])
SHAPE = (10, 60, 60)


@pytest.fixture
def scene():
    """An axon (1) left of x = 29.5, a dendrite (2) right of it."""
    x = np.broadcast_to(np.arange(60), SHAPE)
    border = np.minimum(np.abs(x - 29.5) * 6, 60).astype(np.float32)
    owner = np.where(x < 30, 1, 2).astype(np.uint16)
    partner = np.where(border < 60, 3 - owner, 0).astype(np.uint16)
    cells = Partition(owner, partner, border, np.zeros(SHAPE, np.float32))
    neurons = np.where(border < MEMBRANE_NM, 0, owner * 10).astype(np.uint64)
    contents = Contents(np.zeros(SHAPE, np.uint8), np.full(SHAPE, -np.inf, np.float32))
    return cells, neurons, contents, np.zeros(SHAPE, np.float32)


def tissue_of(*kinds):
    tissue = Tissue(np.array([300.0, 360.0, 360.0]))
    for kind in kinds:
        tissue.new(kind)
    return tissue


def test_bouton_finds_its_neighbour(scene):
    bouton = Bouton(1, np.zeros(3), 120.0)
    seen = np.array([150.0, 180, 120])
    found = find_synapse(bouton, seen, tissue_of("axon", "dendrite"), scene[0], VOXEL, np.random.default_rng(0))
    assert (found.pre, found.post) == (1, 2)
    z, y, x = found.centre_nm / VOXEL
    assert abs(x - 29.5) <= 2
    assert abs(z - 5) <= 1
    assert abs(y - 30) <= 2


def test_bouton_far_from_any_border_or_at_myelin_has_no_synapse(scene):
    bouton, rng = Bouton(1, np.zeros(3), 20.0), np.random.default_rng(0)
    assert find_synapse(bouton, np.array([150.0, 180, 5]), tissue_of("axon", "dendrite"), scene[0], VOXEL, rng) is None
    near = Bouton(1, np.zeros(3), 120.0)
    assert find_synapse(near, np.array([150.0, 180, 120]), tissue_of("axon", "myelinated"), scene[0], VOXEL, rng) is None


def test_cleft_lies_between_and_density_behind(scene):
    cells, neurons, contents, stain = scene
    synapse = Synapse(1, 2, np.array([150.0, 180, 177]), 100.0)
    assert mark_synapse(synapse, cells, neurons, contents, stain, VOXEL) == (10, 20)
    cleft, density = contents.kind == CLASS["cleft"], contents.kind == CLASS["density"]
    assert (neurons[cleft] == 0).all()
    assert np.unique(np.nonzero(cleft)[2]).tolist() == [28, 29, 30, 31]
    assert (neurons[density] == 20).all()
    assert np.nonzero(density)[2].min() == 32
    assert stain[5, 30, 33] > 0.7 > 0.5 > stain[5, 30, 26]
    assert stain[5, 30, 50] == stain[0, 0, 30] == 0


def test_nothing_is_written_where_a_partner_is_missing(scene):
    cells, neurons, contents, stain = scene
    neurons[:, :, 30:] = 0
    assert mark_synapse(Synapse(1, 2, np.array([150.0, 180, 177]), 100.0), cells, neurons, contents, stain, VOXEL) is None
    assert not contents.kind.any()
    assert not stain.any()
