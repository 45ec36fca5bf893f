"""Image-to-image training from files to both model folders: it goes on exactly, and what does not go together is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from neurotome import boundary
from neurotome.boundary.training.translate import UnpairedPatches, translation
from neurotome.core import Grid, Image, InputError, Labels
from neurotome.io import open_image, save
from neurotome.nn import FitSettings, load_card
from neurotome.nn.translation import Generator

SIDE = 64
FIT = {"steps": 4, "validate_every": 2, "batch": 1, "optimizer": "adam", "beta1": 0.5, "learning_rate": 2e-3}
FIT |= {"schedule": "constant", "warmup": 0, "average": 0, "loggers": ["csv"]}
UNET = {"kind": "unet", "depth": 3, "width": 8}
RESNET = {"kind": "resnet", "blocks": 1, "width": 8}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Dark membranes around light cells, four sections; `other` is the truth of other tissue, with other cells."""
    folder = tmp_path_factory.mktemp("stack")
    y, x = np.mgrid[:SIDE, :SIDE]
    grid = Grid((4, SIDE, SIDE), (30, 6, 6))
    for name, pitch in (("truth", 24), ("other", 16)):
        wall = (y % pitch < 3) | (x % pitch < 3)
        labels = np.where(wall, 0, y // pitch * 6 + x // pitch + 1).astype(np.uint16)
        save(Labels(np.repeat(labels[None], 4, 0), grid), folder / f"{name}.tif")
        if name == "truth":
            image = np.where(wall, 60, 180) + np.random.default_rng(0).normal(0, 12, (4, SIDE, SIDE))
            save(Image(image.clip(0, 255).astype(np.uint8), grid), folder / "image.tif")
            save(Image(np.repeat(np.where(wall, 255, 0)[None], 4, 0).astype(np.uint8), grid), folder / "membrane.tif")
    return folder


def config(stack, model="pix2pix", *, volume=None, fit=None, translation=None, **changes):
    paths = {"image": stack / "image.tif", "truth": stack / "truth.tif"}
    defaults = {
        "name": "toy",
        "volumes": [{**paths, "truth_is": "instances", "train": "0:3", "validate_on": "3:4", **(volume or {})}],
        "family": "generator",
        "network": UNET if model == "pix2pix" else RESNET,
        "crop": 32,
        "normalization": "unit",
        "augmentation": {"preset": "flips"},
        "translation": {"model": model, "discriminator_width": 8, **(translation or {})},
        "fit": {**FIT, **(fit or {})},
    }
    return boundary.TrainConfig(**{**defaults, **changes})


def prepared(config):
    return translation(config, FitSettings(**{**config.fit, "loggers": ("csv",)}))


def test_pix2pix_learns_membranes_and_leaves_one_model(stack, tmp_path):
    fit = {"steps": 40, "validate_every": 40, "batch": 2, "learning_rate": 1e-2}
    card = boundary.train(config(stack, fit=fit), tmp_path / "m")
    assert card.channels == ("membrane",) and card.training["translation"]["model"] == "pix2pix"
    assert not (tmp_path / "m" / "backward").exists()
    membrane = boundary.predict(open_image(stack / "image.tif"), tmp_path / "m").read(("membrane",))[0, 3]
    wall = np.arange(SIDE) % 24 < 3
    assert membrane[12, wall].mean() > 1.3 * membrane[12, ~wall].mean()


@pytest.mark.parametrize(
    ("model", "options"), [("pix2pix2", {}), ("cyclegan", {"buffer": 2, "identity": 1.0, "decay_from": 0.5})]
)
def test_interrupted_and_resumed_is_uninterrupted(stack, tmp_path, model, options):
    class StopError(Exception):
        pass

    def stop(what, done, total):
        if what == "training steps" and done == 3:
            raise StopError

    recipe = config(stack, model, translation=options)
    boundary.train(recipe, tmp_path / "whole")
    with pytest.raises(StopError):
        boundary.train(recipe, tmp_path / "parts", progress=stop)
    assert not (tmp_path / "parts" / "card.json").exists()
    boundary.train(recipe, tmp_path / "parts")
    for folder in (".", "backward"):
        one, other = (load_file(tmp_path / run / folder / "weights.safetensors") for run in ("whole", "parts"))
        assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    ends = [torch.load(tmp_path / run / "checkpoints" / "last.ckpt", weights_only=True) for run in ("whole", "parts")]
    for one, other in zip(
        *(flat([end[k] for k in ("optimizer_states", "translation", "state_dict")]) for end in ends), strict=True
    ):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(other))
    both_ways_predict(stack, tmp_path / "whole", buffered=len(ends[0]["translation"]["buffers"]["y"]["images"]), model=model)


