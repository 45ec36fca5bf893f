"""The same crops under different normalisations: which of them makes volumes that were imaged differently comparable?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neurotome.core import Crop
from neurotome.synapses.views.grey import LIMITS, normalised_grey

__all__ = ["normalisation_comparison"]


def normalisation_comparison(
    crops: Sequence[Crop], normalizations: Sequence[str] = ("percentile", "crop_minmax", "slice_minmax")
) -> pd.DataFrame:
    """How dark, bright and contrasty each crop is under each normalisation; takes a CropSet or a list.

    Columns: key, volume, normalization; mean, sd, p5, p50, p95 of the voxels with tissue, on a scale from 0 to 1; section_sd, the
    spread of the means of its sections (what "slice_minmax" hides and clefts in single sections cause); dark, bright: the shares
    clipped to 0 and 1.
    """
    rows = []
    for i in range(len(crops)):
        crop = crops[i]
        volume = crop.key.split("/")[1] if crop.key.count("/") >= 2 else ""
        rows += [{"key": crop.key, "volume": volume, "normalization": how, **_measured(crop, how)} for how in normalizations]
    return pd.DataFrame(rows, columns=["key", "volume", "normalization", *_MEASURED])


_MEASURED = ("mean", "sd", "p5", "p50", "p95", "section_sd", "dark", "bright")


def _measured(crop: Crop, how: str) -> dict[str, float]:
    valid = crop.operand("valid")
    low, high = LIMITS.get(how, (0.0, 1.0))
    grey = (normalised_grey(crop.image, how, valid=valid, levels=crop.levels) - low) / (high - low)
    seen = grey[valid].astype(np.float64)
    counts = valid.sum(axis=(1, 2))
    sections = (grey * valid).sum(axis=(1, 2), dtype=np.float64)[counts > 0] / counts[counts > 0]
    p5, p50, p95 = np.percentile(seen, (5, 50, 95))
    found = (seen.mean(), seen.std(), p5, p50, p95, sections.std(), (seen <= 0).mean(), (seen >= 1).mean())
    return dict(zip(_MEASURED, map(float, found), strict=True))
