"""All crops of a study, on disk, read one by one; made by `make_crops`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from neurotome.core import Crop, CropRecipe, InputError, RunFolderError, Structures, UnknownNameError
from neurotome.core.geometry import Nm3
from neurotome.synapses.crops.crop_store import CropStore, read_about, read_table, require_same_recipe
from neurotome.synapses.discarded import discard_table

__all__ = ["CropSet", "CropVolume"]


@dataclass(frozen=True)
class CropVolume:
    """What crops know of the volume they come from. voxel_nm: of the crops. levels: its 0.5 and 99.5 percentile."""

    voxel_nm: Nm3
    levels: tuple[float, float]
    structures: Structures
    has_instances: bool


@dataclass(frozen=True, eq=False)
class CropSet:
    """Crops in the order of their sites. `crops[i]` is read from disk each time.

    sites: one row per crop, index = key "dataset/volume/id"; the given table followed by what `cut_crop` found out. names: the
    operands of every crop. volumes: by name.

    Columns that come from cutting: crop_z, crop_y, crop_x (the voxel in the middle of the crop, in voxels of the crop's size from
    the volume's corner), pre_id, post_id ("volume_neuron", "" where unknown), pre_label, post_label, side1_label, side2_label,
    pre_side (0 = undetermined), side_source, o1, o2, margin; {structure}_distance_nm, _runner_up_nm and _ambiguous for vesicles,
    cleft, cleft2 and mitochondria; valid_fraction, border, cleft_truncated, vesicles_touch_border, cleft_touch_border,
    voxel_z_nm, voxel_y_nm, voxel_x_nm.
    """

    path: Path
    recipe: CropRecipe
    names: tuple[str, ...]
    volumes: Mapping[str, CropVolume]
    sites: pd.DataFrame
    places: tuple[int, ...]

    @classmethod
    def open(cls, path: Path | str, recipe: CropRecipe | None = None) -> CropSet:
        """The crops in a folder.

        Raises MissingFileError, FormatError for another folder, InputError where they were cut with another recipe than this one,
        RunFolderError where `make_crops` did not come to its end.
        """
        path = Path(path)
        about = read_about(path)
        if recipe is not None:
            require_same_recipe(path, about["recipe"], recipe)
        if not about["complete"]:
            raise RunFolderError(f"The crops in '{path}' are not all made", "a finished set", "run the same command again")
        return cls(
            path,
            CropRecipe(**about["recipe"]),
            tuple(about["names"]),
            {name: _volume(told) for name, told in about["volumes"].items()},
            read_table(path / "sites.csv", about["columns"]),
            tuple(about["places"]),
        )

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, row: int) -> Crop:
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        volume = self.volumes[str(self.sites["volume"].iloc[row])]
        image, bits, instances = self._store.read(self.places[row], instances=volume.has_instances)
        return Crop(str(self.sites.index[row]), image, bits, self.names, volume.voxel_nm, volume.levels, instances)

    def row(self, key: str) -> int:
        """The row of a site. Raises UnknownNameError, InputError for one that was discarded."""
        if key in self._rows:
            return self._rows[key]
        lost = self.discarded.set_index("key")
        if key in lost.index:
            raise InputError(
                f"Site '{key}' has no crop ({lost.loc[key, 'reason']})", "one that was not discarded", "choose another"
            )
        raise UnknownNameError("site", key, self.sites.index)

    @cached_property
    def discarded(self) -> pd.DataFrame:
        """Sites without crop, as `discard_table` gives them."""
        held = discard_table([])
        types = {"step": "text", "reason": "text", "value": "float64", "threshold": "float64"}
        found = read_table(self.path / "discarded.csv", types).reset_index()
        return found.astype(held.dtypes.to_dict()) if len(found) else held

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {str(key): row for row, key in enumerate(self.sites.index)}

    @cached_property
    def _store(self) -> CropStore:
        return CropStore(self.path)


def _volume(told: Mapping[str, Any]) -> CropVolume:
    z, y, x = told["voxel_nm"]
    low, high = told["levels"]
    structures = {name: tuple(ids) for name, ids in told["structures"].items()}
    return CropVolume((z, y, x), (low, high), structures, told["has_instances"])
