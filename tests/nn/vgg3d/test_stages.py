"""What is spared around a mask changes nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.nn.vgg3d import VGG3D, FeatureExtractor, VGG3DConfig, layer_outputs, pooled
from neurotome.nn.vgg3d.stages import Content, content_of, folded_stages, spared

SIDE = 48


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = VGG3D(VGG3DConfig(size=SIDE, widths=(3, 4, 5, 6))).eval()
    for module in made.features:
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2), module.bias.data.normal_()
    return made


def masked(low, high, seed=0):
    """Noise in a box, grey around it."""
    cube = np.full((SIDE,) * 3, 0.6, np.float32)
    inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    cube[inside] = np.random.default_rng(seed).random(cube[inside].shape, np.float32)
    return cube


BOXES = [((20, 20, 20), (28, 26, 22)), ((0, 21, 30), (3, 27, 48)), ((17, 1, 3), (18, 2, 4)), ((40, 40, 41), (48, 48, 48))]


@pytest.mark.parametrize(("low", "high"), BOXES)
def test_a_stage_that_is_spared_says_the_same(network, low, high):
    cube = torch.from_numpy(masked(low, high)[None, None])
    grey = torch.full_like(cube, 0.6)
    with torch.inference_mode():
        stage = folded_stages(network, (12,))[0]
        whole, backdrop = stage(cube)[0], stage(grey)[0]
        output, changed = spared(stage, cube, Content(low, high), lambda: backdrop)
    assert (stage.reach, stage.sparable) == (4, True)
    assert (output - whole).abs().max() < 1e-5 and (whole - backdrop).abs().max() > 0.01
    outside = torch.ones_like(output, dtype=torch.bool)
    outside[changed.slices] = False
    assert torch.equal(output[outside], backdrop[outside])


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_features_of_a_masked_cube_are_those_of_all_its_voxels(network, data):
    low = [data.draw(st.integers(0, SIDE - 1)) for _ in range(3)]
    high = [data.draw(st.integers(a + 1, min(SIDE, a + 20))) for a in low]
    cube = masked(low, high)[None]
    found = FeatureExtractor(network, "all_stages", "concat_avg_max", precision="float32")(cube)
    with torch.inference_mode():
        outputs = layer_outputs(network, torch.from_numpy(cube[:, None]), "all_stages")
        expected = torch.cat([pooled(output, "concat_avg_max") for output in outputs], 1).numpy()
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_another_grey_has_another_backdrop(network):
    extract = FeatureExtractor(network, 20, precision="float32")
    light, dark = masked(*BOXES[0]), np.where(masked(*BOXES[0]) == np.float32(0.6), np.float32(0.2), masked(*BOXES[0]))
    rows = extract(np.stack([light, dark, light]))
    assert np.array_equal(rows[0], rows[2]) and np.abs(rows[0] - rows[1]).max() > 0.01
    assert np.array_equal(rows[1], FeatureExtractor(network, 20, precision="float32")(dark[None])[0])


def test_the_box_of_what_is_not_grey():
    assert content_of(masked((3, 4, 5), (6, 8, 10)))[1] == Content((3, 4, 5), (6, 8, 10))
    assert content_of(np.zeros((16,) * 3, np.float32)) is None
    cube = masked((0, 0, 0), (2, 2, 2))
    assert content_of(cube) == (np.float32(0.6), Content((0, 0, 0), (2, 2, 2))), "one corner in the mask, seven not"
    noise = np.random.default_rng(0).random((16,) * 3, np.float32)
    assert content_of(noise)[1].voxels > 0.8 * noise.size


def test_boxes_grow_to_even_voxels_within_the_cube():
    grown = Content((5, 1, 40), (6, 2, 48)).grown(4, 48)
    assert grown == Content((0, 0, 36), (10, 6, 48)) and grown.halved() == Content((0, 0, 18), (5, 3, 24))
    assert Content((4, 6, 8), (6, 8, 10)).within(Content((2, 2, 2), (12, 12, 12))) == Content((2, 4, 6), (4, 6, 8))


def test_stages_that_are_asked_for_inside_are_not_spared(network):
    stages = folded_stages(network, (6, 20))
    assert [(stage.reach, stage.sparable) for stage in stages] == [(4, False), (2, True), (1, False)]
