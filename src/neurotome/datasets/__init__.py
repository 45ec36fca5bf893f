"""datasets: public data sets by name, and synthetic tissue with known truth.

Question: what can I train on and test against, where does it come from, and what do its labels mean?
Takes and gives: a name -> DataPart (Image, Labels, polarity); a PhantomSpec -> Phantom; a FluorescenceSpec ->
FluorescencePhantom; a shape or names -> parts.
May import: io, core, NumPy, SciPy, Numba, cc3d. No torch.
Read first: `snemi3d.py` (the other data sets have the same shape), then `phantom/build.py`.
"""

from neurotome.datasets import fluorescence, neuron_shapes, phantom
from neurotome.datasets.download import Download
from neurotome.datasets.facts import DataPart, Facts
from neurotome.datasets.folder import data_root
from neurotome.datasets.neuron_splits import read_split, split_of, write_split
from neurotome.datasets.registry import facts, fetch, known, load, local
from neurotome.datasets.splits import QUADRANTS, folds, quadrants, train_test
from neurotome.datasets.swc_collection import named_collection, swc_collection
from neurotome.datasets.voxelmorph_layout import open_voxelmorph

__all__ = [
    "QUADRANTS",
    "DataPart",
    "Download",
    "Facts",
    "data_root",
    "facts",
    "fetch",
    "fluorescence",
    "folds",
    "known",
    "load",
    "local",
    "named_collection",
    "neuron_shapes",
    "open_voxelmorph",
    "phantom",
    "quadrants",
    "read_split",
    "split_of",
    "swc_collection",
    "train_test",
    "write_split",
]
