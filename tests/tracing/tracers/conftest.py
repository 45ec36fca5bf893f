"""The shapes of the phantom table, and what a tracing of one is asked."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from neurotome.core import Skeleton
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers import TRACERS, tracer_settings

UM = 1000.0


@pytest.fixture(scope="session")
def shapes():
    spec = importlib.util.spec_from_file_location("tracing_shapes", Path(__file__).parents[1] / "shapes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Traced:
    """A tracing and the object it was made from; lengths in um."""

    tree: Skeleton
    mask: np.ndarray
    voxel_um: tuple[float, float, float]

    @property
    def points(self):
        return self.tree.points_nm / UM

    @property
    def degrees(self):
        return self.tree.children + (self.tree.parents >= 0)

    @property
    def ends(self):
        return int((self.degrees <= 1).sum())

    @property
    def branches(self):
        return int((self.degrees >= 3).sum())

    def error(self, *lines):
        """Mean distance of points spread evenly over the edges to the nearest of these lines, each a pair of points."""
        a, b = (np.array(p, float) for p in zip(*lines))
        points = self.on_edges()[:, None]
        along = np.clip(((points - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
        return float(np.sqrt(((points - a - along[..., None] * (b - a)) ** 2).sum(-1)).min(1).mean())

    def on_edges(self):
        tree, points = self.tree, []
        for row, parent in enumerate(tree.parent_rows):
            share = np.linspace(0, 1, 2 + int(tree.edge_nm[row] / UM))[:, None]
            points.append(self.points[max(parent, 0)] * (1 - share) + self.points[row] * share)
        return np.concatenate(points)

    def outside(self):
        """How far, in voxels, the tree strays from the object at most."""
        far = ndimage.distance_transform_edt(~self.mask, sampling=self.voxel_um) / max(self.voxel_um)
        places = np.clip(np.round(self.on_edges() / self.voxel_um).astype(int), 0, np.array(self.mask.shape) - 1)
        return float(far[tuple(places.T)].max())


@pytest.fixture
def traced():
    def trace(name, mask, start, voxel_um=(1.0, 1.0, 1.0), **options):
        volume = mask if mask.dtype == np.uint8 else mask.astype(np.uint8) * 255
        bricks = Bricks.of(volume, tuple(s * UM for s in voxel_um))
        return Traced(TRACERS[name](bricks, start, tracer_settings(name, **options)), volume >= 128, voxel_um)

    return trace
