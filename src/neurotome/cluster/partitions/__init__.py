"""cluster.partitions: into which clusters do these rows fall, how many are there, and would other rows have given them too?

Read first: `methods.py` (the algorithms), `choice.py` (how many), `stability.py`.
"""

from neurotome.cluster.partitions.choice import Choice, ChoiceSettings, NullTest, choose_k
from neurotome.cluster.partitions.kmeans import KMeans, kmeans
from neurotome.cluster.partitions.methods import ALGORITHMS, NEED_K, NOISE, Partition, medoids, numbered_by_size, partition_rows
from neurotome.cluster.partitions.stability import UNSTABLE, cluster_jaccard, subsample_stability

__all__ = [
    "ALGORITHMS",
    "NEED_K",
    "NOISE",
    "UNSTABLE",
    "Choice",
    "ChoiceSettings",
    "KMeans",
    "NullTest",
    "Partition",
    "choose_k",
    "cluster_jaccard",
    "kmeans",
    "medoids",
    "numbered_by_size",
    "partition_rows",
    "subsample_stability",
]
