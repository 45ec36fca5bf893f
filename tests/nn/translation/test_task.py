"""Image-to-image training on one small batch: it learns, weight 0 means nothing there, and old fakes are remembered exactly."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from neurotome.core import InputError, UnknownNameError
from neurotome.nn import FitSettings
from neurotome.nn.trainer import fit_task
from neurotome.nn.translation import Generator, GeneratorConfig
from neurotome.nn.translation.buffer import FakeBuffer
from neurotome.nn.translation.settings import TranslationSettings
from neurotome.nn.translation.task import TranslationTask

FIT = {"steps": 50, "validate_every": 25, "batch": 1, "optimizer": "adam", "beta1": 0.5, "learning_rate": 4e-3}
FIT |= {"schedule": "constant", "warmup": 0, "average": 0, "precision": "32-true", "loggers": ()}


class OneBatch(torch.utils.data.Dataset):
    """Stripes and where they are, again and again."""

    def __init__(self, count, *, signed=False):
        x = torch.arange(32)
        self.y = ((x // 4) % 2).float().expand(1, 32, 32)
        image = 0.2 + 0.5 * self.y + 0.1 * torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
        self.x, self.count = 2 * image - 1 if signed else image, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index >= self.count:
            raise IndexError
        return self.x, self.y, torch.ones_like(self.y)


def new_task(model, *, fit=FIT, kind="resnet", legacy=False, **how):
    torch.manual_seed(0)
    options = {"kind": kind, "width": 4, "legacy": legacy, **({"depth": 3} if kind == "unet" else {"blocks": 1})}
    settings = TranslationSettings(model, discriminator_width=how.pop("discriminator_width", 4), **how)
    nets = [Generator(GeneratorConfig(1, **options)) for _ in range(1 + settings.two_ways)]
    return TranslationTask(nets[0], nets[1] if settings.two_ways else None, settings, FitSettings(**fit))


def fitted(task, folder, signed=False):
    fit_task(task, OneBatch(task.settings.validate_every, signed=signed), OneBatch(1, signed=signed), folder, task.settings)
    return task


def loss_of(task, signed=False):
    """The classic losses on the batch, in evaluation mode: of both ways, or of both cycles."""
    task.eval()
    with torch.no_grad():
        x, y, valid = (part[None] for part in OneBatch(1, signed=signed)[0])
        loss = float(task._round(x, y, valid).classic)
    task.train()
    return loss


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("pix2pix", {"kind": "unet"}),
        ("pix2pix", {"legacy": True, "loss": "mse"}),
        ("pix2pix2", {"gan_loss": "square", "generator_loss": "contra"}),
        ("cyclegan", {"buffer": 3, "identity": 1.0, "decay_from": 0.5}),
        ("cyclegan", {"discriminator": "paired", "legacy": True}),
    ],
)
def test_fifty_steps_on_one_batch_lower_the_loss(model, options, tmp_path):
    task = new_task(model, **options)
    signed = options.get("legacy", False)
    before = loss_of(task, signed)
    opponent = [p.clone() for p in task.discriminators.parameters()]
    assert loss_of(fitted(task, tmp_path, signed), signed) < 0.7 * before
    assert not any(torch.equal(a, b) for a, b in zip(opponent, task.discriminators.parameters(), strict=True))
    assert task.answering() is task.generators["y"]


def test_weight_0_builds_no_discriminator(tmp_path):
    task = new_task("pix2pix", gan_weight=0.0)
    assert not list(task.discriminators.parameters())
    assert len(task.configure_optimizers()) == 1
    before = loss_of(task)
    assert loss_of(fitted(task, tmp_path)) < 0.7 * before
    assert not any("discriminator" in name for name in torch.load(tmp_path / "checkpoints" / "last.ckpt")["state_dict"])


def test_the_discriminator_sees_both_images_or_one():
    def channels(**how):
        return next(new_task(**how).discriminators["y"].parameters()).shape[1]

    assert channels(model="pix2pix") == 2 and channels(model="pix2pix", discriminator="unpaired") == 1
    assert channels(model="cyclegan") == 1 and channels(model="cyclegan", discriminator="paired") == 2
    assert channels(model="pix2pix", legacy=True) == 6 and channels(model="cyclegan", legacy=True) == 3
    whole = new_task("pix2pix", legacy=True, discriminator_width=64).discriminators
    assert sum(p.numel() for p in whole.parameters()) == 2_768_640


@pytest.mark.parametrize("legacy", [False, True])
def test_two_sections_become_one_image(legacy):
    """Path nn5: legacy generators see red, green and black, and imitate a grey image in three planes."""
    options = {"kind": "resnet", "width": 4, "blocks": 1, "legacy": legacy}
    net = Generator(GeneratorConfig(1, sections=2, **options))
    task = TranslationTask(net, None, TranslationSettings("pix2pix", discriminator_width=4), FitSettings(average=0))
    x, y = torch.rand(1, 2, 32, 32), torch.ones(1, 1, 32, 32)
    shown = task._round(x, y, torch.ones_like(y)).real["y"]
    assert shown.shape[1] == (6 if legacy else 3) and torch.equal(shown[:, :2], x) and bool((shown[:, -1] == 1).all())
    assert not legacy or bool((shown[:, 2] == -1).all())
    assert task.discriminators["y"](shown).shape == (1, 1, 2, 2)


class Same(nn.Module):
    """A generator whose answer is what it was given."""

    config = SimpleNamespace(legacy=False, out_channels=1, sections=1)

    def forward(self, x):
        return torch.logit(x)


def test_the_cycle_of_identity_generators_costs_nothing():
    how = TranslationSettings("cyclegan", gan_weight=0.0)
    task = TranslationTask(Same(), Same(), how, FitSettings(average=0))
    x, y = torch.rand(2, 1, 1, 8, 8)
    assert float(task._round(x, y, torch.ones_like(y)).shared) == pytest.approx(0, abs=1e-6)
    assert float(task._round(x, y, torch.zeros_like(y)).shared) == pytest.approx(0, abs=1e-6)


def test_losses_are_those_of_the_table():
    """G and F that answer 1/2 everywhere: |1/2 - y| is 1/2, |1/2 - x| is 0.3, for x = 0.2 and y = 1."""
    x, y = torch.full((1, 1, 8, 8), 0.2), torch.ones(1, 1, 8, 8)
    grey = [nn.Conv2d(1, 1, 1) for _ in range(2)]
    for net in grey:
        net.config = Same.config
        nn.init.zeros_(net.weight), nn.init.zeros_(net.bias)
    for model, own, shared in (("pix2pix2", {"y": 0.5, "x": 0.09}, None), ("cyclegan", {}, 0.59)):
        how = TranslationSettings(model, gan_weight=0.0, loss_x="mse")
        exchange = TranslationTask(*grey, how, FitSettings(average=0))._round(x, y, torch.ones_like(y))
        assert {d: round(float(v.detach()), 6) for d, v in exchange.own.items()} == own
        assert (exchange.shared is None) if shared is None else float(exchange.shared.detach()) == pytest.approx(shared, abs=1e-6)


def test_what_the_truth_does_not_say_looks_alike_to_the_discriminator():
    task = new_task("pix2pix")
    x, y = torch.rand(2, 1, 1, 16, 16)
    valid = torch.zeros_like(y)
    exchange = task._round(x, y, valid)
    assert torch.equal(exchange.real["y"], exchange.fake["y"])
    valid[..., :8] = 1
    assert not torch.equal(task._round(x, y, valid).fake["y"], exchange.fake["y"])


@pytest.mark.parametrize("paired", ["paired", "unpaired"])
def test_a_generator_does_not_learn_from_the_opponent_of_the_other(paired, tmp_path):
    """With classic weight 0 and D_X blind, F has nothing to learn, though G's opponent is shown what F makes."""
    few = {**FIT, "steps": 3, "validate_every": 3}
    task = new_task("cyclegan", fit=few, classic_weight=0.0, discriminator=paired)
    for part in task.discriminators["x"].parameters():
        nn.init.zeros_(part).requires_grad_(False)
    before = {d: [p.clone() for p in task.generators[d].parameters()] for d in "xy"}
    fitted(task, tmp_path)
    unchanged = {d: all(torch.equal(a, b) for a, b in zip(before[d], task.generators[d].parameters(), strict=True)) for d in "xy"}
    assert unchanged == {"x": True, "y": False}


