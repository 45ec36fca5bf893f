"""phantom: synthetic EM of neural tissue, with the exact truth of everything in it.

    spec.py        PhantomSpec (what is asked), Phantom (what is given)
    build.py       make: the steps in order
    routes.py      ways through tissue that is half full       neurites.py   growing neurites until no room is left
    partition.py   every voxel to its neurite                  truth.py      exact label volumes from it
    organelles.py  what neurites contain                       contacts.py   synapses
    render.py      structures to grey values                   camera.py     noise and faulty sections

Read first: `build.py`.

>>> from neurotome.datasets import phantom
>>> tissue = phantom.make(phantom.PhantomSpec(shape=(4, 48, 48), seed=1))
>>> tissue.image.grid.voxel_nm, str(tissue.neurons.data.dtype)
((30.0, 6.0, 6.0), 'uint64')
"""

from neurotome.datasets.phantom.build import make
from neurotome.datasets.phantom.spec import ORGANELLES, Phantom, PhantomSpec

__all__ = ["ORGANELLES", "Phantom", "PhantomSpec", "make"]
