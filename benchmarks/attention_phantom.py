"""Does Grad-CAM find the organelle that two planted types of synapse differ in, and what does it show without learning?

    python benchmarks/attention_phantom.py [--folder FOLDER] [--per-type 34] [--steps 400] [--draws 20] [--picture]

The synapses: three phantom volumes with two planted types that are alike in all but one thing, a mitochondrion in the presynapse.
A VGG3D with a classifier learns which is which, on cubes of 32 voxels with grey over everything but cleft and presynapse, in two
of the volumes; a sixth of their synapses chooses the step and the layer of attention, the third volume judges. `explain` makes the
maps, as in a run of a study. Beside them: the same network with random weights, many draws; darkness of what is shown, since a
mitochondrion is dark; and how well each ranks blocks of the crop as hiding them does. Prints Markdown.
A folder keeps crops and network, so that they are made once. --picture writes docs/pictures/synapse_attention.png.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from torch import nn

from neurotome.core import Crop, CropLook, CropRecipe
from neurotome.core.crops import Crop as _Crop  # noqa: F401
from neurotome.datasets.synapse_phantoms import ONE_KIND, StudySpec, make_study, study
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig
from neurotome.synapses.attention import AttentionSettings, Explainable, Explained, RankedMap, Seen, compare_map, explain
from neurotome.synapses.contrastive import Cubes, CubeSettings, cubes_of
from neurotome.synapses.crops import CropSet, make_crops
from neurotome.synapses.views import evaluate

KINDS = replace(ONE_KIND, name="without", mitochondrion=False), replace(ONE_KIND, name="with")
ORGANELLE = "mitochondria & pre"
SEEN = CubeSettings(side=32, extent_nm=640.0, look=CropLook(mask="clefts | pre"))
CONFIG = VGG3DConfig(size=32, widths=(8, 16, 32, 64), convs=(2, 2, 2, 2), hidden=64, classes=2)
TEST_VOLUME, VALIDATION_SHARE = "v3", 6
BATCH, EVERY = 16, 20
