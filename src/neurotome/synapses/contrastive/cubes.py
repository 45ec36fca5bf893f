"""What the trunk sees of a synapse: its crop brought to a small cube, image and mask apart, so that both can be varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from neurotome.core import CropLook, InputError, Progress, ShapeError, silent
from neurotome.synapses.discarded import Discarded, discard_table
from neurotome.synapses.views import look_at
from neurotome.synapses.views.show import CropSource

__all__ = ["CubeSettings", "Cubes", "cubes_of"]

_EXTENT_TOLERANCE = 0.02


@dataclass(frozen=True)
class CubeSettings:
    """side: voxels of the cube; extent_nm: what a crop must measure; look: what of it is shown.

    The usual look hides the neurites: where they run is most of what tells two crops apart, and says little of the synapse.
    Part of a model's card: a trunk answers for cubes that were made like those it was trained on.
    """

    side: int = 32
    extent_nm: float = 640.0
    look: CropLook = field(default_factory=lambda: CropLook(mask="vesicles | near(clefts, 60)"))

    def to_json(self) -> dict[str, Any]:
        return {"side": self.side, "extent_nm": self.extent_nm, "look": asdict(self.look)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CubeSettings:
        return cls(int(data["side"]), float(data["extent_nm"]), CropLook(**data["look"]))

    def require_extent(self, crops: CropSource) -> None:
        """Raises InputError for crops of another size in nm, which would show everything larger or smaller than it was learnt."""
        voxel = crops.sites[["voxel_z_nm", "voxel_y_nm", "voxel_x_nm"]].to_numpy(dtype=float)
        extents = crops.recipe.size * voxel
        wrong = np.abs(extents / self.extent_nm - 1).max(axis=1) > _EXTENT_TOLERANCE
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            found = " x ".join(f"{value:g}" for value in extents[at])
            size = round(self.extent_nm / float(voxel[at].min()))
            raise InputError(
                f"Crop '{crops.sites.index[at]}' measures {found} nm",
                f"{self.extent_nm:g} nm along each side, as the network was trained with",
                f"cut crops of size {size + size % 2}, with isotropic_nm where voxels are longer along z; or train a network",
            )


@dataclass(frozen=True, eq=False)
class Cubes:
    """image: (n, s, s, s) uint8, 255 = 1; mask: (n, s, s, s) bool. keys: of the crops that are shown; rows: their places in the
    set of crops; discarded: the others, with reasons.
    """

    image: np.ndarray
    mask: np.ndarray
    keys: tuple[str, ...]
    rows: np.ndarray
    discarded: pd.DataFrame = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, which: np.ndarray) -> Cubes:
        """Some of them, by number."""
        which = np.asarray(which)
        keys = tuple(self.keys[int(i)] for i in which)
        return Cubes(self.image[which], self.mask[which], keys, self.rows[which], self.discarded)

    def shown(self, look: CropLook) -> np.ndarray:
        """With the grey outside the mask, (n, s, s, s) float32."""
        image = self.image.astype(np.float32) / 255
        shown: np.ndarray = np.where(self.mask, image, look.alpha * look.grey + (1 - look.alpha) * image).astype(np.float32)
        return shown


def cubes_of(crops: CropSource, settings: CubeSettings, *, progress: Progress = silent) -> Cubes:
    """One small cube per crop that the look shows something of. Raises InputError for crops of another extent."""
    settings.require_extent(crops)
    bare = settings.look.with_(alpha=0.0)
    images, masks, keys, rows, discarded = [], [], [], [], []
    unknown = crops.sites["pre_side"].to_numpy() == 0
    for row in range(len(crops)):
        crop, undetermined = crops[row], bool(unknown[row])
        told: dict[str, Any] = {"on_undetermined": crops.recipe.on_undetermined, "pad": crops.recipe.pad}
        (raw,) = look_at(crop, (bare,), undetermined=undetermined, **told)
        progress("small cubes", row + 1, len(crops))
        if isinstance(raw, Discarded):
            discarded.append(raw)
            continue
        low, high = raw.limits
        images.append(np.rint(255 * _resized((raw.values - low) / (high - low), settings.side)).clip(0, 255).astype(np.uint8))
        masks.append(_resized(raw.mask.astype(np.float32), settings.side) >= 0.5)
        keys.append(crop.key)
        rows.append(row)
    side = settings.side
    empty = np.zeros((0, side, side, side))
    return Cubes(
        np.stack(images) if images else empty.astype(np.uint8),
        np.stack(masks) if masks else empty.astype(bool),
        tuple(keys),
        np.asarray(rows, dtype=np.int64),
        discard_table(discarded),
    )


def _resized(values: np.ndarray, side: int) -> np.ndarray:
    """Mean over the voxels that a larger one covers; where sides do not divide, neighbours share voxels."""
    if len(values) < side:
        raise ShapeError(f"Crops of {len(values)} voxels", f"{side} or more, the side of the cube", "cut larger crops")
    x = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None, None]
    small: np.ndarray = F.adaptive_avg_pool3d(x, side)[0, 0].numpy()
    return small
