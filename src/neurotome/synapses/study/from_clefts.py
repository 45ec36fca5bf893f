"""A table of sites where there is none: each piece of a cleft label is a synapse between the two neurons that it touches most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import ndimage

from neurotome.core import Box, Labels, Progress, ValueRangeError, silent
from neurotome.core.geometry import Int3
from neurotome.io import site_table
from neurotome.synapses.discarded import Discarded, discard_table
from neurotome.synapses.study.cleft_pieces import find_pieces, piece_mask
from neurotome.synapses.study.near import nearest_voxel

__all__ = ["sites_from_clefts"]


def sites_from_clefts(
    clefts: Labels,
    neurons: Labels,
    *,
    ids: Sequence[int] | None = None,
    min_voxels: int = 100,
    dilations: int = 3,
    dataset: str = "study",
    volume: str | None = None,
    progress: Progress = silent,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A site for every 6-connected piece of `clefts` with at least `min_voxels` voxels, in order of their first voxels.

    Centre: the voxel of the piece nearest its centroid. Sides: of the piece, dilated `dilations` times by the 6-neighbour cross,
    the two neurons with the most voxels in it, the one with more first; of each its voxel nearest the centre. Distances are in
    nm; ties go to the lower id and to the first voxel in z, y, x order.

    Parameters
    ----------
    clefts
        A mask, or labels of which `ids` are clefts (default: all above 0). Pieces of different ids stay apart.
    volume
        What the volume is called (default: the name of `neurons`).

    Returns
    -------
    sites
        Canonical columns, and cleft_voxels, cleft_label, side1_id, side2_id.
    discarded
        Pieces that touch fewer than two neurons, reason fewer_than_two_neurons, value how many.

    Both are read box by box and lazily. Raises ShapeError and UnitError where the two volumes differ.
    """
    clefts.grid.require_same(neurons.grid, "the clefts", "the neurons")
    if min_voxels < 1 or dilations < 1:
        raise ValueRangeError(f"min_voxels {min_voxels} and dilations {dilations}", "1 or more", "take 100 and 3")
    name = volume or neurons.name
    pieces = find_pieces(clefts, ids, progress=progress)
    large = np.flatnonzero(pieces.voxels >= min_voxels).tolist()
    rows, facts, discarded = [], [], []
    for number, piece in enumerate(large, 1):
        mask = piece_mask(clefts, pieces, piece, ids)
        centre, sides = _partners(mask, pieces.box(piece), pieces.centroids[piece], neurons, dilations)
        if len(sides) < 2:
            discarded.append(Discarded(f"{dataset}/{name}/{number}", "sites", "fewer_than_two_neurons", float(len(sides)), 2.0))
            continue
        (first, one), (second, two) = sides
        whose = {"dataset": dataset, "volume": name, "synapse_id": str(number)}
        rows.append({**whose, "center": centre, "side1": one, "side2": two})
        facts.append((int(pieces.voxels[piece]), int(pieces.label[piece]), str(first), str(second)))
        progress("partners of clefts", number, len(large))
    sites = site_table(rows)
    for at, column in enumerate(("cleft_voxels", "cleft_label", "side1_id", "side2_id")):
        sites[column] = pd.Series([fact[at] for fact in facts], sites.index, dtype=object if at > 1 else np.int64)
    return sites, discard_table(discarded)


def _partners(
    mask: np.ndarray, box: Box, centroid: np.ndarray, neurons: Labels, dilations: int
) -> tuple[Int3, list[tuple[int, Int3]]]:
    """The centre of a piece, and id and nearest voxel of the (at most two) neurons that it touches most."""
    spacing = neurons.grid.voxel_nm
    nearest = nearest_voxel(mask, centroid - np.array(box.start), spacing)
    assert nearest is not None
    centre = _shifted(nearest[0], box)
    wide = box.grow((dilations,) * 3).clip(neurons.grid.shape)
    around = np.zeros(wide.shape, bool)
    around[box.inside(wide).slices] = mask
    around = ndimage.binary_dilation(around, iterations=dilations)
    found = np.where(around, neurons.read(wide), 0)
    ids, counts = np.unique(found[found > 0], return_counts=True)
    # Sorted ids and a stable order: the lower id wins a tie.
    best = ids[np.argsort(-counts, kind="stable")[:2]]
    sides = []
    for neuron in best:
        at = nearest_voxel(found == neuron, np.array(centre) - np.array(wide.start), spacing)
        assert at is not None
        sides.append((int(neuron), _shifted(at[0], wide)))
    return centre, sides


def _shifted(place: Int3, box: Box) -> Int3:
    z, y, x = (p + c for p, c in zip(place, box.start, strict=True))
    return z, y, x
