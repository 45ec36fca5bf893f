"""The network of DB-Enhance, layer by layer, and what is offered beyond it."""

import pytest
import torch
from torch import nn

from neurotome.core import FormatError, InputError, ModelCard, ShapeError, UnknownNameError
from neurotome.nn import build, ce_dice, load_model, probabilities, receptive_halo, save_model, weighted_ce_dice
from neurotome.nn.restore import keep_as_is, restore_checkpoint

NARROW = {"widths": (4, 6)}


def count(*modules):
    return sum(p.numel() for m in modules for p in m.parameters())


@pytest.fixture(scope="module")
def on_paper():
    with torch.device("meta"):
        return build("voxresnet", {})


def narrow(**options):
    torch.manual_seed(1)
    return build("voxresnet", {**NARROW, **options})


def test_parameters_are_those_of_the_table(on_paper):
    n = on_paper
    assert count(n) == 1_714_688
    assert [count(m) for m in (n.conv1, n.bn_act1, n.conv2)] == [4_032, 64, 27_680]
    assert [count(m) for m in (n.deconv1, n.clc1, n.deconv2, n.deconv3, n.deconv4)] == [1_730, 6, 1_026, 8_194, 65_538]
    assert [count(m) for m in (n.bn_act2, n.conv3, n.bn_act3, n.conv4, n.bn_act4, n.conv5)] == [
        64,
        55_360,
        128,
        110_656,
        128,
        110_656,
    ]
    assert {count(m) for m in (n.res2, n.res3, n.res5, n.res6, n.res8, n.res9)} == {221_568}


@pytest.mark.parametrize("side", [40, 120])
def test_shapes(on_paper, side):
    x = torch.empty(1, 1, side, side, side, device="meta")
    assert on_paper(x).shape == (1, 2, side, side, side)
    assert [tuple(level.shape[1:]) for level in on_paper.levels(x)] == [(2, side, side, side)] * 4


def test_other_sizes_are_refused_with_the_next_legal_one(on_paper):
    with pytest.raises(ShapeError, match=r"\(41, 48, 50\).*\(48, 48, 56\)"):
        on_paper(torch.empty(1, 1, 41, 48, 50, device="meta"))


def test_what_an_output_voxel_sees():
    """66 to 73 voxels downwards and 59 to 66 upwards along each axis, by its phase on the pooling grid; 72 for aligned boxes."""
    probe = narrow().probe().double().eval()
    for p in probe.parameters():
        p.data.fill_(1.0 / p[0].numel() if p.ndim > 1 else 1.0)
    for axis in range(3):
        shape = [8, 8, 8]
        shape[axis] = 256
        seen = []
        for phase in range(8):
            x = torch.ones(1, 1, *shape, dtype=torch.float64, requires_grad=True)
            at = 128 + phase
            probe(x).narrow(axis - 3, at, 1).sum().backward()
            used = x.grad[0, 0].movedim(axis, 0).flatten(1).any(1).nonzero()
            seen.append((at - int(used.min()), int(used.max()) - at))
        assert [down for down, _ in seen] == list(range(66, 74)) and [up for _, up in seen] == list(range(66, 58, -1))
    assert receptive_halo(narrow()) == (72, 72, 72)
    assert receptive_halo(narrow(auto_context=True)) == (144, 144, 144)


def test_weights_begin_kaiming_normal():
    torch.manual_seed(0)
    n = build("voxresnet", {})
    assert n.res2.conv[2].weight.std().item() == pytest.approx((2 / (64 * 27)) ** 0.5, rel=0.01)
    assert n.conv1.weight.std().item() == pytest.approx((2 / 125) ** 0.5, rel=0.05)
    plain = nn.ConvTranspose3d(64, 2, 4, stride=4).weight
    assert n.deconv3.weight.std().item() == pytest.approx(plain.std().item(), rel=0.1)


