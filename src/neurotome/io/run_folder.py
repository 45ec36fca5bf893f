"""A run is a folder: `run.json` says what was done, with what, how long it took, and which steps are complete."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import logging
import os
import platform
import resource
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from neurotome.core import FormatError, InputError, Progress, Record, RunFolderError, silent
from neurotome.io.atomic import atomic_write_json, is_leftover, plain_json, remove_leftovers
from neurotome.io.open import require_exists

__all__ = ["RunFolder", "absolute_path", "sha256"]

_log = logging.getLogger(__name__)

RECORD, LOCK = "run.json", "run.lock"
BLOCK = 2**22
TERMINATED = 128 + signal.SIGTERM
HASHED_BYTES = 10**11
"""What is read in a minute or so."""


class RunFolder:
    """One run and its folder. Make it with `RunFolder.start`; as a context manager it records how the run ended and unlocks.

    Inside the `with` block, SIGTERM (as schedulers send it) is an exit with status 143, so that it can be recorded.

    >>> import tempfile
    >>> with RunFolder.start(Path(tempfile.mkdtemp()) / "out", command="demo", config={"size": 3}) as run:
    ...     with run.step("count"):
    ...         run.keep({"neurons": 7})
    >>> run.record.status, run.done("count"), run.facts
    ('done', True, {'neurons': 7})
    """

    def __init__(self, path: Path, record: Record, done: list[str], facts: dict[str, Any], lock: _Lock) -> None:
        self.path = path
        self.record = record
        self._done, self._facts, self._lock = done, facts, lock
        self._hears_termination = False

    @classmethod
    def start(
        cls,
        path: Path | str,
        *,
        command: str,
        config: Mapping[str, Any],
        inputs: Mapping[str, Path | str] | None = None,
        seed: int = 0,
        device: str = "cpu",
        overwrite: bool = False,
        progress: Progress = silent,
    ) -> RunFolder:
        """Make the folder, or continue the same run in it.

        inputs: name -> file or folder; their content is hashed. overwrite: throw away another run that is there.

        Raises RunFolderError when the folder is not empty and holds no run, holds a run that differs (naming key and values),
        or another process is writing to it.
        """
        path = Path(path)
        config = plain_json(dict(config))
        hashes = {absolute_path(file): sha256(file, progress) for file in (inputs or {}).values()}
        record = Record(command, config, hashes, versions(), seed, device)
        _require_run_or_empty(path)
        path.mkdir(parents=True, exist_ok=True)
        lock = _Lock.take(path / LOCK)
        try:
            run = cls._continued(path, record, lock, overwrite=overwrite) or cls(path, record, [], {}, lock)
            run._write()
        except BaseException:
            lock.release()
            raise
        return run

    @classmethod
    def _continued(cls, path: Path, record: Record, lock: _Lock, *, overwrite: bool) -> RunFolder | None:
        """The run that is in the folder, if it is this one."""
        if not (path / RECORD).is_file():
            remove_leftovers(path)
            return None
        stored = _stored(path / RECORD)
        difference = _difference(stored, plain_json(record.to_json()))
        if difference is None and not overwrite:
            known = {f.name for f in fields(Record)}
            old = Record(**{k: v for k, v in stored.items() if k in known})
            _log.info("'%s': continuing, done so far: %s", path, ", ".join(stored.get("done", [])) or "nothing")
            _note_versions(old.versions, record.versions)
            if stored.get("status") != "done":
                remove_leftovers(path)
            record = replace(record, seconds=dict(old.seconds), peak_memory_bytes=old.peak_memory_bytes)
            return cls(path, record, list(stored.get("done", [])), dict(stored.get("facts", {})), lock)
        if not overwrite:
            key, old_value, new_value = difference or ("", None, None)
            raise RunFolderError(
                f"'{path}' holds another run: {key} is {_show(old_value)} there and {_show(new_value)} now",
                "an empty folder, or the same run",
                "choose another --out, or give --overwrite to throw that run away",
            )
        _empty(path, record)
        return None

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def done(self, step: str) -> bool:
        """Whether this step was completed, now or before the run was interrupted."""
        return step in self._done

    @property
    def facts(self) -> dict[str, Any]:
        return dict(self._facts)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is inside, and mark it done if it ends well."""
        start = time.perf_counter()
        yield
        seconds = round(time.perf_counter() - start, 3)
        self.record = replace(self.record, seconds={**self.record.seconds, name: seconds}, peak_memory_bytes=self._peak())
        self._done = [*(s for s in self._done if s != name), name]
        self._write()

    def keep(self, values: Mapping[str, Any]) -> None:
        """Add facts worth finding in run.json (threshold used, number of neurons)."""
        self._facts |= plain_json(dict(values))
        self._write()

    def finish(self) -> None:
        """Mark the run as done. Leaving the `with` block without an error does the same."""
        self._end("done")

    def __enter__(self) -> RunFolder:
        # Only where nobody else has a use for the signal; Python lets only the main thread ask for it.
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _exit_terminated)
            self._hears_termination = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._end(_status(error))
        except Exception as second:
            # What stopped the run (often the same full disk) is what must be heard.
            if error is None:
                raise
            _log.warning("'%s' could not be written: %s", self.path / RECORD, second)
        finally:
            self._lock.release()
            if self._hears_termination:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self._hears_termination = False

    def _end(self, status: str) -> None:
        # Asked again, because torch is often imported only by the work itself.
        self.record = replace(self.record, status=status, peak_memory_bytes=self._peak(), versions=versions())
        self._write()

    def _peak(self) -> int:
        return max(self.record.peak_memory_bytes, peak_memory_bytes())

    def _write(self) -> None:
        atomic_write_json(self.path / RECORD, {**self.record.to_json(), "done": self._done, "facts": self._facts})


