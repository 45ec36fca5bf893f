"""crossing: where neurites of several neurons touch, which branch beyond belongs to whom.

    forest.py    trees whose edges can be cut and joined
    links.py     where branches touch: contacts of two trees, loops that were cut
    arms.py      the branches that meet at a place, and how straight each goes on as another
    decide.py    each way to read such a place, and how likely it is
    ways.py      which place on the way from soma to soma is the crossing
    repair.py    contact after contact, from the somata outwards

Read first: `repair.py`.
"""

from neurotome.tracing.crossing.decide import CrossingSettings
from neurotome.tracing.crossing.repair import Repaired, repaired

__all__ = ["CrossingSettings", "Repaired", "repaired"]
