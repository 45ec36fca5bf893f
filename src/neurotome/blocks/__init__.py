"""blocks: how is work on a volume cut up, who does it, and what of it is already done?

Question: which boxes does a step read and write, on which processes or machines does it run, and what can be skipped after
an interruption?
Takes: a Grid, and work that can be called with a Block and writes files. Gives: those files, and a ledger of finished blocks.
May import: io, core (no torch). Never another engine.
Read first: `plan.py`, then `engine.py`, `ledger.py`, `executor.py` and its two kinds, `serial.py` and `cluster.py` (whose workers
`alike.py` compares).
"""

from neurotome.blocks.engine import Engine, Step, Work
from neurotome.blocks.executor import Executor, Outcome, make_executor
from neurotome.blocks.plan import Plan, PlannedStep, block_shape, blocks_of

__all__ = [
    "Engine",
    "Executor",
    "Outcome",
    "Plan",
    "PlannedStep",
    "Step",
    "Work",
    "block_shape",
    "blocks_of",
    "make_executor",
]
