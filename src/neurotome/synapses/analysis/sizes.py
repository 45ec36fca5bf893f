"""How large are the vesicle cloud and the cleft of each synapse, and on which slice is the cleft largest?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from neurotome.core import Box, Crop, CropRecipe, InputError, ShapeError, SynapseVolume, UnknownNameError

__all__ = ["CLEFTS", "SIZE_COLUMNS", "cleft_in_site_box", "crop_sizes", "largest_slices", "synapse_sizes"]

CLEFTS = ("cleft", "cleft2")
SIZE_COLUMNS = (
    *("vesicle_percent_crop", "vesicle_volume_um3", "cleft_percent_crop", "cleft_volume_um3"),
    *("largest_z", "largest_z_voxels", "largest_y", "largest_y_voxels", "largest_x", "largest_x_voxels"),
)
"""largest_z: the slice of the crop with the largest area of cleft across z, -1 without cleft; largest_z_voxels: that area."""


def synapse_sizes(
    crops: Iterable[Crop],
    sites: pd.DataFrame,
    volumes: Mapping[str, SynapseVolume],
    recipe: CropRecipe | None = None,
) -> pd.DataFrame:
    """`SIZE_COLUMNS` per crop, indexed by its key. sites: a row per key with `volume` and `center_*`, as crops were made from.

    Vesicles: the closest component within the crop. Cleft: all labels of clefts in the box around the site itself, before the
    crop was moved towards the presynapse; its largest slices are those of the crop, as its pictures show it.
    Raises UnknownNameError for a volume that is not given, InputError for a crop without site.
    """
    recipe = recipe or CropRecipe()
    rows, keys = [], []
    for crop in crops:
        if crop.key not in sites.index:
            raise InputError(f"Crop '{crop.key}' without a row in the table of sites", "the sites it was cut from")
        site = sites.loc[crop.key]
        if str(site["volume"]) not in volumes:
            raise UnknownNameError("volume", str(site["volume"]), volumes)
        voxels, box_voxels = cleft_in_site_box(volumes[str(site["volume"])], _centre(site), recipe)
        rows.append(crop_sizes(crop) | _cleft_size(voxels, box_voxels, volumes[str(site["volume"])]))
        keys.append(crop.key)
    return pd.DataFrame(rows, index=pd.Index(keys, name="key"), columns=list(SIZE_COLUMNS))


def crop_sizes(crop: Crop) -> dict[str, float]:
    """What of `SIZE_COLUMNS` the crop itself tells: vesicles, and the slices with the largest area of any cleft label."""
    vesicles = int(crop.operand("vesicles").sum())
    voxel_um3 = float(np.prod(crop.voxel_nm)) / 1e9
    clefts = np.zeros(crop.image.shape, bool)
    for name in CLEFTS:
        clefts |= crop.operand(f"all_{name}")
    found: dict[str, float] = {
        "vesicle_percent_crop": 100 * vesicles / crop.image.size,
        "vesicle_volume_um3": vesicles * voxel_um3,
    }
    for axis, (place, area) in zip("zyx", largest_slices(clefts), strict=True):
        found |= {f"largest_{axis}": place, f"largest_{axis}_voxels": area}
    return found


def largest_slices(mask: np.ndarray) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Per axis z, y, x of a mask (z, y, x): the slice across it with most voxels, the first of equals, and their number.

    (-1, 0) for an empty mask.

    >>> mask = np.zeros((3, 3, 3), bool)
    >>> mask[1, :2, 2] = True
    >>> largest_slices(mask)
    ((1, 2), (0, 1), (2, 2))
    """
    if mask.ndim != 3:
        raise ShapeError(f"A mask of shape {mask.shape}", "z, y, x", "give a volume")
    z, y, x = (_largest(np.count_nonzero(mask, axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    return z, y, x


def cleft_in_site_box(volume: SynapseVolume, centre: tuple[int, int, int], recipe: CropRecipe) -> tuple[int, int]:
    """Voxels of any cleft label in the box of the crop's size around a site, and the voxels of that box.

    What of the box lies outside the volume counts as empty.
    """
    half = [_half(recipe, nm) for nm in volume.organelles.grid.voxel_nm]
    start = tuple(c - h for c, h in zip(centre, half, strict=True))
    stop = tuple(c + h for c, h in zip(centre, half, strict=True))
    box = Box(start, stop)  # type: ignore[arg-type]
    inside = box.clip(volume.organelles.grid.shape)
    ids = sorted({label for name in CLEFTS for label in volume.structures.get(name, ())})
    if inside.size == 0 or not ids:
        return 0, box.size
    labels = volume.organelles.read(inside)
    held = np.array([label for label in ids if label <= np.iinfo(labels.dtype).max], labels.dtype)
    return int(np.isin(labels, held).sum()), box.size


def _cleft_size(voxels: int, box_voxels: int, volume: SynapseVolume) -> dict[str, float]:
    voxel_um3 = float(np.prod(volume.organelles.grid.voxel_nm)) / 1e9
    return {"cleft_percent_crop": 100 * voxels / box_voxels, "cleft_volume_um3": voxels * voxel_um3}


def _half(recipe: CropRecipe, voxel_nm: float) -> int:
    if recipe.isotropic_nm is None:
        return recipe.size // 2
    return max(round(recipe.size * recipe.isotropic_nm / voxel_nm / 2), 1)


def _centre(site: pd.Series) -> tuple[int, int, int]:
    return int(site["center_z"]), int(site["center_y"]), int(site["center_x"])


def _largest(areas: np.ndarray) -> tuple[int, int]:
    place = int(np.argmax(areas))
    return (place, int(areas[place])) if areas[place] else (-1, 0)
