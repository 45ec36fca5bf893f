"""synapses: what kinds of synapse are there?

Question: given EM, neurons, organelles and the sites of synapses, what does each look like, which are alike, and why?
Takes: SynapseVolume and a table of sites. Gives: crops, a FeatureTable (AnnData), clusters, attention maps, tests.
May import: nn, measure, cluster, datasets, io, core.
Read first: `crops/cut.py` (one site), then `views/show.py` (one look at it), then `morphometry/`.

    study/        volumes, legends, tables of sites          crops/       one cube per site, and what each voxel is
    views/        masks by algebra, grey levels              morphometry/ measures in nm without weights
    features/     networks, one table for all                contrastive/ an encoder trained on the synapses themselves
    analysis/     clusters, presynapses, sizes, labels       attention/   which voxels decide

Networks are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from neurotome.synapses.discarded import DISCARD_COLUMNS, Discarded, discard_table
from neurotome.synapses.facts import each_crop, slug_of, study_facts, table_sha256

_WHERE = {
    "analysis": (
        "SynapseIndex annotator_agreement compare_synapses connections cross_tabulations group_synapses manual_agreement "
        "neuron_consensus presynapse_groups presynapse_test propagate_labels read_manual_labels size_statistics synapse_sizes "
        "synapses_to_label take_labels write_graph"
    ),
    "attention": "AttentionSettings TrunkAttention WholeCropAttention explain",
    "contrastive": "ContrastRecipe contrast_recipe contrastive_features load_trunk train_trunk",
    "crops": "CropSet cut_crop make_crops operand_names",
    "features": "assemble feature_network left_out network_features write_reference_csv",
    "morphometry": "MEASURES measure_crop measure_crops",
    "study": (
        "LinkTemplate VolumeEntry check_sites entry_of_run legend_warnings open_volume open_volumes read_legend read_sites "
        "site_links sites_from_clefts sites_from_partners sites_of_run write_nml"
    ),
    "views": "PRESETS expression_of needed_operands vesicle_fill_report view",
}
_ROOM_OF = {name: room for room, names in _WHERE.items() for name in names.split()}

__all__ = [
    "DISCARD_COLUMNS",
    "MEASURES",
    "PRESETS",
    "AttentionSettings",
    "ContrastRecipe",
    "CropSet",
    "Discarded",
    "LinkTemplate",
    "SynapseIndex",
    "TrunkAttention",
    "VolumeEntry",
    "WholeCropAttention",
    "annotator_agreement",
    "assemble",
    "check_sites",
    "compare_synapses",
    "connections",
    "contrast_recipe",
    "contrastive_features",
    "cross_tabulations",
    "cut_crop",
    "discard_table",
    "each_crop",
    "entry_of_run",
    "explain",
    "expression_of",
    "feature_network",
    "group_synapses",
    "left_out",
    "legend_warnings",
    "load_trunk",
    "make_crops",
    "manual_agreement",
    "measure_crop",
    "measure_crops",
    "needed_operands",
    "network_features",
    "neuron_consensus",
    "open_volume",
    "open_volumes",
    "operand_names",
    "presynapse_groups",
    "presynapse_test",
    "propagate_labels",
    "read_legend",
    "read_manual_labels",
    "read_sites",
    "site_links",
    "sites_from_clefts",
    "sites_from_partners",
    "sites_of_run",
    "size_statistics",
    "slug_of",
    "study_facts",
    "synapse_sizes",
    "synapses_to_label",
    "table_sha256",
    "take_labels",
    "train_trunk",
    "vesicle_fill_report",
    "view",
    "write_graph",
    "write_nml",
    "write_reference_csv",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
