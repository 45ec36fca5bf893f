"""nn.attribution: which voxels make a network answer as it does?

Takes: a network, crops, and a target (one number of the answer per crop). Gives: maps on the grid of the crop.
May import: Captum, when it is first used. Read first: `gradients.py`, then `targets.py`.
"""

from neurotome.nn.attribution.gradients import grad_cam, integrated_gradients
from neurotome.nn.attribution.occlusion import block_occlusion, structure_occlusion
from neurotome.nn.attribution.targets import Target, cluster_target, feature_target, likeness_target

__all__ = [
    "Target",
    "block_occlusion",
    "cluster_target",
    "feature_target",
    "grad_cam",
    "integrated_gradients",
    "likeness_target",
    "structure_occlusion",
]
