"""synapses: what kinds of synapse are there?

Question: given EM, neurons, organelles and the sites of synapses, what does each look like, which are alike, and why?
Takes: SynapseVolume and a table of sites. Gives: crops, a FeatureTable (AnnData), clusters, attention maps, tests.
May import: nn, measure, cluster, datasets, io, core.
Read first: `crops/cut.py` (one site), then `views/show.py` (one look at it), then `morphometry/`.

    study/        volumes, legends, tables of sites          crops/       one cube per site, and what each voxel is
    views/        masks by algebra, grey levels              morphometry/ measures in nm without weights
    features/     networks, one table for all                contrastive/ an encoder trained on the synapses themselves
    analysis/     clusters, presynapses, sizes, labels       attention/   which voxels decide
"""
