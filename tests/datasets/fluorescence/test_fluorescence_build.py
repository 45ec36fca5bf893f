from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import SOMA
from neurotome.datasets.fluorescence import NEURON, FluorescenceSpec, fluorescence

SMALL = FluorescenceSpec(shape=(24, 96, 96), seed=5)


def test_the_same_spec_gives_the_same_bytes():
    a, b = fluorescence(SMALL), fluorescence(replace(SMALL))
    for one, two in ((a.image.data, b.image.data), (a.mask.data, b.mask.data), (a.skeleton.points_nm, b.skeleton.points_nm)):
        assert one.tobytes() == two.tobytes()
    assert fluorescence(replace(SMALL, seed=6)).image.data.tobytes() != a.image.data.tobytes()


def test_truth_does_not_depend_on_noise():
    a, b = fluorescence(SMALL), fluorescence(replace(SMALL, snr=9, background=2, photons=90, dtype="uint16"))
    assert a.mask.data.tobytes() == b.mask.data.tobytes()
    assert a.skeleton.points_nm.tobytes() == b.skeleton.points_nm.tobytes()


@pytest.mark.parametrize("snr", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("soma", [0.0, 7.0])
def test_the_signal_to_noise_ratio_is_the_one_asked_for(snr, soma):
    spec = FluorescenceSpec(
        shape=(40, 128, 128), seed=2, snr=snr, soma_vox=soma, background=0, haze=0, neighbours=0, specks=0, dtype="uint16"
    )
    stack = fluorescence(spec)
    grey, mask = stack.image.data.astype(float), stack.mask.data
    far = np.ones(spec.shape, bool)
    for z, y, x in np.argwhere(mask)[::3]:
        far[max(0, z - 6) : z + 7, max(0, y - 8) : y + 9, max(0, x - 8) : x + 9] = False
    axis = np.rint(stack.skeleton.points_nm[stack.skeleton.kinds != SOMA] / spec.voxel_nm).astype(int)
    measured = (np.median(grey[tuple(axis.T)]) - grey[far].mean()) / grey[far].std()
    # The median of noisy values is a little off that of the signal.
    assert measured == pytest.approx(snr, rel=0.08, abs=0.3)


def test_axes_lie_in_the_mask_and_the_window(stack):
    for label, tree in enumerate((stack.skeleton, *stack.neighbours), start=NEURON):
        voxels = np.rint(tree.points_nm / stack.mask.grid.voxel_nm).astype(int)
        assert (voxels >= 0).all()
        assert (voxels < stack.mask.grid.shape).all()
        labels = stack.mask.data[tuple(voxels.T)]
        assert (labels > 0).all()
        assert (labels == label).mean() > 0.8
        assert tree.edge_nm.max() <= stack.spec.unit_nm


def test_neurites_are_brighter_than_what_is_around_them():
    stack = fluorescence(replace(SMALL, snr=8))
    grey, mask = stack.image.data.astype(float), stack.mask.data
    assert np.median(grey[mask == NEURON]) > np.quantile(grey[mask == 0], 0.97)


def test_gaps_are_dark_and_belong_to_the_truth():
    spec = FluorescenceSpec(
        seed=1,
        snr=10,
        gaps=6,
        gap_vox=7,
        background=0,
        haze=0,
        neighbours=0,
        beads=0,
        specks=0,
        voxel_nm=(500,) * 3,
        psf_nm=(400,) * 3,
    )
    stack = fluorescence(spec)
    brightness = stack.skeleton.features["brightness"]
    voxels = np.rint(stack.skeleton.points_nm / stack.mask.grid.voxel_nm).astype(int)
    grey = stack.image.data[tuple(voxels.T)].astype(float)
    assert 6 * 5 < (brightness == 0).sum() < 6 * 20
    # Their ends lie in the round ends of the pieces beside them.
    assert np.quantile(grey[brightness == 0], 0.25) < 0.4 * np.median(grey[brightness > 0])
    assert (stack.mask.data[tuple(voxels.T)] == NEURON).all()


def test_cut_stacks_are_mostly_zero():
    data = fluorescence(replace(SMALL, cut_sd=3.0)).image.data
    assert (data == 0).mean() > 0.9
    assert data.max() > 200


def test_neighbours_have_labels_of_their_own(stack):
    present = set(np.unique(stack.mask.data).tolist())
    assert present == {0, *range(NEURON, NEURON + 1 + len(stack.neighbours))}
    assert set(stack.mask.legend.names) == present - {0}


def test_a_given_morphology_is_shown(stack):
    again = fluorescence(replace(SMALL, source=stack.skeleton, cable_vox=400))
    assert 150 < again.skeleton.length_nm / SMALL.unit_nm <= 480
