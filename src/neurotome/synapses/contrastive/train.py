"""From the crops of a study to a trunk with a card: the training task of this room."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from neurotome.core import InputError, ModelCard, Progress, UnknownNameError, ValueRangeError, silent
from neurotome.io import RunFolder
from neurotome.nn import FitSettings, load_card, save_model
from neurotome.nn.contrastive import CropAugmentation
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig
from neurotome.synapses.contrastive.cubes import Cubes, CubeSettings, cubes_of
from neurotome.synapses.contrastive.task import ContrastTask, CubeStream
from neurotome.synapses.views.show import CropSource

__all__ = ["COMMAND", "ContrastRecipe", "split_by_volume", "train_trunk"]

COMMAND = "synapses contrast"
_LEAST_PAIRS = 4
_SAME_NEURON = ("negatives", "nothing", "positives")


# Sizes of clefts and clouds are what kinds of synapse differ in: what changes them (a grown mask, holes, scale) teaches a network
# not to see them. How a synapse lies is what tells single ones apart first, and means nothing: it is turned freely.
_VARIATION = CropAugmentation(
    likely=0.7,
    rotation_deg=180.0,
    scale=(0.97, 1.03),
    contrast=0.15,
    brightness=0.1,
    section=0.02,
    noise=0.03,
    blackout=0,
    cutout=0.0,
    inflate_vox=0,
)


@dataclass(frozen=True)
class ContrastRecipe:
    """widths, convs: of the trunk's stages. validate_on: volumes that only judge; the last in the alphabet where it is empty.

    queue: answers of earlier steps as further negatives. same_neuron: what synapses of one presynaptic neuron are to each other,
    "negatives" as any others, "nothing", or "positives" that stand in for each other as views of one thing (Shetty & Huang 2025);
    then what a network learns is no evidence for that neuron's synapses being alike. Crops that overlap are never negatives.
    """

    name: str = "synapse-trunk"
    summary: str = ""
    cubes: CubeSettings = field(default_factory=CubeSettings)
    widths: tuple[int, ...] = (8, 32, 64, 128)
    convs: tuple[int, ...] = (1, 1, 1, 1)
    variation: CropAugmentation = _VARIATION
    temperature: float = 0.2
    queue: int = 0
    same_neuron: str = "negatives"
    validate_on: tuple[str, ...] = ()
    fit: FitSettings = field(
        default_factory=lambda: FitSettings(
            steps=600,
            validate_every=20,
            batch=32,
            learning_rate=2e-3,
            weight_decay=1e-4,
            warmup=30,
            average=0.99,
            precision="32-true",
        )
    )

    def __post_init__(self) -> None:
        if self.fit.batch < _LEAST_PAIRS:
            raise ValueRangeError(f"batches of {self.fit.batch} crops", f"{_LEAST_PAIRS} or more", "raise the batch")
        if self.same_neuron not in _SAME_NEURON:
            raise UnknownNameError("relation of synapses of one neuron", self.same_neuron, _SAME_NEURON)
        if self.queue < 0:
            raise ValueRangeError(f"queue {self.queue}", "0 or more", "leave it out")

    @property
    def network(self) -> VGG3DConfig:
        return VGG3DConfig(size=self.cubes.side, widths=self.widths, convs=self.convs)


def train_trunk(crops: CropSource, out: Path, recipe: ContrastRecipe | None = None, *, progress: Progress = silent) -> ModelCard:
    """Train a trunk on the crops without labels, into the model folder `out`; called again after an interruption it goes on.

    Whole volumes are held back to choose the best epoch. Leaves run.json, card.json, weights.safetensors, history.csv (loss,
    alignment, uniformity, effective rank, Hopkins statistic, retrieval) and checkpoints. Raises InputError for a single volume or
    too few crops, RunFailedError for a training that collapses, RunFolderError for a folder with another training.
    """
    recipe = recipe or ContrastRecipe()
    parts = split_by_volume(crops.sites["volume"].astype(str).to_numpy(), recipe.validate_on)
    config = {**_plain(asdict(recipe)), "crops": crops.recipe.key, "sites": _digest(list(crops.sites.index))}
    with RunFolder.start(Path(out), command=COMMAND, config=config, seed=recipe.fit.seed, progress=progress) as run:
        if run.done("train"):
            return load_card(Path(out))[0]
        cubes = cubes_of(crops, recipe.cubes, progress=progress)
        sides = {name: cubes.take(np.flatnonzero(part[cubes.rows])) for name, part in parts.items()}
        _require_enough(sides, recipe)
        with run.step("train"):
            card = _fitted(recipe, crops, sides, Path(out), progress)
        run.keep(dict(card.training))
    return card


def split_by_volume(volumes: np.ndarray, validate_on: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Which rows train and which judge, by whole volumes: synapses of one volume share its look, and often their voxels.

    >>> {name: part.tolist() for name, part in split_by_volume(np.array(["a", "b", "a"])).items()}
    {'train': [True, False, True], 'val': [False, True, False]}
    """
    known = sorted(set(volumes))
    for name in validate_on:
        if name not in known:
            raise UnknownNameError("volume to validate on", name, known)
    held = tuple(validate_on) or (known[-1],)
    if set(held) == set(known):
        raise InputError(
            f"Training and validation on the only volume '{known[0]}'" if len(known) == 1 else "All volumes validate",
            "a volume for each",
            "add a volume to the study, or use a network that is trained already",
        )
    chosen = np.isin(volumes, held)
    return {"train": ~chosen, "val": chosen}


