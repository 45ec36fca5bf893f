"""From annotated stacks to a neurite network with a card: the training task of this room."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from scipy import ndimage
from torch import nn

from neurotome.core import MissingFileError, ModelCard, Progress, UnknownNameError, silent
from neurotome.io import RunFolder, atomic_target, atomic_write_json, atomic_write_text
from neurotome.nn import FitSettings, build, load_card, receptive_halo, restore, save_model, zoo_names
from neurotome.nn.models import probabilities
from neurotome.nn.restore import keep_as_is, restore_checkpoint
from neurotome.tracing.training.augment import StackAugmentation
from neurotome.tracing.training.images import NeuriteImage, annotated_images, divided, files_of
from neurotome.tracing.training.patch_list import Patch, draw_patches, least_foreground
from neurotome.tracing.training.patches import NeuritePatches
from neurotome.tracing.training.pictures import PatchPictures
from neurotome.tracing.training.recipe import NeuriteRecipe, fit_settings

__all__ = ["CHANNELS", "best_so_far", "train"]

CHANNELS = ("background", "neurite")
VALIDATION_PATCHES = 48
COMMAND = "tracing train"
MEASURED = 30
"""Images, spread over the training set, whose neurites are measured for the card."""


@dataclass(frozen=True, eq=False)
class _Data:
    """What a network is shown, and what it is judged by."""

    seen: tuple[NeuriteImage, ...]
    unseen: tuple[NeuriteImage, ...]
    training: NeuritePatches
    validation: NeuritePatches


def train(recipe: NeuriteRecipe, out: Path, *, progress: Progress = silent) -> ModelCard:
    """Train a neurite network into folder `out`; called again after an interruption it goes on.

    Leaves run.json, card.json and weights.safetensors (a model folder), recipe.yaml, patches.csv (set, image, corner and
    foreground of every patch), history.csv, frames/ with an animation of each, checkpoints/; before.json, the validation scores
    before the first step, where the recipe begins with a network.
    Raises InputError for wrong options, RunFolderError when `out` holds a training with another recipe.
    """
    settings = fit_settings(recipe)
    torch.manual_seed(settings.seed)
    network = _network(recipe)
    how = _augmentation(recipe)
    with RunFolder.start(
        out,
        command=COMMAND,
        config=recipe.model_dump(mode="json", by_alias=True),
        inputs={str(k): path for k, path in enumerate(_inputs(recipe))},
        seed=settings.seed,
        progress=progress,
    ) as run:
        if run.done("train"):
            return load_card(out)[0]
        atomic_write_text(out / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json", by_alias=True), sort_keys=False))
        data = _data(recipe, settings, how, out)
        with run.step("train"):
            card = _fitted(recipe, network, data, settings, out, progress)
        run.keep(dict(card.training))
    return card


def best_so_far(recipe: NeuriteRecipe, out: Path) -> tuple[nn.Module, ModelCard]:
    """The network of the best epoch in a folder where `train` is at work, or was interrupted, and its card.

    Raises MissingFileError where no epoch is complete.
    """
    from neurotome.tracing.training.task import LOSSES, NeuriteTask

    path = out / "checkpoints" / "best.ckpt"
    if not path.is_file():
        raise MissingFileError(f"'{path}' does not exist", "the folder of a training with a complete epoch", "wait for one")
    settings = fit_settings(recipe)
    stored = torch.load(path, map_location="cpu", weights_only=False)
    task = NeuriteTask(_network(recipe), LOSSES[recipe.loss], settings)
    task.load_state_dict(stored["state_dict"])
    with (out / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    best = max(rows, key=lambda row: float(row["val_dice"]))
    network = task.answering().eval()
    card = _card(recipe, network, divided(annotated_images(recipe), recipe.validate_share, np.random.default_rng(settings.seed)))
    told = {
        **card.training,
        "steps": int(rows[-1]["step"]),
        "minutes": round(sum(float(row["seconds"]) for row in rows) / 60, 2),
        **_how(settings),
        "kept_step": int(best["step"]),
        "kept": f"highest Dice of the validation patches, {float(best['val_dice']):.4f}",
    }
    return network, replace(card, training=told)


def _how(settings: FitSettings) -> dict[str, Any]:
    """What the card says of the fitting."""
    names = ("batch", "optimizer", "learning_rate", "schedule", "average")
    return {name: getattr(settings, name) for name in names}


def _fitted(
    recipe: NeuriteRecipe, network: nn.Module, data: _Data, settings: FitSettings, out: Path, progress: Progress
) -> ModelCard:
    from neurotome.nn import fit_task
    from neurotome.tracing.training.task import LOSSES, NeuriteTask

    bf16 = "bf16" in settings.precision
    before = _scores_before(recipe, network, data, out, bf16=bf16)
    pictures = PatchPictures(data.validation, out, bf16=bf16)
    task = NeuriteTask(network, LOSSES[recipe.loss], settings)
    fitted = fit_task(task, data.training, data.validation, out, settings, picture=pictures, progress=progress)
    pictures.animate()
    answering = task.answering().cpu().eval()
    card = _card(recipe, answering, (data.seen, data.unseen))
    told = {
        **card.training,
        "steps": fitted.steps,
        "minutes": round(fitted.seconds / 60, 2),
        **_how(settings),
        "kept_step": fitted.kept_step,
        "kept": f"highest Dice of the validation patches, {fitted.value:.4f}" if fitted.value is not None else "last step",
        **({"dice_before": round(before["dice"], 4), "dice_after": round(fitted.value or 0.0, 4)} if before else {}),
    }
    return save_model(out, answering, replace(card, training=told))


def _network(recipe: NeuriteRecipe) -> nn.Module:
    """The network as the training begins with it."""
    network: Any = build(recipe.family, {"out_channels": len(CHANNELS), **recipe.network})
    if recipe.init is None:
        return network
    if Path(recipe.init.model).is_file():
        restore_checkpoint(network, Path(recipe.init.model))
    else:
        restore(network, recipe.init.model)
    keep_as_is(network.kept_in(recipe.init.freeze), statistics=[network] if recipe.init.freeze_bn else [])
    return network


def _augmentation(recipe: NeuriteRecipe) -> StackAugmentation:
    known = list(StackAugmentation.__dataclass_fields__)
    for name in recipe.augmentation:
        if name not in known:
            raise UnknownNameError("option of augmentation", name, known)
    return StackAugmentation(**{k: tuple(v) if isinstance(v, list) else v for k, v in recipe.augmentation.items()})


def _data(recipe: NeuriteRecipe, settings: FitSettings, how: StackAugmentation, out: Path) -> _Data:
    """Images divided, patches drawn and written down."""
    shape = recipe.patch_shape
    least = recipe.least_foreground or least_foreground(shape)
    rng = np.random.default_rng(settings.seed)
    seen, unseen = divided(annotated_images(recipe), recipe.validate_share, rng)
    # One mask at a time: all of them may be more than memory holds.
    masks = (((image.name, image.mask()) for image in part) for part in (seen, unseen))
    lists = [draw_patches(some, shape, recipe.patches_per_image, least, rng) for some in masks]
    if further := round(recipe.anywhere * recipe.patches_per_image):
        lists[0] += draw_patches(((image.name, image.mask()) for image in seen), shape, further, 0, rng)
    # The lists go image by image: a few patches of each are to be judged, not all of one.
    judged = [lists[1][int(k)] for k in np.linspace(0, len(lists[1]) - 1, min(VALIDATION_PATCHES, len(lists[1])))]
    _save_patches(out / "patches.csv", {"training": lists[0], "validation": judged})
    count = settings.batch * settings.validate_every
    training = NeuritePatches(seen, lists[0], shape, how, count=count, seed=settings.seed)
    validation = NeuritePatches(unseen, judged, shape, None, count=len(judged), seed=settings.seed)
    return _Data(seen, unseen, training, validation)


def _save_patches(path: Path, lists: dict[str, list[Patch]]) -> None:
    with atomic_target(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("set", "image", "z", "y", "x", "foreground"))
        writer.writerows((name, p.image, *p.corner, p.foreground) for name, patches in lists.items() for p in patches)


def _scores_before(recipe: NeuriteRecipe, network: nn.Module, data: _Data, out: Path, *, bf16: bool) -> dict[str, float] | None:
    """Validation scores of the network that the recipe begins with, before the first step; kept for when training goes on."""
    import json

    from neurotome.tracing.training.task import VoxelCounts

    path = out / "before.json"
    if recipe.init is None:
        return None
    if path.is_file():
        return dict(json.loads(path.read_text()))
    counts = VoxelCounts()
    network.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for image, target, _ in data.validation:
            counts.add(probabilities(network, network(image[None]))[0, 1:] > 0.5, target > 0)
    network.train()
    atomic_write_json(path, counts.scores())
    return counts.scores()


def _card(
    recipe: NeuriteRecipe, network: nn.Module, images: tuple[tuple[NeuriteImage, ...], tuple[NeuriteImage, ...]]
) -> ModelCard:
    """What the network is, and what it saw.

    A neurite network bears any size of voxels; its `voxel_nm` is the geometric mean of those it was trained on. What it does not
    bear stands beside: `anisotropy`, how high voxels were for their width, and `radius_vox`, how thick neurites were.
    """
    seen, unseen = images
    voxels = np.array([image.voxel_nm for image in seen])
    flatness = voxels[:, 0] / np.sqrt(voxels[:, 1] * voxels[:, 2])
    return ModelCard(
        name=recipe.name,
        family=recipe.family,
        config={"out_channels": len(CHANNELS), **recipe.network},
        channels=CHANNELS,
        voxel_nm=tuple(float(v) for v in np.exp(np.log(voxels).mean(0)).round(1)),  # type: ignore[arg-type]
        normalization=recipe.normalization,
        halo_vox=receptive_halo(network),
        summary=recipe.summary,
        trained_on=_told(seen),
        validated_on=_told(unseen),
        training={
            "parameters": sum(p.numel() for p in network.parameters()),
            "patch": list(recipe.patch_shape),
            "loss": recipe.loss,
            "anisotropy": [round(float(flatness.min()), 2), round(float(flatness.max()), 2)],
            "voxel_nm_range": [voxels.min(0).tolist(), voxels.max(0).tolist()],
            "radius_vox": _radii(seen),
            **({"began_with": recipe.init.model, "frozen": recipe.init.freeze} if recipe.init else {}),
        },
        licence=recipe.licence,
        cite=recipe.cite,
    )


def _radii(images: tuple[NeuriteImage, ...]) -> list[float]:
    """How thick neurites are in voxels: the 5th and 95th percentile of the depth of their middles in the mask.

    A middle is where no neighbour lies deeper; distances are in voxels whatever the voxels' shape.
    """
    depths = []
    for image in images[:: max(1, len(images) // MEASURED)]:
        depth = ndimage.distance_transform_edt(image.mask())
        middle = (depth > 0) & (depth == ndimage.maximum_filter(depth, 3))
        depths.append(depth[middle])
    return [round(float(p), 2) for p in np.percentile(np.concatenate(depths), (5, 95))]


def _told(images: tuple[NeuriteImage, ...]) -> tuple[str, ...]:
    """Names of images, the first few by themselves."""
    names = [image.name for image in images]
    return tuple(names) if len(names) <= 12 else (*names[:10], f"and {len(names) - 10} more")


def _inputs(recipe: NeuriteRecipe) -> list[Path]:
    """Every file that decides what comes out."""
    files = files_of(recipe)
    if recipe.init is not None and recipe.init.model not in zoo_names():
        model = Path(recipe.init.model)
        files.append(model if model.is_file() else load_card(model)[1] / "weights.safetensors")
    return files
