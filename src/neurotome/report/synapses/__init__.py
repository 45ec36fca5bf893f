"""report.synapses: what kinds of synapse are there, and how far can that be trusted?

Takes: the folder of `neurotome synapses run`. Gives: report.html, pages/, figures/, gifs/ and comprehensive_reports/ in it.
Read first: `run.py` (what such a folder holds), then `start.py` and `page.py`, then `../synapses.html` and `../synapses.js`.

    run, columns         the folder, and what synapses are coloured by      sheets        pictures of all synapses, small enough
    clusters, evidence   groups, and whether they can be trusted            partners      neurons, sizes, labels by hand
    figures, attention   PNG and GIF files                                  map_pages     pages that are all map
    start, page          report.html                                        comprehensive all masks and greys side by side
"""

from neurotome.report.synapses.comprehensive import write_comprehensive_report, write_presynapse_summary
from neurotome.report.synapses.figures import write_crop_comparison
from neurotome.report.synapses.start import write_synapse_report

__all__ = ["write_comprehensive_report", "write_crop_comparison", "write_presynapse_summary", "write_synapse_report"]
