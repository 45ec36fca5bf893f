"""nn.contrastive: learning without labels, by telling views of one crop from those of others.

Takes: crops 0..1 with masks. Gives: random variants of them, the loss on what a network makes of two, and signs of a collapse.
Read first: `nt_xent.py`, then `crop_augment.py`.
"""

from neurotome.nn.contrastive.crop_augment import CropAugmentation, augment_crops, blend
from neurotome.nn.contrastive.nt_xent import collapsed_loss, nt_xent
from neurotome.nn.contrastive.signs import alignment, effective_rank, hopkins, retrieval, uniformity

__all__ = [
    "CropAugmentation",
    "alignment",
    "augment_crops",
    "blend",
    "collapsed_loss",
    "effective_rank",
    "hopkins",
    "nt_xent",
    "retrieval",
    "uniformity",
]
