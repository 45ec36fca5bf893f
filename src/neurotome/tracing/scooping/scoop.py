"""Voxel Scooping: layer after layer of an object's voxels becomes a node, from a start voxel outwards (Rodriguez et al. 2009)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import InputError, ShapeError, Skeleton, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.tracing.scooping.contacts import loop_contacts
from neurotome.tracing.scooping.kernel import NODE, Net, Rule, Volume, grow_tree
from neurotome.tracing.scooping.walk import VISITED, Visited
from neurotome.tracing.sparse.bricks import Bricks

__all__ = ["SMEARS", "ScoopSettings", "scoop"]

SMEARS = (1.0, 1.2, 1.5, 1.9)
"""By how much light smears along z: distances along z count that much less in the scooping distance."""


@dataclass(frozen=True, kw_only=True)
class ScoopSettings:
    """How to scoop.

    threshold: object voxels have at least this value, 1..255. z_smear: see SMEARS. weighted_centre: the centre of a cluster is
    its centre of intensity. local_thresholds: once the front has split, every node gets a threshold from its surroundings,
    tempered by its parent's: `memory` is the weight of the new one. A node is dropped where less than `least_share` of the
    variance around it lies between the two sides of the threshold. end_at_faces: growth ends where a cluster reaches an x or y
    side of the volume, even where the object goes on along it; otherwise its nodes there are only marked as unremovable.
    """

    threshold: int = 128
    z_smear: float = 1.0
    weighted_centre: bool = False
    local_thresholds: bool = False
    least_share: float = 0.5
    memory: float = 0.5
    end_at_faces: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= 255:
            raise ValueRangeError(f"Threshold {self.threshold}", "1..255", "multiply by 255 if it is a probability")
        if self.z_smear not in SMEARS:
            raise ValueRangeError(f"z_smear {self.z_smear:g}", f"one of {', '.join(map(str, SMEARS))}")
        for name in ("least_share", "memory"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueRangeError(f"{name} {getattr(self, name):g}", "a number in [0, 1]")


def scoop(
    bricks: Bricks,
    start: Int3,
    settings: ScoopSettings | None = None,
    *,
    visited: Visited | None = None,
    allowed: np.ndarray | None = None,
    accepted: Skeleton | None = None,
) -> Skeleton:
    """The raw tree of the 26-connected object that holds a voxel. Every voxel of it belongs to one node.

    From the start voxel on: the unvisited neighbours of a node's voxels fall into connected pieces, in the order of their
    smallest (z, y, x). A piece with centre c and bounding box diagonal S, next to a node N' with S', becomes the node
    N = N' + 0.5^q (c - N'), q = min(S, S') / max(S, S'). It floods the object as far as its own farthest voxel lies from N,
    the scooping distance. A loop of the object is cut where its fronts meet.

    Parameters
    ----------
    start
        An object voxel (z, y, x) that is not visited.
    visited
        Voxels that belong to other trees; what this one takes is added.
    allowed
        (n, SIDE, SIDE, SIDE) uint8 over the bricks; where it is 0 there is no object.
    accepted
        A tree to graft onto, in the same nm: growth ends where a node comes as near to it as its scooping distance.

    Returns
    -------
    A tree with its root at the start voxel; voxel (0, 0, 0) lies at 0 nm. Radii are 0. Features: scoop_nm, cluster_size_nm (S),
    cluster_voxels, threshold, loop_contact, unremovable; with `accepted` also graft, the id of the accepted node met or -1.

    Raises InputError for a start in the background or visited, ShapeError for masks of another shape.

    >>> volume = np.zeros((7, 7, 40), np.uint8)
    >>> volume[2:5, 2:5, 5:35] = 255
    >>> tree = scoop(Bricks.of(volume, (1.0, 1.0, 1.0)), (3, 3, 5))
    >>> int(tree.features["cluster_voxels"].sum()), tree.points_nm[-1].tolist()[:2]
    (270, [3.0, 3.0])
    """
    settings = settings or ScoopSettings()
    visited = visited or Visited.of(bricks)
    for mask in (visited.mask, allowed):
        if mask is not None and mask.shape != bricks.values.shape:
            raise ShapeError(f"Mask of shape {mask.shape}", f"that of the bricks, {bricks.values.shape}")
    address = _require_object(bricks, start, settings.threshold, visited, allowed)
    spacing = np.array(bricks.voxel_nm, np.float64)
    origin = np.array(start) * spacing
    volume = Volume(bricks.table, bricks.values, np.array(bricks.shape), spacing)
    flat = np.zeros(0, np.uint8) if allowed is None else allowed.reshape(-1)
    net = Net(visited.mask.reshape(-1), flat, visited.around, visited.corners)
    address_type = np.int32 if bricks.values.size < 2**31 else np.int64
    queue, nodes = np.empty(1024, address_type), np.zeros(64, NODE)
    queue, nodes, count = grow_tree(volume, net, _rule(settings, accepted, origin), address, queue, nodes)
    nodes = nodes[:count]
    met = loop_contacts(net.mask, net.around, queue, nodes)
    return _skeleton(nodes, met, origin, accepted)


def _require_object(bricks: Bricks, start: Int3, threshold: int, visited: Visited, allowed: np.ndarray | None) -> int:
    address = visited.address(bricks, start)
    value = int(bricks.values.flat[address]) if address >= 0 else 0
    if value < threshold:
        raise InputError(
            f"Start {tuple(start)} has value {value}", f"an object voxel, {threshold} or more", "take the nearest object voxel"
        )
    if allowed is not None and not allowed.flat[address]:
        raise InputError(f"Start {tuple(start)} is not allowed", "a voxel of the tree's own territory")
    if visited.mask.flat[address] & VISITED:
        raise InputError(
            f"Start {tuple(start)} belongs to a tree already", "an unvisited voxel", "give a fresh Visited.of(bricks)"
        )
    return address


def _rule(settings: ScoopSettings, accepted: Skeleton | None, origin: np.ndarray) -> Rule:
    near, parents = np.zeros((0, 4)), np.zeros(0, np.int64)
    if accepted is not None:
        near, parents = np.column_stack((accepted.points_nm - origin, accepted.radii_nm)), accepted.parent_rows
    return Rule(
        float(settings.threshold),
        float(settings.z_smear),
        settings.weighted_centre,
        settings.local_thresholds,
        float(settings.least_share),
        float(settings.memory),
        settings.end_at_faces,
        near,
        parents,
    )


def _skeleton(nodes: np.ndarray, met: np.ndarray, origin: np.ndarray, accepted: Skeleton | None) -> Skeleton:
    features = {
        "scoop_nm": nodes["scoop"],
        "cluster_size_nm": nodes["size"],
        "cluster_voxels": nodes["end"] - nodes["begin"],
        "threshold": nodes["threshold"],
        "loop_contact": met,
        "unremovable": nodes["unremovable"] > 0,
    }
    if accepted is not None:
        graft = nodes["graft"]
        features["graft"] = np.where(graft >= 0, accepted.ids[np.maximum(graft, 0)], -1) if len(accepted) else graft
    points = np.stack((nodes["z"], nodes["y"], nodes["x"]), axis=1) + origin
    return Skeleton.of(nodes["parent"], points, features=features)
