"""A network for cubes around a synapse, whose layers are looked into: VGG in three dimensions.

Read first: `network.py` (the network), then `layers.py` and `poolings.py` (what is read out), then `extraction.py` (the same,
fast) with `stages.py`. `reference_checkpoint.py` reads the weights of others.
"""

from neurotome.nn.vgg3d.extraction import PRECISIONS, FeatureExtractor
from neurotome.nn.vgg3d.layers import feature_names, layer_output, layer_outputs, layer_taps
from neurotome.nn.vgg3d.network import VGG3D, VGG3DConfig
from neurotome.nn.vgg3d.poolings import POOLINGS, pooled, pooled_width
from neurotome.nn.vgg3d.reference_checkpoint import VGG3DCheckpoint, read_vgg3d_checkpoint

__all__ = [
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
