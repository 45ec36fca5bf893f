"""Many sites shared among processes; the journal of each says what is done, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
import logging
import multiprocessing
import pickle
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from neurotome.core import CropRecipe, FormatError, InputError, Progress, RunFailedError, SynapseVolume, silent
from neurotome.synapses.crops.crop_store import CropStore
from neurotome.synapses.crops.cut import CutCrop, Reader, cut_crop, reader_of
from neurotome.synapses.discarded import Discarded

__all__ = ["CropWork", "Journal", "cut_all", "cut_in_processes", "read_journal"]

_log = logging.getLogger(__name__)

JOURNAL = "journal"
_WHAT = "crops"
_LOOK_S = 0.2


@dataclass(frozen=True, eq=False)
class CropWork:
    """Sites to cut, in the order that reads each volume once, and all that a process needs for it."""

    path: Path
    volumes: Mapping[str, SynapseVolume]
    levels: Mapping[str, tuple[float, float]]
    names: tuple[str, ...]
    recipe: CropRecipe
    rows: tuple[tuple[int, dict[str, Any]], ...]

    def shares(self, count: int) -> list[CropWork]:
        """At most `count` equal parts, each with neighbouring sites and with the volumes of these only."""
        cuts = np.linspace(0, len(self.rows), min(count, len(self.rows)) + 1).astype(int).tolist()
        return [self._with(self.rows[a:b]) for a, b in pairwise(cuts)]

    def _with(self, rows: tuple[tuple[int, dict[str, Any]], ...]) -> CropWork:
        used = {row["volume"] for _, row in rows}
        return replace(self, rows=rows, volumes={name: self.volumes[name] for name in used})


def cut_all(work: CropWork, done: int = 0, total: int = 0, progress: Progress = silent) -> None:
    """Cut the crops of these sites in this process. done, total: for the progress only."""
    store = CropStore(work.path)
    reader: Reader | None = None
    with closing(Journal(work.path / JOURNAL)) as journal:
        for count, (place, row) in enumerate(work.rows):
            if reader is None or reader.name != work.volumes[row["volume"]].name:
                reader = reader_of(work.volumes[row["volume"]], work.recipe)
            found = _cut_or_say_why(reader, row, work)
            if isinstance(found, CutCrop):
                store.write(place, found.crop)
                journal.kept(place, found.facts)
            else:
                journal.discarded(place, found)
            progress(_WHAT, done + count + 1, total)


def _cut_or_say_why(reader: Reader, row: dict[str, Any], work: CropWork) -> CutCrop | Discarded:
    try:
        return cut_crop(reader, row, work.recipe, work.levels[row["volume"]], work.names)
    except FormatError as error:
        # One damaged picture must not cost the other sites.
        key = f"{row['dataset']}/{row['volume']}/{row['synapse_id']}"
        _log.warning("Site '%s' cannot be read: %s", key, error)
        return Discarded(key, "crops", "unreadable")


def cut_in_processes(work: CropWork, workers: int, total: int, progress: Progress) -> None:
    """Cut the crops in several processes, neighbouring sites in the same. Raises InputError, RunFailedError where one died."""
    _require_picklable(work.volumes)
    journal = work.path / JOURNAL
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(cut_all, share) for share in work.shares(workers)}
        ended = set()
        lines = _Lines(journal)
        while waiting:
            more, waiting = wait(waiting, timeout=_LOOK_S)
            ended |= more
            progress(_WHAT, lines.count(), total)
    try:
        for future in ended:
            future.result()
    except BrokenProcessPool as error:
        raise RunFailedError(
            f"A process that cut crops died ({lines.count()} of {total} sites are done)",
            "enough memory for all of them",
            "take fewer workers and run the same command again: what is done is kept",
        ) from error


class _Lines:
    """How many lines the journals have, without reading any twice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: dict[Path, int] = {}
        self.lines = 0

    def count(self) -> int:
        for file in self.folder.glob("*.jsonl"):
            with file.open("rb") as opened:
                opened.seek(self.read.get(file, 0))
                new = opened.read()
            self.read[file] = self.read.get(file, 0) + len(new)
            self.lines += new.count(b"\n")
        return self.lines


class Journal:
    """The lines of one process; no two processes write to the same file. Write a line after what it tells of."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            try:
                self._file: TextIO = (folder / f"{number:05d}.jsonl").open("x", encoding="utf-8")
            except FileExistsError:
                number += 1
            else:
                return

    def kept(self, place: int, facts: dict[str, Any]) -> None:
        self._write({"place": place, "facts": facts})

    def discarded(self, place: int, why: Discarded) -> None:
        self._write({"place": place, "discarded": asdict(why)})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read_journal(folder: Path) -> dict[int, dict[str, Any] | Discarded]:
    """The facts, or the reason for its loss, of each site that has been done, by place."""
    return {
        line["place"]: Discarded(**line["discarded"]) if "discarded" in line else line["facts"]
        for file in sorted(folder.glob("*.jsonl"))
        for line in _complete_lines(file)
    }


def _complete_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Without the last line of a process that was killed while it wrote."""
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _require_picklable(volumes: Mapping[str, SynapseVolume]) -> None:
    for name, volume in volumes.items():
        for part in (volume.image, volume.neurons, volume.organelles, volume.instances):
            if part is None or isinstance(part.data, np.ndarray):
                continue
            try:
                pickle.dumps(part.data)
            except Exception as error:  # what cannot be pickled raises what it likes
                raise InputError(
                    f"Volume '{name}' cannot be handed to another process ({error})", "one opened by path", "take one worker"
                ) from error
