"""The fast way gives the numbers of the plain one."""

import numpy as np
import pytest
import torch

from neurotome.core import InputError, ShapeError, UnknownNameError
from neurotome.nn.vgg3d import VGG3D, FeatureExtractor, VGG3DConfig, layer_outputs, pooled


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = VGG3D(VGG3DConfig(size=16, widths=(4, 8, 8, 16), hidden=12)).eval()
    for module in made.features:
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2), module.bias.data.normal_()
    return made


@pytest.fixture(scope="module")
def cubes():
    return np.random.default_rng(1).random((4, 16, 16, 16), np.float32)


def plain(network, cubes, layer, pooling, masks=None):
    with torch.inference_mode():
        outputs = layer_outputs(network, torch.from_numpy(cubes[:, None]), layer)
        return torch.cat([pooled(o, pooling, None if masks is None else torch.from_numpy(masks)) for o in outputs], 1).numpy()


@pytest.mark.parametrize("layer", [*range(34), "stage:2", "all_stages", "standard"])
def test_float32_is_the_plain_answer_up_to_rounding(network, cubes, layer):
    extract = FeatureExtractor(network, layer, "concat_avg_max", precision="float32")
    found, expected = extract(cubes), plain(network, cubes, layer, "concat_avg_max")
    assert found.dtype == np.float32 and found.shape == (4, len(extract.names))
    assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("pooling", ["spp", "mask_avg"])
def test_other_poolings(network, cubes, pooling):
    masks = cubes > 0.5
    found = FeatureExtractor(network, "all_stages", pooling, precision="float32")(cubes, masks)
    assert np.allclose(found, plain(network, cubes, "all_stages", pooling, masks), rtol=1e-4, atol=1e-4)


def test_bfloat16_is_close(network, cubes):
    expected = plain(network, cubes, 20, "avg")
    found = FeatureExtractor(network, 20, precision="bfloat16")(cubes)
    assert 0 < np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


def test_a_row_does_not_depend_on_the_others(network, cubes):
    extract = FeatureExtractor(network, 20)
    together = extract(cubes)
    assert extract.precision in ("float32", "bfloat16")
    assert np.array_equal(together, np.concatenate([extract(cube[None]) for cube in cubes]))
    assert np.array_equal(together, FeatureExtractor(network, 20)(cubes)) and extract(cubes[:0]).shape == (0, 8)


def test_the_network_is_left_as_it_was(cubes):
    torch.manual_seed(0)
    network = VGG3D(VGG3DConfig(size=16, widths=(4, 8, 8, 16)))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    FeatureExtractor(network, "all_stages", precision="bfloat16")(cubes)
    assert network.training and all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(p.requires_grad for p in network.parameters())


def test_what_cannot_be_read_is_refused(network, cubes):
    with pytest.raises(UnknownNameError, match="precision"):
        FeatureExtractor(network, 20, precision="half")
    with pytest.raises(ShapeError, match=r"\(1, 1, 16, 16, 15\)"):
        FeatureExtractor(network, 20)(cubes[..., :15])
    with pytest.raises(ShapeError, match="masks"):
        FeatureExtractor(network, 20, "mask_avg")(cubes, cubes[:2] > 0)
    with pytest.raises(InputError, match="without a mask"):
        FeatureExtractor(network, 20, "mask_avg")(cubes)
