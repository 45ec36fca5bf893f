"""For files that can only be unpacked from the first byte to the last: unpacked once, not once per box."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from neurotome.io.lazy import Ranges

__all__ = ["read_unpacked_box"]

Unpack = Callable[[Path], np.ndarray]


def read_unpacked_box(unpack: Unpack, path: Path, ranges: Ranges) -> np.ndarray:
    """A box of the array that `unpack` gives for a file; a process keeps the last array in memory until the file changes."""
    status = path.stat()
    return np.array(_kept(unpack, path, status.st_mtime_ns, status.st_size)[tuple(slice(a, b) for a, b in ranges)])


@lru_cache(maxsize=1)
def _kept(unpack: Unpack, path: Path, changed: int, size: int) -> np.ndarray:
    return unpack(path)
