"""Probability in, neurons out: the methods by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from neurotome.core import Box, InputError, Labels, MergeList, Probability, Progress, RegionGraph, silent
from neurotome.neurons.agglomerate import agglomerate_rows, cut, merges_above
from neurotome.neurons.fragments import fragments, smooth_in_plane
from neurotome.neurons.link import components, link
from neurotome.neurons.postprocess import fill_holes, grow, merge_dust, renumber, zero_small
from neurotome.neurons.region_graph import Rows, count_rows, named_graph
from neurotome.neurons.settings import AgglomerateSettings, ComponentsSettings, LinkSettings, SegmentSettings, settings_for
from neurotome.neurons.voxel_graph import VoxelGraph, quantise, voxel_graph

__all__ = ["Segmentation", "check_evidence", "labels_of_fragments", "recut", "require_merges", "segment"]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Neurons, and for the method `agglomerate` what is needed to cut them anew.

    labels: ids 1..n in order of their smallest voxel, uint64. settings: those of the method that made them.
    fragments: ids as they are named in `graph` and `merges` (1 + linear index of the smallest voxel). None of the three
    exists for the methods `link` and `components`.
    """

    labels: Labels
    settings: SegmentSettings
    fragments: Labels | None = None
    graph: RegionGraph | None = None
    merges: MergeList | None = None


def segment(
    probability: Probability,
    method: str = "agglomerate",
    *,
    settings: SegmentSettings | None = None,
    progress: Progress = silent,
) -> Segmentation:
    """Which voxels are one neuron.

    Parameters
    ----------
    probability
        Channels as `voxel_graph` describes them.
    method
        "agglomerate" (watershed fragments, mean-affinity merging), "link" (the reference method) or "components".
    settings
        `AgglomerateSettings`, `LinkSettings` or `ComponentsSettings`; default: those of the method.

    Raises
    ------
    UnknownNameError
        For an unknown method.
    InputError
        For channels that are missing or ambiguous and for settings out of range.
    """
    settings = settings_for(method, settings)
    steps = _Steps(progress, _TOTAL_STEPS[method])
    steps.begin("voxel graph")
    graph = voxel_graph(probability, evidence=settings.evidence, stored_at=settings.stored_at)
    if isinstance(settings, AgglomerateSettings):
        return _agglomerated(graph, probability, settings, steps)
    steps.begin("components")
    if isinstance(settings, LinkSettings):
        options = {name: getattr(settings, name) for name in ("threshold", "bridge", "erosions", "skeletonise")}
        labels = link(graph, **options)
    else:
        assert isinstance(settings, ComponentsSettings)
        labels = components(graph, threshold=int(quantise(np.array([settings.threshold]))[0]))
    steps.begin("labels")
    if settings.min_voxels and settings.small == "zero":
        labels = zero_small(labels, settings.min_voxels)
    segmentation = Segmentation(Labels(_finished(labels, settings), probability.grid, name="neurons"), settings)
    steps.end()
    return segmentation


def check_evidence(probability: Probability, settings: SegmentSettings) -> None:
    """Raise what `segment` would raise for missing or ambiguous channels, without reading more than a voxel."""
    corner = Box(tuple(n - 1 for n in probability.grid.shape), probability.grid.shape)  # type: ignore[arg-type]
    voxel_graph(probability, evidence=settings.evidence, stored_at=settings.stored_at, box=corner)


def recut(segmentation: Segmentation, threshold: float, *, progress: Progress = silent) -> Segmentation:
    """The same segmentation at another threshold, from its merge list: no fragment, row or merge is computed again.

    Raises ValueRangeError if the threshold is below the t_min of the merge list, InputError if the method keeps no list.
    """
    fragments_, graph, merges = require_merges(segmentation)
    settings = _at(segmentation, threshold)
    steps = _Steps(progress, 1)
    steps.begin("labels")
    dense, names = numbered_fragments(fragments_.read())
    labels = _cut_labels(dense, names, _dense_rows(graph, names), merges, settings)
    steps.end()
    return replace(segmentation, labels=Labels(labels, segmentation.labels.grid, name="neurons"), settings=settings)


def labels_of_fragments(segmentation: Segmentation, names: np.ndarray, sizes: np.ndarray, threshold: float) -> np.ndarray:
    """The label of each fragment at a threshold, without touching a voxel (holes are not filled, nothing is grown).

    names: (n,) the fragments, rising. sizes: (n + 1,) voxels of the background and of each of them. Gives (n + 1,) uint64.
    """
    _, graph, merges = require_merges(segmentation)
    return _label_table(names, _dense_rows(graph, names), merges, _at(segmentation, threshold), lambda: sizes)


def require_merges(segmentation: Segmentation) -> tuple[Labels, RegionGraph, MergeList]:
    """Fragments, graph and merge list; raises InputError for a method that makes none."""
    if segmentation.fragments is None or segmentation.graph is None or segmentation.merges is None:
        raise InputError(
            f"Segmentation by '{segmentation.settings.method}' has no merge list",
            "a segmentation by 'agglomerate'",
            "segment again with the other threshold",
        )
    return segmentation.fragments, segmentation.graph, segmentation.merges


