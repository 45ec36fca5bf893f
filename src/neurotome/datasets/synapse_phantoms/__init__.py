"""synapse_phantoms: volumes with synapses whose structure is known to the voxel.

    fixtures.py    p1, p2: boxes around one synapse, for exact counts      sites.py       where they are marked
    spec.py        StudySpec (what is asked), PhantomStudy (what is given) kinds.py       the planted types
    study.py       make_study: the steps in order                          write.py       a study as files
    layout.py      cells, and who shares a presynaptic neuron              anatomy.py     a synapse's shapes in space
    neuropil.py    the neurites between                                    tissue.py      the kernel that draws all of these
    contents.py    what neurons contain: tubes.py, vesicles.py             exposure.py    grain, brightness, noise

Read first: `fixtures.py`, then `study.py`.

>>> from neurotome.datasets import synapse_phantoms
>>> synapse_phantoms.p1().sites.index.tolist()
['phantom/bbox7/1']
"""

from neurotome.datasets.synapse_phantoms.fixtures import P1_VESICLES, Fixture, p1, p2
from neurotome.datasets.synapse_phantoms.kinds import KINDS, ONE_KIND, SynapseKind
from neurotome.datasets.synapse_phantoms.spec import PhantomStudy, StudySpec
from neurotome.datasets.synapse_phantoms.study import make_study
from neurotome.datasets.synapse_phantoms.write import write_study

__all__ = [
    "KINDS",
    "ONE_KIND",
    "P1_VESICLES",
    "Fixture",
    "PhantomStudy",
    "StudySpec",
    "SynapseKind",
    "make_study",
    "p1",
    "p2",
    "write_study",
]
