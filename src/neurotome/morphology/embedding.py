"""embed: a table of neurons, one row each in the order of their names, with what an encoder makes of their shapes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.core import Frame, InputError, Mesh, ObjectVoxels, PointCloud, Progress, Skeleton, silent
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import OccupancyCollection, Shape, voxelise
from neurotome.morphology.occupancy.matter import soma_of
from neurotome.morphology.shapes import ShapeFiles

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["embed", "log_extent", "shape_facts"]

_AT_ONCE = 16
_KINDS: dict[type, str] = {Skeleton: "skeleton", PointCloud: "points", Mesh: "mesh", ObjectVoxels: "voxels"}


def embed(
    shapes: Iterable[Shape],
    encoder: ShapeEncoder,
    *,
    pooling: str | None = None,
    grids: OccupancyCollection | None = None,
    progress: Progress = silent,
) -> AnnData:
    """A table of all shapes: X the embedding (n, d) float32, obs what is known of each neuron, uns the model and the frames.

    The same bytes on every run; a row depends on its own neuron alone. Shapes are read one after the other and not kept.
    grids: of these neurons, where they are made already, with the settings of the encoder.
    Raises InputError for no shapes and for two of one name, UnknownNameError for a pooling the encoder does not have.
    """
    # It takes half a second to import.
    from anndata import AnnData

    from neurotome import __version__

    pooling = pooling or encoder.poolings[0]
    total = len(shapes) if hasattr(shapes, "__len__") else 0
    sources = dict(zip(shapes.names, shapes.sources, strict=True)) if isinstance(shapes, ShapeFiles) else {}
    rows: list[np.ndarray] = []
    facts: list[dict[str, Any]] = []
    frames: list[str] = []
    for some in _batches(shapes):
        drawn = [grids[grids.row_of(shape.name)] if grids else voxelise(shape, encoder.settings) for shape in some]
        extents = np.array([log_extent(one.frame) for one in drawn], np.float32)
        rows.append(encoder.embed(np.stack([one.data for one in drawn]), extents, pooling))
        facts += [shape_facts(shape, one.frame, sources.get(shape.name, "")) for shape, one in zip(some, drawn, strict=True)]
        frames += [json.dumps(one.frame.to_json()) for one in drawn]
        progress("embedded neurons", len(facts), max(total, len(facts)))
    order = _order([fact["name"] for fact in facts])
    x = np.concatenate(rows)[order]
    obs = pd.DataFrame([facts[row] for row in order]).set_index("name")
    table = AnnData(x, obs=obs.rename_axis(None), var=pd.DataFrame(index=[f"e{k}" for k in range(x.shape[1])]))
    table.uns["morphology"] = {
        **encoder.identity,
        "pooling": pooling,
        "settings": json.dumps(encoder.settings.to_json()),
        "version": __version__,
    }
    table.uns["frames"] = np.array([frames[row] for row in order], dtype=object)
    return table


def log_extent(frame: Frame) -> float:
    """The natural logarithm of half a grid's side in micrometres: the size, which the grid does not show."""
    return math.log((frame.hi_nm - frame.lo_nm) / 2000.0)


def shape_facts(shape: Shape, frame: Frame, source: str = "") -> dict[str, Any]:
    """What a table says of a neuron: its kind and size, the centre that was used, its soma in um; nan where unknown."""
    tree = shape if isinstance(shape, Skeleton) else None
    soma = soma_of(shape)
    z, y, x = (np.nan,) * 3 if soma is None else (float(value) / 1000.0 for value in soma)
    return {
        "name": shape.name,
        "kind": _KINDS[type(shape)],
        "centre": frame.centring,
        "trees": len(tree.roots) if tree is not None else 0,
        "nodes": len(tree) if tree is not None else 0,
        "length_um": tree.length_nm / 1000.0 if tree is not None else np.nan,
        "extent_um": (frame.hi_nm - frame.lo_nm) / 1000.0,
        "clipped_fraction": frame.clipped_fraction,
        "soma_z_um": z,
        "soma_y_um": y,
        "soma_x_um": x,
        "source": source,
    }


def _batches(shapes: Iterable[Shape]) -> Iterator[list[Shape]]:
    left = iter(shapes)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _order(names: list[str]) -> list[int]:
    """Rows by name."""
    if not names:
        raise InputError("No neurons to embed", "at least one", "check the paths")
    order = sorted(range(len(names)), key=names.__getitem__)
    for one, other in pairwise(order):
        if names[one] == names[other]:
            raise InputError(f"Two neurons are called '{names[one]}'", "unique names", "rename one of them")
    return order
