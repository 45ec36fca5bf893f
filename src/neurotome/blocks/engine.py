"""Run steps over blocks in a run folder: what is finished is kept, what fails is tried again, what fails for good is listed."""

from __future__ import annotations

import csv
import logging
import shutil
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from neurotome.blocks.executor import Executor, Outcome
from neurotome.blocks.ledger import Ledger
from neurotome.core import Block, BlocksFailedError, Box, InputError, Progress, ShapeError, silent
from neurotome.io.atomic import atomic_target

__all__ = ["FAILED", "Engine", "Step", "Work"]

_log = logging.getLogger(__name__)

FAILED = "failed_blocks.csv"
_NAMED = 3
# So many blocks that fail one after the other, per worker and at least, say that the others would fail, too.
_IN_A_ROW, _LEAST_IN_A_ROW = 3, 16


class Work(Protocol):
    """One pass over one block: a frozen dataclass of plain values (paths, numbers, frozen dataclasses) that opens its files.

    It must write the same bytes whenever it is called with the same block, and each file whole or not at all (`io.atomic`).
    """

    def __call__(self, block: Block) -> Sequence[Path]:
        """The files the block has written. A file of a Zarr volume may be absent where all voxels are 0."""


@dataclass(frozen=True)
class Step:
    """Work over blocks. name: that of the ledger's folder; what: words for the progress bar, the name if left out."""

    name: str
    blocks: Sequence[Block]
    work: Work
    what: str = ""


@dataclass(frozen=True)
class Recorded:
    """Work that marks its blocks as finished, in the process that has written them.

    again: a block may have been given out and finished before.
    """

    work: Work
    ledger: Ledger
    again: bool = False

    def __call__(self, block: Block) -> None:
        if not (self.again and self.ledger.has(block.write)):
            self.ledger.add(block.write, self.work(block))


class Engine:
    """Runs steps in the run folder `folder` with an executor, which the caller opens and closes.

    key: a hash of everything that decides the result (input, settings). retries: further attempts at a block that fails.
    progress: told the voxels written; those of an earlier run are counted from the start.
    """

    def __init__(self, folder: Path, *, key: str, executor: Executor, retries: int = 2, progress: Progress = silent) -> None:
        self.folder, self.key, self.executor = Path(folder).absolute(), key, executor
        self.retries, self.progress = retries, progress
        self._ran: dict[str, tuple[int, Work]] = {}

    def run(self, step: Step) -> None:
        """Do the blocks of the step that are not finished.

        Raises BlocksFailedError when blocks are left that cannot be done (the others are done first, unless very many fail in a
        row), DiskFullError or InputError at once when the disk is full or may not be written, RunFolderError when the folder
        holds blocks made with another key, ShapeError when two blocks write the same box, InputError when another step of this
        name was run before.
        """
        self._require_one_of_its_name(step)
        ledger = Ledger(self.folder, step.name, self.key)
        (self.folder / FAILED).unlink(missing_ok=True)
        todo = ledger.todo(step.blocks, progress=self.progress)
        total = sum(block.write.size for block in step.blocks)
        course = _Course(step, todo, total - sum(block.write.size for block in todo), total, self.progress)
        for attempt in range(1 + self.retries):
            work = Recorded(step.work, ledger, again=attempt > 0 or self.executor.repeats)
            outcomes = self.executor.outcomes(work, todo, folder=self.folder)
            if not self._follow(course, outcomes):
                break
            todo = course.worth_another_attempt()
            if not todo:
                break
        if course.failed:
            raise self._failure(step, course)

    def _follow(self, course: _Course, outcomes: Generator[Outcome, None, None]) -> bool:
        """Take note of the outcomes. Whether blocks are worth being tried further: not when so many fail in a row."""
        with closing(outcomes):
            in_a_row = 0
            for outcome in outcomes:
                if outcome.hopeless is not None:
                    raise outcome.hopeless
                course.note(outcome)
                in_a_row = 0 if outcome.error is None else in_a_row + 1
                if in_a_row >= max(_LEAST_IN_A_ROW, _IN_A_ROW * self.executor.workers):
                    return False
        return True

    def _require_one_of_its_name(self, step: Step) -> None:
        """Finished blocks are known by step and box: another step of the same name would be taken for this one."""
        boxes = {block.write for block in step.blocks}
        if len(boxes) < len(step.blocks):
            raise ShapeError(f"Two blocks of step '{step.name}' write the same box", "each box once")
        this = (hash(frozenset(step.blocks)), step.work)
        if self._ran.setdefault(step.name, this) != this:
            raise InputError(
                f"Step '{step.name}' was run before with other blocks or other work", "a name for each step", "rename one of them"
            )

    def forget(self, name: str) -> None:
        """Forget which blocks of a step are finished."""
        self._ran.pop(name, None)
        shutil.rmtree(Ledger(self.folder, name, self.key).folder, ignore_errors=True)

    def _failure(self, step: Step, course: _Course) -> BlocksFailedError:
        failed = sorted(course.failed.values(), key=lambda outcome: outcome.block.write.start)
        table = str(self.folder / FAILED)
        try:
            _write_table(self.folder / FAILED, step.name, failed)
        except OSError as error:
            # What is worth knowing is why the blocks failed.
            _log.warning("'%s' could not be written: %s", table, error)
            table = ""
        named = [(_place(outcome.block.write), outcome.error or "") for outcome in failed[:_NAMED]]
        return BlocksFailedError(step.name, named, len(failed), len(step.blocks), table, course.untried)


class _Course:
    """How far a step has come. done, total: voxels; untried: number of blocks; failed: the last outcome of each that failed."""

    def __init__(self, step: Step, todo: Sequence[Block], done: int, total: int, progress: Progress) -> None:
        self.step, self.done, self.total, self.progress = step, done, total, progress
        self.untried = len(todo)
        self.failed: dict[Block, Outcome] = {}
        self._tell()

    def note(self, outcome: Outcome) -> None:
        self.untried -= outcome.block not in self.failed
        if outcome.error is None:
            self.failed.pop(outcome.block, None)
            self.done += outcome.block.write.size
            self._tell()
            return
        self.failed[outcome.block] = outcome
        if len(self.failed) <= _NAMED:
            _log.warning("block %s of %s failed: %s", _place(outcome.block.write), self.step.name, outcome.error)

    def worth_another_attempt(self) -> list[Block]:
        return [block for block, outcome in self.failed.items() if outcome.curable]

    def _tell(self) -> None:
        self.progress(self.step.what or self.step.name, self.done, self.total)


def _write_table(path: Path, step: str, failed: Sequence[Outcome]) -> None:
    with atomic_target(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["step", "z0", "y0", "x0", "z1", "y1", "x1", "error", "traceback"])
        for outcome in failed:
            box = outcome.block.write
            table.writerow([step, *box.start, *box.stop, outcome.error, outcome.trace])


def _place(box: Box) -> str:
    return ", ".join(f"{a}:{b}" for a, b in zip(box.start, box.stop, strict=True))
