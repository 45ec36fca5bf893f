"""A recipe -> a picture of what its network will see."""

from __future__ import annotations

from pathlib import Path

from neurotome import boundary
from neurotome.flows.train import resolved_recipe
from neurotome.report import write_preview

__all__ = ["preview_training"]


def preview_training(recipe: Path | boundary.FilePairs, out: Path, *, patches: int = 6, seed: int | None = None) -> Path:
    """`neurotome boundary preview`: patches after augmentation with their targets, as one PNG. Nothing is trained."""
    write_preview(boundary.preview_patches(resolved_recipe(recipe), count=patches, seed=seed), out)
    return out
