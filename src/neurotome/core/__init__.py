"""core: the words everything else is said in.

Question: what is a volume, a voxel, a neuron's outline, an error?
Takes and gives: nothing. These are the types that flow between rooms: frozen, checked when made.
May import: NumPy and the standard library.
Read first: `geometry.py`, then `volumes.py`.

Conventions, everywhere: axis order z, y, x, channels first. Integers are voxels, floats are nanometres, and only `Grid`
converts. The origin is the centre of voxel 0. Intervals are half-open. Label 0 is background. 2D data is a stack of sections.
"""

from neurotome.core.card import ModelCard
from neurotome.core.crops import OPERANDS, Crop, CropLook, CropRecipe
from neurotome.core.errors import (
    BlocksFailedError,
    DiskFullError,
    FormatError,
    InputError,
    MissingExtraError,
    MissingFileError,
    NeurotomeError,
    RunFailedError,
    RunFolderError,
    ShapeError,
    UnitError,
    UnknownNameError,
    ValueRangeError,
)
from neurotome.core.geometry import Block, Box, Grid, spread
from neurotome.core.graph import MergeList, RegionGraph
from neurotome.core.occupancy import CUBE, Frame, Occupancy
from neurotome.core.progress import Progress, silent
from neurotome.core.record import Record
from neurotome.core.scores import Score, Scores
from neurotome.core.shapes import Mesh, ObjectVoxels, PointCloud
from neurotome.core.sites import SITE_COLUMNS, Structures, SynapseSites, SynapseVolume
from neurotome.core.skeleton import ROOT, SOMA, Skeleton, parents_first
from neurotome.core.units import length_nm
from neurotome.core.volumes import ArrayLike, Image, Labels, Legend, Probability

__all__ = [
    "CUBE",
    "OPERANDS",
    "ROOT",
    "SITE_COLUMNS",
    "SOMA",
    "ArrayLike",
    "Block",
    "BlocksFailedError",
    "Box",
    "Crop",
    "CropLook",
    "CropRecipe",
    "DiskFullError",
    "FormatError",
    "Frame",
    "Grid",
    "Image",
    "InputError",
    "Labels",
    "Legend",
    "MergeList",
    "Mesh",
    "MissingExtraError",
    "MissingFileError",
    "ModelCard",
    "NeurotomeError",
    "ObjectVoxels",
    "Occupancy",
    "PointCloud",
    "Probability",
    "Progress",
    "Record",
    "RegionGraph",
    "RunFailedError",
    "RunFolderError",
    "Score",
    "Scores",
    "ShapeError",
    "Skeleton",
    "Structures",
    "SynapseSites",
    "SynapseVolume",
    "UnitError",
    "UnknownNameError",
    "ValueRangeError",
    "length_nm",
    "parents_first",
    "silent",
    "spread",
]
