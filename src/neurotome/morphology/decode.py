"""From a grid back to a shape: the surface and the tree of what lies above a threshold, in nanometres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cc3d
import edt
import numpy as np

from neurotome.core import SOMA, InputError, Mesh, Occupancy, Skeleton, UnknownNameError
from neurotome.io import write_swc
from neurotome.io.mesh_files import write_mesh
from neurotome.io.nrrd_write import write_nrrd
from neurotome.measure.occupancy import occupied
from neurotome.morphology.geodesic_tree import TreeSettings, VoxelTree, voxel_tree

__all__ = ["DECODED_FILES", "decode_mesh", "decode_skeleton", "write_decoded"]

EVEN = 0.5
"""The threshold of grids of 0 and 1."""
DECODED_FILES = ("swc", "obj", "ply", "nrrd")


def decode_mesh(occupancy: Occupancy, *, threshold: float = EVEN) -> Mesh:
    """The surface on which the values of a grid, taken as linear between the centres of voxels, pass the threshold; in nm.

    Closed, also where the shape reaches the border of the grid. Source: Lewiner et al. 2003, as in scikit-image.
    Raises InputError where no voxel is above the threshold.
    """
    from skimage.measure import marching_cubes

    data = np.asarray(occupancy.data, np.float32)
    _require_voxels(occupancy, threshold)
    # So the surface of a sure voxel at the border passes just through the border.
    beyond = 2 * threshold - float(data.max())
    vertices, triangles, _, _ = marching_cubes(np.pad(data, 1, constant_values=beyond), threshold, allow_degenerate=False)
    # Centres of voxels are at + 0.5, and the rim moved everything by 1.
    vertices_nm = occupancy.frame.index_nm(vertices.astype(np.float64) - 0.5)
    mirrored = np.linalg.det(np.asarray(occupancy.frame.rotation)) < 0
    return Mesh(vertices_nm, triangles[:, ::-1] if mirrored else triangles, occupancy.frame.soma_nm, occupancy.name)


def decode_skeleton(occupancy: Occupancy, *, threshold: float = EVEN, settings: TreeSettings | None = None) -> Skeleton:
    """One tree through all voxels above the threshold, see `geodesic_tree`; cavities are filled first. In nm.

    The root is the soma's voxel, or the nearest to it; where no soma is known, the voxel farthest from the boundary. Only a root
    in an occupied soma voxel has the kind SOMA. A node lies at the mean of the occupied voxels around it; a tip, the root and the
    ends of bridges stay where they are. Radii are distances to the boundary. features: jump, whether the edge to the parent
    bridges a gap between pieces; gap_nm, its length, 0 for others; probability, of grids that have some.

    Raises InputError where no voxel is above the threshold.
    """
    _require_voxels(occupancy, threshold)
    inside = _filled(occupied(occupancy.data, threshold))
    voxels = np.argwhere(inside)
    at = tuple(voxels.T)
    depth = edt.edt(inside, black_border=True)[at] - 0.5
    pieces = cc3d.connected_components(inside, connectivity=26)[at].astype(np.int64) - 1
    root = _root(occupancy, voxels, depth)
    tree = voxel_tree(voxels, pieces, depth, root, settings)
    points_nm = occupancy.frame.index_nm(_places(inside, voxels[tree.rows], tree))
    kinds = np.zeros(len(tree.rows), np.int64)
    soma = occupancy.frame.soma_nm
    if soma is not None and tuple(voxels[root].tolist()) == occupancy.frame.soma_index:
        points_nm[0], kinds[0] = soma, SOMA
    radii_nm = depth[tree.rows] * occupancy.frame.voxel_nm
    return Skeleton.of(tree.parents, points_nm, radii_nm, kinds, _features(occupancy, voxels, tree, points_nm), occupancy.name)


def write_decoded(
    folder: Path | str, occupancy: Occupancy, *, threshold: float = EVEN, files: Sequence[str] = ("swc", "obj")
) -> list[Path]:
    """Write NAME.swc (a tree), NAME.obj or .ply (a surface) and NAME.nrrd (the values) of a grid, in nm of the neuron's space.

    Returns the paths. Raises UnknownNameError for another kind of file, InputError where no voxel is above the threshold.
    """
    for kind in files:
        if kind not in DECODED_FILES:
            raise UnknownNameError("file of a decoded shape", kind, DECODED_FILES)
    paths = [Path(folder) / f"{occupancy.name}.{kind}" for kind in files]
    for path in paths:
        if path.suffix == ".swc":
            write_swc(path, decode_skeleton(occupancy, threshold=threshold), header=[f"decoded above {threshold:g}"])
        elif path.suffix == ".nrrd":
            write_nrrd(path, occupancy)
        else:
            write_mesh(path, decode_mesh(occupancy, threshold=threshold))
    return paths


def _require_voxels(occupancy: Occupancy, threshold: float) -> None:
    highest = float(np.max(occupancy.data))
    if not highest > threshold:
        raise InputError(
            f"No voxel of '{occupancy.name}' is above {threshold:g}, the highest value is {highest:g}",
            "at least one",
            "lower the threshold, or look at the reconstruction",
        )


def _filled(inside: np.ndarray) -> np.ndarray:
    """Also what a shell encloses: a hollow soma is a soma."""
    outside = cc3d.connected_components(~np.pad(inside, 1), connectivity=6)
    return np.ascontiguousarray((outside != outside[0, 0, 0])[1:-1, 1:-1, 1:-1])


def _root(occupancy: Occupancy, voxels: np.ndarray, depth: np.ndarray) -> int:
    """The first of the rows that are equally good."""
    if occupancy.frame.soma_nm is None:
        return int(np.argmax(depth))
    soma = occupancy.frame.index(np.asarray([occupancy.frame.soma_nm]))
    return int(np.argmin(((voxels + 0.5 - soma) ** 2).sum(1)))


def _places(inside: np.ndarray, voxels: np.ndarray, tree: VoxelTree) -> np.ndarray:
    """(n, 3) positions on the grid: the mean of the voxels around, which takes the steps out of a slanting line."""
    padded = np.pad(inside, 1).astype(np.float64)
    moved, count = np.zeros((len(voxels), 3)), np.zeros(len(voxels))
    for step in np.ndindex(3, 3, 3):
        found = padded[tuple((voxels + step).T)]
        moved += found[:, None] * (np.array(step) - 1)
        count += found
    # The ends of a piece would draw back from where it ends.
    stays = np.bincount(tree.parents[1:], minlength=len(voxels)) == 0
    stays[0] = True
    stays[tree.bridged] = stays[tree.parents[tree.bridged]] = True
    return np.asarray(voxels + 0.5 + np.where(stays[:, None], 0.0, moved / count[:, None]))


def _features(occupancy: Occupancy, voxels: np.ndarray, tree: VoxelTree, points_nm: np.ndarray) -> dict[str, np.ndarray]:
    steps = points_nm - points_nm[np.maximum(tree.parents, 0)]
    features = {"jump": tree.bridged, "gap_nm": np.where(tree.bridged, np.sqrt((steps**2).sum(1)), 0.0)}
    if occupancy.data.dtype.kind == "f":
        features["probability"] = occupancy.data[tuple(voxels[tree.rows].T)].astype(np.float32)
    return features
