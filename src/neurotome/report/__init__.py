"""report: what came out, on one page?

Question: what was done, how good is it, where is it wrong, and how is it cited?
Takes: the folder of a run. Gives: report.html in it, a single file that works offline. Shows, and computes nothing new.
May import: boundary, neurons, measure, io, core. Not SciPy, scikit-learn or torch.
Read first: `results.py` (what a run folder holds), then `page.py`, then `page.html`.

    atlas/         maps, columns and pictures that both pages of features share
    morphology/    the page of a table of shapes
    synapses/      the pages of a study of synapses
"""

from neurotome.report.colours import MERGE, SPLIT, css_colour, label_colours, matching_labels
from neurotome.report.links import error_link, place_path, run_token, view_command, with_links
from neurotome.report.morphology import write_confusion, write_shape_report
from neurotome.report.page import write_report
from neurotome.report.pictures import grey_range, spread
from neurotome.report.preview import preview_picture, write_preview
from neurotome.report.results import Results, read_results
from neurotome.report.sections import matching_truth
from neurotome.report.tracing import write_tracing_report
from neurotome.report.training import write_training_report

__all__ = [
    "MERGE",
    "SPLIT",
    "Results",
    "css_colour",
    "error_link",
    "grey_range",
    "label_colours",
    "matching_labels",
    "matching_truth",
    "place_path",
    "preview_picture",
    "read_results",
    "run_token",
    "spread",
    "view_command",
    "with_links",
    "write_confusion",
    "write_preview",
    "write_report",
    "write_shape_report",
    "write_tracing_report",
    "write_training_report",
]
