"""Which blocks are done: text files that grow by one line per finished block and survive a kill at any moment.

<run>/blocks/<step>/<host>-<pid>-<session>-<random>.done        one per process that writes: no locks, also on a cluster

key 5f3a90 .                                                          what decides the result, hashed
0 0 0 32 512 512 {"fragments.ome.zarr/0/c/0/0/0": "8d1c02aa-91234"} . the box written; each file with its digest
"""

from __future__ import annotations

import json
import logging
import math
import os
import socket
import uuid
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic

from neurotome.core import Block, Box, Progress, RunFolderError, silent

__all__ = ["Ledger"]

_log = logging.getLogger(__name__)

# What marks a line as whole: one cut short by a kill lacks it. JSON never holds a bare tab.
END = "\t."
# A shard whose voxels are all 0 is not stored: it must still be absent when the run goes on.
ABSENT = "absent"
_PIECE = 1 << 20
# What is written survives a kill of its process. Only a power cut can take it back: blocks finished within this time of the
# last line that was brought to the disk, which are done again.
_SYNC_S = 1.0


@dataclass(frozen=True)
class Ledger:
    """Finished blocks of one step of the run in `run`, an absolute path. `key` is a hash of everything that decides the result.

    session: the name of this attempt at the run, in the names of the files it writes.
    """

    run: Path
    step: str
    key: str
    session: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def folder(self) -> Path:
        return self.run / "blocks" / self.step

    def add(self, box: Box, files: Iterable[Path]) -> None:
        """Mark a block as finished, in a file of this process: call it after `files` are on disk."""
        digests = {os.path.relpath(path, self.run): _digest(path) for path in files}
        _append(_own_file(self.folder, self.session, os.getpid()), self.key, f"{_numbers(box)} {json.dumps(digests)}{END}")

    def has(self, box: Box) -> bool:
        """Whether a process of this session has finished the block (its line is looked for, its files are not).

        It searches what all processes have written: a millisecond or so with a hundred thousand blocks.
        """
        start = f"\n{_numbers(box)} ".encode()
        # A line that is being written, or was cut short, lacks its end.
        return any(
            line.partition(b"\n")[0].endswith(END.encode())
            for path in self.files(self.session)
            for line in path.read_bytes().split(start)[1:]
        )

    def todo(self, blocks: Sequence[Block], *, progress: Progress = silent) -> list[Block]:
        """The blocks that are not finished, or whose files have gone or changed since (which are removed), in order.

        Raises RunFolderError when the ledger was written with another key.
        """
        finished = self._finished()
        claimed = [(block, finished[box]) for block in blocks if (box := _numbers(block.write)) in finished]
        if not claimed:
            return list(blocks)
        sound: set[Box] = set()
        total = sum(block.write.size for block, _ in claimed)
        done = 0
        # Threads, because the digest lets go of the interpreter and a disk likes more than one question.
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            for (block, claims), damaged in zip(claimed, pool.map(self._damaged, [lines for _, lines in claimed]), strict=True):
                done += block.write.size
                progress(f"check {self.step}", done, total)
                if damaged is None:
                    sound.add(block.write)
                else:
                    _log.warning("'%s' of a finished block is gone or damaged: the block is done again", damaged)
                    self._remove(claims)
        return [block for block in blocks if block.write not in sound]

    def _finished(self) -> dict[str, list[str]]:
        """Box (its six numbers) -> what the lines about it say of its files; a block done twice has two."""
        finished: dict[str, list[str]] = {}
        for path in self.files():
            for line in _lines(path.read_bytes(), path, self.key):
                numbers, files = _parted(line)
                finished.setdefault(numbers, []).append(files)
        return finished

    def files(self, session: str = "") -> list[Path]:
        """The ledger's files, of all sessions or of one."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == ".done" and session in path.name)
        except FileNotFoundError:
            return []

    def _remove(self, claims: list[str]) -> None:
        """Remove the files of a block that is to be done again: who writes into a damaged shard would read it first, and fail."""
        for name in {name for claim in claims for name in json.loads(claim)}:
            (self.run / name).unlink(missing_ok=True)

    def _damaged(self, claims: list[str]) -> str | None:
        """The first file that is not as any of the claims says; None when all are as one of them says."""
        damaged = None
        for claim in claims:
            files: dict[str, str] = json.loads(claim)
            damaged = next((name for name, digest in files.items() if _digest(self.run / name) != digest), None)
            if damaged is None:
                return None
        return damaged


def _numbers(box: Box) -> str:
    return "{} {} {} {} {} {}".format(*box.start, *box.stop)


def _digest(path: Path) -> str:
    """CRC-32 (four times as fast as a cryptographic hash, and only accidents are looked for) and size of a file."""
    check, size = 0, 0
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                check, size = zlib.crc32(piece, check), size + len(piece)
    except FileNotFoundError:
        return ABSENT
    return f"{check:08x}-{size}"


@cache
def _own_file(folder: Path, session: str, pid: int) -> Path:
    """A file that only this process writes; pid: a forked child is another process."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{socket.gethostname()}-{pid}-{session}-{uuid.uuid4().hex[:8]}.done"


_synced: dict[Path, float] = {}


def _append(path: Path, key: str, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        head = "" if os.fstat(descriptor).st_size else f"key {key}{END}"
        # The line break comes first, so that a line cut short by a full disk does not spoil the next.
        os.write(descriptor, f"{head}\n{line}".encode())
        if monotonic() - _synced.get(path, -math.inf) > _SYNC_S:
            os.fsync(descriptor)
            _synced[path] = monotonic()
    finally:
        os.close(descriptor)


def _lines(data: bytes, path: Path, key: str) -> list[str]:
    """The whole lines in a ledger file without their ends.

    Raises RunFolderError when they were written with another key.
    """
    head, *lines = data.decode(errors="replace").split("\n")
    if not head.endswith(END):
        return []
    if head != f"key {key}{END}":
        raise RunFolderError(
            f"'{path.parent}' lists blocks of another configuration",
            "blocks made with the same input and settings",
            "choose another output folder",
        )
    return [line.removesuffix(END) for line in lines if line.endswith(END)]


def _parted(line: str) -> tuple[str, str]:
    """The six numbers of a box, and its files."""
    *numbers, files = line.split(" ", 6)
    return " ".join(numbers), files
