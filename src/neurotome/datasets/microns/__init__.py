"""microns: neurons of the MICrONS volume (mouse visual cortex, `minnie65_public`), or of any volume stored the same way.

    space.py         voxels of 4 x 4 x 40 nm and nanometres, and what lies in the volume
    sources.py       where skeletons and meshes come from: a precomputed folder (own code), or one in the cloud (cloud-volume)
    cave.py          the CAVE services: which neurons there are, with cell types and somata, and their skeletons (caveclient)
    fetch.py         download into a folder of SWC or PLY files, going on where it stopped

caveclient and cloud-volume are the extra `microns`. Read first: `fetch.py`.
Source: MICrONS Consortium 2025, Nature 640:435; cite it, and the tables that you use.
"""

from neurotome.datasets.microns.cave import Cave
from neurotome.datasets.microns.fetch import Fetched, NeuronSource, fetch
from neurotome.datasets.microns.sources import CloudMeshes, CloudSkeletons, PrecomputedMeshes, PrecomputedSkeletons
from neurotome.datasets.microns.space import VOXEL_NM, Extent, box_nm, in_box, voxels_to_nm

__all__ = [
    "VOXEL_NM",
    "Cave",
    "CloudMeshes",
    "CloudSkeletons",
    "Extent",
    "Fetched",
    "NeuronSource",
    "PrecomputedMeshes",
    "PrecomputedSkeletons",
    "box_nm",
    "fetch",
    "in_box",
    "voxels_to_nm",
]
