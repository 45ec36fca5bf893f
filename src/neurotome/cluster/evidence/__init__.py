"""cluster.evidence: what do clusters and groups mean, and what might they be instead?

Read first: `profiles.py` (what sets a cluster apart), `batches.py` (is it only the batch?), `groups.py` (alike within?).
"""

from neurotome.cluster.evidence.batches import BatchEffect, BatchSettings, Permanova, batch_effect, permanova
from neurotome.cluster.evidence.effect_sizes import benjamini_hochberg, cohen_d, hedges_g, rank_sum_p
from neurotome.cluster.evidence.groups import GROUP_COLUMNS, GroupLikeness, group_likeness
from neurotome.cluster.evidence.permutation import permutation_p, shuffled_within
from neurotome.cluster.evidence.profiles import CLUSTER_COLUMNS, PROFILE_COLUMNS, cluster_profiles, cluster_table

__all__ = [
    "CLUSTER_COLUMNS",
    "GROUP_COLUMNS",
    "PROFILE_COLUMNS",
    "BatchEffect",
    "BatchSettings",
    "GroupLikeness",
    "Permanova",
    "batch_effect",
    "benjamini_hochberg",
    "cluster_profiles",
    "cluster_table",
    "cohen_d",
    "group_likeness",
    "hedges_g",
    "permanova",
    "permutation_p",
    "rank_sum_p",
    "shuffled_within",
]
