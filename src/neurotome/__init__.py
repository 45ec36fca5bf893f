"""neurotome: from microscope volumes to neurons, synapses and their shapes.

    image = neurotome.open("stack.tif", voxel_nm=(30, 6, 6))
    labels = neurotome.neurons.segment(neurotome.boundary.predict(image)).labels

Rooms are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from neurotome.core import Image
    from neurotome.core.geometry import Nm3

__all__ = [
    "boundary",
    "cluster",
    "core",
    "datasets",
    "flows",
    "io",
    "measure",
    "morphology",
    "neurons",
    "nn",
    "open",
    "report",
    "synapses",
    "tracing",
    "view",
]
__version__ = "0.1.0"

_ROOMS = tuple(name for name in __all__ if name != "open")


def open(path: str | Path, *, voxel_nm: Nm3 | None = None, channel: str | int | None = None) -> Image:
    """Open grey values lazily: see `neurotome.io.open_image`, and `open_labels`, `open_probability` beside it."""
    from neurotome.io import open_image

    return open_image(path, voxel_nm=voxel_nm, channel=channel)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"neurotome.{name}")
    raise AttributeError(f"module 'neurotome' has no attribute '{name}'")
