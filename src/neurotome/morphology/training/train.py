"""From the shapes of neurons to a network with a card: the training task of this room."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import yaml

from neurotome.core import Mesh, ModelCard, ObjectVoxels, Progress, Skeleton, silent
from neurotome.datasets.neuron_splits import checked_split, split_of, write_split
from neurotome.io import RunFolder, atomic_write_text
from neurotome.io.run_folder import peak_memory_bytes
from neurotome.morphology.encoders import load_encoder
from neurotome.morphology.occupancy import Shape
from neurotome.morphology.training.data import ShapeData, shape_data
from neurotome.morphology.training.descriptor_targets import descriptor_targets
from neurotome.morphology.training.judged import judged
from neurotome.morphology.training.recipe import ShapeRecipe
from neurotome.nn import FitSettings, build, load_card, save_model
from neurotome.nn.losses import occupancy_loss

if TYPE_CHECKING:
    from neurotome.nn.task import Task

__all__ = ["COMMAND", "task_of", "train_shapes"]

COMMAND = "morphology train"
NAMED = 12
"""At most so many neurons are named on a card; the split file has all of them."""


def train_shapes(
    recipe: ShapeRecipe,
    shapes: Sequence[Shape],
    out: Path,
    *,
    parts: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> ModelCard:
    """Train a network of shapes into folder `out`; called again after an interruption it goes on.

    parts: "train", "val" or "test" of each neuron by name; None divides them by a hash of their names, in the recipe's shares.
    Leaves run.json, card.json and weights.safetensors (a model folder), recipe.yaml, split.csv, history.csv, checkpoints/ (best
    and last), thresholds.csv (scores of the validation neurons at each threshold) and scores.csv (of each neuron held back).
    Raises InputError for wrong options and splits, RunFolderError when `out` holds a training with another recipe or neurons.
    """
    settings = recipe.fit_settings
    network_config = recipe.config
    parts = _parts(recipe, shapes, parts)
    said = recipe.model_dump(mode="json", by_alias=True)
    with RunFolder.start(
        out,
        command=COMMAND,
        config={**said, "shapes_sha256": shapes_sha256(shapes), "split_sha256": _split_sha256(parts)},
        seed=settings.seed,
        progress=progress,
    ) as run:
        if run.done("train"):
            return load_card(out)[0]
        atomic_write_text(out / "recipe.yaml", yaml.safe_dump(said, sort_keys=False))
        write_split(out / "split.csv", parts)
        data = shape_data(recipe, shapes, parts)
        torch.manual_seed(settings.seed)
        network = build(recipe.family, network_config)
        with run.step("train"):
            card = _fitted(recipe, task_of(recipe, network, data), data, out, progress)
        run.keep({**card.training, **card.segmentation})
    return card


def task_of(recipe: ShapeRecipe, network: Any, data: ShapeData) -> Task:
    """What is fitted, by the recipe's network. Raises UnknownNameError, InputError for the loss."""
    settings = recipe.fit_settings
    if recipe.network == "cubes":
        from neurotome.morphology.training.cube_task import CubeLoss, CubeTask

        targets = descriptor_targets(data.shapes, recipe.descriptors, data.rows("train"))
        return CubeTask(network, settings, CubeLoss(**recipe.loss_options), targets)
    from neurotome.morphology.training.autoencoder_task import AutoencoderTask, Decoding

    network.recomputed = recipe.recomputed
    decoding = Decoding()
    if recipe.network == "nlat":
        decoding = Decoding(recipe.cubes, recipe.choice == "legacy", recipe.occupied_share, recipe.dense_pass)
    return AutoencoderTask(network, occupancy_loss(recipe.loss, recipe.loss_options), settings, decoding)


def shapes_sha256(shapes: Sequence[Shape]) -> str:
    """A digest of names and all coordinates, so that a training is not gone on with other neurons."""
    digest = hashlib.sha256()
    for shape in shapes:
        digest.update(shape.name.encode())
        for array in _arrays(shape):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _arrays(shape: Shape) -> tuple[np.ndarray, ...]:
    if isinstance(shape, Skeleton):
        return shape.parent_rows, shape.points_nm, shape.radii_nm, shape.kinds
    soma = np.asarray(shape.soma_nm if shape.soma_nm is not None else ())
    if isinstance(shape, Mesh):
        return shape.vertices_nm, shape.triangles, soma
    if isinstance(shape, ObjectVoxels):
        return shape.voxels, np.asarray((shape.grid.voxel_nm, shape.grid.origin_nm)), soma
    return shape.points_nm, soma


def _parts(recipe: ShapeRecipe, shapes: Sequence[Shape], parts: Mapping[str, str] | None) -> dict[str, str]:
    names = [shape.name for shape in shapes]
    if parts is None:
        shares = (1 - recipe.validate_share - recipe.test_share, recipe.validate_share, recipe.test_share)
        return split_of(names, shares, recipe.fit_settings.seed)
    members = {part: [name for name, its in parts.items() if its == part] for part in ("train", "val", "test")}
    return checked_split(members, names, "the split")


def _split_sha256(parts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(parts.items())).encode()).hexdigest()


def _fitted(recipe: ShapeRecipe, task: Task, data: ShapeData, out: Path, progress: Progress) -> ModelCard:
    from neurotome.nn import fit_task

    settings = recipe.fit_settings
    done = fit_task(task, data.training, data.validation, out, settings, progress=progress)
    answering = task.answering().cpu().eval()
    told = {
        "network": recipe.network,
        "parameters": sum(p.numel() for p in answering.parameters()),
        **({"loss": recipe.loss} if recipe.network != "cubes" else {}),
        **({"cubes": recipe.cubes, "choice": recipe.choice} if recipe.network == "nlat" else {}),
        "steps": done.steps,
        "minutes": round(done.seconds / 60, 2),
        "peak_memory_mb": round(peak_memory_bytes() / 2**20),
        **_how(settings),
        "kept_step": done.kept_step,
        "kept": f"best {task.best_by or 'val_loss'}, {done.value:.4f}" if done.value is not None else "last step",
        "split_sha256": _split_sha256(data.parts),
    }
    card = save_model(out, answering, _card(recipe, data, told), half=recipe.half)
    # Judged as it was kept: rounding the weights is part of what came out.
    encoder = load_encoder(out)
    thresholds, scores = judged(encoder, data, out)
    return save_model(out, encoder.network, replace(card, scores=scores, segmentation=thresholds), half=recipe.half)


def _how(settings: FitSettings) -> dict[str, Any]:
    """What the card says of the fitting."""
    names = ("batch", "accumulate", "optimizer", "learning_rate", "schedule", "average", "precision", "seed")
    return {name: getattr(settings, name) for name in names}


def _card(recipe: ShapeRecipe, data: ShapeData, told: Mapping[str, Any]) -> ModelCard:
    return ModelCard(
        name=recipe.name,
        family=recipe.family,
        config=recipe.config,
        channels=("occupied",),
        voxel_nm=(0.0, 0.0, 0.0),
        normalization="none",
        halo_vox=(0, 0, 0),
        summary=recipe.summary,
        trained_on=_named(data, "train"),
        validated_on=_named(data, "val"),
        training=dict(told),
        frame=data.settings.to_json(),
        licence=recipe.licence,
        cite=recipe.cite,
    )


def _named(data: ShapeData, part: str) -> tuple[str, ...]:
    names = [data.shapes[row].name for row in data.rows(part)]
    return tuple(names) if len(names) <= NAMED else (*names[: NAMED - 2], f"and {len(names) - NAMED + 2} more")