def test_probability_is_the_softmax_which_is_the_sigmoid_of_the_difference():
    logits = torch.randn(2, 2, 3, 3, 3)
    p = probabilities(narrow(), logits)
    assert torch.allclose(p[:, 1], torch.sigmoid(logits[:, 1] - logits[:, 0])) and torch.allclose(
        p.sum(1), torch.ones(2, 3, 3, 3)
    )
    assert torch.equal(probabilities(nn.Identity(), logits), torch.sigmoid(logits))


def test_it_comes_back_from_its_folder(tmp_path):
    for options in ({}, {"auto_context": True}):
        n = narrow(**options)
        x = torch.randn(1, 1, 16, 16, 16)
        n.train()(x)
        card = ModelCard(
            "toy", "voxresnet", {"out_channels": 2, **NARROW, **options}, ("b", "n"), (1, 1, 1), "fmost", (72, 72, 72)
        )
        save_model(tmp_path / str(options), n.eval(), card, half=False)
        assert torch.equal(load_model(tmp_path / str(options))[0](x), n(x))


def test_deep_supervision_asks_the_coarser_levels_too():
    x = torch.randn(1, 1, 16, 16, 16)
    n = narrow(deep_supervision=True).eval()
    asked = n.supervised(x)
    assert [weight for weight, _ in asked] == [1.0, 0.5, 0.25, 0.125]
    assert torch.equal(asked[0][1], n(x)) and torch.equal(asked[3][1], list(n.levels(x))[3])
    assert len(narrow().supervised(x)) == 1 and len(narrow(auto_context=True).supervised(x)) == 2


def test_auto_context_sees_the_image_and_the_first_answer():
    n = narrow(auto_context=True).eval()
    assert n.conv1.in_channels == 2 and count(n) == 2 * count(narrow()) + 4 * 125
    x = torch.randn(1, 1, 16, 16, 16, requires_grad=True)
    n(x).sum().backward()
    assert all(p.grad is None for p in n.first.parameters())  # it learns from its own answer only
    assert n.conv1.weight.grad[:, 1].any()


def test_a_checkpoint_of_the_reference_loads_whole_or_not_at_all(tmp_path):
    source, target = narrow(), build("voxresnet", NARROW)
    state = {f"module.{name}": tensor for name, tensor in source.state_dict().items()}
    assert {
        "module.bn_act1.conv.0.weight",
        "module.res2.conv.5.bias",
        "module.deconv4.weight",
        "module.clc4.bias",
    } <= state.keys()
    torch.save({"epoch": 7, "state_dict": state, "optimizer": {}}, tmp_path / "a.pth")
    restore_checkpoint(target, tmp_path / "a.pth")
    assert all(torch.equal(a, b) for a, b in zip(source.state_dict().values(), target.state_dict().values(), strict=True))
    del state["module.clc4.bias"]
    torch.save({"state_dict": {**state, "module.head": torch.zeros(1)}}, tmp_path / "b.pth")
    with pytest.raises(InputError, match=r"clc4\.bias missing, head unexpected"):
        restore_checkpoint(target, tmp_path / "b.pth")
    with pytest.raises(ShapeError, match=r"conv1\.weight \(4, 1, 5, 5, 5\)"):
        restore_checkpoint(build("voxresnet", {"widths": (5, 6)}), tmp_path / "a.pth")
    (tmp_path / "c.pth").write_bytes(b"no checkpoint")
    with pytest.raises(FormatError, match=r"c\.pth"):
        restore_checkpoint(target, tmp_path / "c.pth")


