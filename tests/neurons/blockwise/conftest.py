"""Probability volumes that look like a network's, and a segmentation on blocks as a user of the room runs it."""

import shutil

import numpy as np
import pytest
from hypothesis import strategies as st

from neurotome import boundary, io, neurons
from neurotome.blocks import Engine, make_executor
from neurotome.core import Block, Box, Grid, Probability, RegionGraph
from neurotome.neurons.blockwise import BlockSegmentation, ProbabilityFile
from neurotome.neurons.blockwise.contacts import CountSeen
from neurotome.neurons.blockwise.dust_tree import AbsorbDust, ListSegments
from neurotome.neurons.blockwise.labels import NumberSegments
from neurotome.neurons.blockwise.lattice import Lattice
from neurotome.neurons.blockwise.tables import look_up, values_of
from neurotome.neurons.blockwise.tree import Contract
from neurotome.neurons.blockwise.workspace import Workspace

CHANNELS = (*boundary.NEAREST, "affinity:2,0,0", "affinity:0,5,0", "affinity:0,0,5")


class Volume:
    """A probability volume in memory and on disk; what the whole of it gives is kept."""

    def __init__(self, probability, folder):
        self.probability, self.folder = probability, folder
        self.shape, self.grid = probability.grid.shape, probability.grid
        io.save(probability, folder / "p.ome.zarr")
        self._whole = {}

    def whole(self, settings):
        if settings not in self._whole:
            self._whole[settings] = neurons.segment(self.probability, settings.method, settings=settings)
        return self._whole[settings]

    def on_blocks(self, settings, shape, run, *, found=None):
        source = ProbabilityFile(str(self.folder / "p.ome.zarr"))
        return BlockSegmentation(source, self.grid, settings, run, shape, found)


def as_cells(probability):
    """Affinities to nearest neighbours as the channels of the method `link`: inside in the section, and across it."""
    z, y, x = probability.read(boundary.NEAREST)
    z[-1] = 0  # an overlap map has no plane above the last section
    return Probability(np.stack([np.minimum(y, x), z]), probability.grid, ("cytoplasm", "overlap"))


@pytest.fixture(scope="session")
def noisy_phantom(small_phantom, tmp_path_factory):
    """Affinities of a phantom's truth with noise: (6, 40, 48) voxels, and the same as cytoplasm and overlap."""
    truth = small_phantom.neurons.read()[:6, 20:60, 30:78]
    rng = np.random.default_rng(7)
    targets, _ = boundary.targets(truth, CHANNELS)
    # The same noise in a voxel's channels, beside that of each: a faint membrane is faint for all of them.
    noise = rng.normal(0, 45, targets.shape) + rng.normal(0, 35, truth.shape)
    data = np.clip(60 + 150 * targets.astype(float) + noise, 0, 255).astype(np.uint8)
    probability = Probability(data, Grid(truth.shape, (30, 6, 6)), CHANNELS)
    return volumes_of(probability, tmp_path_factory.mktemp("phantom"))


@pytest.fixture(scope="session")
def snemi3d_prediction(snemi3d, tmp_path_factory):
    """What the shipped network says of (10, 120, 132) voxels of mouse cortex, and the same as cytoplasm and overlap."""
    image = snemi3d.image.crop(Box((30, 400, 300), (40, 520, 432)))
    return volumes_of(boundary.predict(image), tmp_path_factory.mktemp("snemi3d"))


def volumes_of(probability, folder):
    (folder / "cells").mkdir()
    return {"affinities": Volume(probability, folder), "cells": Volume(as_cells(probability), folder / "cells")}


@pytest.fixture
def segment_on_blocks(tmp_path):
    """Run a segmentation of a volume on blocks of a shape; gives it when it is done. Serial unless given an executor."""

    def run(volume, settings, shape, executor=None):
        folder = tmp_path / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        segmentation = volume.on_blocks(settings, shape, folder)
        segmentation.run(Engine(folder, key="k", executor=executor or make_executor()))
        return segmentation

    return run


