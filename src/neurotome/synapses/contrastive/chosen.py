"""A recipe for crops at hand: what they measure decides the cube, the rest are defaults unless told otherwise."""

from __future__ import annotations

from dataclasses import replace

from neurotome.core import InputError, UnitError
from neurotome.synapses.contrastive.cubes import CubeSettings
from neurotome.synapses.contrastive.train import ContrastRecipe
from neurotome.synapses.views.show import CropSource

__all__ = ["contrast_recipe"]


def contrast_recipe(
    crops: CropSource,
    *,
    name: str = "synapse-trunk",
    minutes: float = 30.0,
    steps: int | None = None,
    mask: str | None = None,
    side: int | None = None,
) -> ContrastRecipe:
    """The default recipe for crops of this size. minutes: 0 for no limit, then steps decide.

    Raises UnitError for crops that measure other lengths along their axes, InputError where nothing ends the training.
    """
    if not minutes and steps is None:
        raise InputError("A training without limit", "minutes or steps", "give one of them")
    default = ContrastRecipe()
    look = default.cubes.look if mask is None else default.cubes.look.with_(mask=mask)
    cubes = CubeSettings(side or default.cubes.side, _extent_nm(crops), look)
    # Within a limit of time the number of steps only has to be out of the way.
    fit = replace(default.fit, minutes=minutes, steps=steps or (100_000 if minutes else default.fit.steps))
    return replace(default, name=name, cubes=cubes, fit=fit)


def _extent_nm(crops: CropSource) -> float:
    voxel = crops.sites[["voxel_z_nm", "voxel_y_nm", "voxel_x_nm"]].to_numpy(dtype=float)
    if voxel.max() > 1.02 * voxel.min():
        raise UnitError(
            f"Crops with voxels of {voxel.min():g} to {voxel.max():g} nm", "one length along all axes", "set crops.isotropic_nm"
        )
    return float(crops.recipe.size * voxel.mean())
