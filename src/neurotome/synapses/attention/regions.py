"""Where attention is: connected regions of a map, ranked by how much of it they hold.

Ranking by the highest value says nothing where maps are divided by their maximum: it is always 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurotome.core import Box
from neurotome.core.geometry import Int3, Nm3

__all__ = ["REGION_COLUMNS", "top_regions"]

REGION_COLUMNS = (
    "rank",
    "voxels",
    "volume_um3",
    "mass",
    "mass_share",
    "mean",
    "z0",
    "y0",
    "x0",
    "z1",
    "y1",
    "x1",
    "centroid_z",
    "centroid_y",
    "centroid_x",
    "volume_z",
    "volume_y",
    "volume_x",
    "z_nm",
    "y_nm",
    "x_nm",
)


def top_regions(
    values: np.ndarray,
    *,
    voxel_nm: Nm3,
    corner_vox: Int3,
    operands: Mapping[str, np.ndarray] | None = None,
    share: float = 0.5,
    most: int = 5,
) -> list[dict[str, float]]:
    """Connected regions (26 neighbours) of a map (s, s, s), not normalised, above `share` of its maximum, by mass, its sum there.

    corner_vox: where the crop's first voxel lies in its volume, so that centroids are also given in the volume and in nm from its
    corner. operands: name -> mask; adds inside_<name>, the share of the region's voxels in it. An empty map has no regions.
    """
    highest = float(values.max())
    if not highest > 0:
        return []
    import cc3d

    labels = cc3d.connected_components(values > share * highest, connectivity=26)
    mass = np.bincount(labels.ravel(), weights=values.ravel().astype(np.float64))
    mass[0] = 0
    total, rows = float(values.sum(dtype=np.float64)), []
    for rank, label in enumerate(np.argsort(-mass, kind="stable")[: min(most, len(mass) - 1)], start=1):
        places = np.argwhere(labels == label)
        rows.append(
            {
                "rank": rank,
                **_measured(places, values, float(mass[label]), total, voxel_nm),
                **_placed(places, voxel_nm, corner_vox),
                **{f"inside_{name}": float(mask[tuple(places.T)].mean()) for name, mask in (operands or {}).items()},
            }
        )
    return rows


def _measured(places: np.ndarray, values: np.ndarray, mass: float, total: float, voxel_nm: Nm3) -> dict[str, float]:
    return {
        "voxels": len(places),
        "volume_um3": len(places) * float(np.prod(voxel_nm)) * 1e-9,
        "mass": mass,
        "mass_share": mass / total,
        "mean": float(values[tuple(places.T)].mean()),
    }


def _placed(places: np.ndarray, voxel_nm: Nm3, corner_vox: Int3) -> dict[str, float]:
    box, centre = Box(tuple(places.min(0)), tuple(places.max(0) + 1)), places.mean(0)
    there = centre + np.asarray(corner_vox)
    return {
        **dict(zip(("z0", "y0", "x0", "z1", "y1", "x1"), (*box.start, *box.stop), strict=True)),
        **dict(zip(("centroid_z", "centroid_y", "centroid_x"), centre.tolist(), strict=True)),
        **dict(zip(("volume_z", "volume_y", "volume_x"), there.tolist(), strict=True)),
        **dict(zip(("z_nm", "y_nm", "x_nm"), (there * np.asarray(voxel_nm)).tolist(), strict=True)),
    }