class GraphOnBlocks:
    """A region graph of fragments 1..n of which each block of a line of blocks knows a part, as `CountContacts` leaves it.

    sizes: {(block, fragment): voxels}. rows: [(block, u, v, affinity_sum, contact)]: what one block has of an edge.
    """

    def __init__(self, blocks, sizes, rows):
        self.blocks, self.sizes, self.rows = blocks, sizes, rows
        self.count = max(f for _, f in sizes)

    def whole(self):
        """The graph of all blocks together, and the voxels of fragments 0..n."""
        parts = [RegionGraph(*(np.array(a, np.uint64) for a in ([[u, v]], [s], [c]))) for _, u, v, s, c in self.rows]
        voxels = np.zeros(self.count + 1, np.int64)
        for (_, fragment), n in self.sizes.items():
            voxels[fragment] += n
        none = RegionGraph(np.zeros((0, 2), np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint64))
        return neurons.add_graphs([*parts, none]), voxels

    def labels(self, settings):
        """The label of each fragment 0..n by the methods for whole volumes."""
        graph, voxels = self.whole()
        ids = np.arange(1, self.count + 1, dtype=np.uint64)
        segment = np.zeros(self.count + 1, np.int64)
        segment[1:] = neurons.cut(neurons.agglomerate(graph, t_min=settings.t_min), settings.threshold, ids)
        if settings.min_voxels > 1:
            rows = graph.edges.astype(np.uint32), graph.affinity_sum.astype(np.int64), graph.contact.astype(np.int64)
            segment = neurons.merge_dust(segment, rows, voxels, settings.min_voxels)
            if settings.small == "zero":
                segment[np.bincount(segment, weights=voxels)[segment] < settings.min_voxels] = 0
        # Segments are named by their smallest fragments, so their names are in order.
        return np.searchsorted(np.unique(segment[segment > 0]), segment, side="right") * (segment > 0)

    def labels_on_blocks(self, settings, folder):
        """The same, block by block and group by group; every block must say the same of a fragment."""
        workspace = self._written(folder)
        lattice = workspace.lattice
        volume = Box((0, 0, 0), lattice.volume)
        CountSeen(workspace)(Block(volume, volume))
        levels = range(lattice.levels)
        for k in levels:
            for box in lattice.level(k).boxes:
                Contract(settings, workspace, k)(Block(box, box))
        ListSegments(workspace)(Block(volume, volume))
        for k in levels if settings.min_voxels > 1 else ():
            for box in lattice.level(k).boxes:
                AbsorbDust(settings, workspace, k)(Block(box, box))
        NumberSegments(settings, workspace)(Block(volume, volume))
        labels = np.full(self.count + 1, -1)
        labels[0] = 0
        for box in lattice.boxes:
            names = workspace.load("contacts", box, "fragments")["fragments"]
            found = values_of(workspace.table("numbered"), self._renamed(workspace, box, names, settings), missing=0)
            known = labels[names.astype(int)]
            assert ((known == found) | (known == -1)).all()
            labels[names.astype(int)] = found
        return labels

    def _written(self, folder):
        workspace = Workspace(folder, Lattice((1, 1, self.blocks), (1, 1, 1)))
        for b, box in enumerate(workspace.lattice.boxes):
            held = sorted((f, n) for (block, f), n in self.sizes.items() if block == b)
            mine = sorted((u, v, s, c) for block, u, v, s, c in self.rows if block == b)
            rows = {
                "edges": np.array([r[:2] for r in mine], np.uint64).reshape(-1, 2),
                "affinity_sum": np.array([r[2] for r in mine], np.uint64),
                "contact": np.array([r[3] for r in mine], np.uint64),
            }
            none = {name: values[:0] for name, values in rows.items()}
            fragments = np.array([f for f, _ in held], np.uint64)
            workspace.save(
                "contacts",
                box,
                fragments=fragments,
                sizes=np.array([n for _, n in held], np.int64),
                seen=np.union1d(fragments, rows["edges"].reshape(-1)),
                **{f"near_{name}": values for name, values in rows.items()},
                **{f"far_{name}": values for name, values in none.items()},
            )
        return workspace

    @staticmethod
    def _renamed(workspace, box, names, settings):
        lattice = workspace.lattice
        for kind in ("renamed", "dusted-names") if settings.min_voxels > 1 else ("renamed",):
            for k in range(lattice.levels):
                names = look_up(workspace.table(workspace.group_table(f"{kind}-{k}", lattice.level(k).holding(box))), names)
        return names


@st.composite
def graphs_on_blocks(draw):
    """Small graphs full of ties, of which blocks know arbitrary parts: more than any volume would ask for."""
    blocks, count = draw(st.integers(1, 5)), draw(st.integers(2, 16))
    # A fragment lies in blocks beside each other, as in a volume; the rest is arbitrary.
    sizes = {}
    for fragment in range(1, count + 1):
        first = draw(st.integers(0, blocks - 1))
        for block in range(first, min(blocks, first + draw(st.sampled_from([1, 1, 1, 2, 3])))):
            sizes[block, fragment] = draw(st.sampled_from([1, 2, 5, 9, 30]))
    pairs = [(u, v) for u in range(1, count + 1) for v in range(u + 1, count + 1)]
    rows = []
    for u, v in sorted(draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40))):
        for block in draw(st.lists(st.integers(0, blocks - 1), unique=True, min_size=1, max_size=2)):
            contact = draw(st.integers(1, 3))
            rows.append((block, u, v, contact * draw(st.sampled_from([10, 40, 90, 200, 255])), contact))
    return GraphOnBlocks(blocks, sizes, rows)


@pytest.fixture(scope="session")
def graph_on_blocks():
    return GraphOnBlocks


@pytest.fixture(scope="session")
def any_graph_on_blocks():
    """A strategy, to be drawn from with `st.data()`."""
    return graphs_on_blocks()
