"""Weights are taken whole or not at all, and what is frozen does not change by a bit."""

from __future__ import annotations

import pytest
import torch

from neurotome.core import InputError, MissingFileError, ModelCard, ShapeError, UnknownNameError
from neurotome.nn import FitSettings, build, save_model
from neurotome.nn.restore import freeze, restore
from neurotome.nn.trainer import fit_task
from neurotome.nn.translation.settings import TranslationSettings
from neurotome.nn.translation.task import TranslationTask

SMALL = {"widths": (4, 8)}
SMALL_GENERATOR = {"kind": "resnet", "width": 4, "blocks": 2}
FEW = FitSettings(
    steps=2, validate_every=1, batch=1, optimizer="adam", warmup=0, average=0, precision="32-true", loggers=(), patience=0
)


def saved(folder, family="unet2d", *, channels=("membrane",), **options):
    torch.manual_seed(1)
    config = {"out_channels": len(channels), **options}
    network = build(family, config)
    save_model(folder, network, ModelCard("m", family, config, channels, (30.0, 6.0, 6.0), "unit", (0, 4, 4)), half=False)
    return network


def fresh(family="unet2d", **options):
    torch.manual_seed(2)
    return build(family, {"out_channels": 1, **options})


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def samples():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(4, 1, 32, 32, generator=generator)
    return torch.utils.data.TensorDataset(x, (x > 0.5).float(), torch.ones_like(x))


def new_task(model="pix2pix", **how):
    settings = TranslationSettings(model, discriminator_width=4, **how)
    nets = [fresh("generator", **SMALL_GENERATOR) for _ in range(1 + settings.two_ways)]
    return TranslationTask(nets[0], nets[1] if settings.two_ways else None, settings, FEW)


def test_a_plain_network_takes_all_weights(tmp_path):
    theirs, mine = saved(tmp_path / "m", **SMALL), fresh(**SMALL)
    assert not same(mine, theirs)
    restore(mine, tmp_path / "m")
    assert same(mine, theirs)
    with pytest.raises(InputError, match="no discriminator"):
        restore(mine, tmp_path / "m", "both")
    with pytest.raises(UnknownNameError, match="generators"):
        restore(mine, tmp_path / "m", "generator")
    with pytest.raises(UnknownNameError, match="em-affinity-25d"):
        restore(mine, "em-affinity-2d")


def test_weights_of_other_shapes_are_refused_and_nothing_is_changed(tmp_path):
    saved(tmp_path / "m", channels=("membrane", "cytoplasm"), **SMALL)
    for options, words in ((SMALL, r"head.weight \(2, 4, 1, 1\) where"), ({"widths": (4, 8, 8)}, "family and config")):
        mine, before = fresh(**options), fresh(**options)
        with pytest.raises(ShapeError, match=words):
            restore(mine, tmp_path / "m")
        assert same(mine, before)


def test_a_task_takes_its_generators_from_folder_and_backward(tmp_path):
    forth = saved(tmp_path / "m", "generator", **SMALL_GENERATOR)
    with pytest.raises(MissingFileError, match="no folder 'backward'"):
        restore(new_task("cyclegan"), tmp_path / "m", "generators")
    with pytest.raises(MissingFileError, match="restore: generators"):
        restore(new_task(), tmp_path / "m", "both")
    back = saved(tmp_path / "m" / "backward", "generator", **SMALL_GENERATOR)
    task = new_task("cyclegan")
    restore(task, tmp_path / "m", "generators")
    assert same(task.generators["y"], forth) and same(task.generators["x"], back)


def test_both_and_all_take_the_whole_training(tmp_path):
    theirs = new_task("cyclegan")
    fit_task(theirs, samples(), samples(), tmp_path / "m", FEW)
    saved(tmp_path / "m", "generator", **SMALL_GENERATOR)
    mine, everything = new_task("cyclegan"), new_task("cyclegan")
    restore(mine, tmp_path / "m", "both")
    restore(everything, tmp_path / "m", "all")
    assert same(mine.generators, theirs.generators) and same(mine.discriminators, theirs.discriminators)
    assert mine.moments is None
    remembered = [optimizer.state_dict()["state"] for optimizer in everything.configure_optimizers()]
    assert len(remembered) == 2 and float(remembered[1][0]["exp_avg"].abs().sum()) > 0
    with pytest.raises(InputError, match="restore both"):
        freeze(everything)


@pytest.mark.parametrize("model", ["pix2pix", "cyclegan"])
def test_what_is_frozen_does_not_change_by_a_bit(model, tmp_path):
    task = new_task(model)
    freeze(task, "nothing")
    assert all(p.requires_grad for p in task.parameters())
    freeze(task, "core")
    before = {name: tensor.clone() for name, tensor in task.generators.state_dict().items()}
    fit_task(task, samples(), samples(), tmp_path, FEW)
    changed = {name for name, tensor in task.generators.state_dict().items() if not torch.equal(tensor, before[name])}
    core = {name for name in before if ".core." in name}
    assert len(core) > 10 and changed == before.keys() - core


def test_networks_without_a_core_say_so():
    for network in (fresh(**SMALL), fresh("generator", kind="unet", depth=2, width=4)):
        with pytest.raises(InputError, match="dense, highway"):
            freeze(network)
    with pytest.raises(UnknownNameError, match="core"):
        freeze(fresh(**SMALL), "cores")
