"""What a trained network is, what it saw and how well it did: the card that travels with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from neurotome.core.errors import InputError
from neurotome.core.geometry import Nm3

__all__ = ["ModelCard"]


@dataclass(frozen=True)
class ModelCard:
    """Everything needed to use a network, and to judge whether to trust it.

    family and config rebuild the network; channels names its outputs; voxel_nm is the voxel size (z, y, x) it was trained at;
    normalization is applied to an image before the network sees it; halo_vox is how far an output voxel can see. A network of
    shapes has voxels of no fixed size, 0; its frame says how a shape is put on its grid.
    """

    name: str
    family: str
    config: Mapping[str, Any]
    channels: tuple[str, ...]
    voxel_nm: Nm3
    normalization: str
    halo_vox: tuple[int, int, int]
    summary: str = ""
    trained_on: tuple[str, ...] = ()
    validated_on: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: tuple[Mapping[str, Any], ...] = ()
    segmentation: Mapping[str, Any] = field(default_factory=dict)
    frame: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    licence: str = ""
    cite: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], source: str) -> ModelCard:
        """Raises InputError, naming `source`, for keys that are missing or unknown."""
        known = {f.name for f in fields(cls)}
        required = {"name", "family", "config", "channels", "voxel_nm", "normalization", "halo_vox"}
        if wrong := (required - data.keys()) | (data.keys() - known):
            raise InputError(
                f"Model card '{source}' has missing or unknown keys: {', '.join(sorted(wrong))}",
                f"the keys {', '.join(sorted(required))} and no others than {', '.join(sorted(known - required))}",
                "make the card with `neurotome boundary train`",
            )
        lists = {k: tuple(v) for k, v in data.items() if isinstance(v, list)}
        return cls(**{**data, **lists})
