"""cluster.neighbours: which rows are nearest to this one, exactly, among a million?

Read first: `search.py`; `scan.py` holds the loops.
"""

from neurotome.cluster.neighbours.search import METRICS, Found, Neighbours

__all__ = ["METRICS", "Found", "Neighbours"]
