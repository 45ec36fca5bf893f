"""synapses.morphometry: a synapse in numbers that mean something, without a network.

Question: how large, thick, bent and pierced is the cleft, how do vesicles and mitochondria lie to it, what are both sides like?
Takes and gives: Crop -> `Measured`; a set of crops -> AnnData, one row per crop, nanometres and micrometres, NaN with a reason.
Read first: `measures.py` (all of them, one line each), then `scene.py` (what they share), then `cleft.py`.
"""

from neurotome.synapses.morphometry.measures import MEASURES, Measure
from neurotome.synapses.morphometry.measuring import UNMEASURED_COLUMNS, Measured, measure_crop, measure_crops

__all__ = ["MEASURES", "UNMEASURED_COLUMNS", "Measure", "Measured", "measure_crop", "measure_crops"]
