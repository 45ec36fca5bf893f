"""Neurons of MICrONS, or of any volume stored alike, into a folder that `morphology embed` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neurotome.core import InputError, Progress, silent
from neurotome.datasets.microns import Cave, CloudSkeletons, Fetched, NeuronSource, PrecomputedSkeletons, fetch
from neurotome.io import atomic_write_text

__all__ = ["fetch_microns"]

LABELS = "labels.csv"


def fetch_microns(
    out: Path,
    *,
    ids: Sequence[str] = (),
    cell_types: Sequence[str] = (),
    most: int | None = None,
    table: str | None = None,
    version: int | None = None,
    url: str | None = None,
    progress: Progress = silent,
) -> Fetched:
    """`neurotome data microns`: ID.swc for each neuron, and labels.csv with type and soma where the services give them.

    Called again it goes on where it stopped.
    url: a precomputed volume with skeletons, in a folder or in the cloud, instead of the services; it knows no types.
    Raises InputError for types of a volume and for neurons that are neither named nor counted.
    """
    if url is not None and (cell_types or table or version):
        raise InputError("--type, --table or --version with --url", "what a volume has: ids", "leave them out")
    if url is not None:
        source: NeuronSource = PrecomputedSkeletons(url) if _is_local(url) else CloudSkeletons(url)
        wanted = list(ids) or (list(map(str, source.ids())) if isinstance(source, PrecomputedSkeletons) else [])
    else:
        cave = Cave(version=version)
        known = cave.neurons(**({"table": table} if table else {}), cell_types=list(cell_types) or None)
        wanted = [name for name in known.index if not ids or name in set(ids)]
        out.mkdir(parents=True, exist_ok=True)
        atomic_write_text(out / LABELS, known.loc[wanted[:most]].to_csv())
        source = cave
    if not wanted:
        raise InputError("No neurons to fetch", "--id, or a --type that the table has", "look at the table")
    return fetch(source, wanted[:most], out, progress=progress)


def _is_local(url: str) -> bool:
    return url.startswith("file://") or Path(url).exists()
