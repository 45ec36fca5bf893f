"""tracing: where does this neuron run?

Question: which path does each neurite take through the volume, how thick is it, and how sure are we?
Takes: Image, Probability or Labels. Gives: Skeletons (trees of nodes with radii), and the bridges a person should look at.
May import: nn, blocks, measure, datasets, io, core. Never another room.
Read first: `trace.py`, then `scooping/scoop.py`.

    on_blocks/     the work on blocks: gather what is not background, ask the network, project, label volumes
    sparse/        a volume that is mostly background
    starting/      threshold, somata, start points, what belongs to whom
    scooping/      Voxel Scooping, radii, pruning
    tracers/       three other tracers, and what all agree on
    crossing/      neurites of several neurons that touch
    bridging/      gaps, each with a confidence
    edit/          corrections by hand, with a log that can be played again
    training/      the network; predict.py what it says, select.py and ridges.py what it should learn from
"""

from __future__ import annotations

import importlib
from typing import Any

from neurotome.tracing.bridging import BridgeSettings
from neurotome.tracing.job import LABEL_SETTINGS, require_stack, settled, swc_header, trace_settings
from neurotome.tracing.on_blocks.labelled import LabelBricks, SkeletonBlock, labels_level
from neurotome.tracing.on_blocks.projection import ProjectBlock
from neurotome.tracing.on_blocks.values import CountValues, GatherBricks, ValuesFile, brick_aligned
from neurotome.tracing.rooting import rerooted
from neurotome.tracing.scooping import ScoopSettings, prune, rayburst, scoop
from neurotome.tracing.sparse.bricks import SIDE, Bricks
from neurotome.tracing.starting.foreground import THRESHOLDS
from neurotome.tracing.starting.seed_file import read_seeds
from neurotome.tracing.starting.seeds import click
from neurotome.tracing.trace import BRIDGES, TraceSettings, Tracing, trace
from neurotome.tracing.tracers import TRACERS, consensus

_WITH_NETWORKS = {
    "DEFAULT_NEURITE_MODEL": "predict",
    "neurite_probability": "predict",
    "NeuritePrediction": "on_blocks.predict_block",
    "StackFile": "on_blocks.predict_block",
    "prepared_neurites": "on_blocks.predict_block",
}
"""Imported when they are first used: they need PyTorch, which takes seconds, and most of the room does without."""

__all__ = [
    "BRIDGES",
    "DEFAULT_NEURITE_MODEL",
    "LABEL_SETTINGS",
    "SIDE",
    "THRESHOLDS",
    "TRACERS",
    "Bricks",
    "BridgeSettings",
    "CountValues",
    "GatherBricks",
    "LabelBricks",
    "NeuritePrediction",
    "ProjectBlock",
    "ScoopSettings",
    "SkeletonBlock",
    "StackFile",
    "TraceSettings",
    "Tracing",
    "ValuesFile",
    "brick_aligned",
    "click",
    "consensus",
    "labels_level",
    "neurite_probability",
    "prepared_neurites",
    "prune",
    "rayburst",
    "read_seeds",
    "require_stack",
    "rerooted",
    "scoop",
    "settled",
    "swc_header",
    "trace",
    "trace_settings",
]


def __getattr__(name: str) -> Any:
    if name not in _WITH_NETWORKS:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{_WITH_NETWORKS[name]}"), name)