def flat(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in flat(branch)]
    return [] if isinstance(tree, str) or tree is None else [tree]


def both_ways_predict(stack, out, *, buffered, model):
    assert buffered == (2 if model == "cyclegan" else 0)
    grey = boundary.predict(open_image(stack / "membrane.tif"), out / "backward")
    assert boundary.predict(open_image(stack / "image.tif"), out).channels == ("membrane",)
    assert grey.channels == ("grey",) and grey.data.shape == (1, 4, SIDE, SIDE)
    card, _ = load_card(out / "backward")
    assert card.normalization == "unit" and card.name == "toy-backward"


def test_the_way_back_learns_the_image(stack, tmp_path):
    recipe = config(stack, "pix2pix2", fit={"steps": 40, "validate_every": 40}, translation={"gan_weight": 0.0})
    boundary.train(recipe, tmp_path / "m")
    grey = boundary.predict(open_image(stack / "membrane.tif"), tmp_path / "m" / "backward").read(("grey",))[0, 0]
    wall = np.arange(SIDE) % 24 < 3
    assert grey[12, ~wall].mean() > 1.3 * grey[12, wall].mean()


def test_direction_exchanges_image_and_channel(stack, tmp_path):
    recipe = config(stack, fit={"steps": 1, "validate_every": 1}, translation={"direction": "BtoA", "gan_weight": 0.0})
    x, y, valid = prepared(recipe).training[0]
    straight, membrane, _ = prepared(config(stack, translation={"gan_weight": 0.0})).training[0]
    inner = (..., slice(1, -1), slice(1, -1))  # on its rim, a patch cannot see whether the label changes
    assert torch.equal(x[inner], membrane[inner]) and torch.allclose(y, straight, atol=1e-6) and bool(valid.all())
    card = boundary.train(recipe, tmp_path / "m")
    assert card.channels == ("grey",)
    assert boundary.predict(open_image(stack / "membrane.tif"), tmp_path / "m").channels == ("grey",)
    ready = prepared(config(stack, "cyclegan", translation={"direction": "BtoA"}))
    other, other_card = ready.beside["backward"](card)
    assert other_card.channels == ("membrane",) and isinstance(other, Generator)


def test_legacy_takes_the_signed_scale(stack, tmp_path):
    recipe = config(stack, "cyclegan", normalization="signed_unit", network={**RESNET, "legacy": True})
    assert prepared(recipe).training[0][0].min() < -0.4
    boundary.train(recipe.model_copy(update={"fit": {**FIT, "steps": 2, "validate_every": 2}}), tmp_path / "m")
    card, _ = load_card(tmp_path / "m" / "backward")
    assert card.normalization == "signed_unit"
    assert boundary.predict(open_image(stack / "membrane.tif"), tmp_path / "m" / "backward").channels == ("grey",)


