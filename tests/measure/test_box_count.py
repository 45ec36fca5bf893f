"""Scores, error rows and object rows are the same for any boxes, and memory is that of a box."""

import tracemalloc
from itertools import pairwise, product

import numpy as np
import pytest

from neurotome.core import Box, Grid, Labels
from neurotome.measure import CONVENTIONS, boxes, compare, comparison_scores, error_table, object_table

OPTIONS = [
    {},
    {"truth_parts": "components"},
    {"truth_parts": "components", "border_nm": 11.0, "truth_zero": "object"},
    {"border_nm": 11.0, "support": Box((1, 7, 3), (9, 120, 128))},
    {"truth_parts": "components", "support": Box((1, 7, 3), (9, 120, 128))},
]


def random_cuts(rng, box):
    """A lattice of boxes with random cuts; now and then one box, or slices of one voxel along an axis."""
    edges = []
    for a, b in zip(box.start, box.stop, strict=True):
        inner = rng.choice(np.arange(a + 1, b), rng.integers(0, min(4, b - a)), replace=False) if b - a > 1 else []
        edges.append([a, *sorted(int(i) for i in inner), b])
    kind = rng.integers(0, 8)
    if kind < 3:
        edges[kind] = list(range(box.start[kind], box.stop[kind] + 1))
        edges = [e if axis == kind else [e[0], e[-1]] for axis, e in enumerate(edges)]
    if kind == 3:
        edges = [[e[0], e[-1]] for e in edges]
    return [Box(*zip(*ranges, strict=True)) for ranges in product(*map(pairwise, edges))]


def damaged(truth, rng):
    """A segmentation with merges, splits, moved outlines and lost objects."""
    ids = truth.astype(np.uint64) // 2 * 64 + np.arange(truth.shape[2], dtype=np.uint64) // 50
    ids[(truth == 0) | (truth % 7 == 3)] = 0
    ids[rng.random(truth.shape) < 0.002] = 2**63
    return np.roll(ids, 2, axis=2)


def everything(comparison):
    return (
        [getattr(comparison.table, name).tolist() for name in ("truth", "segmentation", "voxels")],
        comparison.table.ignored,
        list(comparison_scores(comparison, conventions=CONVENTIONS)),
        error_table(comparison, discard=3).to_rows(),
        object_table(comparison, discard=3).to_rows(),
    )


@pytest.fixture(scope="module")
def volumes(small_phantom):
    rng = np.random.default_rng(5)
    truth = np.asarray(small_phantom.neurons.data)
    coarse = (np.kron(rng.integers(0, n, (10, 6, 5)), np.ones((1, 8, 8), int)) for n in (3, 4))
    noise = tuple(np.where(rng.random(ids.shape) < 0.01, 0, ids) for ids in coarse)
    return {"phantom": (truth, damaged(truth, rng)), "noise": noise}


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", ["phantom", "noise"])
def test_any_boxes_give_the_same_rows(volumes, name, options):
    truth, segmentation = volumes[name]
    grid = Grid(truth.shape, (40.0, 5.0, 6.0))
    if "support" in options:
        options = options | {"support": options["support"].clip(truth.shape)}
    pair = Labels(segmentation, grid), Labels(truth, grid)
    support = options.get("support", grid.box)
    expected = everything(compare(*pair, **options, boxes=[support]))
    assert len(expected[3]) > 3
    rng = np.random.default_rng(len(str(options)))
    for _ in range(10):
        found = everything(compare(*pair, **options, boxes=random_cuts(rng, support)))
        assert found == expected


def test_the_truth_as_given_needs_no_second_reading(volumes):
    truth, segmentation = volumes["phantom"]
    grid = Grid(truth.shape, (40.0, 5.0, 6.0))
    pair = Labels(segmentation, grid), Labels(truth, grid)
    parts = compare(*pair, truth_parts="components")
    assert parts.as_given().support == "full"
    assert everything(parts.as_given()) == everything(compare(*pair))


class Tissue:
    """Sixteen objects in a section of any size, never in memory as a whole."""

    dtype = np.dtype(np.uint32)

    def __init__(self, shape, step):
        self.shape, self.step, self.largest = shape, step, 0

    def __getitem__(self, key):
        z, y, x = (np.arange(n)[k] for k, n in zip(key, self.shape, strict=True))
        self.largest = max(self.largest, z.size * y.size * x.size)
        rows = (y + self.step) * 4 // (self.shape[1] + self.step)
        return 1 + (4 * rows[:, None] + x * 4 // self.shape[2] + 0 * z[:, None, None]).astype(np.uint32)


def peak_bytes(side, **options):
    shape = (6, side, side)
    grid = Grid(shape, (40.0, 5.0, 5.0))
    pair = [Labels(Tissue(shape, step), grid) for step in (side // 20, 0)]
    tracemalloc.start()
    try:
        comparison = compare(*pair, **options)
        assert len(error_table(comparison)) > 10 and len(object_table(comparison)) == 32
        return tracemalloc.get_traced_memory()[1], max(labels.data.largest for labels in pair)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("options", [{}, {"truth_parts": "components"}, {"border_nm": 10.0}], ids=str)
def test_memory_is_that_of_a_box_however_large_the_section(monkeypatch, options):
    monkeypatch.setattr(boxes, "BOX_VOXELS", 1 << 19)
    monkeypatch.setattr(boxes, "_USUAL_CHUNK", (2, 64, 64))
    peak_bytes(256, **options)  # compiles
    small, read = peak_bytes(512, **options)
    large, most = peak_bytes(2048, **options)
    assert max(read, most) <= (1 << 19) * 1.2  # a border reaches a little further than its box
    assert large < 1.5 * small
