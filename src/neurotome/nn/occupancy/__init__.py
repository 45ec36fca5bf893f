"""Networks that learn shapes on grids: autoencoders of occupancy.

Read first: `residual.py` (the reference network), then `cubes.py` (which part of a grid a training step decodes).
"""
