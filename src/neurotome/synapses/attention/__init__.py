"""synapses.attention: which voxels decide, and which structures are they in?

Takes: crops, the table of features with its clusters, and the trunk that made them. Gives: maps on the crops' grids, their
agreement with masks, the regions with most of it. Read first: `maps.py`, then `statistics.py`.
"""

from neurotome.synapses.attention.maps import AttentionSettings, Explained, default_layers, explain
from neurotome.synapses.attention.regions import REGION_COLUMNS, top_regions
from neurotome.synapses.attention.statistics import STATISTICS, RankedMap, attention_summary, compare_map

__all__ = [
    "REGION_COLUMNS",
    "STATISTICS",
    "AttentionSettings",
    "Explained",
    "RankedMap",
    "attention_summary",
    "compare_map",
    "default_layers",
    "explain",
    "top_regions",
]
