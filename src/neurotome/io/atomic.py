"""Files that are either complete or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import DiskFullError, InputError

__all__ = [
    "atomic_target",
    "atomic_write_json",
    "atomic_write_text",
    "disk_full_named",
    "is_leftover",
    "plain_json",
    "remove_leftovers",
    "require_free_space",
]

_LEFTOVER = re.compile(r"\.[0-9a-f]{8}\.part\..+")


@contextlib.contextmanager
def atomic_target(path: Path | str, *, overwrite: bool = True, most_bytes: int | None = None) -> Iterator[Path]:
    """A temporary path beside `path` (a file or a folder may be made there) that takes its place when the block ends well.

    It is removed when the block fails. most_bytes: what the result takes at most, for the message when the disk is full.

    Raises InputError when `path` exists and may not be overwritten, DiskFullError.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"'{path}' exists already", "a new name", "give --overwrite, or choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last: writers and readers look at it.
    temporary = path.with_name(f".{uuid.uuid4().hex[:8]}.part.{path.name}")
    try:
        with disk_full_named(path, most_bytes):
            yield temporary
            _replace(temporary, path)
    finally:
        _remove(temporary)


def is_leftover(name: str) -> bool:
    """Whether a file of this name was begun by `atomic_target`, which did not live to end it.

    >>> is_leftover(".5f3a90bc.part.run.json"), is_leftover("run.json")
    (True, False)
    """
    return _LEFTOVER.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove what `atomic_target` had begun anywhere in a folder when its process was killed. Nobody may be writing there."""
    for place, folders, files in os.walk(folder):
        for name in filter(is_leftover, [*folders, *files]):
            _remove(Path(place, name))
        folders[:] = [name for name in folders if not is_leftover(name)]


def atomic_write_text(path: Path | str, text: str) -> None:
    """Write a text file so that a reader sees the old or the new content, never half of it."""
    with atomic_target(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def atomic_write_json(path: Path | str, obj: Any) -> None:
    """Like `atomic_write_text`, for anything that JSON can hold, NumPy numbers and paths included."""
    atomic_write_text(path, json.dumps(plain_json(obj), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def plain_json(value: Any) -> Any:
    """The value as JSON would give it back: tuples are lists, paths are text, NumPy numbers are numbers, nan is null.

    >>> plain_json({"shape": (np.int64(2), 3), 7: Path("a")})
    {'shape': [2, 3], '7': 'a'}
    """
    if isinstance(value, dict):
        return {str(k): plain_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [plain_json(v) for v in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise InputError(
        f"A value of type {type(value).__name__} cannot be written as JSON", "numbers, text, lists, dicts", "convert it"
    )


def require_free_space(path: Path, needed_bytes: int) -> None:
    """Raise DiskFullError unless the disk that will hold `path` has `needed_bytes` left."""
    folder = next(p for p in (path.absolute(), *path.absolute().parents) if p.is_dir())
    if (free := shutil.disk_usage(folder).free) < needed_bytes:
        raise _disk_full(path, _size("at least", needed_bytes), free)


@contextlib.contextmanager
def disk_full_named(path: Path, most_bytes: int | None = None) -> Iterator[None]:
    """Turn 'no space left', in whichever form a library reports it, into DiskFullError."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error)
        if not full or isinstance(error, DiskFullError):
            raise
        folder = next(p for p in path.absolute().parents if p.is_dir())
        raise _disk_full(
            path, _size("up to", most_bytes) if most_bytes else "more room", shutil.disk_usage(folder).free
        ) from error


def _disk_full(path: Path, needed: str, free: int) -> DiskFullError:
    return DiskFullError(f"No room for '{path}': {_size('', free)} free", needed, "free some space, or choose another disk")


def _size(words: str, count: int) -> str:
    return f"{words} {count / 1e6:,.1f} MB ({count} bytes)"


def _replace(temporary: Path, path: Path) -> None:
    """Rename onto `path`; a folder cannot be replaced in one step, so the old one is moved aside first."""
    if path.is_dir() and not path.is_symlink():
        old = path.with_name(f".{uuid.uuid4().hex[:8]}.old.{path.name}")
        path.rename(old)
        try:
            temporary.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old)
    else:
        temporary.replace(path)


def _remove(path: Path) -> None:
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    # After a failure, writes that were under way may still put files into a folder while it is being emptied.
    for _ in range(50):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.02)
