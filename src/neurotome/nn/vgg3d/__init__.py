"""A network for cubes around a synapse, whose layers are looked into: VGG in three dimensions.

Read first: `network.py` (the network), then `layers.py` (what is read out of it), then `extraction.py` (fast).
"""

from neurotome.nn.vgg3d.extraction import PRECISIONS, FeatureExtractor
from neurotome.nn.vgg3d.layers import LAYERS, feature_names, layer_output, layer_outputs, layer_taps
from neurotome.nn.vgg3d.network import VGG3D, VGG3DConfig
from neurotome.nn.vgg3d.poolings import POOLINGS, pooled, pooled_width
from neurotome.nn.vgg3d.reference_checkpoint import VGG3DCheckpoint, read_vgg3d_checkpoint

__all__ = [
    "LAYERS",
    "POOLINGS",
    "PRECISIONS",
    "VGG3D",
    "FeatureExtractor",
    "VGG3DCheckpoint",
    "VGG3DConfig",
    "feature_names",
    "layer_output",
    "layer_outputs",
    "layer_taps",
    "pooled",
    "pooled_width",
    "read_vgg3d_checkpoint",
]
