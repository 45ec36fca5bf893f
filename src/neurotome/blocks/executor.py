"""What an executor is, whichever machine it works on: something that runs one function over many blocks."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from neurotome.core import Block, DiskFullError, InputError, NeurotomeError, ValueRangeError

__all__ = ["Executor", "Outcome", "attempt", "make_executor"]

# What a block's work gives is in files: a value would have to fit into the memory of the process that waits for all blocks.
BlockFunction = Callable[[Block], object]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EROFS, errno.EACCES}


@dataclass(frozen=True)
class Outcome:
    """How it went with one block. error: one line, None when it went well; trace: where it went wrong;
    curable: whether another attempt may go better; hopeless: what to tell the user when no other block will go better either.
    """

    block: Block
    error: str | None = None
    trace: str = ""
    curable: bool = True
    hopeless: NeurotomeError | None = None


class Executor(Protocol):
    """Runs work over blocks, up to `workers` at a time. A context manager: leaving it ends the workers.

    repeats: whether a block may be given out again although it was finished, because its worker died before it could say so.
    """

    workers: int
    repeats: bool

    def outcomes(
        self, work: BlockFunction, blocks: Iterable[Block], *, folder: Path | None = None
    ) -> Generator[Outcome, None, None]:
        """One outcome per block, as they finish, in any order. An error in a block is an outcome, not an exception.

        folder: one that all workers must see.

        Raises InputError when the work cannot be sent to another process, or a worker has another neurotome or other files.
        """

    def close(self) -> None:
        """End the workers, whatever they do."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def attempt(work: BlockFunction, block: Block) -> Outcome:
    """Do the work on a block and say how it went."""
    try:
        work(block)
    except Exception as error:
        # What was given does not get better by asking again.
        curable = not isinstance(error, InputError)
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(block, words, traceback.format_exc(), curable, _disk_error(error))
    return Outcome(block)


def _disk_error(error: Exception) -> NeurotomeError | None:
    """What to say of an error that all blocks will meet: a disk that is full, or may not be written."""
    if isinstance(error, DiskFullError):
        return error
    number = error.errno if isinstance(error, OSError) else None
    if number not in _FULL | _FORBIDDEN or number is None:
        return None
    given = f"'{error.filename}': {os.strerror(number)}" if isinstance(error, OSError) and error.filename else os.strerror(number)
    kept = "and run the same command again: finished blocks are kept"
    if number in _FULL:
        return DiskFullError(given, "more room", f"free some space {kept}")
    return InputError(given, "files that may be read and written", f"check the disk and your rights on it {kept}")


def make_executor(*, workers: int = 1, scheduler: str | None = None, slurm: Mapping[str, str] | None = None) -> Executor:
    """An executor in this process (one worker), in processes of this machine, on a Dask scheduler, or on a SLURM cluster.

    scheduler: "tcp://host:port", with its own workers. slurm: {"partition": ..., ...}, `workers` jobs of one core each.

    Raises ValueRangeError, InputError when no scheduler answers, MissingExtraError without dask-jobqueue.
    """
    if workers < 1:
        raise ValueRangeError(f"{workers} workers", "at least one", "give --workers 1 or more")
    if scheduler and slurm is not None:
        raise InputError("Both a scheduler and SLURM were given", "one of them", "leave out --scheduler or --slurm")
    if scheduler is None and slurm is None and workers == 1:
        from neurotome.blocks.serial import SerialExecutor

        return SerialExecutor()
    from neurotome.blocks import cluster

    if scheduler:
        return cluster.at(scheduler)
    return cluster.slurm(slurm, workers) if slurm is not None else cluster.local(workers)
