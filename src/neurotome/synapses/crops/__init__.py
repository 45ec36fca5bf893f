"""crops: one cube per synapse, and what each of its voxels is.

Question: where is the cube cut, which vesicles, cleft and mitochondrion are those of this synapse, which side is presynaptic?
Takes: SynapseVolume and a table of sites. Gives: `CropSet` on disk (a cache: every mask is a cheap view of it), and the table of
sites that have no crop, with the reason.
Read first: `cut.py` (one site), then `make.py` (all of them).

    windows.py, isotropic.py    boxes of a lazy volume, each stored piece unpacked once; the same on cubes
    components.py               the piece of a structure that is closest to the site
    sides.py, centring.py       presynaptic side and its margin; the centre, and the guard that keeps the cleft
    cut.py                      one site -> one crop, or why not
    grey_levels.py              one scale of grey values per volume
    shares.py, make.py          many sites, processes, an interrupted run
    crop_store.py, crop_set.py  the folder of crops, and reading it
"""

from neurotome.synapses.crops.components import CLOSEST, Closest, closest_components, structure_bits
from neurotome.synapses.crops.crop_set import CropSet, CropVolume
from neurotome.synapses.crops.cut import CutCrop, cut_crop, operand_names, reader_of
from neurotome.synapses.crops.grey_levels import grey_levels
from neurotome.synapses.crops.isotropic import IsotropicReader
from neurotome.synapses.crops.make import make_crops
from neurotome.synapses.crops.windows import WindowReader

__all__ = [
    "CLOSEST",
    "Closest",
    "CropSet",
    "CropVolume",
    "CutCrop",
    "IsotropicReader",
    "WindowReader",
    "closest_components",
    "cut_crop",
    "grey_levels",
    "make_crops",
    "operand_names",
    "reader_of",
    "structure_bits",
]
