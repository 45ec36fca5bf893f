import numpy as np
import pytest
import torch

from neurotome.boundary import NEAREST, overlap
from neurotome.boundary.training.patches import AnnotatedVolume, Patches, PatchShape
from neurotome.core import Grid, Image, Labels, ShapeError, ValueRangeError
from neurotome.nn import Augmentation, dihedral

GRID = Grid((8, 40, 48), (30, 6, 6))


def volume(sections=(0, 8), *, image=None, labels=None, truth_is="instances", normalization="section_zscore", **options):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, GRID.shape).astype(np.uint8) if image is None else image
    labels = rng.integers(0, 5, (8, 10, 12)).repeat(4, 1).repeat(4, 2).astype(np.uint64) if labels is None else labels
    truth = Image(labels, GRID) if truth_is == "grey" else Labels(labels, GRID)
    return AnnotatedVolume.load(Image(image, GRID), truth, sections, normalization=normalization, truth_is=truth_is, **options)


def patches(volumes, channels=("affinity:1,0,0", "affinity:0,0,1", "membrane"), shape=None, how=None, **options):
    shape = shape or PatchShape(32, 3, 1)
    return Patches(volumes, channels, shape, how or Augmentation.none(), count=20, **options)


def test_image_and_target_show_the_same_place():
    """An image that *is* the labels: wherever its grey values agree, the affinity must be 1."""
    labels = np.random.default_rng(1).integers(1, 6, (8, 10, 12)).repeat(4, 1).repeat(4, 2).astype(np.uint8)
    data = patches(
        (volume(image=labels, labels=labels),), how=Augmentation(elastic=0, grey=0, shade=0, noise=0, blur=0, defect=0)
    )
    for image, target, valid in (data[i] for i in range(len(data))):
        same = (image[1, :, :-1] == image[1, :, 1:]).float()
        assert torch.equal(target[1, :, :-1], same)
        assert valid[1, :, :-1].all() and not valid[1, :, -1].any()


def test_nothing_outside_the_block_is_read():
    image = np.random.default_rng(0).integers(0, 100, GRID.shape).astype(np.uint8)
    image[5:] = 255
    data = patches((volume((0, 5), image=image),), shape=PatchShape(32, 5, 1))
    offset, factor = data.volumes[0].scales[0]
    assert max(data[i][0].max().item() for i in range(20)) <= (100 - offset) * factor + 0.2


def test_pairs_with_a_repeated_section_do_not_count():
    data = patches((volume((2, 3)),))
    _, _, valid = data[0]
    assert not valid[0].any() and valid[2].all()


def test_patches_repeat_within_and_change_between_epochs():
    first, second = patches((volume(),), seed=5), patches((volume(),), seed=5)
    assert torch.equal(first[3][0], second[3][0])
    second.epoch.fill_(1)
    assert not torch.equal(first[3][0], second[3][0])


def test_three_dimensional_patches_have_a_depth():
    image, target, valid = patches((volume(),), channels=NEAREST, shape=PatchShape(32, 4, 4))[0]
    assert image.shape == (1, 4, 32, 32) and target.shape == valid.shape == (3, 4, 32, 32)


def test_sections_smaller_than_the_patch_are_reflected():
    image, _, _ = patches((volume(),), shape=PatchShape(64, 1, 1), channels=("membrane",))[0]
    assert image.shape == (1, 64, 64)


def test_polarity_of_binary_truth():
    inside = np.zeros(GRID.shape, np.uint8)
    inside[:, :, :20] = 255
    for truth_is, expected in (("inside", 0.0), ("membrane", 1.0)):
        data = patches((volume(labels=inside, truth_is=truth_is),), channels=("membrane",), shape=PatchShape(32, 1, 1))
        _, target, _ = data[0]
        source = data.volumes[0]
        assert source.labels[0, 0, 0] == 1 - expected and set(target.unique().tolist()) <= {0.0, 1.0}
    with pytest.raises(ValueRangeError, match="has the values 0, 1, 2, 3, 4"):
        volume(truth_is="inside")


def test_blocks_outside_the_stack_are_refused():
    with pytest.raises(ShapeError, match="Sections 4:9 of a stack of 8"):
        volume((4, 9))


