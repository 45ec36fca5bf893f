"""The same labels for any blocks and any number of workers: those of the whole volume, number by number."""

import numpy as np
import pytest

from neurotome.blocks import make_executor
from neurotome.io import open_labels
from neurotome.neurons import AgglomerateSettings, ComponentsSettings, LinkSettings
from neurotome.neurons.blockwise import stored_graph

AFFINITIES = [
    AgglomerateSettings(),
    AgglomerateSettings(min_voxels=40),
    AgglomerateSettings(min_voxels=40, small="keep", threshold=0.5),
    AgglomerateSettings(smooth=1.0, min_voxels=15, threshold=0.4),
    AgglomerateSettings(long_range=False, threshold=0.35),
    AgglomerateSettings(t_high=256, min_voxels=10, threshold=0.6),
    AgglomerateSettings(t_low=130, threshold=0.7, fill_holes=60, grow=2.5),
]
JOINED = [
    ComponentsSettings(threshold=0.75),
    ComponentsSettings(threshold=0.85, min_voxels=25, fill_holes=40),
    ComponentsSettings(threshold=0.8, min_voxels=25, small="keep", grow=1.5),
]
CELLS = [
    LinkSettings(threshold=190),
    LinkSettings(threshold=200, bridge="overlap", grow=0),
    LinkSettings(threshold=170, bridge="overlap", erosions=1, min_voxels=30, fill_holes=30),
    LinkSettings(threshold=170, bridge="overlap", erosions=2, skeletonise=True, grow=1),
    LinkSettings(threshold=210, erosions=1, min_voxels=30, small="keep", grow=0),
]


def chunkings(shape, count=22, most=8):
    """Block shapes: one block, slabs one voxel thick along each axis, and random ones that give at most so many blocks."""
    rng = np.random.default_rng(sum(shape))
    depth, height, width = shape
    found = [shape, (1, height, width), (depth, 1, width), (depth, height, 1)]
    while len(found) < count:
        blocks = tuple(int(rng.integers(1, n + 1)) for n in shape)
        if 1 < np.prod([-(-n // b) for n, b in zip(shape, blocks)]) <= most:
            found.append(blocks)
    return found


def the_methods(chunking):
    """Settings of all three methods, others for each chunking: (kind of volume, settings). Of many thin slabs only one."""
    methods = [
        (kind, settings[chunking % len(settings)])
        for kind, settings in (("affinities", AFFINITIES), ("affinities", JOINED), ("cells", CELLS))
    ]
    return {2: methods[:1], 3: methods[2:]}.get(chunking, methods)


def assert_equal_to_the_whole(volume, settings, segmentation):
    whole = volume.whole(settings)
    assert whole.labels.data.max() > 1, "a volume that says nothing"
    assert np.array_equal(open_labels(segmentation.neurons).read(), whole.labels.data)
    assert segmentation.count() == whole.labels.data.max()
    if segmentation.fragments is None:
        return
    assert np.array_equal(open_labels(segmentation.fragments).read(), whole.fragments.data)
    graph = stored_graph(segmentation.workspace)
    for part in ("edges", "affinity_sum", "contact"):
        assert np.array_equal(getattr(graph, part), getattr(whole.graph, part)), part


@pytest.mark.parametrize("chunking", range(22))
def test_a_phantom_on_any_blocks(noisy_phantom, segment_on_blocks, chunking):
    shape = chunkings(noisy_phantom["cells"].shape)[chunking]
    for kind, settings in the_methods(chunking):
        assert_equal_to_the_whole(noisy_phantom[kind], settings, segment_on_blocks(noisy_phantom[kind], settings, shape))


@pytest.mark.realdata
@pytest.mark.parametrize("chunking", [0, 1, *range(4, 22)])
def test_a_prediction_of_mouse_cortex_on_any_blocks(snemi3d_prediction, segment_on_blocks, chunking):
    shape = chunkings(snemi3d_prediction["cells"].shape, most=6)[chunking]
    for kind, settings in the_methods(chunking):
        volume = snemi3d_prediction[kind]
        assert_equal_to_the_whole(volume, settings, segment_on_blocks(volume, settings, shape))


@pytest.fixture(scope="module")
def two_workers():
    with make_executor(workers=2) as executor:
        yield executor


@pytest.mark.parametrize("chunking", [4, 5, 6, 7])
def test_a_phantom_on_two_workers(noisy_phantom, segment_on_blocks, two_workers, chunking):
    shape = chunkings(noisy_phantom["cells"].shape)[chunking]
    for kind, settings in the_methods(chunking):
        segmentation = segment_on_blocks(noisy_phantom[kind], settings, shape, two_workers)
        assert_equal_to_the_whole(noisy_phantom[kind], settings, segmentation)


@pytest.mark.realdata
@pytest.mark.parametrize("chunking", [8, 9])
def test_a_prediction_on_two_workers(snemi3d_prediction, segment_on_blocks, two_workers, chunking):
    shape = chunkings(snemi3d_prediction["cells"].shape, most=6)[chunking]
    for kind, settings in the_methods(chunking):
        volume = snemi3d_prediction[kind]
        assert_equal_to_the_whole(volume, settings, segment_on_blocks(volume, settings, shape, two_workers))
