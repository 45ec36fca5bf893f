"""Named arrays in one .npz file, whole or not there: NumPy opens them without neurotome, and their checksums find damage."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from neurotome.core import FormatError, MissingFileError
from neurotome.io.atomic import atomic_target

__all__ = ["load_arrays", "save_arrays"]


def save_arrays(path: Path, *, compress: bool = False, **arrays: np.ndarray) -> None:
    """Write arrays under their names; a file that is there is replaced. The same arrays always give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write = np.savez_compressed if compress else np.savez
    with atomic_target(path, overwrite=True) as temporary, temporary.open("wb") as file:
        write(file, **arrays)  # type: ignore[arg-type]


def load_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Read the arrays of these names. Raises MissingFileError, or FormatError where one is missing or damaged."""
    if not path.is_file():
        raise MissingFileError(f"'{path}' does not exist", "a file of a run", "make the run again")
    try:
        # Opened here, because NumPy leaves a damaged archive open.
        with path.open("rb") as file, np.load(file) as stored:
            return {name: stored[name] for name in names}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise FormatError(
            f"'{path}' cannot be read ({error})", f"arrays {', '.join(names)}", "give the command of the run again"
        ) from error
