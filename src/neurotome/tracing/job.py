"""What a tracing of a file is to do, decided from what the user said and from the values that the file turned out to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurotome.core import Block, Grid, Image, InputError, Record, ShapeError, UnknownNameError, ValueRangeError
from neurotome.tracing.on_blocks.values import CountValues, ValuesFile
from neurotome.tracing.starting.foreground import level_of_counts
from neurotome.tracing.trace import TraceSettings

__all__ = ["LABEL_SETTINGS", "Settled", "require_stack", "settled", "swc_header", "trace_settings"]

LABEL_SETTINGS = TraceSettings(
    min_component_voxels=1, largest_share=1.0, min_length_nm=500.0, protect_faces=False, bridges="none"
)
"""For an object of a label volume: every piece of it, spines of half a micrometre, no gaps; it may fill its box."""

DIMMEST = 26
"""Of a probability map, what is below a tenth is not kept: it neither holds a neurite nor tells where a gap should be crossed."""


def trace_settings(
    method: str,
    options: Mapping[str, Any],
    *,
    threshold: float | None = None,
    raw: bool = False,
    tuned: Mapping[str, Any] | None = None,
) -> TraceSettings:
    """The settings: the defaults, over them those tuned for the network, over them what was asked for.

    threshold: 0..1; without one, grey values (raw) choose it themselves.

    Raises UnknownNameError for a method or an option, InputError or ValueRangeError for values that are not allowed.
    """
    known = {name: field.default for name, field in TraceSettings.__dataclass_fields__.items() if name != "tracer"}
    for name, value in options.items():
        if name not in known:
            raise UnknownNameError("setting of trace", name, known)
        _require_kind(name, value, known[name])
    chosen = {**(tuned or {}), **options, "tracer": method}
    if threshold is not None:
        if not 0 < threshold <= 1:
            raise ValueRangeError(f"Threshold {threshold:g}", "a number in (0, 1]", "divide by 255 if it is a grey value")
        chosen["threshold"] = max(1, round(255 * threshold))
    elif raw:
        chosen.setdefault("threshold_method", "automatic")
    return TraceSettings(**chosen)


def _require_kind(name: str, value: Any, usual: Any) -> None:
    """Values come from the command line or a script: "far" is no length, 0.4 no grey value, 7 neither true nor false."""
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
    fits = isinstance(value, type(usual)) or (isinstance(usual, float) and isinstance(value, int))
    if not fits or isinstance(value, bool) != isinstance(usual, bool):
        raise InputError(f"Setting {name} is {value!r}", kinds[type(usual)], f"for example {name}={str(usual).lower()}")


def require_stack(image: Image) -> None:
    """Raises ShapeError for a single section: nothing runs through it."""
    if image.grid.shape[0] == 1:
        raise ShapeError(
            f"'{image.name}' is one section of {image.grid.shape[1]} x {image.grid.shape[2]} pixels",
            "a stack (z, y, x) of two sections or more",
            "give the whole stack, not its projection",
        )


@dataclass(frozen=True)
class Settled:
    """The file with the scale of its values, the settings with the threshold that is used, and the least value that is kept."""

    source: ValuesFile
    settings: TraceSettings
    floor: int


def settled(counting: CountValues, blocks: Sequence[Block], settings: TraceSettings) -> Settled:
    """Decide with the counts of all blocks. A threshold that the values choose becomes a fixed one, so that the volume can be
    gathered; where values cannot be counted (fractions), all of it is gathered first.
    """
    source = counting.settled(blocks)
    if settings.threshold_method == "fixed":
        return Settled(source, settings, min(settings.threshold, DIMMEST))
    if settings.threshold_method == "hysteresis":
        return Settled(source, settings, min(settings.low, DIMMEST))
    counts = counting.scaled_counts(blocks, source)
    if counts is None:
        return Settled(source, settings, 1)
    level = level_of_counts(counts, settings.threshold_method)
    return Settled(source, replace(settings, threshold_method="fixed", threshold=level.value), level.value)


def swc_header(record: Record, grid: Grid) -> list[str]:
    """Comment lines that say where an SWC file comes from."""
    hashes = [f"{path.rsplit('/', 1)[-1]} sha256 {digest}" for path, digest in record.inputs.items()]
    return [
        f"neurotome {record.versions.get('neurotome', '')} {record.command}",
        *(f"input: {line}" for line in hashes),
        f"voxel_nm: {' '.join(f'{v:g}' for v in grid.voxel_nm)}",
        f"origin_nm: {' '.join(f'{v:g}' for v in grid.origin_nm)}",
    ]


def as_voxels(seeds: np.ndarray | None) -> list[list[int]]:
    """Start points as plain numbers, for the record of a run."""
    return [] if seeds is None else seeds.tolist()
