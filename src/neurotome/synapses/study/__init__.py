"""study: which volumes, what their label ids mean, and where the synapses are.

    legend.py         ids by name and volume          volumes.py        image, neurons and organelles on one grid, lazily
    site_table.py     sites from CSV, Excel, ...      site_checks.py    inside? on neurons? in the stated axis order?
    from_clefts.py    sites from a cleft label        partner_table.py  sites from pre, post and centre
    from_run.py       a run of reconstruct            connectome.py     sites from HDF5 with agglomerates
    links.py          to WEBKNOSSOS and neuroglancer

Read first: `site_table.py`, then `volumes.py`. Every function that finds or checks sites gives two tables: those that can be
used, and a row with the reason for each that cannot.
"""

from neurotome.synapses.study.connectome import ConnectomeSource, connectome_sites, connectome_volume
from neurotome.synapses.study.from_clefts import sites_from_clefts
from neurotome.synapses.study.from_run import entry_of_run, sites_of_run
from neurotome.synapses.study.legend import read_legend, structures_of
from neurotome.synapses.study.legend_check import legend_warnings
from neurotome.synapses.study.links import LinkTemplate, neuroglancer_link, read_origins, site_links, write_nml
from neurotome.synapses.study.partner_table import sites_from_partners
from neurotome.synapses.study.site_checks import check_sites
from neurotome.synapses.study.site_table import read_sites
from neurotome.synapses.study.volumes import VolumeEntry, open_volume, open_volumes

__all__ = [
    "ConnectomeSource",
    "LinkTemplate",
    "VolumeEntry",
    "check_sites",
    "connectome_sites",
    "connectome_volume",
    "entry_of_run",
    "legend_warnings",
    "neuroglancer_link",
    "open_volume",
    "open_volumes",
    "read_legend",
    "read_origins",
    "read_sites",
    "site_links",
    "sites_from_clefts",
    "sites_from_partners",
    "sites_of_run",
    "structures_of",
    "write_nml",
]
