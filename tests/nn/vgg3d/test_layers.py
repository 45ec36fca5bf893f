"""What is read out of VGG3D is what its modules say, and no module runs in vain."""

import pytest
import torch

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig, feature_names, layer_output, layer_outputs, layer_taps

FULL = VGG3DConfig()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = VGG3D(VGG3DConfig(size=16, widths=(4, 8, 8, 16), hidden=12, classes=2)).eval()
    for module in made.features:
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2)
    return made


@pytest.fixture(scope="module")
def cubes():
    return torch.rand(4, 1, 16, 16, 16, generator=torch.Generator().manual_seed(1))


def test_every_layer_is_what_a_hook_sees(network, cubes):
    seen = {}
    hooks = [m.register_forward_hook(lambda _, __, out, k=k: seen.update({k: out})) for k, m in enumerate(network.features)]
    with torch.inference_mode():
        network(cubes)
        for hook in hooks:
            hook.remove()
        assert sorted(seen) == list(range(34))
        for layer in range(34):
            assert (layer_output(network, cubes, layer) - seen[layer]).abs().max() == 0, layer


def test_no_module_runs_after_the_layer(network, cubes):
    ran = []
    hooks = [m.register_forward_hook(lambda *_, k=k: ran.append(k)) for k, m in enumerate(network.features)]
    layer_output(network, cubes, 20)
    for hook in hooks:
        hook.remove()
    assert ran == list(range(21))


def test_layer_20_is_before_normalisation_and_relu(network, cubes):
    out = layer_output(network, cubes, 20)
    assert out.shape == (4, 8, 4, 4, 4) and 0.2 < float((out < 0).float().mean()) < 0.8
    assert torch.equal(network.features[22](network.features[21](out)), layer_output(network, cubes, 22))


def test_stages_are_the_outputs_of_their_pools(network, cubes):
    stages = layer_outputs(network, cubes, "all_stages")
    assert [tuple(s.shape[1:]) for s in stages] == [(4, 8, 8, 8), (8, 4, 4, 4), (8, 2, 2, 2), (16, 1, 1, 1)]
    for k, stage in enumerate(stages, 1):
        assert torch.equal(stage, layer_output(network, cubes, f"stage:{k}"))
    assert torch.equal(stages[-1], layer_output(network, cubes, "standard"))
    assert torch.equal(stages[-1], layer_output(network, cubes, "33"))
    with pytest.raises(ValueRangeError, match="4 outputs"):
        layer_output(network, cubes, "all_stages")


def test_shapes_of_the_reference():
    narrow = VGG3D(VGG3DConfig(widths=(1, 2, 3, 4))).eval()
    with torch.inference_mode():
        stages = layer_outputs(narrow, torch.rand(1, 1, 80, 80, 80), "all_stages")
    assert [tuple(s.shape[2:]) for s in stages] == [(40,) * 3, (20,) * 3, (10,) * 3, (5,) * 3]
    assert [FULL.width(k) for k in (12, 19, 20, 26, 33)] == [24, 48, 96, 96, 192]


def test_the_numbers_of_columns_are_those_of_the_table():
    table = {
        "stage:1": (24, 24, 48, 1752),
        "stage:2": (48, 48, 96, 3504),
        20: (96, 96, 192, 7008),
        "stage:3": (96, 96, 192, 7008),
        "stage:4": (192, 192, 384, 14016),
        "standard": (192, 192, 384, 14016),
    }
    for layer, widths in table.items():
        assert tuple(len(feature_names(FULL, layer, p)) for p in ("avg", "max", "concat_avg_max", "spp")) == widths
    names = feature_names(FULL, "all_stages", "avg")
    assert len(set(names)) == len(names) == 24 + 48 + 96 + 192
    assert (names[0], names[-1], feature_names(FULL, "20", "avg")[0]) == ("stage1_feat_1", "stage4_feat_192", "layer20_feat_1")


@pytest.mark.parametrize(
    ("layer", "error", "said"),
    [
        (34, ValueRangeError, "layer 34.*0 to 33"),
        (-1, ValueRangeError, "layer -1"),
        ("stage:5", ValueRangeError, "stage 5.*1 to 4"),
        ("all_stage", UnknownNameError, "did you mean 'all_stages'"),
        ("conv:3", UnknownNameError, "0 to 33"),
        (20.5, UnknownNameError, "20.5"),
    ],
)
def test_layers_that_are_not_there(layer, error, said):
    with pytest.raises(error, match=said):
        layer_taps(FULL, layer)
