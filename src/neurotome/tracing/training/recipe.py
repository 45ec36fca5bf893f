"""What a neurite training may say: every key, checked before anything is read. Unknown keys are refused.

A recipe names where annotated stacks are (`images`: files, folders of files of the same name, or phantoms), the network, how
patches are drawn, what a transfer begins with, and how the network is fitted (`fit`, see `nn.FitSettings`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from neurotome.core import InputError
from neurotome.core.geometry import Int3, Nm3
from neurotome.datasets import data_root
from neurotome.nn import FitSettings

__all__ = [
    "ImagesConfig",
    "InitConfig",
    "NeuriteRecipe",
    "PhantomsConfig",
    "fit_settings",
    "recipe_of_folders",
    "with_paths_from",
]

FIT: dict[str, Any] = {
    "steps": 15000,
    "validate_every": 500,
    "batch": 3,
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "momentum": 0.9,
    "weight_decay": 3e-4,
    "schedule": "cosine",
    "last_rate": 0.0,
    "average": 0.0,
    "patience": 15,
}
"""How a network is fitted where the recipe says nothing else; the learning rate rises over the first twentieth of the steps."""

WARM_SHARE = 0.05


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhantomsConfig(_Strict):
    """Rendered neurons, made anew from the seed whenever a training starts. shape: of each in voxels, z, y, x."""

    count: int = Field(40, ge=1)
    seed: int = 0
    shape: Int3 = (64, 160, 160)


class ImagesConfig(_Strict):
    """A stack and its labels (> 0 is neurite), a folder of such with labels of the same file names, or phantoms.

    voxel_nm: for files that state none. validate_on: these are all held back; the others then need not be divided.
    """

    image: Path | None = None
    labels: Path | None = None
    phantoms: PhantomsConfig | None = None
    voxel_nm: Nm3 | None = None
    validate_on: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.phantoms is None) == (self.image is None) or (self.image is None) != (self.labels is None):
            raise ValueError("give image and labels, or phantoms")
        return self


class InitConfig(_Strict):
    """What to begin with: a network of the zoo, a model folder, or a checkpoint file of DB-Enhance.

    freeze: what of it stays as it is, from the input on; freeze_bn: all normalisations too. lr_scale: of the learning rate.
    """

    model: str
    freeze: Literal["none", "stage1", "stages1-2", "all_but_heads"] = "none"
    freeze_bn: bool = False
    lr_scale: float = Field(0.1, gt=0)


class NeuriteRecipe(_Strict):
    """Everything that decides what comes out.

    patch: side in voxels, or z, y, x; multiples of 8. patches_per_image: drawn once, written to patches.csv. least_foreground:
    voxels of a patch; None scales DB-Enhance's 1000 in 120 x 120 x 120. anywhere: the share of further patches to train on that
    lie anywhere, so that the network also sees what is no neurite. validate: the share of the images held back.
    """

    name: str
    images: tuple[ImagesConfig, ...] = Field(min_length=1)
    validate_share: float = Field(0.2, gt=0, lt=1, alias="validate")
    family: Literal["voxresnet"] = "voxresnet"
    network: dict[str, Any] = {}
    patch: int | Int3 = 120
    patches_per_image: int = Field(50, ge=1)
    least_foreground: int | None = Field(None, ge=1)
    anywhere: float = Field(0.0, ge=0, le=1)
    normalization: Literal["volume_percentile", "fmost"] = "volume_percentile"
    augmentation: dict[str, Any] = {}
    loss: Literal["weighted_ce_dice", "ce_dice"] = "weighted_ce_dice"
    init: InitConfig | None = None
    fit: dict[str, Any] = {}
    summary: str = ""
    licence: str = ""
    cite: tuple[str, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _patches_fit_the_network(self) -> Self:
        if wrong := [n for n in self.patch_shape if n < 8 or n % 8]:
            raise ValueError(f"patch: sides are multiples of 8, not {wrong[0]}")
        return self

    @property
    def patch_shape(self) -> Int3:
        return (self.patch,) * 3 if isinstance(self.patch, int) else self.patch


def fit_settings(recipe: NeuriteRecipe) -> FitSettings:
    """How a recipe has its network fitted. Raises UnknownNameError, ValueRangeError."""
    from neurotome.core import UnknownNameError

    known = list(FitSettings.__dataclass_fields__)
    for name in recipe.fit:
        if name not in known:
            raise UnknownNameError("option of fit", name, known)
    said = {**FIT, **{k: tuple(v) if isinstance(v, list) else v for k, v in recipe.fit.items()}}
    said.setdefault("warmup", round(WARM_SHARE * said["steps"]))
    if recipe.init is not None:
        said["learning_rate"] *= recipe.init.lr_scale
    return FitSettings(**said)


def recipe_of_folders(
    image: Path,
    labels: Path,
    *,
    name: str = "own-neurites",
    voxel_nm: Nm3 | None = None,
    patch: int | Int3 = 120,
    init: InitConfig | None = None,
    fit: dict[str, Any] | None = None,
) -> NeuriteRecipe:
    """What `neurotome tracing train --image ... --labels ...` trains. Raises InputError."""
    network: dict[str, Any] = {}
    if init is not None and not Path(init.model).is_file():
        from neurotome.nn import load_card

        network = {k: v for k, v in load_card(init.model)[0].config.items() if k != "out_channels"}
    try:
        source = ImagesConfig(image=image, labels=labels, voxel_nm=voxel_nm)
        return NeuriteRecipe(name=name, images=(source,), network=network, patch=patch, init=init, fit=fit or {})
    except ValueError as error:
        raise InputError(f"Training on '{image}' ({error})", "options that fit together", "correct them") from error


def with_paths_from(recipe: NeuriteRecipe, folder: Path) -> NeuriteRecipe:
    """The same recipe with relative paths made absolute: from `folder`, those that begin with DATA from the data folder."""

    def found(path: Path | None) -> Path | None:
        if path is None:
            return None
        return data_root().joinpath(*path.parts[1:]) if path.parts and path.parts[0] == "DATA" else folder / path

    images = tuple(i.model_copy(update={"image": found(i.image), "labels": found(i.labels)}) for i in recipe.images)
    init = recipe.init
    if init is not None and (folder / init.model).exists():
        init = init.model_copy(update={"model": str(folder / init.model)})
    return recipe.model_copy(update={"images": images, "init": init})
