"""Voxel Scooping behind the interface of the other tracers: `scoop`, and what makes its tree clean, in one call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurotome.core import Skeleton, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.tracing.scooping import ScoopSettings, extend_tips, prune, rayburst, reduce_nodes, scoop, smooth_radii
from neurotome.tracing.sparse.bricks import Bricks

__all__ = ["ScoopingSettings", "scooping"]


@dataclass(frozen=True, kw_only=True)
class ScoopingSettings(ScoopSettings):
    """Settings of `scooping`: those of `scoop`, and the ones of what follows it.

    attachment, min_length_nm: see `prune`. merge: see `reduce_nodes`. extend: tips reach to the object's end.
    """

    attachment: float = 1.3
    min_length_nm: float = 3000.0
    merge: float = 1.0
    extend: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("attachment", "min_length_nm", "merge"):
            if not getattr(self, name) >= 0:
                raise ValueRangeError(f"{name} {getattr(self, name)}", "0 or more", f"leave {name} out for the default")


def scooping(bricks: Bricks, start: Int3, settings: ScoopingSettings | None = None) -> Skeleton:
    """The tree of the component of an object voxel, rooted at the node nearest to it that pruning leaves."""
    settings = settings or ScoopingSettings()
    tree = prune(scoop(bricks, start, settings), attachment=settings.attachment, min_length_nm=settings.min_length_nm)
    sizes = np.asarray(tree.features["cluster_size_nm"])
    radii = rayburst(bricks, tree.points_nm, tree.features["threshold"], cluster_size_nm=sizes)
    tree = reduce_nodes(smooth_radii(replace(tree, radii_nm=radii)), settings.merge, smallest_nm=min(bricks.voxel_nm))
    tree = extend_tips(tree, bricks, settings.threshold) if settings.extend else tree
    return replace(tree, features={**tree.features, "confidence": np.ones(len(tree))}, name="scooping")
