"""Run steps over blocks in a run folder: what is finished is kept, what fails is tried again, what fails for good is listed."""

from __future__ import annotations

import csv
import logging
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from neurotome.blocks.executor import Executor, Outcome
from neurotome.blocks.ledger import Ledger
from neurotome.core import Block, BlocksFailedError, Box, Progress, ShapeError, silent
from neurotome.io.atomic import atomic_target

__all__ = ["FAILED", "Engine", "Step", "Work"]

_log = logging.getLogger(__name__)

FAILED = "failed_blocks.csv"
_NAMED = 3


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
    """Work that marks its blocks as finished, in the process that has written them."""

    work: Work
    ledger: Ledger

    def __call__(self, block: Block) -> None:
        # A scheduler gives a finished block out again when its worker died before it could say so.
        if not self.ledger.has(block.write):
            self.ledger.add(block.write, self.work(block))


class Engine:
    """Runs steps in the run folder `folder` with an executor, which the caller opens and closes.

    key: a hash of everything that decides the result (input, settings). retries: further attempts at a block that fails.
    progress: told the voxels written; those of an earlier run are counted from the start.
    """

    def __init__(self, folder: Path, *, key: str, executor: Executor, retries: int = 2, progress: Progress = silent) -> None:
        self.folder, self.key, self.executor = Path(folder).absolute(), key, executor
        self.retries, self.progress = retries, progress

    def run(self, step: Step) -> None:
        """Do the blocks of the step that are not finished.

        Raises BlocksFailedError when blocks are left that cannot be done (all others are done first), RunFolderError when
        the folder holds blocks made with another key, ShapeError when two blocks write the same box.
        """
        if len({block.write for block in step.blocks}) < len(step.blocks):
            raise ShapeError(f"Two blocks of step '{step.name}' write the same box", "each box once")
        ledger = Ledger(self.folder, step.name, self.key)
        (self.folder / FAILED).unlink(missing_ok=True)
        todo = ledger.todo(step.blocks, progress=self.progress)
        total = sum(block.write.size for block in step.blocks)
        done = total - sum(block.write.size for block in todo)
        self.progress(step.what or step.name, done, total)
        hopeless: list[Outcome] = []
        failed: list[Outcome] = []
        for _ in range(1 + self.retries):
            failed = []
            with closing(self.executor.outcomes(Recorded(step.work, ledger), todo)) as outcomes:
                for outcome in outcomes:
                    if outcome.error is None:
                        done += outcome.block.write.size
                        self.progress(step.what or step.name, done, total)
                    else:
                        (failed if outcome.curable else hopeless).append(outcome)
                        if len(failed) + len(hopeless) <= _NAMED:
                            _log.warning("block %s of %s failed: %s", _place(outcome.block.write), step.name, outcome.error)
            todo = [outcome.block for outcome in failed]
            if not todo:
                break
        if hopeless or failed:
            raise self._failure(step, [*hopeless, *failed])

    def forget(self, name: str) -> None:
        """Forget which blocks of a step are finished."""
        shutil.rmtree(Ledger(self.folder, name, self.key).folder, ignore_errors=True)

    def _failure(self, step: Step, failed: list[Outcome]) -> BlocksFailedError:
        failed.sort(key=lambda outcome: outcome.block.write.start)
        with atomic_target(self.folder / FAILED) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["step", "z0", "y0", "x0", "z1", "y1", "x1", "error", "traceback"])
            for outcome in failed:
                box = outcome.block.write
                table.writerow([step.name, *box.start, *box.stop, outcome.error, outcome.trace])
        named = [(_place(outcome.block.write), outcome.error or "") for outcome in failed[:_NAMED]]
        return BlocksFailedError(step.name, named, len(failed), len(step.blocks), str(self.folder / FAILED))


def _place(box: Box) -> str:
    return ", ".join(f"{a}:{b}" for a, b in zip(box.start, box.stop, strict=True))
