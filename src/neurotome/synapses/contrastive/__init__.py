"""synapses.contrastive: an encoder trained on the synapses themselves, without labels.

Takes: crops. Gives: a model folder, and one row of numbers per synapse. Read first: `cubes.py`, then `task.py`, then `train.py`.
"""

from neurotome.synapses.contrastive.chosen import contrast_recipe
from neurotome.synapses.contrastive.cubes import Cubes, CubeSettings, cubes_of
from neurotome.synapses.contrastive.train import ContrastRecipe, split_by_volume, train_trunk
from neurotome.synapses.contrastive.trunk import DEFAULT_TRUNK, Trunk, contrastive_features, load_trunk

__all__ = [
    "DEFAULT_TRUNK",
    "ContrastRecipe",
    "CubeSettings",
    "Cubes",
    "Trunk",
    "contrast_recipe",
    "contrastive_features",
    "cubes_of",
    "load_trunk",
    "split_by_volume",
    "train_trunk",
]
