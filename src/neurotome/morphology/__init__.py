"""morphology: what shape has this neuron?

Question: how do neurons become vectors that tell which are alike, and how much of the shape do the vectors hold?
Takes: Skeleton, PointCloud, Mesh or ObjectVoxels. Gives: tables of features (AnnData), grids and what networks make of them,
trees and surfaces decoded from them.
May import: nn, blocks, measure, cluster, datasets, io, core. Never another room.
Read first: `shapes.py` (from files to neurons), `occupancy/` (from neurons to grids), `embedding.py`.

    occupancy/     a neuron on a grid of its own, and varied neurons
    descriptors/   hand-made features, which a learned one has to beat
    training/      how encoders are trained
"""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "classify_table": "classification",
    "TABLE_COLUMNS": "comparison",
    "add_descriptors": "comparison",
    "add_labels": "comparison",
    "compare_features": "comparison",
    "feature_names": "comparison",
    "find_groups": "comparison",
    "judge_maps": "comparison",
    "label_columns": "comparison",
    "require_labels": "comparison",
    "decode_mesh": "decode",
    "decode_skeleton": "decode",
    "write_decoded": "decode",
    "describe": "descriptors",
    "drawings_of": "drawings",
    "embed": "embedding",
    "DEFAULT_ENCODER": "encoders",
    "ShapeEncoder": "encoders",
    "load_encoder": "encoders",
    "require_pooling": "encoders",
    "nblast": "similarity",
    "GridSettings": "occupancy",
    "OccupancyCollection": "occupancy",
    "frame_of": "occupancy",
    "voxelise": "occupancy",
    "write_collection": "occupancy",
    "outlier_table": "outliers",
    "reconstruct": "reconstruction",
    "write_all_decoded": "rebuild",
    "neighbours_of": "search",
    "neighbours_of_shape": "search",
    "ShapeFiles": "shapes",
    "read_shapes": "shapes",
    "groups_in_words": "summary",
    "headline": "summary",
    "left_out_notes": "summary",
    "reading_notes": "summary",
    "side_tables": "summary",
    "spread_over": "summary",
    "ThresholdChoice": "thresholds",
}
"""Imported when they are first used: networks and kernels take seconds, and most of the room does without one or the other."""

__all__ = [
    "DEFAULT_ENCODER",
    "TABLE_COLUMNS",
    "GridSettings",
    "OccupancyCollection",
    "ShapeEncoder",
    "ShapeFiles",
    "ThresholdChoice",
    "add_descriptors",
    "add_labels",
    "classify_table",
    "compare_features",
    "decode_mesh",
    "decode_skeleton",
    "describe",
    "drawings_of",
    "embed",
    "feature_names",
    "find_groups",
    "frame_of",
    "groups_in_words",
    "headline",
    "judge_maps",
    "label_columns",
    "left_out_notes",
    "load_encoder",
    "nblast",
    "neighbours_of",
    "neighbours_of_shape",
    "outlier_table",
    "read_shapes",
    "reading_notes",
    "reconstruct",
    "require_labels",
    "require_pooling",
    "side_tables",
    "spread_over",
    "voxelise",
    "write_all_decoded",
    "write_collection",
    "write_decoded",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
