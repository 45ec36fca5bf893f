"""blocks: how is work on a volume cut up, and what of it is already done?

Question: which boxes does a step write, in which order, and which of them can be skipped after an interruption?
Takes: a Grid and the shape of a storage shard. Gives: boxes, and a ledger of finished ones.
May import: core (NumPy only, no torch). Never another engine.
Read first: `plan.py`, then `ledger.py`.
"""

from neurotome.blocks.ledger import Ledger
from neurotome.blocks.plan import write_boxes

__all__ = ["Ledger", "write_boxes"]