@pytest.mark.parametrize(("freeze", "stays"), [("stage1", 3), ("stages1-2", 7), ("all_but_heads", 16), ("none", 0)])
def test_what_is_frozen_does_not_change_by_a_bit(freeze, stays):
    n = narrow()
    kept = n.kept_in(freeze)
    assert len(kept) == stays
    before = [{k: v.clone() for k, v in part.state_dict().items()} for part in kept]
    keep_as_is(kept)
    optimizer = torch.optim.SGD([p for p in n.parameters() if p.requires_grad], 0.1, weight_decay=0.1)
    head = n.deconv1.weight.clone()
    for _ in range(2):
        n.train()(torch.randn(2, 1, 16, 16, 16)).square().sum().backward()
        optimizer.step()
    assert all(torch.equal(v, part.state_dict()[k]) for part, old in zip(kept, before, strict=True) for k, v in old.items())
    assert not torch.equal(head, n.deconv1.weight)
    with pytest.raises(UnknownNameError, match="stage1"):
        n.kept_in("stage2")


def test_normalisations_can_stay_alone():
    n = narrow()
    keep_as_is([], statistics=[n])
    old = {k: v.clone() for k, v in n.state_dict().items()}
    n.train()(torch.randn(2, 1, 16, 16, 16)).sum().backward()
    torch.optim.SGD([p for p in n.parameters() if p.requires_grad], 0.1).step()
    changed = {k for k, v in n.state_dict().items() if not torch.equal(v, old[k])}
    assert "conv1.weight" in changed and not [k for k in changed if "running" in k or k.endswith("conv.0.weight")]


def truth():
    return torch.tensor([1.0, 1, 0, 0, 0, 0, 0, 0]).reshape(1, 1, 8)


def test_loss_of_the_reference_by_hand():
    y, one = truth(), torch.ones(1, 1, 8)
    zero = torch.zeros(1, 2, 8)
    assert float(weighted_ce_dice(zero, y, one)) == pytest.approx(0.34657 + 0.51948, abs=2e-5)
    sure = torch.cat([20 - 40 * y, 40 * y - 20], dim=1)
    assert float(weighted_ce_dice(sure, y, one)) < 1e-6
    assert float(ce_dice(sure, y, one)) < 1e-6 and float(ce_dice(zero, y, one)) == pytest.approx(0.34657 + 1 - 3 / 7, abs=1e-4)


def test_cross_entropy_is_the_weighted_one_of_the_library():
    torch.manual_seed(0)
    logits, y = torch.randn(3, 2, 4, 4, 4), (torch.rand(3, 1, 4, 4, 4) > 0.8).float()
    one = torch.ones_like(y)
    share = y.sum() / (y.numel() + 1e-5) + 1e-5
    w = torch.stack([share, 1 - share])
    p, t = logits.softmax(1), torch.cat([1 - y, y], 1)
    dice = sum(w[c] * (1 - (2 * (p[:, c] * t[:, c]).sum() + 1) / (p[:, c].sum() + t[:, c].sum() + 1)) for c in range(2))
    expected = 0.5 * nn.functional.cross_entropy(logits, y[:, 0].long(), w) + dice
    assert float(weighted_ce_dice(logits, y, one)) == pytest.approx(float(expected), abs=1e-6)


def test_voxels_that_do_not_count_do_not_count():
    y, valid = truth(), torch.ones(1, 1, 8)
    logits = torch.randn(1, 2, 8)
    valid[..., 6:] = 0
    changed = logits.clone()
    changed[..., 6:] = 100
    for loss in (weighted_ce_dice, ce_dice):
        cut = loss(logits[..., :6], y[..., :6], valid[..., :6])
        assert float(loss(changed, y, valid)) == pytest.approx(float(cut), abs=1e-5)


@pytest.mark.gpu
def test_loss_on_the_gpu_is_that_of_the_processor():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.manual_seed(0)
    logits, y = torch.randn(2, 2, 16, 16, 16), (torch.rand(2, 1, 16, 16, 16) > 0.9).float()
    one = torch.ones_like(y)
    for loss in (weighted_ce_dice, ce_dice):
        there = loss(logits.cuda(), y.cuda(), one.cuda())
        assert float(there) == pytest.approx(float(loss(logits, y, one)), abs=1e-5)
