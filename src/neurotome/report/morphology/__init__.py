"""report.morphology: which neurons have the same shape, and how far can that be trusted, on one page?

Takes: the folder of `neurotome morphology embed`. Gives: report.html in it, and its maps as pictures with their numbers.
Read first: `run.py` (what such a folder holds), then `page.py`, then `../morphology.html` and `../morphology.js`.
"""

from neurotome.report.morphology.confusion import write_confusion
from neurotome.report.morphology.page import write_shape_report

__all__ = ["write_confusion", "write_shape_report"]
