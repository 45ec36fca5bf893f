"""neuron_shapes: grown neurons of twelve known kinds, with depth and defects; every test runs without downloads.

    kinds.py      the kinds, a frozen rule each       grow.py     grown: a neuron of a kind
    defects.py    missing branch, merge, truncation   build.py    collection: neurons and their table

Read first: `kinds.py`.

>>> from neurotome.datasets.neuron_shapes import KINDS, grown
>>> len(KINDS), grown("starburst", seed=0).name
(12, 'starburst-0000')
"""

from neurotome.datasets.neuron_shapes.build import DEFECTS, NeuronsSpec, collection, with_defect
from neurotome.datasets.neuron_shapes.defects import merged, missing_branch, truncated
from neurotome.datasets.neuron_shapes.grow import grown
from neurotome.datasets.neuron_shapes.kinds import KINDS, Kind, Neurite

__all__ = [
    "DEFECTS",
    "KINDS",
    "Kind",
    "Neurite",
    "NeuronsSpec",
    "collection",
    "grown",
    "merged",
    "missing_branch",
    "truncated",
    "with_defect",
]