def test_two_sections_are_i_and_the_next_and_the_overlap_belongs_to_both():
    """nn2 and nn5: section i and i + 1 in, overlap(i, i + 1) out; reversed along z the next one is i - 1."""
    labels = np.random.default_rng(2).integers(1, 4, (8, 2, 2)).repeat(20, 1).repeat(24, 2).astype(np.uint16)
    numbers = np.broadcast_to(np.arange(8, dtype=np.uint8)[:, None, None], GRID.shape).copy()
    still = Augmentation(elastic=0, grey=0, shade=0, noise=0, blur=0, defect=0)
    data = patches((volume(image=numbers, labels=labels, normalization="unit"),), ("overlap",), PatchShape(32, 2, 1), still)
    data.count, pairs = 200, set()
    for sample in map(data.sample, range(200)):
        i, following = np.round(sample.image[:, 0, 0] * 255).astype(int)
        assert i == sample.section and following - i == (-1 if sample.draw.reverse else 1)
        pairs.add((min(i, following), max(i, following)))
        assert sample.valid.all()
        expected = overlap(labels[[i, following]].astype(int))
        y, x = sample.corner
        expected = dihedral(expected[:, y : y + 32, x : x + 32], sample.draw.variant)
        # The rim of the patch has no neighbours to differ from.
        assert np.array_equal(sample.target[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1])
    assert pairs == {(i, i + 1) for i in range(7)}


def test_more_sections_even_or_odd_are_around_the_one_that_is_answered_for():
    numbers = np.broadcast_to(np.arange(8, dtype=np.uint8)[:, None, None], GRID.shape).copy()
    for count, before in ((1, 0), (2, 0), (3, 1), (4, 1), (5, 2)):
        data = patches((volume(image=numbers, normalization="unit"),), ("membrane",), PatchShape(32, count, 1))
        for sample in map(data.sample, range(20)):
            seen = np.round(sample.image[:, 0, 0] * 255).astype(int)
            wanted = np.clip(np.arange(sample.section - before, sample.section - before + count), 0, 7)
            assert seen.tolist() == wanted.tolist()


def test_a_block_too_short_to_look_ahead_is_refused():
    with pytest.raises(ShapeError, match="at least 2 sections"):
        patches((volume((2, 3)),), ("overlap",), PatchShape(32, 2, 1))


def test_volumes_with_different_classes_can_be_mixed():
    mask = np.zeros(GRID.shape, np.uint8)
    mask[:, :20] = 255
    first = volume(classes={"mitochondria": Labels(mask, GRID)})
    second = volume(classes={"synapse": Labels(255 - mask, GRID)}, labels=mask, truth_is="membrane")
    data = patches((first, second), ("membrane", "class:mitochondria", "class:synapse"), PatchShape(32, 1, 1))
    counted = set()
    for sample in map(data.sample, range(20)):
        counted.add(tuple(sample.valid.all(axis=(1, 2))))
        rows = np.arange(sample.corner[0], sample.corner[0] + 32)
        c = 1 if sample.volume is first else 2
        assert np.array_equal(sample.target[c, :, 0], (rows < 20) == (c == 1))
        assert not sample.valid[3 - c].any() and not sample.target[3 - c].any()
    assert counted == {(True, True, False), (True, False, True)}


def test_values_of_one_file_are_classes():
    ids = np.zeros(GRID.shape, np.uint16)
    ids[:, :, :10], ids[:, :, 10:30] = 1, 70_000 % 65_536
    data = patches(
        (volume(labels=ids, truth_is="classes", class_values={"membrane": 1, "mitochondria": 4464}),),
        ("class:mitochondria", "membrane", "inside"),
        PatchShape(32, 1, 1),
    )
    sample = data.sample(0)
    columns = np.arange(sample.corner[1], sample.corner[1] + 32)
    assert np.array_equal(sample.target[0, 0], (columns >= 10) & (columns < 30))
    assert np.array_equal(sample.target[1, 0], columns < 10) and (sample.target[2] == 1 - sample.target[1]).all()


def test_an_image_to_imitate_moves_with_the_image():
    image = np.random.default_rng(0).integers(0, 255, GRID.shape).astype(np.uint8)
    still = Augmentation(elastic=1.0, grey=0, shade=0, noise=0, blur=0, defect=0)
    data = patches(
        (volume(image=image, labels=image, truth_is="grey", normalization="unit"),), ("grey",), PatchShape(24, 1, 1), still
    )
    for image, target, valid in (data[i] for i in range(5)):
        assert torch.allclose(image, target, atol=1e-6) and valid.all() and image.std() > 0.1


@pytest.mark.parametrize("largest", [70_000, 2**24 + 1, 2**40])
def test_ids_never_wrap(largest):
    """Two ids that agree in their low bits, or in float32, are still two neurons."""
    ids = np.full(GRID.shape, largest, np.uint64)
    ids[:, :, 24:] = largest - 65_536 if largest < 2**17 else largest - 1
    data = patches((volume(labels=ids),), ("affinity:0,0,1",), PatchShape(40, 1, 1), Augmentation(elastic=1.0, defect=0))
    assert all((sample.target[0][sample.valid[0]] == 0).any() for sample in map(data.sample, range(10)))


def test_an_image_without_truth_says_nothing():
    bare = AnnotatedVolume.load(Image(np.zeros(GRID.shape, np.uint8), GRID), None, (0, 8), normalization="unit")
    _, target, valid = patches((bare,), ("membrane", "grey"), PatchShape(32, 1, 1))[0]
    assert not target.any() and not valid.any()
