"""What a run was: enough to repeat it and to refuse to mix it with another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Record"]


@dataclass(frozen=True)
class Record:
    """One run, as `run.json` stores it.

    inputs: path -> sha256 of the file (of the listing, for a folder). seconds: step -> wall-clock time.
    status: "running", "done", "failed" or "interrupted".
    """

    command: str
    config: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_memory_bytes: int = 0
    status: str = "running"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
