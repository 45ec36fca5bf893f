"""What a training on shapes may say: every key, checked before anything is read. Unknown keys are refused.

A recipe names the network and its options, how shapes are put on grids, how they vary, what is decoded in a training step, the
loss, and how the network is fitted (`fit`, see `nn.FitSettings`). Which neurons it is trained on is not its business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.morphology.occupancy import GridSettings
from neurotome.morphology.occupancy.variants import Variation
from neurotome.nn import FitSettings

__all__ = ["FAMILIES_OF", "REFERENCE_FIT", "ShapeRecipe", "shape_recipe"]

FAMILIES_OF = {"dense": "voxel_autoencoder", "nlat": "voxel_autoencoder", "cubes": "cube_autoencoder"}

FIT: dict[str, Any] = {
    "steps": 4000,
    "validate_every": 200,
    "batch": 16,
    "learning_rate": 1e-3,
    "schedule": "onecycle",
    "average": 0.0,
    "patience": 0,
}
"""How a network is fitted where the recipe says nothing else; the learning rate rises over the first twentieth of the steps."""

WARM_SHARE = 0.05

_REFERENCE: dict[str, Any] = {
    "optimizer": "adamw",
    "weight_decay": 1e-2,
    "schedule": "onecycle",
    "clip": 0.0,
    "average": 0.0,
    "precision": "32-true",
    "seed": 1996,
}
REFERENCE_FIT: dict[int, dict[str, Any]] = {
    64: {**_REFERENCE, "steps": 14000, "validate_every": 277, "batch": 50, "learning_rate": 3e-3, "warmup": 700},
    128: {**_REFERENCE, "steps": 50000, "validate_every": 1383, "batch": 10, "learning_rate": 1e-3, "warmup": 2500},
}
"""How lucas-mohrhagen/VoxelMorph fits its networks; it validates three times in each turn through its neurons."""

REFERENCE_FOCAL = {64: {"alpha": 0.65, "gamma": 1.0}, 128: {"alpha": 0.75, "gamma": 2.2}}


class ShapeRecipe(BaseModel):
    """Everything but the neurons that decides what comes out.

    network: "dense" and "nlat" train the reference network, on all cubes of a grid or on `cubes` of them; "cubes" ours.
    options: of the network's config. grid: of GridSettings; a scale that is to be fitted is fitted to the training neurons.
    variation: of Variation; None: none. views: varied copies of a neuron in a sample.
    choice: of cubes, for each item its own, or as the reference does. occupied_share: of the chosen cubes, with choice "own".
    dense_pass: decode everything once more in each step, without gradient, as the reference does; only moves the statistics.
    descriptors: names of hand-made ones that "cubes" learns to read from its bottleneck, see `morphology.descriptors`.
    recomputed: of how many encoder stages activations are computed twice instead of kept (voxel_autoencoder).
    validate, test: shares of neurons held back, by a hash of their names, where no split is given.
    half: keep weights in half precision.
    """

    name: str = "own-shapes"
    network: Literal["dense", "nlat", "cubes"] = "cubes"
    options: dict[str, Any] = {}
    grid: dict[str, Any] = {}
    variation: dict[str, Any] | None = {}
    views: int = Field(1, ge=1)
    loss: str = "focal"
    loss_options: dict[str, Any] = {}
    cubes: int = Field(10, ge=1, le=512)
    choice: Literal["own", "legacy"] = "own"
    occupied_share: float = Field(0.5, ge=0, le=1)
    dense_pass: bool = False
    recomputed: int = Field(0, ge=0)
    descriptors: tuple[str, ...] = ()
    validate_share: float = Field(0.15, gt=0, lt=1, alias="validate")
    test_share: float = Field(0.15, ge=0, lt=1, alias="test")
    fit: dict[str, Any] = {}
    half: bool = True
    summary: str = ""
    licence: str = ""
    cite: tuple[str, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def family(self) -> str:
        return FAMILIES_OF[self.network]

    @property
    def config(self) -> dict[str, Any]:
        """The options of the network, its grid among them. Raises InputError for a grid of another size."""
        size = self.grid_settings.size
        if self.options.get("grid", size) != size:
            raise InputError(f"A network for a grid of {self.options['grid']}, shapes on {size}", "one size", "leave one out")
        return {**self.options, "grid": size, "out_channels": 1}

    @property
    def grid_settings(self) -> GridSettings:
        """Raises InputError, UnknownNameError, ValueRangeError."""
        settings = GridSettings.from_json(self.grid)
        if settings.mode == "edt":
            raise ValueRangeError("mode 'edt' for a training", "hits, soft or skeleton: shares of a voxel from 0 to 1")
        return settings

    @property
    def variation_settings(self) -> Variation | None:
        return None if self.variation is None else Variation.from_json(self.variation)

    @property
    def fit_settings(self) -> FitSettings:
        """Raises UnknownNameError, ValueRangeError."""
        known = list(FitSettings.__dataclass_fields__)
        if wrong := [name for name in self.fit if name not in known]:
            raise UnknownNameError("option of fit", wrong[0], known)
        said = {**FIT, **{k: tuple(v) if isinstance(v, list) else v for k, v in self.fit.items()}}
        said.setdefault("warmup", round(WARM_SHARE * said["steps"]))
        return FitSettings(**said)


def shape_recipe(
    network: str = "cubes",
    grid: int = 64,
    *,
    parity: bool = False,
    grid_options: Mapping[str, Any] | None = None,
    fit: Mapping[str, Any] | None = None,
    **changes: Any,
) -> ShapeRecipe:
    """The usual recipe of a network, with any of its keys changed; None stands for what is usual.

    parity: "dense" and "nlat" as lucas-mohrhagen/VoxelMorph trains them, with its voxel rule, one scale for all neurons, nothing
    varied, its choice of cubes and its second pass. Without it the values of the fit stay, and the rest is as neurotome has it:
    neurons vary, cubes are chosen for each grid, each decoded cube is normalised by itself and knows its place, no second pass.
    Raises UnknownNameError for the network, InputError for parity with ours.
    """
    if network not in FAMILIES_OF:
        raise UnknownNameError("network", network, FAMILIES_OF)
    if parity and network == "cubes":
        raise InputError("Network 'cubes' as the reference trains it", "dense or nlat with parity", "leave out parity")
    usual = _of_cubes() if network == "cubes" else _of_reference(network, grid, parity=parity)
    usual["grid"] = {**usual["grid"], **(grid_options or {}), "size": grid}
    usual["fit"] = {**usual["fit"], **{key: value for key, value in (fit or {}).items() if value is not None}}
    if fit and fit.get("steps") is not None and fit.get("warmup") is None:
        usual["fit"].pop("warmup", None)
    name = f"{network}-{grid}{'-reference' if parity else ''}"
    said = {key: value for key, value in changes.items() if value is not None or key == "variation"}
    return ShapeRecipe(**{"name": name, "network": network, **usual, **said})


def _of_cubes() -> dict[str, Any]:
    """Two views of each neuron, so that a vector learns what stays when a neuron is drawn or cut otherwise."""
    return {
        "options": {"depth": 3, "steady": 64, "dropout": 0.1},
        "grid": {"orientation": "principal"},
        "variation": {"turn": "none", "flip": (2,), "scale": (0.9, 1.1), "jitter_nm": 500.0, "tips": 0.4, "branches": 0.4},
        "views": 2,
        "loss_options": {"apart": 0.2, "cubes": 512},
        "descriptors": ("morphometrics", "sholl", "persistence"),
        "fit": {
            "steps": 4000,
            "validate_every": 200,
            "batch": 32,
            "learning_rate": 2e-3,
            "weight_decay": 0.05,
            "average": 0.995,
            "precision": "32-true",
        },
    }


def _of_reference(network: str, grid: int, *, parity: bool) -> dict[str, Any]:
    # What the reference tells of two grids serves for those between and beyond.
    alike = 64 if grid <= 64 else 128
    cubewise = network == "nlat"
    told = {"loss_options": REFERENCE_FOCAL[alike], "fit": REFERENCE_FIT[alike], "cite": ("lucas-mohrhagen/VoxelMorph",)}
    if parity:
        rule = {"rule": "legacy", "scale": "global"}
        return {**told, "grid": rule, "variation": None, "choice": "legacy", "dense_pass": cubewise}
    if cubewise:
        told |= {"options": {"decoder_norm": "group", "position_code": True}, "recomputed": 2}
    return {**told, "grid": {}}
