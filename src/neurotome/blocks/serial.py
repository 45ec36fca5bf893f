"""The executor that a debugger likes: one block after the other, in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from neurotome.blocks.executor import BlockFunction, Outcome, attempt
from neurotome.core import Block

__all__ = ["SerialExecutor"]


class SerialExecutor(AbstractContextManager["SerialExecutor"]):
    """See `Executor`."""

    workers, repeats = 1, False

    def outcomes(
        self, work: BlockFunction, blocks: Iterable[Block], *, folder: Path | None = None
    ) -> Generator[Outcome, None, None]:
        return (attempt(work, block) for block in blocks)

    def close(self) -> None:
        """Nothing to end."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
