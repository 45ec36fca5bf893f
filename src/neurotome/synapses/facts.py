"""What a run writes down about itself: of which crops, seen how, by what."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from neurotome.core import Crop, CropLook, Progress, silent

if TYPE_CHECKING:
    from neurotome.synapses.crops.crop_set import CropSet

__all__ = ["each_crop", "slug_of", "study_facts", "table_sha256"]


def study_facts(crops: CropSet, look: CropLook, model: str) -> dict[str, str]:
    """For uns["synapses"] of a table: recipe, look, legends and model, as JSON, so that a file can hold them."""
    structures = {name: {key: list(ids) for key, ids in volume.structures.items()} for name, volume in crops.volumes.items()}
    told = {"recipe": asdict(crops.recipe), "look": asdict(look), "structures": structures}
    return {**{name: json.dumps(value, sort_keys=True) for name, value in told.items()}, "model": model}


def slug_of(look: CropLook) -> str:
    """A look as a part of file names.

    >>> slug_of(CropLook("11", alpha=1.0)), slug_of(CropLook("cleft | pre", alpha=0.25))
    ('11_alpha1', 'cleft-pre_alpha0_25')
    """
    mask = re.sub(r"[^A-Za-z0-9]+", "-", look.mask).strip("-")
    return f"{mask}_alpha{look.alpha:g}".replace(".", "_")


def each_crop(crops: CropSet, progress: Progress = silent) -> Iterator[Crop]:
    """All crops, one after the other."""
    for row in range(len(crops)):
        progress("crops", row, len(crops))
        yield crops[row]


def table_sha256(table: pd.DataFrame) -> str:
    """A digest of a table with its index."""
    return hashlib.sha256(table.to_csv(lineterminator="\n").encode()).hexdigest()
