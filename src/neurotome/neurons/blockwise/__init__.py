"""Segmentation of volumes larger than memory, on any number of workers: the labels of the whole volume, block by block.

Question: how do the blocks of a volume come to exactly the labels that the whole volume would get?
Takes: a probability volume on disk. Gives: neurons and fragments on disk, and a region graph to cut anew.
Read first: `steps.py` (the order of things), then `pieces.py`, `seams.py`, `contacts.py`, `tree.py`, `labels.py`, `finish.py`.

voxels --pieces--> --seams--> names --contacts--> rows --tree--> segments --labels--> voxels --finish--> voxels
"""

from neurotome.neurons.blockwise.contacts import stored_graph
from neurotome.neurons.blockwise.pieces import ProbabilityFile
from neurotome.neurons.blockwise.steps import BlockSegmentation, memory_of

__all__ = ["BlockSegmentation", "ProbabilityFile", "memory_of", "stored_graph"]
