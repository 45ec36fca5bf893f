"""synapses.attention: which voxels decide, and which structures are they in?

Takes: crops, the table of features with its clusters, and the network that made them. Gives: maps on the crops' grids, their
agreement with masks, the regions with most of it. Read first: `maps.py`, then `targets.py` (what is explained), `networks.py`.
"""

from neurotome.synapses.attention.maps import AttentionSettings, Explained, explain
from neurotome.synapses.attention.networks import Explainable, Seen, TrunkAttention, WholeCropAttention
from neurotome.synapses.attention.regions import REGION_COLUMNS, top_regions
from neurotome.synapses.attention.sanity import map_agreement, occluded_blocks
from neurotome.synapses.attention.statistics import STATISTICS, RankedMap, attention_summary, compare_map
from neurotome.synapses.attention.targets import Explanation, explanation

__all__ = [
    "REGION_COLUMNS",
    "STATISTICS",
    "AttentionSettings",
    "Explainable",
    "Explained",
    "Explanation",
    "RankedMap",
    "Seen",
    "TrunkAttention",
    "WholeCropAttention",
    "attention_summary",
    "compare_map",
    "explain",
    "explanation",
    "map_agreement",
    "occluded_blocks",
    "top_regions",
]
