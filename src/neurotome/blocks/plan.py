"""Which boxes a step writes.

volume          +-------+-------+--+      Write boxes are whole storage shards (clipped at the volume's end), so that no two
(z up, x right) | 2     | 3     |  |      writers ever touch the same file and a killed writer leaves whole shards or none.
                +-------+-------+--+
                | 0     | 1     |  |
                +-------+-------+--+
"""

from neurotome.core import Box, Grid, ShapeError
from neurotome.core.geometry import Int3

__all__ = ["write_boxes"]


def write_boxes(grid: Grid, shard: Int3) -> list[Box]:
    """Boxes of the shape of a shard that cover the grid exactly once, z slowest.

    >>> [b.shape for b in write_boxes(Grid((3, 4, 4), (1, 1, 1)), (2, 4, 4))]
    [(2, 4, 4), (1, 4, 4)]
    """
    if min(shard) < 1:
        raise ShapeError(f"Shard of shape {shard}", "at least one voxel on each axis")
    return list(grid.box.tiles(shard))
