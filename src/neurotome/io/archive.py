"""Files in zip archives, read as if they were unpacked: by readers that want a path."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TypeVar

from neurotome.core import FormatError, InputError, NeurotomeError, UnknownNameError

__all__ = ["archive_files", "is_clutter", "read_archived"]

Found = TypeVar("Found")


def archive_files(path: Path) -> list[str]:
    """The names of all files in an archive, sorted, without those that systems leave there. Raises FormatError."""
    return sorted(name for name in _opened(path).namelist() if not name.endswith("/") and not is_clutter(PurePosixPath(name)))


def read_archived(path: Path, member: str, read: Callable[[Path], Found]) -> Found:
    """What `read` makes of a file in an archive; errors name the archive and the member.

    Raises UnknownNameError for a member that is not there, FormatError for one that cannot be unpacked.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Only the last part of a member's name is used: an archive cannot write outside the folder.
        file = Path(folder) / PurePosixPath(member).name
        try:
            file.write_bytes(_opened(path).read(member))
        except KeyError as error:
            raise UnknownNameError(f"file of '{path}'", member, archive_files(path)) from error
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise FormatError(
                f"'{path}/{member}' cannot be unpacked ({error})", "a sound archive", "download it again"
            ) from error
        try:
            return read(file)
        except InputError as error:
            raise _renamed(error, str(file), f"{path}/{member}") from error


def is_clutter(path: PurePosixPath | Path) -> bool:
    """Whether a path is hidden, or in the folder that macOS adds to archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _renamed(error: InputError, old: str, new: str) -> InputError:
    kind = type(error) if type(error).__init__ is NeurotomeError.__init__ else InputError
    return kind(error.given.replace(old, new), error.expected, error.remedy)


def _opened(path: Path) -> zipfile.ZipFile:
    stat = path.stat()
    # A forked worker must not share the position in the file with its parent.
    return _archive(path, stat.st_size, stat.st_mtime_ns, os.getpid())


@lru_cache(maxsize=4)
def _archive(path: Path, size: int, time_ns: int, process: int) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise FormatError(f"'{path}' is not a readable zip file ({error})", "a zip archive", "download it again") from error
