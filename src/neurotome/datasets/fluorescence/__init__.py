"""fluorescence: synthetic light microscopy of one labelled neuron, with the exact tree, mask and radii.

    spec.py         FluorescenceSpec (what is asked), FluorescencePhantom (what is given)
    build.py        fluorescence: the steps in order
    grow.py         random trees                           morphology.py   a real neuron brought into the window
    paths.py        trees as paths of dense nodes          artefacts.py    fading, gaps and beads along them
    render.py       paths to light, and the optics         camera.py       background, noise, grey values
    variety.py      random_spec, to train networks on

Read first: `build.py`.

>>> from neurotome.datasets.fluorescence import FluorescenceSpec, fluorescence
>>> stack = fluorescence(FluorescenceSpec(shape=(16, 48, 48), seed=1))
>>> str(stack.image.data.dtype), stack.mask.legend.names[1], bool(stack.skeleton.radii_nm.min() > 0)
('uint8', 'neuron', True)
"""

from neurotome.datasets.fluorescence.build import fluorescence
from neurotome.datasets.fluorescence.paths import joined
from neurotome.datasets.fluorescence.spec import NEURON, FluorescencePhantom, FluorescenceSpec
from neurotome.datasets.fluorescence.variety import random_spec

__all__ = ["NEURON", "FluorescencePhantom", "FluorescenceSpec", "fluorescence", "joined", "random_spec"]
