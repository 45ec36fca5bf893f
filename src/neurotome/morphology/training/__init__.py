"""How a network learns the shapes of neurons: neurons -> grids -> a model folder.

Read first: `recipe.py` (what a training may say), then `data.py` (what a network sees), then `train.py` (what is done).
"""

from neurotome.morphology.training.data import ShapeData, ShapeStream, shape_data
from neurotome.morphology.training.recipe import REFERENCE_FIT, ShapeRecipe, shape_recipe
from neurotome.morphology.training.train import train_shapes

__all__ = ["REFERENCE_FIT", "ShapeData", "ShapeRecipe", "ShapeStream", "shape_data", "shape_recipe", "train_shapes"]
