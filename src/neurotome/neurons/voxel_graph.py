"""From any kind of probability map to one graph on voxels: three arrays of edges, and long-range ones if there are any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurotome.core import Box, InputError, Probability, ShapeError, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Int3

__all__ = ["EVIDENCE", "VoxelGraph", "quantise", "voxel_graph"]

NEAREST: tuple[Int3, Int3, Int3] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
EVIDENCE = ("auto", "affinity", "cytoplasm", "inside", "membrane")


@dataclass(frozen=True, eq=False)
class VoxelGraph:
    """Edges between voxels as uint8, each stored at its lower voxel; the last plane along the offset means nothing.

    z, y, x: (z, y, x) uint8, edges to the next voxel along that axis.
    node: (z, y, x) uint8, how surely the voxel belongs to a cell; None: the strongest of its edges.
    overlap: (z, y, x) uint8, the overlap map as predicted (only where there was one): the reference method needs it raw.
    long_range: pairs of an offset and its (z, y, x) uint8 edges.
    """

    z: np.ndarray
    y: np.ndarray
    x: np.ndarray
    node: np.ndarray | None = None
    overlap: np.ndarray | None = None
    long_range: tuple[tuple[Int3, np.ndarray], ...] = ()

    @property
    def shape(self) -> Int3:
        z, y, x = self.z.shape
        return z, y, x

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.z, self.y, self.x

    def node_value(self) -> np.ndarray:
        """How surely each voxel belongs to a cell (uint8): as predicted, else the strongest edge at the voxel."""
        return self.node if self.node is not None else _strongest_edge(self)


def quantise(values: np.ndarray) -> np.ndarray:
    """Probabilities as uint8: floor(255 p + 0.5). Values that are uint8 already are returned as they are.

    Raises ValueRangeError for numbers outside [0, 1], for NaN and for other integer types.

    >>> quantise(np.array([0.0, 0.4999, 0.5, 1.0]))
    array([  0, 127, 128, 255], dtype=uint8)
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind != "f":
        raise ValueRangeError(f"Probability of type {values.dtype}", "float in [0, 1] or uint8", "rescale the values to [0, 1]")
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueRangeError(
            f"Probability with values from {values.min():g} to {values.max():g}",
            "values in [0, 1]",
            "rescale the values to [0, 1]",
        )
    # In float64 because 255 p + 0.5 in float32 can round up to the next integer.
    return np.floor(values.astype(np.float64) * 255 + 0.5).astype(np.uint8)


def voxel_graph(
    probability: Probability, *, evidence: str = "auto", stored_at: str = "lower", box: Box | None = None
) -> VoxelGraph:
    """The voxel graph of a probability volume (spec of the room: one graph for every route).

    ================================ ========================================= ==========================
    channels                          edge between voxels u and v               node
    ================================ ========================================= ==========================
    ``affinity:...``                  as given                                  strongest edge
    ``cytoplasm`` and ``overlap``     in plane min(c_u, c_v); along z min       c
                                      (o_u, c_u, c_v)
    ``inside``                        min(i_u, i_v)                             i
    ``membrane``                      255 - max(m_u, m_v)                       255 - m
    ================================ ========================================= ==========================

    Parameters
    ----------
    probability
        Channels as in the table; float in [0, 1] or uint8.
    evidence
        Which row of the table to use. "auto" takes the affinities where there are any, because they are the graph itself,
        and otherwise the only row that fits.
    stored_at
        "lower": an affinity is stored at the lower voxel of its pair. "upper": at the upper one, as tools with negative
        offsets do; it is shifted.
    box
        The part to read (default: all). Edges that lead out of it mean nothing, as at the end of a volume: read one voxel more.

    Raises
    ------
    InputError
        For missing channels, for two rows of the table at once, and for an overlap map whose last plane is not empty.
    """
    for kind, name, known in (("evidence", evidence, EVIDENCE), ("affinity storage", stored_at, ("lower", "upper"))):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    family = _family(probability.channels) if evidence == "auto" else evidence
    if family == "affinity":
        return _from_affinities(probability, stored_at, box)
    if family == "cytoplasm":
        _require(probability.channels, ("cytoplasm", "overlap"))
        ends = box is None or box.stop[0] == probability.grid.shape[0]
        return _from_cytoplasm(_channel(probability, "cytoplasm", box), _channel(probability, "overlap", box), ends=ends)
    _require(probability.channels, (family,))
    values = _channel(probability, family, box)
    return _from_inside(255 - values if family == "membrane" else values)