def _require_enough(sides: Mapping[str, Cubes], recipe: ContrastRecipe) -> None:
    for name, cubes in sides.items():
        if len(cubes) < _LEAST_PAIRS:
            raise InputError(
                f"{len(cubes)} crops to {'train on' if name == 'train' else 'validate on'}",
                f"{_LEAST_PAIRS} or more that '{recipe.cubes.look.mask}' shows",
                "look at what was discarded, and why",
            )


def _fitted(recipe: ContrastRecipe, crops: CropSource, sides: Mapping[str, Cubes], out: Path, progress: Progress) -> ModelCard:
    from neurotome.nn import fit_task

    settings = recipe.fit
    sites = {name: crops.sites.iloc[part.rows] for name, part in sides.items()}
    torch.manual_seed(settings.seed)
    task = ContrastTask(
        VGG3D(recipe.network),
        sides,
        settings,
        seen=recipe.cubes,
        how=recipe.variation,
        temperature=recipe.temperature,
        alike={
            name: alike(rows, crops.recipe.size, same_neuron=recipe.same_neuron != "negatives") for name, rows in sites.items()
        },
        queue=recipe.queue,
        partners=neurons(sites["train"]) if recipe.same_neuron == "positives" else None,
    )
    training = CubeStream(len(sides["train"]), settings.batch * settings.validate_every, settings.seed)
    # Whole batches only: a loss depends on how many negatives there are.
    judged = max(min(settings.batch, len(sides["val"])), len(sides["val"]) // settings.batch * settings.batch)
    done = fit_task(task, training, CubeStream(len(sides["val"]), judged), out, settings, progress=progress)
    told = {
        "parameters": sum(p.numel() for p in task.answering().parameters()),
        "crops": len(sides["train"]),
        "discarded": len(sides["train"].discarded),
        "temperature": recipe.temperature,
        "batch": settings.batch,
        "steps": done.steps,
        "kept_step": done.kept_step,
        "minutes": round(done.seconds / 60, 2),
        "val_loss": done.value,
        "seed": settings.seed,
    }
    return save_model(out, task.answering().cpu().eval(), _card(recipe, crops, sides, told))


def alike(sites: pd.DataFrame, size: int, *, same_neuron: bool = False) -> torch.Tensor:
    """(n, n) bool: pairs of crops of `size` voxels that share some, or a presynaptic neuron if asked; each with itself, too."""
    centres = sites[["crop_z", "crop_y", "crop_x"]].to_numpy(dtype=float)
    volume = sites["volume"].astype(str).to_numpy()
    near = np.abs(centres[:, None] - centres[None]).max(2) < size
    found = near & (volume[:, None] == volume[None])
    if same_neuron:
        pre = sites["pre_id"].fillna("").astype(str).to_numpy()
        found |= (pre[:, None] == pre[None]) & (pre != "")[:, None]
    return torch.from_numpy(found)


def neurons(sites: pd.DataFrame) -> torch.Tensor:
    """(n,) a number for each presynaptic neuron; a synapse of an unknown one has a number of its own."""
    pre = sites["pre_id"].fillna("").astype(str).to_numpy()
    own = np.array([f"/{row}" for row in range(len(pre))], dtype=object)
    return torch.from_numpy(np.unique(np.where(pre == "", own, pre).astype(str), return_inverse=True)[1])


def _card(recipe: ContrastRecipe, crops: CropSource, sides: Mapping[str, Cubes], told: Mapping[str, Any]) -> ModelCard:
    network = asdict(recipe.network)
    voxel = recipe.cubes.extent_nm / recipe.cubes.side

    def volumes(part: str) -> tuple[str, ...]:
        return tuple(sorted({str(crops.sites["volume"].iloc[row]) for row in sides[part].rows}))

    return ModelCard(
        name=recipe.name,
        family="vgg3d",
        config=network,
        channels=("embedding",),
        voxel_nm=(voxel, voxel, voxel),
        normalization=recipe.cubes.look.normalization,
        halo_vox=(0, 0, 0),
        summary=recipe.summary,
        trained_on=volumes("train"),
        validated_on=volumes("val"),
        training=dict(told),
        frame=recipe.cubes.to_json(),
    )


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(map(str, names)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
