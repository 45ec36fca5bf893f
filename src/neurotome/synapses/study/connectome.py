"""Synapses out of a connectome: positions in an HDF5 file, a segmentation with agglomerates, a prediction of clefts.

    synapse_positions               (n, 3)  x, y, z in voxels of the whole data set
    synapse_to_src_agglomerate      (n,)    the presynaptic neuron
    synapse_to_dst_agglomerate      (n,)    the postsynaptic neuron, where the file has it
    segment_to_agglomerate          (m,)    segment id -> neuron id; in the same file or in one of its own; others are background

What comes out is a volume and sites like any others: neurons are agglomerates, the cleft is the prediction above a threshold. The
mask `cleft | pre` (preset 10) then shows what the reference cut. Volumes in WKW have to be converted first. Source of the layout:
SynapseClusterEM.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import fastremap
import h5py
import numpy as np
import pandas as pd

from neurotome.core import FormatError, Image, Labels, NeurotomeError, SynapseVolume, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import LazyArray, open_image, open_labels, site_table
from neurotome.io.open import require_exists
from neurotome.synapses.discarded import Discarded, discard_table
from neurotome.synapses.study.near import nearest_voxel, window
from neurotome.synapses.study.partner_table import locate_partners

__all__ = ["POLICIES", "ConnectomeSource", "connectome_sites", "connectome_volume", "inside_boxes", "inverted16", "sample_rows"]

POLICIES = ("random", "sequential", "stratified")
POSITIONS, SOURCE, TARGET, AGGLOMERATES = (
    "synapse_positions",
    "synapse_to_src_agglomerate",
    "synapse_to_dst_agglomerate",
    "segment_to_agglomerate",
)
SPAN = 1 << 22
"""Entries that are read in one piece, which is quicker than one by one."""


@dataclass(frozen=True)
class ConnectomeSource:
    """Where a connectome lies.

    connectome, agglomerates: HDF5 files; without the second the first has all. image, segmentation, clefts: volumes that `io`
    opens. origin_vox: z, y, x of their corner in the data set. threshold: predictions above it are cleft. inverted_image:
    16 bits with dark for bright, as raw data of some microscopes. boxes: x, y, z, width, height, depth, of which synapses come.
    """

    connectome: Path | str
    image: Path | str
    segmentation: Path | str
    clefts: Path | str
    agglomerates: Path | str | None = None
    name: str = "connectome"
    voxel_nm: Nm3 | None = None
    origin_vox: Int3 = (0, 0, 0)
    threshold: float = 100.0
    inverted_image: bool = False
    boxes: Sequence[Sequence[int]] = ()


def connectome_volume(source: ConnectomeSource) -> SynapseVolume:
    """Image, agglomerates and clefts (id 1) as one lazy volume; nothing is read but the windows asked for.

    Raises FormatError for a file without the datasets, ShapeError and UnitError where volumes differ, MissingFileError.
    """
    image = open_image(source.image, voxel_nm=source.voxel_nm)
    segments = open_labels(source.segmentation, voxel_nm=source.voxel_nm)
    prediction = open_image(source.clefts, voxel_nm=source.voxel_nm)
    if source.inverted_image:
        image = replace(image, data=_mapped(image, inverted16, np.uint8))
    path = require_exists(Path(source.agglomerates or source.connectome))
    _read(path, [AGGLOMERATES], rows=0)
    neurons = Labels(_mapped(segments, partial(_agglomerate, path), np.uint64), segments.grid, name="neurons")
    above = _mapped(prediction, partial(_above, source.threshold), np.uint8)
    organelles = Labels(above, prediction.grid, name="clefts")
    return SynapseVolume(source.name, image, neurons, organelles, {"cleft": (1,)}, source.origin_vox)


def connectome_sites(
    source: ConnectomeSource,
    volume: SynapseVolume,
    *,
    count: int | None = None,
    policy: str = "random",
    seed: int = 37,
    dataset: str = "study",
    reach_nm: float = 300.0,
    size: int = 80,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Some synapses of a connectome as canonical sites with pre_side 1, and those that cannot be used.

    count, policy, seed: see `sample_rows`; strata are the source's boxes, or without boxes the presynaptic neurons.
    Side 1 is the voxel of the presynaptic neuron nearest the position; side 2 that of the postsynaptic one, or of any other
    neuron where the file names none. size: of the cube about each that has to be readable in all volumes. Discarded: see
    `sites_from_partners`, and read_failed.

    Raises FormatError for a file without the datasets, UnknownNameError for the policy, ValueRangeError.
    """
    path = require_exists(Path(source.connectome))
    stored = _read(path, [POSITIONS, SOURCE])
    positions = np.asarray(stored[POSITIONS])
    if positions.ndim != 2 or positions.shape[1] != 3 or len(stored[SOURCE]) != len(positions):
        shapes = f"{positions.shape} {POSITIONS} and {stored[SOURCE].shape} {SOURCE}"
        raise FormatError(f"'{path}' has {shapes}", "(n, 3) and (n,)", "export it again")
    box = inside_boxes(positions, source.boxes)
    candidates = np.flatnonzero(box >= 0)
    strata = box if source.boxes else stored[SOURCE]
    chosen = candidates[sample_rows(strata[candidates], count, policy, seed)]
    post = _targets(path, chosen)
    rows, discarded = [], []
    for row, target in zip(chosen.tolist(), post, strict=True):
        key = f"{dataset}/{source.name}/{row}"
        centre = [int(p) - o for p, o in zip(positions[row, ::-1], source.origin_vox, strict=True)]
        sides = _sides(volume, key, centre, (int(stored[SOURCE][row]), target), reach_nm, size // 2)
        if isinstance(sides, Discarded):
            discarded.append(sides)
            continue
        whose = {"dataset": dataset, "volume": source.name, "synapse_id": str(row)}
        rows.append({**whose, "center": centre, "side1": sides[0], "side2": sides[1]})
    sites = site_table(rows)
    named = [str(stored[SOURCE][int(row)]) for row in sites["synapse_id"]]
    return sites.assign(pre_side=1, side1_id=named), discard_table(discarded)


def sample_rows(strata: np.ndarray, count: int | None, policy: str = "random", seed: int = 37) -> np.ndarray:
    """Which rows of a table to take, none twice.

    random: `count` of them in drawn order. sequential: the first. stratified: of each stratum equally many, as far as it has
    them, drawn in turn from one after the other in order of their ids. count: None takes all.

    strata: (n,) id of each row. Returns (min(count, n),) int64. Raises UnknownNameError, ValueRangeError for a count below 1.

    >>> sample_rows(np.array([5, 5, 5, 5, 8]), 3, "sequential").tolist()
    [0, 1, 2]
    >>> sorted(np.array([5, 5, 5, 5, 8])[sample_rows(np.array([5, 5, 5, 5, 8]), 3, "stratified")].tolist())
    [5, 5, 8]
    """
    if policy not in POLICIES:
        raise UnknownNameError("policy of sampling", policy, POLICIES)
    if count is not None and count < 1:
        raise ValueRangeError(f"{count} synapses", "1 or more", "leave the count out to take all")
    n = len(strata)
    wanted = n if count is None else min(count, n)
    if policy == "sequential":
        return np.arange(wanted)
    drawn = np.random.default_rng(seed).permutation(n)
    if policy == "random":
        return drawn[:wanted]
    # The k-th drawn of every stratum comes before any (k + 1)-th.
    by_stratum = drawn[np.argsort(strata[drawn], kind="stable")]
    ordered = strata[by_stratum]
    starts = np.flatnonzero(np.concatenate([np.ones(min(n, 1), bool), ordered[1:] != ordered[:-1]]))
    turn = np.arange(n) - np.repeat(starts, np.diff(starts, append=n))
    return by_stratum[np.argsort(turn, kind="stable")][:wanted]


def inside_boxes(positions: np.ndarray, boxes: Sequence[Sequence[int]]) -> np.ndarray:
    """The first box that holds each position, -1 where none does; 0 for all where there are no boxes.

    positions: (n, 3) x, y, z. boxes: x, y, z, width, height, depth. Returns (n,) int64.

    >>> inside_boxes(np.array([[5, 5, 5], [10, 5, 5]]), [[0, 0, 0, 10, 10, 10]]).tolist()
    [0, -1]
    """
    found = np.full(len(positions), -1 if boxes else 0, np.int64)
    for number in reversed(range(len(boxes))):
        if len(boxes[number]) != 6:
            raise ValueRangeError(f"Box {list(boxes[number])}", "x, y, z, width, height, depth", "give six numbers")
        low, size = np.array(boxes[number][:3]), np.array(boxes[number][3:])
        found[((positions >= low) & (positions < low + size)).all(1)] = number
    return found


def inverted16(values: np.ndarray) -> np.ndarray:
    """Grey values of 8 bits from inverted ones of 16 bits: 255 - floor(v / 256).

    >>> inverted16(np.array([65535, 25600, 0], np.uint16)).tolist()
    [0, 155, 255]
    """
    return np.asarray(255 - values.astype(np.uint16) // 256, np.uint8)


def _sides(
    volume: SynapseVolume, key: str, centre: list[int], partners: tuple[int, int], reach_nm: float, half: int
) -> tuple[Int3, Int3] | Discarded:
    try:
        if partners[1] == 0:
            partners = (partners[0], _nearest_other(volume.neurons, centre, partners[0], reach_nm))
        sides = locate_partners(volume.neurons, key, centre, partners, reach_nm)
        if not isinstance(sides, Discarded):
            for part in (volume.image, volume.neurons, volume.organelles):
                window(part, centre, (half,) * 3)
        return sides
    except (NeurotomeError, OSError, ValueError):
        # One damaged chunk must not end a run over thousands of synapses; no grey values are made up for it.
        return Discarded(key, "sites", "read_failed")


def _nearest_other(neurons: Labels, centre: list[int], but: int, reach_nm: float) -> int:
    """The neuron, other than one, with the voxel nearest the centre; 0 for none."""
    if any(not 0 <= c < n for c, n in zip(centre, neurons.grid.shape, strict=True)):
        return 0
    box, ids = window(neurons, centre, [int(np.ceil(reach_nm / v)) for v in neurons.grid.voxel_nm])
    nearest = nearest_voxel((ids > 0) & (ids != np.uint64(but)), np.array(centre) - np.array(box.start), neurons.grid.voxel_nm)
    return 0 if nearest is None else int(ids[nearest[0]])


def _targets(path: Path, rows: np.ndarray) -> list[int]:
    with h5py.File(path, "r") as file:
        if TARGET not in file:
            return [0] * len(rows)
        return [int(v) for v in np.asarray(file[TARGET])[rows]]


def _read(path: Path, names: Sequence[str], rows: int | None = None) -> dict[str, np.ndarray]:
    """Datasets of a file, or their first rows. Raises FormatError that lists what the file has."""
    try:
        with h5py.File(path, "r") as file:
            missing = [name for name in names if name not in file]
            if missing:
                has = ", ".join(sorted(file)) or "none"
                raise FormatError(
                    f"'{path}' has no dataset {', '.join(missing)}; it has {has}", ", ".join(names), "check the path"
                )
            return {name: np.asarray(file[name][:rows]) for name in names}
    except OSError as error:
        raise FormatError(f"'{path}' cannot be read as HDF5 ({error})", "a complete file", "copy it again") from error


def _agglomerate(path: Path, segments: np.ndarray) -> np.ndarray:
    """Neuron id of every voxel; a segment that the table does not know is background."""
    ids, at = fastremap.unique(np.ascontiguousarray(segments).astype(np.uint64), return_inverse=True)
    with h5py.File(path, "r") as file:
        table = file[AGGLOMERATES]
        known = ids < np.uint64(table.shape[0])
        neurons = np.zeros(len(ids), np.uint64)
        neurons[known] = _entries(table, ids[known].astype(np.int64))
    neurons[ids == 0] = 0
    return np.asarray(neurons[at].reshape(segments.shape))


def _entries(table: h5py.Dataset, rows: np.ndarray) -> np.ndarray:
    """Some entries of a table that has one per segment of the whole data set; rows increase."""
    if not len(rows):
        return np.empty(0, np.uint64)
    if rows[-1] - rows[0] < SPAN:
        return np.asarray(np.asarray(table[rows[0] : rows[-1] + 1])[rows - rows[0]])
    return np.asarray(table[rows])


def _mapped(volume: Image | Labels, function: Callable[[np.ndarray], np.ndarray], dtype: type) -> LazyArray:
    assert isinstance(volume.data, LazyArray)
    mapped: LazyArray = volume.data.map(function, dtype)
    return mapped


def _above(threshold: float, prediction: np.ndarray) -> np.ndarray:
    return np.asarray(prediction > threshold, np.uint8)
