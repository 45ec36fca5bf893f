"""neurons: which voxels are one neuron?

Question: which voxels of a probability volume belong to the same cell?
Takes: a Probability (affinities, cytoplasm and overlap, inside, or membrane). Gives: Labels, with the merge list behind them.
May import: core, io, datasets, measure, blocks. No torch.
Read first: `segment.py`, then `voxel_graph.py` (every input becomes one graph), `fragments.py`, `region_graph.py`,
`agglomerate.py`. `link.py` is the reference method. `blockwise/` does the same on volumes larger than memory.
"""

from neurotome.neurons.agglomerate import agglomerate, cut, merges_above
from neurotome.neurons.clean import with_clean_overlap
from neurotome.neurons.fragments import choose_edges, fragments, smooth_in_plane
from neurotome.neurons.link import clean_overlap, components, link
from neurotome.neurons.postprocess import fill_holes, grow, merge_dust, renumber, zero_small
from neurotome.neurons.region_graph import add_graphs, region_graph
from neurotome.neurons.segment import Segmentation, check_evidence, recut, segment
from neurotome.neurons.settings import (
    METHODS,
    AgglomerateSettings,
    ComponentsSettings,
    LinkSettings,
    SegmentSettings,
    make_settings,
)
from neurotome.neurons.table import NEURON_COLUMNS, TableBlock, neuron_table, table_from
from neurotome.neurons.tune import CRITERIA, Tuning, pick, threshold_table, tune
from neurotome.neurons.voxel_graph import VoxelGraph, quantise, voxel_graph

__all__ = [
    "CRITERIA",
    "METHODS",
    "NEURON_COLUMNS",
    "AgglomerateSettings",
    "ComponentsSettings",
    "LinkSettings",
    "SegmentSettings",
    "Segmentation",
    "TableBlock",
    "Tuning",
    "VoxelGraph",
    "add_graphs",
    "agglomerate",
    "check_evidence",
    "choose_edges",
    "clean_overlap",
    "components",
    "cut",
    "fill_holes",
    "fragments",
    "grow",
    "link",
    "make_settings",
    "merge_dust",
    "merges_above",
    "neuron_table",
    "pick",
    "quantise",
    "recut",
    "region_graph",
    "renumber",
    "segment",
    "smooth_in_plane",
    "table_from",
    "threshold_table",
    "tune",
    "voxel_graph",
    "with_clean_overlap",
    "zero_small",
]
