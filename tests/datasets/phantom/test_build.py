"""The promises of a phantom, checked on the whole."""

import cc3d
import numpy as np
import pytest
from scipy import ndimage

from neurotome.datasets import phantom
from neurotome.datasets.phantom import ORGANELLES, PhantomSpec

CLASS = {name: number for number, name in ORGANELLES.items()}
SMALL = (8, 96, 96)


def volumes(made):
    return [made.image.data, made.neurons.data, made.membranes.data, made.organelles.data, made.synapses.points_nm]


def test_same_seed_same_bytes_other_seed_other_tissue():
    first, again, other = (phantom.make(PhantomSpec(shape=SMALL, seed=s)) for s in (5, 5, 6))
    assert [a.tobytes() for a in volumes(first)] == [a.tobytes() for a in volumes(again)]
    for mine, theirs in zip(volumes(first)[:4], volumes(other)[:4], strict=True):
        assert (mine != theirs).mean() > 0.01


def test_volumes_share_one_grid_and_have_the_promised_types(tissue):
    grids = {v.grid for v in (tissue.image, tissue.neurons, tissue.membranes, tissue.organelles)}
    assert {(g.shape, g.voxel_nm) for g in grids} == {((24, 192, 192), (30.0, 6.0, 6.0))}
    assert [v.data.dtype for v in (tissue.image, tissue.neurons, tissue.membranes, tissue.organelles)] == [
        np.uint8,
        np.uint64,
        np.uint8,
        np.uint8,
    ]
    assert dict(tissue.organelles.legend.names) == ORGANELLES


def test_every_neuron_is_one_piece(tissue):
    neurons = tissue.neurons.data
    pieces = cc3d.connected_components(neurons, connectivity=6)
    assert len(np.unique(pieces)) == len(np.unique(neurons)) > 20


def test_membranes_are_what_is_neither_neuron_nor_myelin_and_have_no_holes(tissue):
    neurons, membranes = tissue.neurons.data, tissue.membranes.data
    myelin = tissue.organelles.data == CLASS["myelin"]
    np.testing.assert_array_equal(membranes == 1, (neurons == 0) & ~myelin)
    for low, high in ((neurons[:, :-1], neurons[:, 1:]), (neurons[:, :, :-1], neurons[:, :, 1:])):
        assert not ((low != high) & (low > 0) & (high > 0)).any()


def test_tissue_is_dense_and_runs_through(tissue):
    neurons = tissue.neurons.data
    assert 0.08 < (neurons == 0).mean() < 0.25
    through = set(np.unique(neurons[0])) & set(np.unique(neurons[-1])) - {0}
    assert len(through) >= 5


def test_membranes_are_darker_than_what_they_enclose(tissue):
    image = tissue.image.data.astype(float)
    image -= image.mean((1, 2), keepdims=True)
    plain = (tissue.organelles.data == 0) & (tissue.neurons.data > 0)
    assert image[tissue.membranes.data == 1].mean() < image[plain].mean() - 40