def _family(channels: tuple[str, ...]) -> str:
    if any(c.startswith("affinity:") for c in channels):
        return "affinity"
    found = [f for f in ("cytoplasm", "inside", "membrane") if f in channels]
    if len(found) == 1:
        return found[0]
    expected = "nearest affinities, or cytoplasm and overlap, or inside, or membrane"
    if found:
        raise InputError(
            f"Probability has channels {_listed(channels)}: which of {_listed(found)} is meant is open",
            expected,
            "give evidence=...",
        )
    raise InputError(
        f"Probability has channels {_listed(channels)}", expected, "rename the channels, or predict the missing ones"
    )


def _require(channels: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if missing := [c for c in needed if c not in channels]:
        remedy = "predict the missing ones"
        if missing == ["overlap"]:
            remedy += ", or name the channel 'inside' when sections may be linked wherever both are cytoplasm"
        raise InputError(
            f"Probability has channels {_listed(channels)} and lacks {_listed(missing)}", f"channels {_listed(needed)}", remedy
        )


def _from_affinities(probability: Probability, stored_at: str, box: Box | None) -> VoxelGraph:
    named = {_offset(c, stored_at): c for c in probability.channels if c.startswith("affinity:")}
    if missing := [_affinity_name(o) for o in NEAREST if o not in named]:
        raise InputError(
            f"Probability has channels {_listed(probability.channels)} and lacks {_listed(missing)}",
            "affinities to the nearest voxel along z, y and x",
            "predict the missing ones",
        )
    read: Callable[[str], np.ndarray] = lambda c: _channel(probability, c, box)  # noqa: E731
    edges = {o: _to_lower(read(c), o) if stored_at == "upper" else read(c) for o, c in named.items()}
    nearest = [edges.pop(o) for o in NEAREST]
    return VoxelGraph(*nearest, long_range=tuple(edges.items()))


def _offset(channel: str, stored_at: str) -> Int3:
    try:
        z, y, x = (int(part) for part in channel.removeprefix("affinity:").split(","))
    except ValueError:
        raise InputError(
            f"Affinity channel '{channel}'", "a name like affinity:1,0,0 (z, y, x in voxels)", "rename the channel"
        ) from None
    if stored_at == "upper" and (z, y, x) < (0, 0, 0):
        z, y, x = -z, -y, -x
    if min(z, y, x) < 0 or (z, y, x) == (0, 0, 0):
        raise InputError(
            f"Affinity channel '{channel}' has an offset that is not forward",
            "z, y, x >= 0, one of them above 0",
            "give stored_at='upper'",
        )
    return z, y, x


def _affinity_name(offset: Int3) -> str:
    return "affinity:" + ",".join(str(o) for o in offset)


def _to_lower(stored_at_upper: np.ndarray, offset: Int3) -> np.ndarray:
    """Shift affinities from the upper voxel of each pair to the lower one."""
    lower = np.zeros_like(stored_at_upper)
    here = tuple(slice(0, max(n - o, 0)) for n, o in zip(lower.shape, offset))
    lower[here] = stored_at_upper[tuple(slice(min(o, n), None) for n, o in zip(lower.shape, offset))]
    return lower


def _from_cytoplasm(cytoplasm: np.ndarray, overlap: np.ndarray, *, ends: bool) -> VoxelGraph:
    """ends: the last section is the last of the volume."""
    n = len(overlap)
    if ends and overlap[-1].any():
        raise ShapeError(
            f"Overlap map has {n} filled planes for {n} sections",
            f"{n - 1} planes, or {n} with the last one zero: plane i joins sections i and i + 1",
            "drop the last plane",
        )
    inside = _from_inside(cytoplasm)
    return VoxelGraph(np.minimum(overlap, inside.z), inside.y, inside.x, node=cytoplasm, overlap=overlap)


def _from_inside(inside: np.ndarray) -> VoxelGraph:
    return VoxelGraph(*(_weaker_end(inside, axis) for axis in range(3)), node=inside)


def _weaker_end(inside: np.ndarray, axis: int) -> np.ndarray:
    edges = np.zeros_like(inside)
    lower = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
    upper = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    np.minimum(inside[lower], inside[upper], out=edges[lower])
    return edges


def _strongest_edge(graph: VoxelGraph) -> np.ndarray:
    node = np.zeros(graph.shape, np.uint8)
    for axis, edges in enumerate(graph.edges):
        lower = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        upper = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        np.maximum(node[lower], edges[lower], out=node[lower])
        np.maximum(node[upper], edges[lower], out=node[upper])
    return node


def _channel(probability: Probability, name: str, box: Box | None) -> np.ndarray:
    return np.ascontiguousarray(quantise(probability.read((name,), box)[0]))


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{n}'" for n in names) or "none"
