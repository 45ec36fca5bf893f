"""Neurons from a source into a folder of SWC or PLY files; what is there already is not asked for again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from neurotome.core import InputError, Mesh, Progress, RunFailedError, Skeleton, UnitError, silent
from neurotome.datasets.microns.space import Extent
from neurotome.io.label_table import listed
from neurotome.io.mesh_files import write_mesh
from neurotome.io.swc import write_swc

__all__ = ["Fetched", "NeuronSource", "Patience", "fetch"]

_log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

MARGIN_NM = 1000.0
"""How far a node may be outside of the data: lines through surfaces are smooth at the ends."""


class NeuronSource(Protocol):
    """Who has skeletons (suffix .swc) or meshes (.ply) by id, and how many of them it gives at once.

    Ids that it does not have are absent from its answer.
    """

    @property
    def batch(self) -> int: ...

    @property
    def suffix(self) -> str: ...

    def extent(self) -> Extent | None: ...

    def get(self, ids: Sequence[int]) -> Mapping[int, Skeleton | Mesh]: ...


@dataclass(frozen=True)
class Patience:
    """How often a request is repeated and how long is waited before each: twice as long every time. wait: what waits."""

    attempts: int = 5
    first_s: float = 2.0
    wait: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Fetched:
    """files: of the neurons that are there, by id. missing: ids that the source does not have (now)."""

    files: dict[int, Path]
    missing: tuple[int, ...]


def fetch(
    source: NeuronSource,
    ids: Iterable[int | str],
    folder: Path | str,
    *,
    extent: Extent | None = None,
    patience: Patience | None = None,
    progress: Progress = silent,
) -> Fetched:
    """Store neurons as folder/ID.swc or folder/ID.ply; call it again to go on after an interruption, or for the missing.

    extent: where they may lie (default: that of the source). A neuron outside of it is in another unit or of another volume.

    Raises UnitError for such a one, InputError for what is no id, RunFailedError when the source does not answer.
    """
    folder, patience = Path(folder), patience or Patience()
    wanted = list(dict.fromkeys(_id(label) for label in ids))
    files = {label: folder / f"{label}{source.suffix}" for label in wanted}
    left = [label for label in wanted if not files[label].is_file()]
    if left and extent is None:
        extent = _patiently(source.extent, patience, "the extent of the data")
    missing: list[int] = []
    done = len(wanted) - len(left)
    for batch in _batches(left, source.batch):
        progress("fetch neurons", done, len(wanted))
        found = _patiently(partial(source.get, batch), patience, f"neurons {listed(batch, 2)}")
        for label in batch:
            if label in found:
                _store(files[label], label, found[label], extent)
        missing += [label for label in batch if not files[label].is_file()]
        done += len(batch)
    progress("fetch neurons", done, len(wanted))
    if missing:
        _log.warning("%d of %d neurons are not there: %s", len(missing), len(wanted), listed(missing))
    return Fetched({label: file for label, file in files.items() if label not in set(missing)}, tuple(missing))


def _patiently(ask: Callable[[], Answer], patience: Patience, what: str) -> Answer:
    """The answer to a request that may fail for a while. Errors of the request itself are not repeated."""
    for attempt in range(patience.attempts):
        try:
            return ask()
        except (OSError, TimeoutError) as error:
            if isinstance(error, InputError) or _is_refusal(error):
                raise
            if attempt + 1 == patience.attempts:
                raise RunFailedError(
                    f"No answer for {what} after {patience.attempts} attempts ({error})",
                    "a service that answers",
                    "run it again later",
                ) from error
            seconds = patience.first_s * 2**attempt
            _log.warning("No answer for %s (%s): again in %g s", what, error, seconds)
            patience.wait(seconds)
    raise RunFailedError(f"No answer for {what}", "at least one attempt", "give patience with attempts")


def _is_refusal(error: Exception) -> bool:
    """Whether a service says that the request is wrong (4xx) and not that it is busy (429) or broken (5xx)."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status is not None and 400 <= status < 500 and status not in (408, 429)


def _store(file: Path, label: int, neuron: Skeleton | Mesh, extent: Extent | None) -> None:
    """Write a neuron; one without nodes is none."""
    points = neuron.vertices_nm if isinstance(neuron, Mesh) else neuron.points_nm
    if not len(points):
        return
    outside = points[~extent.holds(points, MARGIN_NM)] if extent is not None else points[:0]
    if extent is not None and len(outside):
        z, y, x = outside[0] / 1000
        raise UnitError(
            f"Neuron {label} has a point at {z:g}, {y:g}, {x:g} um",
            f"points in {extent}",
            "check the source's unit, or give extent",
        )
    if isinstance(neuron, Mesh):
        write_mesh(file, neuron)
    else:
        write_swc(file, replace(neuron, name=str(label)))


def _batches(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def _id(label: int | str) -> int:
    if not str(label).isdecimal() or int(label) == 0:
        raise InputError(f"'{label}' is no id of a neuron", "a whole number above 0", "give root ids")
    return int(label)
