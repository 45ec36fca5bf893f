"""Every error neurotome raises on purpose.

    NeurotomeError                     exit 1
    |-- InputError (ValueError)        exit 2   what was given cannot be used
    |   |-- MissingFileError (FileNotFoundError)
    |   |-- FormatError                         unreadable, corrupt, wrong kind of file
    |   |-- UnitError                           voxel size missing, ambiguous or incompatible
    |   |-- ShapeError                          arrays that should fit each other do not
    |   |-- ValueRangeError                     values outside what the type allows
    |   |-- UnknownNameError (KeyError)         names the known ones and the closest
    |   |-- RunFolderError                      the output folder belongs to another run
    |   `-- MissingExtraError (ImportError)     an optional package is not installed
    |-- DiskFullError (OSError)        exit 2
    `-- RunFailedError (RuntimeError)  exit 1   the input was good, the work was not finished
        `-- BlocksFailedError                   some blocks of a step failed again and again

A message says what was given, what was expected and what to do, in one line: `InputError(given, expected, remedy)`.
"""

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "BlocksFailedError",
    "DiskFullError",
    "FormatError",
    "InputError",
    "MissingExtraError",
    "MissingFileError",
    "NeurotomeError",
    "RunFailedError",
    "RunFolderError",
    "ShapeError",
    "UnitError",
    "UnknownNameError",
    "ValueRangeError",
]

_MOST_NAMES = 40
"""Of the known ones that a message lists; a table may have thousands of neurons."""


class NeurotomeError(Exception):
    """The root: catch this to catch every deliberate error.

    >>> str(NeurotomeError("File is empty: 'a.tif'", "at least one section", "check the download"))
    "File is empty: 'a.tif'. Expected: at least one section. Remedy: check the download."
    """

    exit_code = 1

    def __init__(self, given: str, expected: str = "", remedy: str = "") -> None:
        self.given = given.rstrip(".")
        self.expected = expected.rstrip(".")
        self.remedy = remedy.rstrip(".")
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.given]
        if self.expected:
            parts.append(f"Expected: {self.expected}")
        if self.remedy:
            parts.append(f"Remedy: {self.remedy}")
        return " ".join(". ".join(parts).split()) + "."

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.given, self.expected, self.remedy)


class InputError(NeurotomeError, ValueError):
    """What was given cannot be used."""

    exit_code = 2


class MissingFileError(InputError, FileNotFoundError):
    """A path that should exist does not."""


class FormatError(InputError):
    """A file is unreadable, corrupt or of another kind."""


class UnitError(InputError):
    """A voxel size is missing, ambiguous or incompatible."""


class ShapeError(InputError):
    """Arrays that should fit each other do not."""


class ValueRangeError(InputError):
    """Values outside what the type allows."""


class RunFolderError(InputError):
    """The output folder belongs to another run, or another run is writing to it."""


class MissingExtraError(InputError, ImportError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str = "", remedy: str = "") -> None:
        install = remedy or f"pip install 'neurotome[{extra}]'"
        super().__init__(f"The package '{package}' is not installed", "it to be importable", install)

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.given.split("'")[1], "", self.remedy)


class UnknownNameError(InputError, KeyError):
    """A name that is not in the list of known ones.

    >>> str(UnknownNameError("metric", "adapted_rnd", ["adapted_rand", "voi"]))
    "Unknown metric 'adapted_rnd'. Expected: one of adapted_rand, voi. Remedy: did you mean 'adapted_rand'?"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, str(name), sorted(known)
        close = difflib.get_close_matches(self.name, self.known, n=1, cutoff=0.4)
        remedy = f"did you mean '{close[0]}'?" if close else f"choose a {kind} from the list"
        more = f" and {len(self.known) - _MOST_NAMES} more" if len(self.known) > _MOST_NAMES else ""
        super().__init__(f"Unknown {kind} '{name}'", f"one of {', '.join(self.known[:_MOST_NAMES])}{more}", remedy)

    def __str__(self) -> str:
        return super().__str__().removesuffix("?.") + ("?" if self.remedy.endswith("?") else "")

    def __reduce__(self) -> tuple[type, tuple[str, str, list[str]]]:  # type: ignore[override]
        return type(self), (self.kind, self.name, self.known)


class DiskFullError(NeurotomeError, OSError):
    """There is not enough room for the result."""

    exit_code = 2


class RunFailedError(NeurotomeError, RuntimeError):
    """The input was good, but the work could not be finished."""


class BlocksFailedError(RunFailedError):
    """Some blocks of a step failed again and again; `named` holds the first of them as (box, error), `table` lists them all.

    untried: blocks that were not begun any more, because so many failed. table: "" where it could not be written.

    >>> str(BlocksFailedError("fragments", [("0:8, 0:64, 0:64", "OSError: gone")], 1, 27, "out/failed_blocks.csv")).split(". ")[0]
    '1 of 27 blocks of fragments failed (0:8, 0:64, 0:64: OSError: gone)'
    """

    def __init__(
        self, step: str, named: Sequence[tuple[str, str]], failed: int, blocks: int, table: str, untried: int = 0
    ) -> None:
        self.step, self.named, self.failed, self.blocks, self.table = step, list(named), failed, blocks, table
        self.untried = untried
        listed = "; ".join(f"{box}: {error.rstrip('.')}" for box, error in named) + ("; ..." if failed > len(named) else "")
        others = f"; {untried} others were not tried any more" if untried else ""
        read = f"read '{table}', " if table else ""
        super().__init__(
            f"{failed} of {blocks} blocks of {step} failed ({listed}){others}",
            "all of them to be finished",
            f"{read}remove the cause and run the same command again: finished blocks are kept",
        )

    def __reduce__(self) -> tuple[type, tuple[str, list[tuple[str, str]], int, int, str, int]]:  # type: ignore[override]
        return type(self), (self.step, self.named, self.failed, self.blocks, self.table, self.untried)