def sha256(path: Path | str, progress: Progress = silent) -> str:
    """Hash of a file, or of a folder: over the sorted names, sizes and contents of its files. A dataset stands for its file.

    Above HASHED_BYTES the times of the last change stand for the contents, and the hash says so: reading a petabyte to be sure
    that it is the same one would take longer than the work.
    """
    text = str(path).removeprefix("precomputed://").removeprefix("file://")
    if not Path(text).exists() and ":" in text:
        text = text.rpartition(":")[0]
    root = require_exists(Path(text))
    files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
    total, digest, done = sum(f.stat().st_size for f in files), hashlib.sha256(), 0
    if total > HASHED_BYTES:
        for file in files:
            about = file.stat()
            digest.update(f"{file.relative_to(root).as_posix()}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
        return f"names-sizes-times:{digest.hexdigest()}"
    for file in files:
        if root.is_dir():
            digest.update(f"{file.relative_to(root).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                digest.update(block)
                done += len(block)
                progress("hash inputs", done, total)
    return digest.hexdigest()


def absolute_path(path: Path | str) -> str:
    """The path as another working directory would have to write it; addresses with :// stay as they are."""
    return str(path) if "://" in str(path) else str(Path(path).absolute())


def peak_memory_bytes() -> int:
    """The most memory this process, or one of its finished children, has had."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # macOS counts bytes, Linux kilobytes.
    return peak if sys.platform == "darwin" else peak * 1024


def versions() -> dict[str, str]:
    """Versions of what decides the result; what is used to train or predict only where it is in use."""
    found = {"python": platform.python_version()}
    for package in ("neurotome", "numpy", "numba", "tensorstore", *(p for p in ("torch", "lightning") if p in sys.modules)):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _note_versions(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            _log.warning("this run was begun with %s %s and goes on with %s", name, old[name], new[name])


def _exit_terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)


def _status(error: BaseException | None) -> str:
    if error is None:
        return "done"
    stopped = isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code == TERMINATED)
    return "interrupted" if stopped else "failed"


class _Lock:
    """A locked file with the owner's name in it. The system unlocks it when the owner dies, however it dies."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor

    @classmethod
    def take(cls, path: Path) -> _Lock:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise RunFolderError(
                f"'{path.parent}' cannot be written ({error.strerror})",
                "a folder that may be written",
                "choose another --out, or check the disk and your rights on it",
            ) from error
        owner = _owner(path)
        here = socket.gethostname()
        if not _locked(descriptor, path) or owner.get("host", here) != here:
            os.close(descriptor)
            raise RunFolderError(
                f"Process {owner.get('pid', '?')} on {owner.get('host', '?')} is writing to '{path.parent}'",
                "one run at a time in a folder",
                f"wait for it, choose another --out, or delete '{path}' if that process has ended",
            )
        if owner:
            _log.info("taking over '%s' from process %s, which has ended", path.parent, owner.get("pid"))
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "host": here}).encode())
        return cls(path, descriptor)

    def release(self) -> None:
        if self.descriptor >= 0:
            # A lock file that cannot be removed does no harm: nobody holds it.
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
            # Said aloud, because forked workers hold copies of the descriptor.
            fcntl.flock(self.descriptor, fcntl.LOCK_UN)
            os.close(self.descriptor)
            self.descriptor = -1


def _locked(descriptor: int, path: Path) -> bool:
    """Lock without waiting. The file may have been released, and removed, since it was opened: then it is no lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except OSError:
        return False


def _owner(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _require_run_or_empty(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise RunFolderError(f"'{path}' is a file", "a folder for the results", "choose another --out")
    # A run killed as it began leaves its lock, and perhaps the record that it was writing.
    others = [p.name for p in path.iterdir() if p.name != LOCK and not is_leftover(p.name)] if path.is_dir() else []
    if others and RECORD not in others:
        listed = ", ".join(sorted(others)[:3]) + (", ..." if len(others) > 3 else "")
        raise RunFolderError(
            f"'{path}' is not empty and holds no run (it has {listed})", "an empty folder", "choose another --out"
        )


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored = dict(json.loads(path.read_text(encoding="utf-8")))
        return {"command": stored["command"], "config": stored["config"], **stored}
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"'{path}' is not the record of a run ({error})", "a run.json", "choose another --out") from error


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """The first setting in which two runs differ, with both values; None when they are the same run."""
    for key in ("command", "config", "inputs", "seed"):
        a, b = _flat(key, old.get(key)), _flat(key, new.get(key))
        for name in sorted(a.keys() | b.keys()):
            if a.get(name, "absent") != b.get(name, "absent"):
                return name, a.get(name, "absent"), b.get(name, "absent")
    return None


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not value:
        return {name: value} if not isinstance(value, Mapping) else {}
    return {k: v for key, inner in value.items() for k, v in _flat(f"{name}.{key}", inner).items()}


def _show(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _empty(path: Path, record: Record) -> None:
    """Remove the old run, but never what the new one is to read."""
    for file in record.inputs:
        if path.resolve() in Path(file).resolve().parents:
            raise InputError(f"'{file}' lies in '{path}', which is to be overwritten", "inputs elsewhere", "choose another --out")
    for child in path.iterdir():
        if child.name == LOCK:
            continue
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
