"""measure.surfaces: how large, how bent, how pierced?

Question: what is the shape of a mask of voxels, in nanometres, whatever the ratio of the voxel's sides?
Takes and gives: masks (z, y, x) and the voxel size -> areas, distances, axes, counts. Nothing here knows what the masks are of.
Read first: `crofton.py` (the area of a body), then `distances.py` and `level_set.py` (the area of a sheet between two bodies).
"""

from neurotome.measure.surfaces.axes import Axes, bounding_slices, covariance_axes
from neurotome.measure.surfaces.crofton import crofton_area, crofton_weights
from neurotome.measure.surfaces.distances import distance_to, mid_surface, signed_distance
from neurotome.measure.surfaces.level_set import Faces, zero_level
from neurotome.measure.surfaces.topology import cavities_filled, euler_number, holes

__all__ = [
    "Axes",
    "Faces",
    "bounding_slices",
    "cavities_filled",
    "covariance_axes",
    "crofton_area",
    "crofton_weights",
    "distance_to",
    "euler_number",
    "holes",
    "mid_surface",
    "signed_distance",
    "zero_level",
]
