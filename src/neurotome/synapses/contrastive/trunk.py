"""A trained trunk and what it makes of synapses: one row of numbers each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from neurotome.core import CropLook, InputError, ModelCard, Progress, silent
from neurotome.nn import load_model
from neurotome.nn.vgg3d import VGG3D
from neurotome.synapses.contrastive.cubes import Cubes, CubeSettings, cubes_of
from neurotome.synapses.contrastive.task import embedded
from neurotome.synapses.views.show import CropSource

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["DEFAULT_TRUNK", "Trunk", "contrastive_features", "load_trunk"]

DEFAULT_TRUNK = "synapse-trunk"
FAMILY = "contrastive"
_BATCH = 16


@dataclass(frozen=True, eq=False)
class Trunk:
    """A VGG3D without classifier, and how the cubes are made that it was trained on."""

    network: VGG3D
    card: ModelCard
    seen: CubeSettings

    def looking(self, look: CropLook) -> Trunk:
        """The same trunk on cubes that show something else; grey values are made as it has learnt them."""
        shown = look.with_(normalization=self.seen.look.normalization)
        return Trunk(self.network, self.card, CubeSettings(self.seen.side, self.seen.extent_nm, shown))

    def embed(self, cubes: np.ndarray) -> np.ndarray:
        """(n, s, s, s) float, as shown -> (n, d) float32; a row depends on its own cube alone."""
        self.network.eval()
        parts = []
        with torch.inference_mode():
            for first in range(0, len(cubes), _BATCH):
                batch = torch.from_numpy(np.ascontiguousarray(cubes[first : first + _BATCH], dtype=np.float32))[:, None]
                parts.append(embedded(self.network, batch).float().numpy())
        width = self.network.config.widths[-1]
        return np.concatenate(parts) if parts else np.zeros((0, width), np.float32)


def load_trunk(model: str | Path = DEFAULT_TRUNK) -> Trunk:
    """A trunk of the zoo, or a folder of `synapses contrast`. Raises UnknownNameError, FormatError, InputError for others."""
    network, card = load_model(model)
    if not isinstance(network, VGG3D) or network.config.classes is not None or "side" not in card.frame:
        raise InputError(
            f"'{card.name}' is no trunk that was trained by contrast", "a folder of `synapses contrast`", f"take {DEFAULT_TRUNK}"
        )
    return Trunk(network.eval(), card, CubeSettings.from_json(card.frame))


def contrastive_features(
    crops: CropSource, trunk: Trunk, *, cubes: Cubes | None = None, progress: Progress = silent
) -> tuple[AnnData, pd.DataFrame]:
    """A table with one row per crop that the trunk's look shows something of, columns clr_1, clr_2 ..., and the discarded.

    cubes: of these crops, where they were made already.
    """
    import anndata

    cubes = cubes_of(crops, trunk.seen, progress=progress) if cubes is None else cubes
    values = trunk.embed(cubes.shown(trunk.seen.look))
    names = [f"clr_{number + 1}" for number in range(values.shape[1])]
    about = {"family": FAMILY, "unit": "", "formula": f"mean over space of {trunk.card.name}", "transform": "none"}
    table = anndata.AnnData(values, obs=crops.sites.iloc[cubes.rows].copy(), var=pd.DataFrame(about, index=names))
    table.uns["network"] = {"model": trunk.card.name, "sha256": trunk.card.weights_sha256, "random": False}
    return table, cubes.discarded
