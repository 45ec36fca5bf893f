"""Where the steps of a segmentation leave what they found, for the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Box, FormatError
from neurotome.io import atomic_target, load_arrays, save_arrays
from neurotome.neurons.blockwise.lattice import Lattice

__all__ = ["KEPT", "Workspace"]

KEPT = ("pieces", "pieces.ome.zarr", "pieces-joined.npy", "contacts", "seen.npy", "segmentation.json")
"""What a segmentation at another threshold needs."""

_EMPTY_NPY = 128
"""Bytes of an .npy file without data, which cannot be mapped."""


@dataclass(frozen=True)
class Workspace:
    """A folder with one file per block and kind of result, and the lattice of the blocks.

    found: the folder of another segmentation whose pieces and contacts are used again (`KEPT`).
    """

    folder: Path
    lattice: Lattice
    found: Path | None = None

    def path(self, kind: str, box: Box) -> Path:
        corners = ("_".join(map(str, corner)) for corner in (box.start, box.stop))
        return self.place(kind) / f"{'-'.join(corners)}.npz"

    def place(self, name: str) -> Path:
        """Where a file or folder of this name lies."""
        return (self.found if self.found is not None and name in KEPT else self.folder) / name

    def save(self, kind: str, box: Box, **arrays: np.ndarray) -> Path:
        path = self.path(kind, box)
        save_arrays(path, **arrays)
        return path

    def load(self, kind: str, box: Box, *names: str) -> dict[str, np.ndarray]:
        return load_arrays(self.path(kind, box), *names)

    def save_table(self, name: str, table: np.ndarray) -> Path:
        """Keep an array that all blocks look things up in; it is mapped into memory, not read."""
        path = self.place(f"{name}.npy")
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_target(path) as temporary, temporary.open("wb") as file:
            np.save(file, table)
        return path

    def group_table(self, kind: str, group: Box) -> str:
        """The name of the table of one group."""
        return str(self.path(kind, group).relative_to(self.folder).with_suffix(""))

    def table(self, name: str) -> np.ndarray:
        """What `save_table` kept."""
        path = self.place(f"{name}.npy")
        try:
            return np.load(path, mmap_mode="r") if path.stat().st_size > _EMPTY_NPY else np.load(path)
        except (OSError, ValueError) as error:
            raise FormatError(f"'{path}' cannot be read ({error})", "a table", "give the command of the run again") from error

    def linear(self, box: Box, local: np.ndarray) -> np.ndarray:
        """Linear indices in the whole volume (uint64) of linear indices in a box."""
        z, y, x = (i.astype(np.uint64) + np.uint64(a) for i, a in zip(np.unravel_index(local, box.shape), box.start))
        _, height, width = (np.uint64(n) for n in self.lattice.volume)
        return (z * height + y) * width + x
