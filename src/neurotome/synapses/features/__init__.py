"""features: what networks say of each crop, and one table of all that is known of all of them.

Takes: a CropSet, a CropLook and a network with weights. Gives: AnnData, one row per site, and the sites left out with the reason.
Read first: `from_network.py` (rows of features), then `table.py` (all families side by side).
"""

from neurotome.synapses.features.from_network import network_features
from neurotome.synapses.features.reference_csv import read_reference_csv, reference_csv_name, write_reference_csv
from neurotome.synapses.features.table import assemble, left_out
from neurotome.synapses.features.weights import FeatureNetwork, feature_network

__all__ = [
    "FeatureNetwork",
    "assemble",
    "feature_network",
    "left_out",
    "network_features",
    "read_reference_csv",
    "reference_csv_name",
    "write_reference_csv",
]
