"""Neurons as straight tubes with a soma at one end, in a volume whose voxels are 1 um."""

import numpy as np
import pytest

from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.trace import TraceSettings, trace

SHAPE, MIDDLE, SOMA = (41, 161, 201), np.array([20.0, 80.0, 100.0]), 9


class Neurons:
    """Tubes from a soma on; `painted` is all of them together."""

    def __init__(self, capsule):
        self.capsule, self.painted, self.somata = capsule, np.zeros(SHAPE, bool), []

    def soma(self, at):
        self.somata.append(tuple(np.rint(at).astype(int).tolist()))
        self.tube(at, at, SOMA)

    def tube(self, start, end, radius=2.5):
        self.painted |= self.capsule(SHAPE, start, end, radius)

    def through(self, angle, before, after=70.0, radius=2.5):
        """A soma `before` um before the middle of the volume, and its neurite through the middle, in the plane of y and x."""
        way = np.array([0, np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
        self.soma(MIDDLE - before * way)
        self.tube(MIDDLE - before * way, MIDDLE + after * way, radius)
        return MIDDLE + after * way

    def traced(self, **settings):
        return trace(Bricks.of(self.painted.astype(np.uint8) * 255, (1000.0, 1000.0, 1000.0)), TraceSettings(**settings))


@pytest.fixture
def neurons(shapes):
    return Neurons(shapes.capsule)
