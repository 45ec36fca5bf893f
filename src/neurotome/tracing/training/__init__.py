"""How a network learns where neurites run: annotated stacks -> patches -> a model folder.

Read first: `recipe.py` (what a training may say), then `train.py` (what it does).
"""

from neurotome.tracing.training.augment import StackAugmentation
from neurotome.tracing.training.patch_list import Patch, draw_patches, least_foreground
from neurotome.tracing.training.recipe import NeuriteRecipe, recipe_of_folders
from neurotome.tracing.training.train import train

__all__ = [
    "NeuriteRecipe",
    "Patch",
    "StackAugmentation",
    "draw_patches",
    "least_foreground",
    "recipe_of_folders",
    "train",
]
