"""How work on a volume is cut up: what a block reads and writes, and what a run costs.

volume           +---------------+-------+     lines   write boxes: whole shards, clipped at the end of the volume
(y up, x right)  |       :       |       |     dots    shards, the files of a Zarr volume
                 |.......2.......|...3...|
                 |       :     r r r r r r     r       the read box of block 1: its write box grown by the halo,
                 |       :     r |       |             clipped at the volume
                 +-------------r-+-------+
                 |       :     r |       |     No two blocks write the same file: writing needs no lock, and a killed
                 |.......0.....r.|...1...|     writer leaves whole shards or none. Read boxes overlap: reading needs
                 |       :     r |       |     no order.
                 +-------------r-+-------+
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from neurotome.core import Block, Box, Grid, ShapeError
from neurotome.core.geometry import Int3

__all__ = ["Plan", "PlannedStep", "block_shape", "blocks_of"]

Halo = Int3 | tuple[Int3, Int3]


def blocks_of(grid: Grid, shape: Int3, *, halo: Halo = (0, 0, 0)) -> list[Block]:
    """Blocks whose write boxes of `shape` cover the grid exactly once, z slowest; they read `halo` voxels more on each side.

    halo: voxels per axis, or a pair (below, above) where an algorithm looks further to one side. Read boxes end where the
    volume ends.

    Raises ShapeError when the shape has no voxels or the halo is negative.

    >>> [(b.write.start, b.read.start, b.read.stop) for b in blocks_of(Grid((3, 4, 4), (1, 1, 1)), (2, 4, 4), halo=(1, 0, 0))]
    [((0, 0, 0), (0, 0, 0), (3, 4, 4)), ((2, 0, 0), (1, 0, 0), (3, 4, 4))]
    """
    below, above = _sides(halo)
    if min(shape) < 1:
        raise ShapeError(f"Block of shape {shape}", "at least one voxel on each axis")
    if min(*below, *above) < 0:
        raise ShapeError(f"Halo of {halo}", "no negative numbers")
    # Along one axis at a time: a million boxes are made of a few hundred intervals.
    axes = [_intervals(*lengths) for lengths in zip(grid.shape, shape, below, above, strict=True)]
    return [
        Block(read=Box((z[2], y[2], x[2]), (z[3], y[3], x[3])), write=Box((z[0], y[0], x[0]), (z[1], y[1], x[1])))
        for z, y, x in product(*axes)
    ]


def _sides(halo: Halo) -> tuple[Int3, Int3]:
    if isinstance(halo[0], tuple):
        return halo  # type: ignore[return-value]
    return halo, halo  # type: ignore[return-value]


def _intervals(length: int, step: int, below: int, above: int) -> list[tuple[int, int, int, int]]:
    """(write from, write to, read from, read to) along an axis."""
    pieces = [(a, min(a + step, length)) for a in range(0, length, step)]
    return [(a, b, max(a - below, 0), min(b + above, length)) for a, b in pieces]


def block_shape(grid: Grid, shard: Int3, max_voxels: int) -> Int3:
    """The most cube-like block of whole shards that has at most `max_voxels`, but at least one shard.

    Shards are doubled along the axis that is shortest in voxels and does not yet span the volume. A shard that is larger than
    the volume is clipped to it.

    >>> block_shape(Grid((64, 2048, 2048), (30, 6, 6)), (32, 512, 512), 40_000_000)
    (64, 512, 1024)
    """
    if min(shard) < 1:
        raise ShapeError(f"Shard of shape {shard}", "at least one voxel on each axis")
    shape = [min(s, n) for s, n in zip(shard, grid.shape, strict=True)]
    while True:
        for axis in sorted(range(3), key=lambda a: (shape[a], -a)):
            longer = min(2 * shape[axis], grid.shape[axis])
            if longer > shape[axis] and math.prod(shape) // shape[axis] * longer <= max_voxels:
                shape[axis] = longer
                break
        else:
            z, y, x = shape
            return z, y, x


@dataclass(frozen=True)
class PlannedStep:
    """What a step will take. voxels: those it reads, halos included; bytes_per_worker: the most that one block needs at a time;
    disk_bytes: what it leaves behind; voxels_per_s: read by one core.
    """

    name: str
    blocks: int
    voxels: int
    bytes_per_worker: int
    disk_bytes: int
    voxels_per_s: float

    @classmethod
    def of(
        cls, name: str, blocks: Sequence[Block], *, bytes_per_worker: int, disk_bytes: int, voxels_per_s: float
    ) -> PlannedStep:
        """The step that does these blocks."""
        return cls(name, len(blocks), sum(b.read.size for b in blocks), bytes_per_worker, disk_bytes, voxels_per_s)

    def seconds(self, workers: int) -> float:
        """Time with that many cores; a core does whole blocks."""
        if not self.blocks:
            return 0.0
        rounds = math.ceil(self.blocks / workers)
        return self.voxels / self.blocks * rounds / self.voxels_per_s


@dataclass(frozen=True)
class Plan:
    """What is said before a run: the cost of each step with `workers` cores, and of all.

    >>> print(Plan((PlannedStep("fragments", 8, 80_000_000, 2_000_000_000, 30_000_000, 2e6),), workers=2).text())
    step       blocks  voxels     memory per worker  disk     time (h:min)
    fragments  8       80 Mvoxel  2 GB               0.03 GB  0:01
    total      8       80 Mvoxel  2 GB               0.03 GB  0:01
    """

    steps: tuple[PlannedStep, ...]
    workers: int = 1

    HEAD = ("step", "blocks", "voxels", "memory per worker", "disk", "time (h:min)")

    @property
    def seconds(self) -> float:
        return sum(step.seconds(self.workers) for step in self.steps)

    @property
    def disk_bytes(self) -> int:
        return sum(step.disk_bytes for step in self.steps)

    @property
    def bytes_per_worker(self) -> int:
        return max((step.bytes_per_worker for step in self.steps), default=0)

    def rows(self) -> list[tuple[str, ...]]:
        """One row of words per step under `HEAD`, the total last (memory: the step that needs most)."""
        blocks, voxels = sum(s.blocks for s in self.steps), sum(s.voxels for s in self.steps)
        return [
            *(_row(s.name, s.blocks, s.voxels, s.bytes_per_worker, s.disk_bytes, s.seconds(self.workers)) for s in self.steps),
            _row("total", blocks, voxels, self.bytes_per_worker, self.disk_bytes, self.seconds),
        ]

    def text(self) -> str:
        """The rows as a table of plain text."""
        rows = [self.HEAD, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(word.ljust(n) for word, n in zip(row, widths, strict=True)).rstrip() for row in rows)


def _row(name: str, blocks: int, voxels: int, memory: int, disk: int, seconds: float) -> tuple[str, ...]:
    return name, f"{blocks:,}", f"{_three_digits(voxels / 1e6)} Mvoxel", _gigabytes(memory), _gigabytes(disk), _hours(seconds)


def _gigabytes(count: int) -> str:
    return f"{_three_digits(count / 1e9)} GB"


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _hours(seconds: float) -> str:
    # Rounded up: nothing takes no time.
    minutes = math.ceil(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
