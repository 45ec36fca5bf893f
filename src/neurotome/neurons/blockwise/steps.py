"""The order of things: from a probability volume on disk to neurons on disk, every step on blocks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.blocks import Engine, Step, Work
from neurotome.core import Block, Box, Grid, RegionGraph
from neurotome.core.geometry import Int3
from neurotome.io import ome_zarr, pyramid_grids
from neurotome.neurons.blockwise.contacts import CountContacts, CountSeen, stored_graph
from neurotome.neurons.blockwise.dust_tree import AbsorbDust, ListSegments
from neurotome.neurons.blockwise.finish import FillHoles, FindHoles, FirstVoxels, Grow, NumberAgain, OwnHoles, Renumber
from neurotome.neurons.blockwise.labels import NumberComponents, NumberSegments, Paint
from neurotome.neurons.blockwise.lattice import Lattice
from neurotome.neurons.blockwise.pieces import FindPieces, ProbabilityFile, halo
from neurotome.neurons.blockwise.seams import FindPairs, NamePieces
from neurotome.neurons.blockwise.tree import Contract
from neurotome.neurons.blockwise.workspace import KEPT, Workspace
from neurotome.neurons.settings import AgglomerateSettings, LinkSettings, SegmentSettings

__all__ = ["BlockSegmentation", "memory_of"]

WORKSPACE = "segmentation"
PROGRAM_BYTES = 300_000_000
BYTES_PER_VOXEL = {"pieces": 22.0, "paint": 12.0, "contacts": 4.0, "holes": 30.0, "filled": 30.0, "grown": 24.0, "renumber": 20.0}
BYTES_PER_VOXEL_OF_GROUPS = 0.8
"""What is left of the graph of a group, as it merges; and less than that for steps that look at all blocks but at no voxel."""


def memory_of(step: str, voxels: int) -> int:
    """About how many bytes a worker needs for a step on a block of so many voxels, the program included (docs/benchmarks.md)."""
    least = 4.0 if step in ("merge-0", "dust-0", "pairs") else BYTES_PER_VOXEL_OF_GROUPS
    return PROGRAM_BYTES + int(BYTES_PER_VOXEL.get(step, least) * voxels)


@dataclass(frozen=True)
class BlockSegmentation:
    """One segmentation on blocks: `steps` for an engine, results in `folder`.

    source: the probability volume. grid: its grid. folder: the run, in which segmentation/ holds everything in between.
    block_shape: what one worker holds at a time; the result is the same for any. neurons, fragments: the results; fragments are
    None for methods that make none. found: folder segmentation/ of another run of which only the threshold differs.
    """

    source: ProbabilityFile
    grid: Grid
    settings: SegmentSettings
    folder: Path
    block_shape: Int3
    found: Path | None = None

    @property
    def neurons(self) -> Path:
        return self.folder / "neurons.ome.zarr"

    @property
    def fragments(self) -> Path | None:
        return self.folder / "fragments.ome.zarr" if self._merges else None

    @property
    def workspace(self) -> Workspace:
        shape = tuple(min(s, n) for s, n in zip(self.block_shape, self.grid.shape))
        return Workspace(self.folder / WORKSPACE, Lattice(self.grid.shape, shape), self.found)  # type: ignore[arg-type]

    @property
    def _merges(self) -> bool:
        return isinstance(self.settings, AgglomerateSettings)

    def run(self, engine: Engine) -> int:
        """Do every step that is not done. Returns the number of neurons."""
        for path, dtype in self._volumes():
            if not path.exists():
                self._create(path, dtype)
        for step in self.steps():
            engine.run(step)
        return self.count()

    def count(self) -> int:
        """The number of neurons, once the steps are done."""
        return len(self.workspace.table("renumbered" if self._changes_voxels else "numbered"))

    def whole_graph(self) -> RegionGraph:
        """The region graph of the whole volume, in memory."""
        return stored_graph(self.workspace)

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        if self.found is None:
            yield from self.finding()
        yield from self.merging()
        yield from self.painting()

    def finding(self) -> Iterator[Step]:
        """From probabilities to pieces, their names and their contacts: what does not depend on the threshold."""
        workspace, below_above = self.workspace, halo(self.settings)
        pieces = self._inner("pieces")
        yield self._blocks("pieces", FindPieces(self.source, self.settings, workspace, pieces), "fragments", *below_above)
        bridged = isinstance(self.settings, LinkSettings) and self.settings.bridge == "overlap"
        yield self._blocks("pairs", FindPairs(workspace, overlap=bridged), "faces of blocks")
        yield self._whole("names", NamePieces(workspace), "names across faces")
        if isinstance(self.settings, AgglomerateSettings):
            yield self._blocks("contacts", CountContacts(self.source, self.settings, workspace, pieces), "region graph")
            yield self._whole("seen", CountSeen(workspace), "names across blocks")

    def merging(self) -> Iterator[Step]:
        """From pieces to the number of each."""
        workspace = self.workspace
        if not isinstance(self.settings, AgglomerateSettings):
            yield self._whole("numbers", NumberComponents(self.settings, workspace), "numbers")
            return
        for k in range(workspace.lattice.levels):
            groups = workspace.lattice.level(k).blocks()
            yield Step(f"merge-{k}", groups, Contract(self.settings, workspace, k), f"merging, level {k + 1}")
        yield self._whole("segments", ListSegments(workspace), "sizes of segments")
        for k in range(workspace.lattice.levels if self.settings.min_voxels > 1 else 0):
            groups = workspace.lattice.level(k).blocks()
            yield Step(f"dust-{k}", groups, AbsorbDust(self.settings, workspace, k), f"dust, level {k + 1}")
        yield self._whole("numbers", NumberSegments(self.settings, workspace), "numbers")

    def painting(self) -> Iterator[Step]:
        """From numbers to label volumes; with holes filled and neurons grown where that is set."""
        workspace, settings = self.workspace, self.settings
        labels = self._inner("painted") if self._changes_voxels else self.neurons
        yield self._blocks("paint", Paint(settings, workspace, self._inner("pieces"), labels, self.fragments), "labels")
        if settings.fill_holes:
            one = (1, 1, 1)
            filled = self._inner("filled")
            yield self._blocks("holes", FindHoles(workspace, labels, settings.fill_holes), "holes", one, one)
            yield self._blocks("holes-pairs", FindPairs(workspace, of="holes"), "holes across faces")
            yield self._whole("holes-names", NamePieces(workspace, of="holes"), "holes across faces, names")
            yield self._whole("owners", OwnHoles(workspace, settings.fill_holes), "owners of holes")
            yield self._blocks("filled", FillHoles(workspace, labels, filled), "fill holes", one, one)
            labels = filled
        if settings.grow:
            reach = (0, int(settings.grow), int(settings.grow))
            yield self._blocks("grown", Grow(labels, self._inner("grown"), settings.grow), "grow", reach, reach)
            labels = self._inner("grown")
        if self._changes_voxels:
            yield self._blocks("first", FirstVoxels(workspace, labels), "first voxels")
            yield self._whole("renumbered", NumberAgain(workspace), "numbers, again")
            yield self._blocks("renumber", Renumber(workspace, labels, self.neurons), "labels, again")

    def tidy(self) -> None:
        """Remove what no later command needs."""
        for path in self.workspace.folder.iterdir():
            if path.name not in (KEPT if self._merges else ()):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @property
    def _changes_voxels(self) -> bool:
        return bool(self.settings.fill_holes or self.settings.grow)

    def _inner(self, name: str) -> Path:
        return self.workspace.place(f"{name}.ome.zarr")

    def _volumes(self) -> Iterator[tuple[Path, Any]]:
        if self.found is None:
            yield self._inner("pieces"), np.uint32
        yield self.neurons, np.uint64
        if self.fragments is not None:
            yield self.fragments, np.uint64
        if self._changes_voxels:
            yield self._inner("painted"), np.uint64
        if self.settings.fill_holes:
            yield self._inner("filled"), np.uint64
        if self.settings.grow:
            yield self._inner("grown"), np.uint64

    def _create(self, path: Path, dtype: Any) -> None:
        """A volume whose files are whole blocks, or of which a block is several: then no two writers meet in a file."""
        shape = self.workspace.lattice.shape
        whole = all(b % s == 0 or b == n for b, s, n in zip(shape, ome_zarr.SHARD, self.grid.shape))
        layout = {} if whole else {"chunk": tuple(map(_divisor, shape, ome_zarr.CHUNK)), "shard": shape}
        levels = len(pyramid_grids(self.grid)) if path.parent == self.folder else 1
        ome_zarr.create(path, shape=self.grid.shape, dtype=dtype, grid=self.grid, kind="labels", levels=levels, **layout)  # type: ignore[arg-type]

    def _blocks(self, name: str, work: Work, what: str, below: Int3 = (0, 0, 0), above: Int3 = (0, 0, 0)) -> Step:
        return Step(name, self.workspace.lattice.blocks(below, above), work, what)

    def _whole(self, name: str, work: Work, what: str) -> Step:
        """A step that looks at the results of all blocks, but at no voxel."""
        volume = Box((0, 0, 0), self.grid.shape)
        return Step(name, [Block(volume, volume)], work, what)


def _divisor(length: int, most: int) -> int:
    """The largest divisor of a length that is at most `most`: chunks that fill a block."""
    return max(d for d in range(1, min(length, most) + 1) if length % d == 0)