@pytest.mark.parametrize("name", ["mitochondria", "vesicles", "reticulum", "microtubules", "density"])
def test_organelles_lie_inside_one_neuron(tissue, name):
    inside = tissue.organelles.data == CLASS[name]
    assert inside.sum() > 100
    assert (tissue.neurons.data[inside] > 0).all()
    for section, neurons in zip(inside, tissue.neurons.data, strict=True):
        bodies = cc3d.connected_components(section, connectivity=4)
        pairs = np.unique(np.stack([bodies[section], neurons[section]]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_mitochondria_are_dark_and_vesicles_darker_than_their_cytoplasm(tissue):
    image = tissue.image.data.astype(float)
    image -= image.mean((1, 2), keepdims=True)
    cytoplasm = image[(tissue.organelles.data == 0) & (tissue.neurons.data > 0)].mean()
    assert image[tissue.organelles.data == CLASS["mitochondria"]].mean() < cytoplasm - 50
    assert image[tissue.organelles.data == CLASS["vesicles"]].mean() < cytoplasm - 20
    assert image[tissue.organelles.data == CLASS["density"]].mean() < cytoplasm - 50


def test_both_partners_of_each_synapse_touch_its_cleft(tissue):
    sites, neurons, organelles = tissue.synapses, tissue.neurons.data, tissue.organelles.data
    assert len(sites) >= 3
    assert (sites.pre != sites.post).all()
    for point, pre, post in zip(sites.points_nm, sites.pre, sites.post, strict=True):
        z, y, x = np.rint(np.array(tissue.image.grid.to_voxel(point))).astype(int)
        assert organelles[z, y, x] == CLASS["cleft"]
        box = (slice(max(0, z - 7), z + 8), slice(max(0, y - 36), y + 37), slice(max(0, x - 36), x + 37))
        beside = ndimage.binary_dilation(organelles[box] == CLASS["cleft"], ndimage.generate_binary_structure(3, 1))
        assert {int(pre), int(post)} <= set(neurons[box][beside].tolist())
        density = neurons[box][organelles[box] == CLASS["density"]]
        assert int(post) in density.tolist()


def test_clefts_are_membrane(tissue):
    cleft = tissue.organelles.data == CLASS["cleft"]
    assert (tissue.membranes.data[cleft] == 1).all()


def adapted_rand_error(segmentation, truth):
    """Over voxels with a truth id; every one that the segmentation leaves out is a segment of its own."""
    seen = truth > 0
    _, ids = np.unique(truth[seen], return_inverse=True)
    found = segmentation[seen].astype(np.int64)
    joint = np.unique(ids[found > 0] * (found.max() + 1) + found[found > 0], return_counts=True)[1].astype(float)
    alone = float((found == 0).sum())
    a = (np.bincount(ids).astype(float) ** 2).sum()
    b = (np.bincount(found)[1:].astype(float) ** 2).sum() + alone
    return 1 - 2 * ((joint**2).sum() + alone) / (a + b)


def test_adapted_rand_error_of_the_attack_is_counted_right():
    truth = np.array([1, 1, 2, 2, 0])
    assert adapted_rand_error(truth, truth) == 0
    # One merged segment: pairs 8 of the truth, 16 of the segment, 8 common.
    assert adapted_rand_error(np.array([1, 1, 1, 1, 1]), truth) == pytest.approx(1 - 16 / 24)
    assert adapted_rand_error(np.array([0, 0, 0, 0, 0]), truth) == pytest.approx(1 - 8 / 12)


def best_threshold_attack(image, neurons):
    """The least error that smoothing, one threshold and connected components reach, brightness of sections evened out first."""
    even = image.astype(np.float32)
    even = (even - even.mean((1, 2), keepdims=True)) / even.std((1, 2), keepdims=True)
    errors = []
    for sigma in (0, 0.5, 1, 1.5, 2):
        smooth = ndimage.gaussian_filter(even, (0, sigma, sigma)) if sigma else even
        for percent in range(10, 82, 4):
            pieces = cc3d.connected_components(smooth > np.percentile(smooth, percent), connectivity=6)
            errors.append(adapted_rand_error(pieces, neurons))
    return min(errors)


def test_intensity_alone_does_not_segment_it(tissue):
    assert best_threshold_attack(tissue.image.data, tissue.neurons.data) > 0.5


def test_noise_and_brightness_change_the_image_only():
    noisy, plain = (phantom.make(PhantomSpec(shape=SMALL, seed=3, noise=n, brightness_jumps=n)) for n in (1, 0))
    np.testing.assert_array_equal(noisy.neurons.data, plain.neurons.data)
    np.testing.assert_array_equal(noisy.organelles.data, plain.organelles.data)
    difference = noisy.image.data.astype(float) - plain.image.data
    assert np.ptp(difference.mean((1, 2))) > 25
    finest = [np.abs(np.diff(p.image.data.astype(float), axis=2)).mean() for p in (noisy, plain)]
    assert finest[0] > 1.1 * finest[1]


def test_missing_sections_are_black_and_keep_their_truth():
    made, whole = (phantom.make(PhantomSpec(shape=SMALL, seed=3, missing=n)) for n in (2, 0))
    assert len(made.faults["missing"]) == 2
    assert [z for z in range(8) if not made.image.data[z].any()] == list(made.faults["missing"])
    np.testing.assert_array_equal(made.neurons.data, whole.neurons.data)


def test_blurred_sections_lose_their_fine_detail():
    made = phantom.make(PhantomSpec(shape=SMALL, seed=3, blurred=2, noise=0))
    detail = np.abs(np.diff(made.image.data.astype(float), axis=2)).mean((1, 2))
    worst = np.argsort(detail)[:2]
    assert sorted(worst.tolist()) == list(made.faults["blurred"])


def test_misaligned_sections_are_shifted_in_image_and_truth_alike():
    made = phantom.make(PhantomSpec(shape=(12, 128, 128), seed=3, misaligned=2, noise=0))
    same = (made.neurons.data[1:] == made.neurons.data[:-1]).mean((1, 2))
    shifted = made.faults["misaligned"]
    jumps = sorted({z - 1 for z in shifted} | set(shifted))
    others = [z for z in range(11) if z not in jumps]
    assert same[jumps].mean() < same[others].mean() - 0.05
    for z in shifted:
        section = made.image.data[z].astype(float)
        assert section[made.membranes.data[z] == 1].mean() < section[made.neurons.data[z] > 0].mean() - 25


def test_soma_and_myelin_are_switches():
    wide = {"shape": (6, 100, 100), "voxel_nm": (30.0, 24.0, 24.0), "seed": 3}
    with_both, with_none = phantom.make(PhantomSpec(**wide)), phantom.make(PhantomSpec(**wide, soma=False, myelin=False))
    for name in ("nucleus", "myelin"):
        assert (with_both.organelles.data == CLASS[name]).any()
        assert not (with_none.organelles.data == CLASS[name]).any()


def test_other_voxels_show_the_same_scale_of_tissue():
    made = phantom.make(PhantomSpec(shape=(64, 64, 64), voxel_nm=(12.0, 12.0, 12.0), seed=1))
    assert made.image.grid.voxel_nm == (12.0, 12.0, 12.0)
    assert len(np.unique(made.neurons.data)) > 8


def test_progress_counts_to_its_end():
    seen = []
    phantom.make(PhantomSpec(shape=(4, 48, 48)), progress=lambda what, done, total: seen.append((done, total)))
    assert seen == [(i, 5) for i in range(1, 6)]