def test_cyclegan_draws_x_and_y_independently(stack):
    paired = prepared(config(stack, "cyclegan", fit={"validate_every": 3}))
    assert isinstance(paired.training, UnpairedPatches) and paired.task.truth
    x, y, _ = zip(*(paired.training[i] for i in range(3)), strict=True)
    assert x[0].shape == y[0].shape == (1, 32, 32)
    paired.training.x.channels = ("membrane",)  # what belongs to X
    assert not any(torch.equal(paired.training.x[i][1], y[i]) for i in range(3))
    paired.training.epoch.fill_(1)
    assert not torch.equal(paired.training[0][0], x[0]) and not torch.equal(paired.training[0][1], y[0])


def test_unpaired_truth_is_of_other_tissue(stack, tmp_path):
    volume = {"truth": None, "unpaired": stack / "other.tif"}
    recipe = config(stack, "cyclegan", volume=volume, fit={"steps": 2, "validate_every": 2})
    ready = prepared(recipe)
    assert not ready.task.truth
    rows = torch.stack([ready.training[i][1][0] for i in range(2)]).mean((1, 2))
    assert all(0.2 < float(share) < 0.7 for share in rows)  # a wall every 16 px
    boundary.train(recipe, tmp_path / "m")
    assert not list((tmp_path / "m" / "pictures").glob("*target*"))
    with pytest.raises(InputError, match="cyclegan"):
        prepared(config(stack, volume=volume))
    with pytest.raises(InputError, match="cyclegan"):
        boundary.train(boundary.TrainConfig(name="n", volumes=[{**recipe.volumes[0].model_dump()}], crop=32), tmp_path / "n")


def test_restore_and_freeze(stack, tmp_path):
    few = {"steps": 2, "validate_every": 2}
    boundary.train(config(stack, "cyclegan", fit=few), tmp_path / "first")
    changes = {"fit": few, "restore": {"model": str(tmp_path / "first"), "what": "both", "freeze": "core"}}
    boundary.train(config(stack, "cyclegan", **changes), tmp_path / "second")
    first, second = (load_file(tmp_path / name / "weights.safetensors") for name in ("first", "second"))
    changed = {name for name, tensor in second.items() if not torch.equal(tensor, first[name])}
    assert changed and not any(".core." in name for name in changed)


def test_grey_values_change_by_standard_deviations_of_the_image(stack):
    ready = prepared(config(stack, augmentation={"preset": "flips", "grey": 1.0, "brightness": 0.5, "noise_sd": 0.2}))
    spread = np.mean([s.std() / 255 for s in ready.seen[0].pixels])
    assert ready.training.how.brightness == pytest.approx(0.5 * spread, rel=1e-5)
    assert ready.training.how.noise_sd == pytest.approx(0.2 * spread, rel=1e-5)


def test_what_does_not_go_together_is_refused_before_anything_is_written(stack, tmp_path):
    out = tmp_path / "m"
    two = {"network": {**RESNET, "sections": 2}}
    for model, changes, words in (
        ("cyclegan", {"normalization": "section_zscore"}, "unit or percentile"),
        ("pix2pix", {"network": {**UNET, "legacy": True}}, "signed_unit"),
        ("cyclegan", two, "one of each"),
        ("pix2pix2", {"channels": ["membrane", "cytoplasm"]}, "one of each"),
        ("pix2pix", {**two, "translation": {"direction": "BtoA"}}, "one of each"),
        ("pix2pix", {"loss": "bce_dice"}, "translation.loss"),
        ("pix2pix", {"translation": {"loss": "softmax"}}, "two channels or more"),
        ("pix2pix", {"family": "rsunet3d", "network": {"widths": [4, 6]}}, "2D network"),
        ("pix2pix", {"crop": 16}, "24 px or more"),
        ("pix2pix", {"translation": {"buffer": 3}}, "cyclegan only"),
        ("cyclegan", {"volume": {"truth": None, "unpaired": stack / "other.tif"}, "translation": {"direction": "BtoA"}}, "AtoB"),
    ):
        with pytest.raises(InputError, match=words):
            boundary.train(config(stack, model, **changes), out)
        assert not out.exists(), changes
