"""Outer folds on disk, so that an interrupted classification goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from neurotome.cluster.prediction.classify import ClassifySettings, OuterFold
from neurotome.core import InputError
from neurotome.io import atomic_write_json

__all__ = ["FoldLedger"]


class FoldLedger:
    """The finished outer folds of one classification in one JSON file: give `done` and `keep` to `classify`.

    A file of other data or other settings is refused.
    """

    def __init__(
        self,
        path: Path | str,
        values: np.ndarray,
        labels: np.ndarray,
        settings: ClassifySettings,
        *,
        groups: np.ndarray | None = None,
    ) -> None:
        self.path = Path(path)
        self.fingerprint = _fingerprint(values, labels, settings, groups)
        self.done: dict[int, OuterFold] = {}
        if self.path.exists():
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            if stored["fingerprint"] != self.fingerprint:
                raise InputError(
                    f"'{self.path}' holds folds of other data or settings",
                    "those of this classification",
                    "delete the file to start anew, or choose another one",
                )
            self.done = {fold["fold"]: OuterFold.from_json(fold) for fold in stored["folds"]}

    def keep(self, fold: OuterFold) -> None:
        """Adds a finished fold and writes the file."""
        self.done[fold.fold] = fold
        folds = [self.done[number].to_json() for number in sorted(self.done)]
        atomic_write_json(self.path, {"fingerprint": self.fingerprint, "folds": folds})


def _fingerprint(values: np.ndarray, labels: np.ndarray, settings: ClassifySettings, groups: np.ndarray | None) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(values).tobytes())
    for column in (labels, [] if groups is None else groups):
        digest.update(json.dumps([str(value) for value in column]).encode())
    digest.update(json.dumps(asdict(settings), sort_keys=True).encode())
    return digest.hexdigest()
