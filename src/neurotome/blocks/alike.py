"""Whether a worker, wherever it runs, has this very neurotome and sees the folder of the run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import neurotome
from neurotome.core import InputError

__all__ = ["Here", "here", "require_alike"]


@dataclass(frozen=True)
class Here:
    """What has to be the same for all who work on a run. sources: a hash of the package's own files; folder: the run's."""

    version: str
    sources: str
    folder: Path | None = None


def here(folder: Path | None = None) -> Here:
    """What this process has."""
    return Here(_version(), _sources(), folder)


@cache
def require_alike(expected: Here, worker: str) -> None:
    """Raises InputError that names the worker, which is this process, and what differs. Looked at once per process."""
    for what, there, wanted in (
        ("version", _version(), expected.version),
        ("source files (hash)", _sources(), expected.sources),
    ):
        if there != wanted:
            raise InputError(
                f"Worker {worker} has another neurotome: {what} {there}, and {wanted} where the run was started",
                "the same installation everywhere",
                f"install the same neurotome for the workers (this one has it in '{_package()}') and start them again",
            )
    if expected.folder is not None and not expected.folder.is_dir():
        raise InputError(
            f"Worker {worker} does not see the run's folder '{expected.folder}'",
            "the same files under the same paths on all machines",
            "put --out and the inputs on a disk that all of them share",
        )


def _package() -> Path:
    return Path(neurotome.__path__[0])


def _version() -> str:
    try:
        return version("neurotome")
    except PackageNotFoundError:
        return "unknown"


@cache
def _sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(_package().rglob("*.py")):
        digest.update(f"{path.relative_to(_package()).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
