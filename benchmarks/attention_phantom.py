"""Does Grad-CAM find the organelle that two planted types of synapse differ in? And what does it show without learning?

    python benchmarks/attention_phantom.py [--crops CROPS.ZARR] [--steps 500] [--draws 20] [--picture]

The synapses: those of phantom volumes whose kind has no mitochondrion in the presynapse (four kinds of six, three volumes). Each is
there twice: as it is, and with one mitochondrion drawn into its presynapse, at a random place that vesicles leave free. So two
types differ in this organelle alone, and its mask is known to the voxel. A VGG3D with a classifier (cubes of 32 voxels, everything
but cleft and presynapse under grey) learns which is which on two volumes; a part of their synapses chooses the step and the layer
of attention, the third volume judges. `explain` makes the maps, as in a run of a study. Baselines: the same with random
weights, many draws; darkness of what is shown, since a mitochondrion is dark. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from neurotome.core import Crop, CropLook, CropRecipe
from neurotome.datasets.synapse_phantoms import StudySpec, make_study
from neurotome.datasets.synapse_phantoms.tubes import MITOCHONDRION, draw_tube, fit_tube
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig
from neurotome.synapses.contrastive import CubeSettings, cubes_of
from neurotome.synapses.crops import CropSet, make_crops

WITHOUT = {"small-spine": 0, "perforated-spine": 1, "paired-shaft": 4, "packed-shaft": 5}
RADIUS_NM, HALF_NM, CLEAR_NM = 90.0, 100.0, 10.0
TRIES, PER_SYNAPSE = 400, 3
SEEN = CubeSettings(side=32, extent_nm=640.0, look=CropLook(mask="clefts | pre"))
CONFIG = VGG3DConfig(size=32, widths=(8, 16, 32, 64), convs=(2, 2, 2, 2), hidden=64, classes=2)
BATCH, VALIDATE = 16, 25


# Two types of synapse


@dataclass(frozen=True, eq=False)
class Planted:
    """Crops, each with what was planted in it: operand "planted", column `planted` of the sites."""

    recipe: CropRecipe
    sites: pd.DataFrame
    cut: tuple[Crop, ...]

    def __len__(self) -> int:
        return len(self.cut)

    def __getitem__(self, index: int) -> Crop:
        return self.cut[index]

    def take(self, which: np.ndarray) -> Planted:
        rows = np.flatnonzero(which)
        return Planted(self.recipe, self.sites.iloc[rows], tuple(self.cut[row] for row in rows))


def planted(crops: CropSet, usable: Sequence[int], seed: int = 0) -> Planted:
    """Each crop as it is, and with an organelle at up to PER_SYNAPSE places."""
    cut, rows = [], []
    for row in usable:
        crop, rng = crops[row], np.random.default_rng((seed, row))
        made = [one for _ in range(PER_SYNAPSE) if (one := with_mitochondrion(crop, rng)) is not None]
        for number, one in enumerate([_with_operand(crop, np.zeros(crop.bits.shape, bool)), *made]):
            cut.append(replace(one, key=f"{crop.key}/{number}"))
            rows.append(crops.sites.iloc[row].to_dict() | {"key": cut[-1].key, "planted": number > 0, "synapse": crop.key})
    return Planted(crops.recipe, pd.DataFrame(rows).set_index("key"), tuple(cut))


def with_mitochondrion(crop: Crop, rng: np.random.Generator) -> Crop | None:
    """A crop with one more mitochondrion in its presynapse, None where there is no room for one.

    Drawn on even grey and added as a difference, so that the tissue's grain and the camera's noise stay as they are.
    """
    from scipy import ndimage

    pre, taken = crop.operand("pre"), crop.operand("all_vesicles") | crop.operand("all_mitochondria") | crop.operand("all_cleft")
    free = (pre & ~ndimage.binary_dilation(taken)).astype(np.uint16)
    places = np.argwhere(free)
    if not len(places):
        return None
    middle = places[rng.integers(len(places), size=TRIES)] * np.array(crop.voxel_nm)
    way = rng.standard_normal((TRIES, 3))
    way *= HALF_NM * rng.uniform(0.6, 1.2, (TRIES, 1)) / np.linalg.norm(way, axis=1, keepdims=True)
    found = fit_tube(free, 1, np.stack([middle - way, middle + way], axis=1), RADIUS_NM * np.exp(0.1 * rng.normal()), crop.voxel_nm)
    if found is None:
        return None
    even, marks = np.full(pre.shape, 178, np.uint8), np.zeros(pre.shape, np.uint8)
    draw_tube(even, marks, free, 1, *found, np.array(crop.voxel_nm), MITOCHONDRION, 1, rng.uniform(0, 6.3))
    low, high = crop.levels
    contrast = (high - low) / 200
    image = np.clip(crop.image + contrast * (even.astype(np.float32) - 178), 0, 255).astype(np.uint8)
    return _with_operand(replace(crop, image=image), marks > 0)


def _with_operand(crop: Crop, mask: np.ndarray) -> Crop:
    bit = np.uint32(len(crop.names))
    return replace(crop, bits=crop.bits | (mask.astype(np.uint32) << bit), names=(*crop.names, "planted"))
