import numpy as np
import pytest
from scipy import ndimage

from neurotome import datasets
from neurotome.core import Box, Grid, Image, Labels, ShapeError, SynapseVolume, ValueRangeError
from neurotome.datasets import synapse_phantoms
from neurotome.synapses.study.from_clefts import sites_from_clefts
from neurotome.synapses.study.site_checks import check_sites


@pytest.fixture(scope="module")
def p1():
    return synapse_phantoms.p1().volume


def test_the_clefts_of_p1_become_sites_between_11_and_22(p1):
    sites, discarded = sites_from_clefts(p1.organelles, p1.neurons, ids=(3, 4), dataset="d", volume="bbox7")
    assert len(discarded) == 0
    assert sites.index.tolist() == [f"d/bbox7/{i}" for i in (1, 2, 3, 4)]
    assert sites["cleft_voxels"].tolist() == [5400, 1080, 360, 216] and sites["cleft_label"].tolist() == [4, 3, 4, 3]
    assert (sites["side1_id"] == "11").all() and (sites["side2_id"] == "22").all()
    first = sites.iloc[0]
    # Centroid 59.5, 64.5, 82.5; of the eight voxels as near, the first. Neuron 11 ends at x 81, 22 begins at 84.
    assert first[["center_z", "center_y", "center_x"]].tolist() == [59, 64, 82]
    assert first[["side1_z", "side1_y", "side1_x"]].tolist() == [59, 64, 81]
    assert first[["side2_z", "side2_y", "side2_x"]].tolist() == [59, 64, 84]
    kept, none = check_sites(sites, {"bbox7": p1})
    assert len(kept) == 4 and len(none) == 0


def test_small_pieces_are_no_sites(p1):
    sites, discarded = sites_from_clefts(p1.organelles, p1.neurons, ids=(3, 4), min_voxels=1080)
    assert sites["cleft_voxels"].tolist() == [5400, 1080] and len(discarded) == 0
    with pytest.raises(ValueRangeError, match="min_voxels 0"):
        sites_from_clefts(p1.organelles, p1.neurons, min_voxels=0)


def test_a_piece_with_one_neuron_is_discarded_with_the_reason(p1):
    only = Labels(np.where(p1.neurons.read() == 11, 11, 0).astype(np.uint64), p1.neurons.grid)
    sites, discarded = sites_from_clefts(p1.organelles, only, ids=(4,), volume="v")
    assert len(sites) == 0 and discarded["key"].tolist() == ["study/v/1", "study/v/2"]
    assert set(discarded["reason"]) == {"fewer_than_two_neurons"} and discarded["value"].tolist() == [1.0, 1.0]


def test_volumes_of_two_shapes_are_refused(p1):
    with pytest.raises(ShapeError):
        sites_from_clefts(Labels(np.zeros((4, 4, 4), np.uint8), Grid((4, 4, 4), (8.0, 8.0, 8.0))), p1.neurons)


def recall(phantom):
    """Shares of the true synapses with a site within 250 nm, and with one that has their two neurons."""
    cleft = phantom.organelles.legend.id_of("cleft")
    sites, _ = sites_from_clefts(phantom.organelles, phantom.neurons, ids=(cleft,), min_voxels=20)
    places = sites[["center_z", "center_y", "center_x"]].to_numpy() * np.array(phantom.image.grid.voxel_nm)
    partners = [{int(a), int(b)} for a, b in zip(sites["side1_id"], sites["side2_id"], strict=True)]
    truth = phantom.synapses
    near = [np.flatnonzero(np.linalg.norm(places - point, axis=1) < 250) for point in truth.points_nm]
    joined = [any(partners[i] == {int(a), int(b)} for i in n) for n, a, b in zip(near, truth.pre, truth.post, strict=True)]
    return np.mean([len(n) > 0 for n in near]), np.mean(joined)


def test_the_synapses_of_a_phantom_are_found_between_their_partners(small_phantom):
    assert recall(small_phantom) == (1.0, 1.0)


@pytest.mark.exhaustive
def test_nearly_all_synapses_of_a_larger_phantom_are_found():
    from neurotome.datasets import phantom

    placed, joined = recall(phantom.make(phantom.PhantomSpec(shape=(24, 256, 256), seed=1)))
    assert placed == 1.0 and joined >= 0.8


@pytest.mark.realdata
def test_masks_of_real_synapses_become_sites_between_two_profiles():
    if not datasets.local("drosophila_vnc"):
        pytest.skip(f"drosophila_vnc is not in {datasets.data_root()}")
    masks = datasets.load("drosophila_vnc", "labelled").masks
    # Synapses were drawn in one section only; its profiles are what membranes leave.
    (section,) = np.flatnonzero(masks["synapses"].read().any((1, 2)))
    box = Box((section, 0, 0), (section + 1, 1024, 1024))
    synapses, membranes = masks["synapses"].crop(box), masks["membranes"].crop(box)
    profiles = Labels(ndimage.label(membranes.read() == 0)[0].astype(np.uint32), synapses.grid, name="vnc")
    sites, discarded = sites_from_clefts(synapses, profiles, min_voxels=50)
    drawn = ndimage.label(synapses.read())[0]
    centre, one, two = (sites[[f"{what}_{a}" for a in "zyx"]].to_numpy() for what in ("center", "side1", "side2"))
    assert len(sites) == drawn.max() == 13 and len(discarded) == 0
    assert sorted(drawn[tuple(centre.T)]) == list(range(1, 14))
    for side in (one, two):
        assert (np.linalg.norm((side - centre) * synapses.grid.voxel_nm, axis=1) < 200).all()
    volume = SynapseVolume("vnc", Image(np.zeros(box.shape, np.uint8), synapses.grid), profiles, synapses, {"cleft": (255,)})
    assert len(check_sites(sites, {"vnc": volume})[0]) == 13
