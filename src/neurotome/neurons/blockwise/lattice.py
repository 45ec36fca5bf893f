"""Which blocks there are, who is whose neighbour, and how they join into ever larger groups."""

from __future__ import annotations

from dataclasses import dataclass

from neurotome.blocks import blocks_of
from neurotome.core import Block, Box, Grid
from neurotome.core.geometry import Int3

__all__ = ["Lattice"]


@dataclass(frozen=True)
class Lattice:
    """Boxes of one shape that tile a volume (clipped at its end). Level k joins 2^k of them along each axis.

    level 0           level 1           level 2
    +--+--+--+--+     +-----+-----+     +-----------+
    |  |  |  |  |     |     |     |     |           |
    +--+--+--+--+     |     |     |     |           |     the last level is one box
    |  |  |  |  |     |     |     |     |           |
    +--+--+--+--+     +-----+-----+     +-----------+

    >>> lattice = Lattice((4, 8, 8), (4, 2, 8))
    >>> [len(lattice.level(k).boxes) for k in range(lattice.levels)]
    [4, 2, 1]
    """

    volume: Int3
    shape: Int3

    @property
    def boxes(self) -> list[Box]:
        return list(Box((0, 0, 0), self.volume).tiles(self.shape))

    def blocks(self, below: Int3 = (0, 0, 0), above: Int3 = (0, 0, 0)) -> list[Block]:
        """Every box as what is written; read is so many voxels more on each side, clipped at the volume."""
        return blocks_of(Grid(self.volume, (1, 1, 1)), self.shape, halo=(below, above))

    @property
    def levels(self) -> int:
        """How many levels it takes until one box is the whole volume."""
        count = 1
        while self.level(count - 1).shape != self.volume:
            count += 1
        return count

    def level(self, k: int) -> Lattice:
        """The lattice of the groups of level k."""
        return Lattice(self.volume, tuple(min(s << k, n) for s, n in zip(self.shape, self.volume)))  # type: ignore[arg-type]

    def holding(self, box: Box) -> Box:
        """The box of this lattice that a smaller box lies in."""
        return self._at(tuple(a // s * s for a, s in zip(box.start, self.shape)))  # type: ignore[arg-type]

    def members(self, group: Box) -> list[Box]:
        """The boxes of this lattice inside a group of a higher level."""
        return list(group.tiles(self.shape))

    def meeting(self, box: Box) -> list[Box]:
        """The boxes of this lattice that share voxels with a box."""
        corner = tuple(a // s * s for a, s in zip(box.start, self.shape))
        return [self._at(tile.start) for tile in Box(corner, box.stop).tiles(self.shape)]  # type: ignore[arg-type]

    def above(self, box: Box, axis: int) -> Box | None:
        """The next box along an axis, or None at the end of the volume."""
        if box.stop[axis] >= self.volume[axis]:
            return None
        corner = list(box.start)
        corner[axis] = box.stop[axis]
        return self._at(tuple(corner))  # type: ignore[arg-type]

    def _at(self, corner: Int3) -> Box:
        return Box(corner, tuple(min(c + s, n) for c, s, n in zip(corner, self.shape, self.volume)))  # type: ignore[arg-type]
