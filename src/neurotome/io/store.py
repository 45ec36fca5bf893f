"""What both tensorstore formats need: a local address, a box read with damage named, no waiting for dead threads."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from neurotome.core import FormatError, RunFailedError
from neurotome.io.lazy import Ranges

__all__ = ["kvstore", "open_store", "read_box", "reason", "shape_of"]

_threads = {"started": False, "lost": False}


def _after_fork() -> None:
    _threads["lost"] = _threads["started"]


os.register_at_fork(after_in_child=_after_fork)


def kvstore(path: Path) -> dict[str, str]:
    """The address of a local folder."""
    return {"driver": "file", "path": f"{path.absolute()}/"}


def open_store(spec: dict[str, Any], **options: Any) -> ts.TensorStore:
    """Open or create an array.

    Raises RunFailedError in a process forked from one that used tensorstore: it would wait for ever for threads left behind.
    """
    _require_threads()
    _threads["started"] = True
    return ts.open(spec, context=_context(), **options).result()


@cache
def _context() -> ts.Context:
    """As many threads for (un)packing as OMP_NUM_THREADS grants this process: workers of a cluster have one core each."""
    granted = os.environ.get("OMP_NUM_THREADS", "")
    limited = granted.isdigit() and int(granted) > 0
    return ts.Context({"data_copy_concurrency": {"limit": int(granted)}} if limited else {})


def read_box(path: Path, array: ts.TensorStore, ranges: Ranges) -> np.ndarray:
    """Read a box; raises FormatError, with the name of the file, where a chunk is damaged."""
    _require_threads()
    _threads["started"] = True
    try:
        return np.asarray(array[tuple(slice(a, b) for a, b in ranges)].read().result())
    except (ValueError, OSError, RuntimeError) as error:
        raise FormatError(
            f"A chunk of '{path}' is damaged: {reason(error)}", "a complete volume", "copy or download it again"
        ) from error


def shape_of(layout: Any) -> tuple[int, ...]:
    """A shape as tensorstore gives it, as plain numbers."""
    return tuple(int(n) for n in layout.shape)


def reason(error: Exception) -> str:
    """The first sentence: tensorstore appends source lines in brackets."""
    return str(error).split(" [")[0]


def _require_threads() -> None:
    if _threads["lost"]:
        raise RunFailedError(
            "A forked worker process cannot read Zarr or precomputed volumes once its parent has",
            "worker processes started by 'spawn' or 'forkserver'",
            "use multiprocessing_context='spawn', or read in the parent",
        )
