"""One training from the empty folder to the card, whatever is trained: the parts that `train.py` and `translate.py` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.boundary.training.from_files import recipe_text
from neurotome.boundary.training.judge import SectionJudge
from neurotome.boundary.training.pictures import EpochPictures
from neurotome.boundary.training.recipe import TrainConfig
from neurotome.core import ModelCard, Progress, UnknownNameError
from neurotome.io import RunFolder, atomic_write_text
from neurotome.nn import FitSettings, load_card, receptive_halo, save_model, zoo_names

if TYPE_CHECKING:
    from neurotome.nn.task import Task
    from neurotome.nn.trainer import Fitted

__all__ = ["Preparation", "carry_out", "draft_card", "settings_of"]

T = TypeVar("T")
COMMAND = "boundary train"


@dataclass(frozen=True, eq=False)
class Preparation:
    """A training that could begin: everything in the recipe that can be wrong has been found right.

    task: what is fitted; its `answering()` network gets the card. seen, unseen: the blocks trained and validated on, of which the
    unseen ones are judged and shown. facts: what the card should say about the training besides. channels: what the network
    answers, where that is not the recipe's channels. beside: folder inside the model folder -> given the card, a further network
    and its card.
    """

    task: Task
    training: Dataset[Any]
    validation: Dataset[Any]
    seen: tuple[AnnotatedVolume, ...]
    unseen: tuple[AnnotatedVolume, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    beside: Mapping[str, Callable[[ModelCard], tuple[nn.Module, ModelCard]]] = field(default_factory=dict)


def settings_of(kind: type[T], key: str, options: Mapping[str, Any]) -> T:
    """A settings dataclass from a section of the recipe; raises UnknownNameError for an option it does not have."""
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            raise UnknownNameError(f"option of {key}", name, known)
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


def carry_out(config: TrainConfig, ready: Preparation, settings: FitSettings, out: Path, progress: Progress) -> ModelCard:
    """Train into folder `out`, or go on there; leaves what `train` promises. Raises RunFolderError for another run's folder."""
    from neurotome.nn import fit_task

    network: Any = ready.task.answering()
    card = draft_card(config, network, ready)
    bf16 = "bf16" in settings.precision
    judge = SectionJudge.of(ready.unseen, card, ndim=network.ndim, bf16=bf16)
    pictures = EpochPictures(config, card, ready.unseen[0], out, ndim=network.ndim, bf16=bf16)
    with RunFolder.start(
        out,
        command=COMMAND,
        config=config.model_dump(mode="json"),
        inputs={str(k): path for k, path in enumerate(_inputs(config))},
        seed=settings.seed,
        device=_device(settings),
        progress=progress,
    ) as run:
        if run.done("train"):
            return load_card(out)[0]
        atomic_write_text(out / "recipe.yaml", recipe_text(config))
        pictures.save_sections()
        with run.step("train"):
            fitted = fit_task(
                ready.task, ready.training, ready.validation, out, settings, judge=judge, picture=pictures, progress=progress
            )
            pictures.animate()
            told = {**card.training, **_told(settings, fitted, judge)}
            for folder, made_with in ready.beside.items():
                other, its_card = made_with(replace(card, training=told))
                save_model(out / folder, other.cpu().eval(), its_card)
            card = save_model(out, ready.task.answering().cpu().eval(), replace(card, training=told))
        run.keep(told)
    return card


def draft_card(config: TrainConfig, network: nn.Module, ready: Preparation) -> ModelCard:
    """The card of a network before it is trained: what it is, and what it will see."""
    channels = ready.channels or config.channels
    voxel = np.mean([v.image.grid.voxel_nm for v in ready.seen], axis=0)
    return ModelCard(
        name=config.name,
        family=config.family,
        config={"out_channels": len(channels), **config.network},
        channels=channels,
        voxel_nm=tuple(float(v) for v in voxel),  # type: ignore[arg-type]
        normalization=config.normalization,
        halo_vox=receptive_halo(network),
        summary=config.summary,
        trained_on=tuple(f"{v.image.name} sections {v.train}" for v in config.volumes if v.train),
        validated_on=tuple(f"{v.image.name} sections {v.validate_on}" for v in config.volumes if v.validate_on),
        training={
            "parameters": sum(p.numel() for p in network.parameters()),
            "crop": config.crop,
            **({"path": config.path} if config.path else {}),
            **({"began_with": config.restore.model} if config.restore else {}),
            **ready.facts,
        },
        licence=config.licence,
        cite=config.cite,
    )


def _told(settings: FitSettings, fitted: Fitted, judge: SectionJudge | None) -> dict[str, Any]:
    """What the card says of how it went."""
    by = f"highest V_rand of {judge.count} whole validation sections" if judge else "lowest validation loss"
    value = "" if fitted.value is None else f", {fitted.value:.4f}"
    average = f"; running average of the weights, {settings.average:g}" if settings.average else ""
    return {
        "steps": fitted.steps,
        "minutes": round(fitted.seconds / 60, 2),
        "batch": settings.batch,
        "optimizer": settings.optimizer,
        "learning_rate": settings.learning_rate,
        "schedule": settings.schedule,
        "kept_step": fitted.kept_step,
        "kept": f"{by}{value}{average}",
    }


def _inputs(config: TrainConfig) -> list[Path]:
    """Every file that decides what comes out, each once."""
    files = [p for v in config.volumes for p in (v.image, v.truth, v.unpaired, *v.classes.values()) if p is not None]
    if config.pictures.image is not None:
        files.append(config.pictures.image)
    # Networks of the package are known by their version.
    if config.restore is not None and config.restore.model not in zoo_names():
        files.append(load_card(config.restore.model)[1] / "weights.safetensors")
    return list(dict.fromkeys(files))


def _device(settings: FitSettings) -> str:
    if settings.device == "cpu" or not torch.cuda.is_available():
        return "cpu"
    return torch.cuda.get_device_name()
