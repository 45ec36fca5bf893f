"""What a training recipe may say: every key, checked before anything is read.

A recipe names annotated stacks (`volumes`), what is learnt of them (`channels`, or one of the five paths of neuron3d), a network
(`family`, `network`), a loss or an image-to-image `translation`, and how it is fitted (`fit`). Unknown keys are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from neurotome.core.geometry import Int3
from neurotome.datasets import data_root

__all__ = ["PATHS", "PicturesConfig", "RestoreConfig", "TrainConfig", "TranslationConfig", "VolumeConfig", "with_paths_from"]

TruthKind = Literal["instances", "inside", "membrane", "classes", "grey"]

PATHS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "nn1": (1, ("cytoplasm",)),
    "nn2": (2, ("overlap",)),
    "nn3": (1, ("membrane",)),
    "nn4": (1, ("cytoplasm",)),
    "nn5": (2, ("overlap",)),
}
"""The five paths of neuron3d: sections in, channels out. nn1 to nn3 look at the EM, nn4 and nn5 at a predicted membrane."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VolumeConfig(_Strict):
    """One annotated stack. `train` and `validate_on` are blocks of sections, "0:60"; they may not meet. Empty: no section of it.

    truth_is: what the values of `truth` mean. `classes`: its values are `class_values` (name -> value). `grey`: an image to be
    imitated (channel "grey"). pair "side_by_side": input and truth are the left and right half of each section of `image`.
    classes: further two-valued masks, name -> file; channel "class:NAME" learns one. image_channel: of a colour image or a
    probability volume. box: only this part of both files, ((z, y, x), (z, y, x)) half-open; `train` counts from its start.
    unpaired: a stack of truth that belongs to other tissue, for CycleGAN; then `truth` is not needed.
    """

    image: Path
    truth: Path | None = None
    truth_is: TruthKind
    train: str
    validate_on: str = ""
    image_channel: str | None = None
    pair: Literal["files", "side_by_side"] = "files"
    classes: dict[str, Path] = {}
    class_values: dict[str, int] = {}
    unpaired: Path | None = None
    box: tuple[Int3, Int3] | None = None
    voxel_nm: tuple[float, float, float] | None = None
    weight: float = 1.0


class TranslationConfig(_Strict):
    """Image-to-image training (pix2pix, pix2pix2, CycleGAN); losses by their names in `nn.translation.losses`.

    The input is X, the target Y; direction "BtoA" exchanges them. `loss` judges Y, `loss_x` what is brought back to X.
    gan_weight 0 builds no discriminator. discriminator "paired" also sees the input (for cyclegan: the fake of the other domain).
    identity, buffer, decay_from: CycleGAN's identity loss weight, size of the buffer of old fakes, and the share of the training
    after which the learning rate falls linearly to 0 (1: never).
    """

    model: Literal["pix2pix", "pix2pix2", "cyclegan"]
    loss: str = "l1"
    loss_x: str = "l1"
    gan_loss: Literal["log", "square"] = "log"
    generator_loss: Literal["fake", "contra", "negative"] = "fake"
    gan_weight: float = Field(1.0, ge=0)
    classic_weight: float = Field(100.0, ge=0)
    discriminator: Literal["paired", "unpaired"] | None = None
    discriminator_width: int = 64
    direction: Literal["AtoB", "BtoA"] = "AtoB"
    identity: float = Field(0.0, ge=0)
    buffer: int = Field(0, ge=0)
    decay_from: float = Field(1.0, ge=0, le=1)


class RestoreConfig(_Strict):
    """Weights to begin with: a zoo name or model folder; `what` of it to take (a plain network is "generators")."""

    model: str
    what: Literal["all", "generators", "both"] = "all"
    freeze: Literal["nothing", "core"] = "nothing"


class PicturesConfig(_Strict):
    """Whole sections that are predicted after every epoch; without an image, those of the first validation block."""

    image: Path | None = None
    sections: tuple[int, ...] = ()
    voxel_nm: tuple[float, float, float] | None = None


class TrainConfig(_Strict):
    """Everything that decides what comes out."""

    name: str
    volumes: tuple[VolumeConfig, ...] = Field(min_length=1)
    path: Literal["nn1", "nn2", "nn3", "nn4", "nn5"] | None = None
    channels: tuple[str, ...] = ("membrane",)
    family: str = "unet2d"
    network: dict[str, Any] = {}
    crop: int = 256
    depth: int = 18
    shrink: int = 0
    loss: str = "bce_dice"
    translation: TranslationConfig | None = None
    restore: RestoreConfig | None = None
    normalization: Literal["section_zscore", "unit", "signed_unit", "percentile"] = "section_zscore"
    augmentation: dict[str, float | bool | int | str] = {}
    fit: dict[str, Any] = {}
    pictures: PicturesConfig = PicturesConfig()
    summary: str = ""
    licence: str = ""
    cite: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _follow_path(cls, data: Any) -> Any:
        """A named path fixes the channels and how many sections go in."""
        if not isinstance(data, dict) or data.get("path") not in PATHS:
            return data
        sections, channels = PATHS[data["path"]]
        return {**data, "channels": channels, "network": {**data.get("network", {}), "sections": sections}}

    @model_validator(mode="after")
    def _truth_is_somewhere(self) -> Self:
        for volume in self.volumes:
            if volume.truth is None and volume.pair == "files" and volume.unpaired is None:
                raise ValueError(f"volume '{volume.image}' has no truth: give truth, pair: side_by_side or unpaired")
        return self


def with_paths_from(config: TrainConfig, folder: Path) -> TrainConfig:
    """The same config with relative paths made absolute: from `folder`, those that begin with DATA from the data folder."""

    def found(path: Path | None) -> Path | None:
        if path is None:
            return None
        return data_root().joinpath(*path.parts[1:]) if path.parts[0] == "DATA" else folder / path

    volumes = tuple(
        v.model_copy(
            update={
                "image": found(v.image),
                "truth": found(v.truth),
                "unpaired": found(v.unpaired),
                "classes": {name: found(path) for name, path in v.classes.items()},
            }
        )
        for v in config.volumes
    )
    pictures = config.pictures.model_copy(update={"image": found(config.pictures.image)})
    return config.model_copy(update={"volumes": volumes, "pictures": pictures})
