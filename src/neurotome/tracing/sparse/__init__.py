"""sparse: a volume that is mostly background, in memory.

bricks.py keeps what is not background; object_voxels.py numbers the voxels of the object; distance.py says how deep they lie.
"""
