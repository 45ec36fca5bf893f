"""morphology.descriptors: the shape of a neuron in numbers made by hand; what a learned embedding has to beat.

Takes and gives: skeletons (for density also point clouds, meshes, voxels) -> one table per descriptor, rows by name.
Nothing here is trained, no number depends on other neurons, and none but density in the given orientation on how a neuron lies.
Read first: `describe.py` (the four tables), then `morphometrics.py`, `barcode.py`, `sholl_profile.py`, `density.py`.
"""

from neurotome.morphology.descriptors.barcode import DISTANCES, barcode
from neurotome.morphology.descriptors.body import Body
from neurotome.morphology.descriptors.density import DensitySettings, density
from neurotome.morphology.descriptors.describe import DESCRIPTORS, Descriptor, DescriptorSettings, describe
from neurotome.morphology.descriptors.morphometrics import MORPHOMETRICS, SKEWED, morphometrics
from neurotome.morphology.descriptors.persistence import PersistenceSettings, persistence
from neurotome.morphology.descriptors.sholl_profile import sholl_profile

__all__ = [
    "DESCRIPTORS",
    "DISTANCES",
    "MORPHOMETRICS",
    "SKEWED",
    "Body",
    "DensitySettings",
    "Descriptor",
    "DescriptorSettings",
    "PersistenceSettings",
    "barcode",
    "density",
    "describe",
    "morphometrics",
    "persistence",
    "sholl_profile",
]
