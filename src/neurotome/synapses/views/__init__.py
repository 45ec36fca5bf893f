"""views: what of a crop is shown, and how grey the rest is.

Takes: `Crop` and `CropLook`. Gives: `View` (values between fixed limits, and the mask) or `Discarded` with the reason.
Read first: `show.py`, then `algebra.py` (the language of masks) and `presets.py` (0 to 13).

    algebra, masks        expressions, and what they are in a crop      neighbourhood   dilate, erode, near
    boxes                 presets 12 and 13                             presynapse_size the same size for all
    grey, frames          values, and which sections are shown          grey_comparison normalisations side by side
"""

from neurotome.synapses.views.algebra import ALIASES, ExpressionError, parse
from neurotome.synapses.views.boxes import fullest_box, vesicle_fill_report
from neurotome.synapses.views.frames import centre_frames, spread_frames
from neurotome.synapses.views.grey import NORMALISATIONS, blended, normalised_grey
from neurotome.synapses.views.grey_comparison import normalisation_comparison
from neurotome.synapses.views.masks import Masks, evaluate
from neurotome.synapses.views.presets import PRESETS, Preset, expression_of, needed_operands, normalised, preset_of
from neurotome.synapses.views.show import View, look_at, view, views

__all__ = [
    "ALIASES",
    "NORMALISATIONS",
    "PRESETS",
    "ExpressionError",
    "Masks",
    "Preset",
    "View",
    "blended",
    "centre_frames",
    "evaluate",
    "expression_of",
    "fullest_box",
    "look_at",
    "needed_operands",
    "normalisation_comparison",
    "normalised",
    "normalised_grey",
    "parse",
    "preset_of",
    "spread_frames",
    "vesicle_fill_report",
    "view",
    "views",
]
