"""The shapes of the phantom table: object voxels 255 in a volume (z, y, x), spacing 1 µm unless said otherwise."""

import numpy as np

from neurotome.tracing.sparse.bricks import Bricks

UM = 1000.0


def axes(shape, spacing=(1.0, 1.0, 1.0)):
    """The coordinates of each voxel, three arrays that broadcast against each other."""
    return [np.arange(n).reshape([-1 if i == k else 1 for i in range(3)]) * spacing[k] for k, n in enumerate(shape)]


def capsule(shape, a, b, radius, spacing=(1.0, 1.0, 1.0)):
    """All voxels within `radius` of the line from a to b."""
    a, b = np.array(a, float), np.array(b, float)
    grid = axes(shape, spacing)
    along = sum((g - p) * d for g, p, d in zip(grid, a, b - a)) / max(((b - a) ** 2).sum(), 1e-12)
    along = np.clip(along, 0, 1)
    return sum((g - (p + along * d)) ** 2 for g, p, d in zip(grid, a, b - a)) <= radius**2


def tube(radius, length=(10, 90)):
    z, y, x = axes((31, 31, 101))
    return ((z - 15) ** 2 + (y - 15) ** 2 <= radius**2) & (x >= length[0]) & (x <= length[1])


def y_fork():
    shape, knot = (31, 81, 101), (15, 40, 50)
    ends = ((15, 40, 10), (15, 15, 90), (15, 65, 90))
    return np.logical_or.reduce([capsule(shape, knot, end, 3) for end in ends])


def ring():
    z, y, x = axes((21, 71, 71))
    return (np.sqrt((y - 35) ** 2 + (x - 35) ** 2) - 25) ** 2 + (z - 10) ** 2 <= 9


def rough_tube(random_state):
    """A tube of radius 4 that lost 30 % of the voxels at its surface, but not the one to start from."""
    solid = tube(4)
    inner = solid.copy()
    for axis in range(3):
        for step in (-1, 1):
            inner &= np.roll(solid, step, axis)
    surface = np.argwhere(solid & ~inner)
    lost = np.random.default_rng(random_state).permutation(len(surface))[: round(0.3 * len(surface))]
    solid[tuple(surface[lost].T)] = False
    solid[15, 15, 10] = True
    return solid


def soma():
    """A ball of radius 12 with four stems of radius 2."""
    shape, centre = (61, 101, 101), (30, 50, 50)
    parts = [capsule(shape, centre, centre, 12)]
    for dy, dx in ((40, 0), (-40, 0), (0, 40), (0, -40)):
        parts.append(capsule(shape, centre, (30, 50 + dy, 50 + dx), 2))
    return np.logical_or.reduce(parts)


def broken_tube():
    solid = tube(3)
    solid[:, :, 50:54] = False
    return solid


def twig(length):
    """A tube of radius 3 with a twig of one voxel width."""
    solid = tube(3)
    solid[15, 16 : 16 + length, 50] = True
    return solid


def slanted():
    """A capsule in voxels of 3, 1, 1 µm."""
    return capsule((15, 51, 121), (6, 25, 10), (36, 25, 110), 5, (3.0, 1.0, 1.0))


def filled(mask):
    return mask.astype(np.uint8) * 255


def bricks_of(mask, spacing=(1.0, 1.0, 1.0)):
    """The bricks of a shape, `spacing` in µm."""
    return Bricks.of(filled(mask), tuple(UM * s for s in spacing))


def ends_and_branches(tree):
    """How many nodes have degree 1, and how many 3 or more."""
    degree = tree.children + (tree.parent_rows >= 0)
    return int((degree == 1).sum()), int((degree >= 3).sum())


def distance_to_lines(points_um, lines):
    """The distance of each point to the nearest of some lines, each a pair of ends in µm."""
    distances = []
    for a, b in lines:
        a, b = np.array(a, float), np.array(b, float)
        along = np.clip((points_um - a) @ (b - a) / ((b - a) ** 2).sum(), 0, 1)
        distances.append(np.linalg.norm(points_um - (a + along[:, None] * (b - a)), axis=1))
    return np.min(distances, axis=0)


TUBE_AXIS = [((15, 15, 10), (15, 15, 90))]
FORK_AXES = [((15, 40, 50), end) for end in ((15, 40, 10), (15, 15, 90), (15, 65, 90))]
SOMA_AXES = [((30, 50, 50), (30, 50 + dy, 50 + dx)) for dy, dx in ((40, 0), (-40, 0), (0, 40), (0, -40))]
SLANTED_AXIS = [((6, 25, 10), (36, 25, 110))]


def distance_to_ring(points_um):
    """The distance to the circle in the middle of the ring."""
    z, y, x = (points_um - (10, 35, 35)).T
    return np.hypot(np.hypot(y, x) - 25, z)