def _at(segmentation: Segmentation, threshold: float) -> AgglomerateSettings:
    merges, settings = segmentation.merges, segmentation.settings
    assert merges is not None and isinstance(settings, AgglomerateSettings)
    merges_above(merges, threshold)  # raises with the remedy that fits a list
    return replace(settings, threshold=threshold, t_min=merges.t_min)


_TOTAL_STEPS = {"agglomerate": 5, "link": 3, "components": 3}


class _Steps:
    """Reports which of a known number of steps is running."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done, self._what = progress, total, -1, ""

    def begin(self, what: str) -> None:
        self._what = what
        self._done += 1
        self._progress(what, self._done, self._total)

    def end(self) -> None:
        self._progress(self._what, self._total, self._total)


def _agglomerated(graph: VoxelGraph, probability: Probability, settings: AgglomerateSettings, steps: _Steps) -> Segmentation:
    steps.begin("fragments")
    followed = tuple(smooth_in_plane(edges, settings.smooth) for edges in graph.edges)
    dense, first = fragments(followed, t_low=settings.t_low, t_high=settings.t_high)  # type: ignore[arg-type]
    names = first + np.uint64(1)
    steps.begin("region graph")
    rows = count_rows(dense, graph.edges, long_range=graph.long_range if settings.long_range else ())
    steps.begin("merging")
    merges = agglomerate_rows(rows, names, t_min=settings.t_min)
    steps.begin("labels")
    labels = _cut_labels(dense, names, rows, merges, settings)
    _name_in_place(dense.reshape(-1), names)
    segmentation = Segmentation(
        Labels(labels, probability.grid, name="neurons"),
        settings,
        Labels(dense, probability.grid, name="fragments"),
        named_graph(rows, names),
        merges,
    )
    steps.end()
    return segmentation


def _cut_labels(dense: np.ndarray, names: np.ndarray, rows: Rows, merges: MergeList, settings: AgglomerateSettings) -> np.ndarray:
    """The labels of fragments 1..n at the threshold, with dust, holes and growth as the settings say."""
    table = _label_table(names, rows, merges, settings, lambda: np.bincount(dense.reshape(-1), minlength=len(names) + 1))
    labels = np.empty(dense.shape, np.uint64)
    _look_up(table, dense.reshape(-1), labels.reshape(-1))
    return _finished(labels, settings, numbered=True)


def _label_table(
    names: np.ndarray, rows: Rows, merges: MergeList, settings: AgglomerateSettings, sizes: Callable[[], np.ndarray]
) -> np.ndarray:
    """The label of each fragment 0..n."""
    segment_of = np.zeros(len(names) + 1, np.int64)
    segment_of[1:] = np.searchsorted(names, cut(merges, settings.threshold, names)) + 1
    if settings.min_voxels > 1:
        voxels = sizes()
        segment_of = merge_dust(segment_of, rows, voxels, settings.min_voxels)
        if settings.small == "zero":
            total = np.bincount(segment_of, weights=voxels, minlength=len(segment_of))
            segment_of[total[segment_of] < settings.min_voxels] = 0
    # A segment is named by its smallest fragment, and fragments are in order of their smallest voxel: so are the ranks.
    kept = np.zeros(len(segment_of), np.uint64)
    kept[segment_of] = 1
    kept[0] = 0
    return np.cumsum(kept, dtype=np.uint64)[segment_of] * (segment_of > 0)


@njit(cache=True)
def _look_up(table, dense, labels):
    for i in range(dense.size):
        labels[i] = table[dense[i]]


def _finished(labels: np.ndarray, settings: SegmentSettings, *, numbered: bool = False) -> np.ndarray:
    """Holes, growth and final numbers; labels of which no voxel changed can be numbered already."""
    if settings.fill_holes:
        labels = fill_holes(labels, settings.fill_holes)
    if settings.grow:
        labels = grow(labels, settings.grow)
    return labels if numbered and not settings.fill_holes and not settings.grow else renumber(labels)


def numbered_fragments(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fragments of any names as 1..n in order of their names (0 stays 0), and the names.

    >>> dense, names = numbered_fragments(np.array([[[0, 9, 4]]]))
    >>> dense.tolist(), names.tolist()
    ([[[0, 2, 1]]], [4, 9])
    """
    ids = np.ascontiguousarray(ids)
    table = np.zeros(int(ids.max()) + 1, np.uint32)
    _mark(ids.reshape(-1), table)
    names = np.flatnonzero(table).astype(np.uint64)
    table[names] = np.arange(1, len(names) + 1)
    dense = np.empty(ids.shape, np.uint32)
    _look_up(table, ids.reshape(-1), dense.reshape(-1))
    return dense, names


@njit(cache=True)
def _mark(ids, table):
    for i in range(ids.size):
        table[ids[i]] = 1
    table[0] = 0


def _dense_rows(graph: RegionGraph, names: np.ndarray) -> Rows:
    pairs = (np.searchsorted(names, graph.edges) + 1).astype(np.uint32)
    return pairs, graph.affinity_sum.astype(np.int64), graph.contact.astype(np.int64)


@njit(cache=True)
def _name_in_place(dense, names):
    for i in range(dense.size):
        if dense[i] != 0:
            dense[i] = names[dense[i] - 1]
