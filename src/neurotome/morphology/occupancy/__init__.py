"""morphology.occupancy: which voxels does a neuron take up, on a grid of its own?

Question: how do neurons of any form, size and place become arrays of the same shape, and how does one come back to nanometres?
Takes and gives: Skeleton, PointCloud, Mesh or ObjectVoxels, and GridSettings -> Occupancy (array and Frame); a whole set of
them -> OccupancyCollection on disk. Skeleton -> varied Skeleton.
Read first: `settings.py` (what may be chosen), `frames.py` (where the grid lies), `capsules.py` (what counts as occupied).
"""

from neurotome.morphology.occupancy.collection import OccupancyCollection, write_collection
from neurotome.morphology.occupancy.frames import Shape, fitted, frame_of, training_extent, training_range
from neurotome.morphology.occupancy.settings import GridSettings
from neurotome.morphology.occupancy.variants import (
    Variation,
    flipped,
    jittered,
    random_rotation,
    resampled,
    rotated,
    scaled,
    varied,
    without_branches,
    without_tips,
)
from neurotome.morphology.occupancy.voxelise import voxelise

__all__ = [
    "GridSettings",
    "OccupancyCollection",
    "Shape",
    "Variation",
    "fitted",
    "flipped",
    "frame_of",
    "jittered",
    "random_rotation",
    "resampled",
    "rotated",
    "scaled",
    "training_extent",
    "training_range",
    "varied",
    "voxelise",
    "without_branches",
    "without_tips",
    "write_collection",
]
