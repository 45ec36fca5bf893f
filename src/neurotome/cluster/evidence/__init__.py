"""cluster.evidence: what do clusters and groups mean, and what might they be instead?

Read first: `profiles.py` (what sets a cluster apart), `batches.py` (is it only the batch?), `groups.py` (alike within?).
"""

from neurotome.cluster.evidence.batches import BatchEffect, BatchSettings, Permanova, batch_effect, permanova
from neurotome.cluster.evidence.effect_sizes import benjamini_hochberg, cohen_d, hedges_g, rank_sum_p
from neurotome.cluster.evidence.exhaustive import arrangements, how_many_arrangements
from neurotome.cluster.evidence.groups import GROUP_COLUMNS, GroupLikeness, group_likeness
from neurotome.cluster.evidence.lognormal_mixture import LogNormals, log_normals
from neurotome.cluster.evidence.pair_effects import effect_matrix
from neurotome.cluster.evidence.permutation import permutation_p, shuffled_within
from neurotome.cluster.evidence.profiles import CLUSTER_COLUMNS, PROFILE_COLUMNS, cluster_profiles, cluster_table
from neurotome.cluster.evidence.random_batches import MixedModel, mixed_model

__all__ = [
    "CLUSTER_COLUMNS",
    "GROUP_COLUMNS",
    "PROFILE_COLUMNS",
    "BatchEffect",
    "BatchSettings",
    "GroupLikeness",
    "LogNormals",
    "MixedModel",
    "Permanova",
    "arrangements",
    "batch_effect",
    "benjamini_hochberg",
    "cluster_profiles",
    "cluster_table",
    "cohen_d",
    "effect_matrix",
    "group_likeness",
    "hedges_g",
    "how_many_arrangements",
    "log_normals",
    "mixed_model",
    "permanova",
    "permutation_p",
    "rank_sum_p",
    "shuffled_within",
]
