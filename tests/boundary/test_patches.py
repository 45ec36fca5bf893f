import numpy as np
import pytest
import torch

from neurotome.boundary import NEAREST
from neurotome.boundary.patches import AnnotatedVolume, Patches, PatchShape
from neurotome.core import Grid, Image, Labels, ShapeError, ValueRangeError
from neurotome.nn import Augmentation

GRID = Grid((8, 40, 48), (30, 6, 6))


def volume(sections=(0, 8), *, image=None, labels=None, truth_is="instances"):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, GRID.shape).astype(np.uint8) if image is None else image
    labels = rng.integers(0, 5, (8, 10, 12)).repeat(4, 1).repeat(4, 2).astype(np.uint64) if labels is None else labels
    return AnnotatedVolume.load(
        Image(image, GRID), Labels(labels, GRID), sections, normalization="section_zscore", truth_is=truth_is
    )


def patches(volumes, channels=("affinity:1,0,0", "affinity:0,0,1", "membrane"), shape=None, how=None, **options):
    shape = shape or PatchShape(32, 3, 1)
    return Patches(volumes, channels, shape, how or Augmentation.none(), count=20, **options)


def test_image_and_target_show_the_same_place():
    """An image that *is* the labels: wherever its grey values agree, the affinity must be 1."""
    labels = np.random.default_rng(1).integers(1, 6, (8, 10, 12)).repeat(4, 1).repeat(4, 2).astype(np.uint8)
    data = patches((volume(image=labels, labels=labels),), how=Augmentation(elastic=0, grey=0, noise=0, blur=0, defect=0))
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
