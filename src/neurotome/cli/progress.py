"""Progress on a terminal: one bar per step with the time left; in a pipe, one line per step."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from time import perf_counter
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

__all__ = ["Bars"]

# Work of this many voxels is counted in Mvoxel: nobody reads nine digits.
_MANY = 1_000_000


class Bars(AbstractContextManager["Bars"]):
    """A `core.Progress` that draws: call it with (what, done, total).

    What the first call says is done was done before: speed and time left count from there.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tasks: dict[str, TaskID] = {}
        self.began: dict[str, tuple[float, int]] = {}
        self.finished: set[str] = set()
        columns = (
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<26}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            _TimeLeft(),
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
            self.tasks[what] = self.bars.add_task(what, total=total, completed=done, speed="", ends=None)
            self.began[what] = now, done
        began, before = self.began[what]
        seconds, new = now - began, done - before
        speed = f"{new / seconds / _MANY:.1f} Mvoxel/s" if total >= _MANY and seconds > 1 and new else ""
        ends = now + (total - done) * seconds / new if new > 0 else None
        self.bars.update(self.tasks[what], completed=done, total=total, speed=speed, ends=ends)
        if done >= total and what not in self.finished:
            self.finished.add(what)
            if not self.console.is_terminal and seconds > 2:
                self.console.print(f"{what}: {seconds:.0f} s {speed}".rstrip(), highlight=False)


class _TimeLeft(ProgressColumn):
    """Counted down to the end that the last call foresaw: blocks may be minutes apart."""

    def render(self, task: Task) -> Text:
        ends = None if task.finished else task.fields["ends"]
        words = "-:--:--" if ends is None else str(timedelta(seconds=max(0, round(ends - perf_counter()))))
        return Text("0:00:00" if task.finished else words, style="progress.remaining")
