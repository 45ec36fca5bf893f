"""What attention needs of a network: what it sees of a crop, what it answers, and which modules it has."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
import torch
from torch import nn

from neurotome.core import Crop, CropLook, CropRecipe, InputError, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.nn.vgg3d import VGG3D, layer_outputs, layer_taps, pooled
from neurotome.synapses.contrastive.cubes import cubes_of
from neurotome.synapses.contrastive.task import embedded
from neurotome.synapses.contrastive.trunk import Trunk
from neurotome.synapses.discarded import Discarded
from neurotome.synapses.features.weights import FeatureNetwork
from neurotome.synapses.views import View, view
from neurotome.synapses.views.show import CropSource

__all__ = ["Explainable", "Seen", "TrunkAttention", "WholeCropAttention"]


@dataclass(frozen=True, eq=False)
class Seen:
    """A crop as a network sees it: values (s, s, s) float32, coarser than the crop or not. grey: that outside the mask.

    shift: voxel v of the view is voxel v + shift of the crop, in voxels of the crop; not 0 for presets 12 and 13.
    """

    values: np.ndarray
    grey: float
    shift: Int3


class Explainable(nn.Module):
    """Cubes (n, 1, s, s, s) -> answers (n, d) of a VGG3D. family: of the table's columns that its answers are.

    classes: how many its answers tell apart; 0 where they are features.
    """

    family: str
    classes = 0

    def __init__(self, network: VGG3D, name: str, look: CropLook) -> None:
        super().__init__()
        self.network, self.name, self.look = network, name, look
        # Crops of one batch would explain each other.
        self.eval()

    @abstractmethod
    def forward(self, cubes: torch.Tensor) -> torch.Tensor:
        """The answers."""

    @abstractmethod
    def seen(self, crops: CropSource, row: int) -> Seen:
        """What is shown of a crop. Raises InputError for one that the look shows nothing of."""

    @abstractmethod
    def randomised(self, seed: int) -> Self:
        """The same with weights as before learning."""

    @property
    def last(self) -> int:
        """The last module of `features` that answers depend on."""
        return self.network.config.pools[-1]

    def default_layers(self) -> tuple[int, ...]:
        """The module before each pooling but the first: coarse enough to name structures, fine enough to place them."""
        return tuple(pool - 1 for pool in self.network.config.pools[1:] if pool <= max(self.last, self.network.config.pools[1]))

    def layers(self, wanted: Sequence[int | str] = ()) -> dict[str, nn.Module]:
        """Modules by number in `features` or by name; the default ones where none is wanted. Raises ValueRangeError,
        UnknownNameError.
        """
        named = dict(self.network.named_modules())
        found = {}
        for layer in tuple(wanted) or self.default_layers():
            name = f"features.{layer}" if str(layer).lstrip("-").isdigit() else str(layer)
            if name.startswith("features.") and not 0 <= int(name.removeprefix("features.")) <= self.last:
                raise ValueRangeError(f"Layer '{layer}' of {self.name}", f"0 to {self.last}", "choose another")
            if not name or name not in named:
                raise UnknownNameError("layer", name, filter(None, named))
            found[name] = named[name]
        return found


class TrunkAttention(Explainable):
    """A trunk trained by contrast; answers are its embeddings."""

    family = "contrastive"

    def __init__(self, trunk: Trunk) -> None:
        super().__init__(trunk.network, trunk.card.name, trunk.seen.look)
        self.trunk = trunk

    def forward(self, cubes: torch.Tensor) -> torch.Tensor:
        return embedded(self.network, cubes)

    def seen(self, crops: CropSource, row: int) -> Seen:
        shown = _view(crops, row, self.look)
        cube = cubes_of(_One(crops, row), self.trunk.seen).shown(self.look)[0]
        return Seen(cube, self.look.grey, shown.shift)

    def randomised(self, seed: int) -> Self:
        return type(self)(replace(self.trunk, network=_untrained(self.network, seed)))


class WholeCropAttention(Explainable):
    """A network of features on whole crops. Answers are the logits of its classifier; of a trunk alone, or where a layer is
    named, what `network_features` has of this layer and pooling.
    """

    family = "vgg3d"

    def __init__(self, network: FeatureNetwork, look: CropLook, *, layer: int | str | None = None, pooling: str = "avg") -> None:
        super().__init__(network.network, network.name, look)
        self.features_of, self.layer, self.pooling = network, layer, pooling
        self.classes = network.network.config.classes or 0 if layer is None else 0

    @property
    def last(self) -> int:
        taps = layer_taps(self.network.config, "standard" if self.layer is None else self.layer)
        return taps[-1]

    def forward(self, cubes: torch.Tensor) -> torch.Tensor:
        if self.classes:
            logits: torch.Tensor = self.network(cubes)
            return logits
        outputs = layer_outputs(self.network, cubes, "standard" if self.layer is None else self.layer)
        return torch.cat([pooled(output, self.pooling) for output in outputs], 1)

    def seen(self, crops: CropSource, row: int) -> Seen:
        shown = _view(crops, row, self.look)
        low, high = shown.limits
        return Seen(shown.values, low + self.look.grey * (high - low), shown.shift)

    def randomised(self, seed: int) -> Self:
        untrained = replace(self.features_of, network=_untrained(self.network, seed), random=True)
        return type(self)(untrained, self.look, layer=self.layer, pooling=self.pooling)


def _untrained(network: VGG3D, seed: int) -> VGG3D:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VGG3D(network.config)


def _view(crops: CropSource, row: int, look: CropLook) -> View:
    unknown = bool(crops.sites["pre_side"].iloc[row] == 0)
    recipe = crops.recipe
    shown = view(crops[row], look, undetermined=unknown, on_undetermined=recipe.on_undetermined, pad=recipe.pad)
    if isinstance(shown, Discarded):
        raise InputError(
            f"'{shown.key}' shows nothing under mask {look.mask} ({shown.reason})", "a crop that the network answers for"
        )
    return shown


@dataclass(frozen=True, eq=False)
class _One:
    """One crop of a set as a set."""

    crops: CropSource
    row: int

    @property
    def recipe(self) -> CropRecipe:
        return self.crops.recipe

    @property
    def sites(self) -> pd.DataFrame:
        return self.crops.sites.iloc[[self.row]]

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Crop:
        return self.crops[self.row]
