"""Which blocks are done: a text file that grows by one line per finished block and survives a kill at any moment."""

import os
from collections.abc import Iterable
from pathlib import Path

from neurotome.core import Box, RunFolderError

__all__ = ["Ledger"]


class Ledger:
    """Finished blocks of one step, in `path`. The first line is `key`, a hash of everything that decides the result.

    Raises RunFolderError when the file there was written with another key.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        if not path.exists():
            self._append(key)
        lines = path.read_text().splitlines()
        if not lines or lines[0] != key:
            raise RunFolderError(
                f"'{path}' lists blocks of another configuration",
                "blocks made with the same input and settings",
                "choose another output folder",
            )
        # A line cut short by a kill does not parse as six numbers and is done again.
        self._done = {line for line in lines[1:] if line.count(" ") == 6 and line.endswith(" .")}

    def todo(self, boxes: Iterable[Box]) -> list[Box]:
        """The boxes that are not finished, in order."""
        return [b for b in boxes if _line(b) not in self._done]

    def add(self, box: Box) -> None:
        """Mark a block as finished: call it after its data are on disk."""
        line = _line(box)
        self._done.add(line)
        self._append(line)

    def _append(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())


def _line(box: Box) -> str:
    return " ".join(map(str, (*box.start, *box.stop))) + " ."
