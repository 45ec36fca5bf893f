"""Progress on a terminal: one bar per step with the time left; in a pipe, one line per step."""

from __future__ import annotations

from contextlib import AbstractContextManager
from time import perf_counter
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Bars"]

# Work of this many voxels is counted in Mvoxel: nobody reads nine digits.
_MANY = 1_000_000


class Bars(AbstractContextManager["Bars"]):
    """A `core.Progress` that draws: call it with (what, done, total)."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tasks: dict[str, TaskID] = {}
        self.started: dict[str, float] = {}
        self.finished: set[str] = set()
        columns = (
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<26}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[speed]}"),
        )
        self.bars = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> Bars:
        self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = perf_counter()
        if what not in self.tasks:
            self.tasks[what] = self.bars.add_task(what, total=total, speed="")
            self.started[what] = now
        seconds = now - self.started[what]
        speed = f"{done / seconds / _MANY:.1f} Mvoxel/s" if total >= _MANY and seconds > 1 else ""
        self.bars.update(self.tasks[what], completed=done, total=total, speed=speed)
        if done >= total and what not in self.finished:
            self.finished.add(what)
            if not self.console.is_terminal and seconds > 2:
                self.console.print(f"{what}: {seconds:.0f} s {speed}".rstrip(), highlight=False)
