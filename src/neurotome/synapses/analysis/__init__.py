"""synapses.analysis: which synapses are alike, what decides it, and what else might explain it.

Takes the table of features (AnnData, one row per synapse, keys as names) and gives clusters with evidence, tests and tables.
Read first: `feature_matrix.py` (which columns, in which scale), `grouping.py` (clusters, maps, volume effect).

    describe                         a sentence per cluster
    presynapses, presynapse_graph    alike within a neuron; who to whom
    sizes, size_statistics           vesicle clouds and clefts
    manual, comparison               people's labels; two tables of one study
    query, propagate, consensus      the like; few labels to all; one label per neuron
"""

from neurotome.synapses.analysis.comparison import SynapseComparison, compare_synapses
from neurotome.synapses.analysis.consensus import majority_accuracy, neuron_consensus
from neurotome.synapses.analysis.describe import descriptions
from neurotome.synapses.analysis.feature_matrix import CORRECTIONS, FeatureMatrix, feature_matrix
from neurotome.synapses.analysis.given_labels import take_labels
from neurotome.synapses.analysis.grouping import Grouping, draw_maps, group_synapses
from neurotome.synapses.analysis.manual import (
    annotator_agreement,
    cross_tabulations,
    manual_agreement,
    manual_features,
    read_manual_labels,
)
from neurotome.synapses.analysis.presynapse_graph import connections, write_graph
from neurotome.synapses.analysis.presynapses import (
    PRESYNAPSE_COLUMNS,
    PresynapseTest,
    overlapping_crops,
    pair_distances,
    presynapse_groups,
    presynapse_test,
)
from neurotome.synapses.analysis.propagate import propagate_labels, synapses_to_label
from neurotome.synapses.analysis.query import SynapseIndex
from neurotome.synapses.analysis.size_statistics import SizeStatistics, quartile_classes, size_statistics
from neurotome.synapses.analysis.sizes import SIZE_COLUMNS, crop_sizes, largest_slices, synapse_sizes

__all__ = [
    "CORRECTIONS",
    "PRESYNAPSE_COLUMNS",
    "SIZE_COLUMNS",
    "FeatureMatrix",
    "Grouping",
    "PresynapseTest",
    "SizeStatistics",
    "SynapseComparison",
    "SynapseIndex",
    "annotator_agreement",
    "compare_synapses",
    "connections",
    "crop_sizes",
    "cross_tabulations",
    "descriptions",
    "draw_maps",
    "feature_matrix",
    "group_synapses",
    "largest_slices",
    "majority_accuracy",
    "manual_agreement",
    "manual_features",
    "neuron_consensus",
    "overlapping_crops",
    "pair_distances",
    "presynapse_groups",
    "presynapse_test",
    "propagate_labels",
    "quartile_classes",
    "read_manual_labels",
    "size_statistics",
    "synapse_sizes",
    "synapses_to_label",
    "take_labels",
    "write_graph",
]