def test_the_average_answers_if_there_is_one(tmp_path):
    task = fitted(new_task("pix2pix", fit={**FIT, "steps": 3, "validate_every": 3, "average": 0.9}), tmp_path)
    assert task.answering() is task.average.module["y"]
    assert not torch.equal(next(task.answering().parameters()), next(task.generators.parameters()))


def test_the_learning_rate_stays_and_then_falls_to_0():
    def rate(step):
        task.clock = SimpleNamespace(step=step, seconds=0.0)
        task._set_rate()
        return optimizer.param_groups[0]["lr"]

    task = new_task("cyclegan", decay_from=0.5)
    optimizer = torch.optim.Adam(task.generators.parameters())
    task._optimizers = lambda: [optimizer]
    assert [rate(s) for s in (0, 25, 40, 50)] == pytest.approx([4e-3, 4e-3, 1.6e-3, 0])


def test_the_buffer_goes_on_where_it_stopped():
    stream = torch.arange(40.0).reshape(20, 2, 1, 1, 1)
    through, first, second = (FakeBuffer(3, seed=5) for _ in range(3))
    whole = torch.cat([through.exchange(batch) for batch in stream])
    begun = [first.exchange(batch) for batch in stream[:9]]
    second.state = first.state
    assert torch.equal(whole, torch.cat([*begun, *(second.exchange(batch) for batch in stream[9:])]))
    assert torch.equal(whole[:3].ravel(), torch.arange(3.0))  # while it fills, each image comes back
    old = (whole.ravel() != torch.arange(40.0))[3:]
    assert 8 <= int(old.sum()) <= 29 and set(whole.ravel().tolist()) <= set(range(40))
    assert FakeBuffer(0).exchange(stream[0]).equal(stream[0])


def test_options_without_effect_are_refused():
    for model, options, words in (
        ("pix2pix", {"identity": 1.0}, "identity with cyclegan only"),
        ("pix2pix2", {"buffer": 5}, "buffer with cyclegan only"),
        ("pix2pix", {"loss_x": "mse"}, "brings nothing back"),
        ("cyclegan", {"gan_weight": 0.0, "buffer": 5}, "gan_weight above 0"),
        ("pix2pix", {"gan_weight": 0.0, "classic_weight": 0.0}, "something to learn"),
        ("pix2pix", {"gan_weight": -1.0}, "0 or more"),
    ):
        with pytest.raises(InputError, match=words):
            TranslationSettings(model, **options)
    for options in ({"model": "pix3pix"}, {"loss": "l3"}, {"loss_x": "l3"}, {"gan_loss": "hinge"}, {"discriminator": "pair"}):
        with pytest.raises(UnknownNameError):
            TranslationSettings(**{"model": "pix2pix", **options})
    with pytest.raises(InputError, match="1 generator"):
        TranslationTask(Same(), None, TranslationSettings("cyclegan"), FitSettings())
