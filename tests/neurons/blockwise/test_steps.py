import shutil
from dataclasses import replace

import numpy as np
import pytest

from neurotome.blocks import Engine, Step, make_executor
from neurotome.core import Progress
from neurotome.io import open_labels
from neurotome.neurons import AgglomerateSettings, ComponentsSettings, LinkSettings, recut
from neurotome.neurons.blockwise import memory_of
from neurotome.neurons.blockwise.workspace import KEPT

SHAPE = (4, 20, 30)


def names(segmentation):
    return [step.name for step in segmentation.steps()]


def test_only_what_the_settings_ask_for_is_done(noisy_phantom, tmp_path):
    plain = noisy_phantom["affinities"].on_blocks(ComponentsSettings(), SHAPE, tmp_path)
    assert names(plain) == ["pieces", "pairs", "names", "numbers", "paint"] and plain.fragments is None
    merged = noisy_phantom["affinities"].on_blocks(AgglomerateSettings(), SHAPE, tmp_path)
    # Two blocks along each axis: two levels of groups.
    assert names(merged) == [
        "pieces", "pairs", "names", "contacts", "seen", "merge-0", "merge-1", "segments", "numbers", "paint",
    ]  # fmt: skip
    dusted = noisy_phantom["affinities"].on_blocks(AgglomerateSettings(min_voxels=9), SHAPE, tmp_path)
    assert set(names(dusted)) - set(names(merged)) == {"dust-0", "dust-1"}
    grown = noisy_phantom["cells"].on_blocks(LinkSettings(fill_holes=9), SHAPE, tmp_path)
    assert names(grown)[4:] == [
        "paint", "holes", "holes-pairs", "holes-names", "owners", "filled", "grown", "first", "renumbered", "renumber",
    ]  # fmt: skip


@pytest.mark.parametrize("shape", [(4, 20, 30), (99, 99, 99), (1, 40, 48)])
def test_every_step_has_its_name_and_each_block_once(noisy_phantom, tmp_path, shape):
    settings = AgglomerateSettings(min_voxels=9, fill_holes=9, grow=2)
    steps: list[Step] = list(noisy_phantom["affinities"].on_blocks(settings, shape, tmp_path).steps())
    assert len({step.name for step in steps}) == len(steps) and all(step.what for step in steps)
    volume = noisy_phantom["affinities"].grid.box
    for step in steps:
        assert sum(block.write.size for block in step.blocks) == volume.size, step.name
        assert all(block.write.intersect(block.read) == block.write for block in step.blocks)


def test_another_threshold_takes_up_what_was_found(noisy_phantom, segment_on_blocks, tmp_path):
    volume, settings = noisy_phantom["affinities"], AgglomerateSettings(min_voxels=20, threshold=0.6)
    first = segment_on_blocks(volume, settings, SHAPE)
    first.tidy()
    assert {p.name for p in first.workspace.folder.iterdir()} <= set(KEPT)
    again = volume.on_blocks(replace(settings, threshold=0.3), SHAPE, tmp_path / "cut", found=first.workspace.folder)
    assert names(again)[0] == "merge-0"
    (tmp_path / "cut").mkdir()
    with make_executor() as executor:
        count = again.run(Engine(tmp_path / "cut", key="k", executor=executor))
    expected = recut(volume.whole(settings), 0.3).labels.data
    assert np.array_equal(open_labels(again.neurons).read(), expected) and count == expected.max()
    assert count < first_count(volume, settings)


def first_count(volume, settings):
    return volume.whole(settings).labels.data.max()


def test_methods_without_a_graph_keep_nothing(noisy_phantom, segment_on_blocks):
    segmentation = segment_on_blocks(noisy_phantom["cells"], LinkSettings(threshold=180), SHAPE)
    segmentation.tidy()
    assert not list(segmentation.workspace.folder.iterdir())


def test_a_second_run_does_nothing_and_damage_downstream_of_it_is_made_good(noisy_phantom, segment_on_blocks):
    segmentation = segment_on_blocks(noisy_phantom["affinities"], AgglomerateSettings(min_voxels=20), SHAPE)
    labels = open_labels(segmentation.neurons).read()
    heard: list[tuple[str, int, int]] = []
    hear: Progress = lambda what, done, total: heard.append((what, done, total))  # noqa: E731
    shutil.rmtree(segmentation.workspace.folder / "known-0")
    segmentation.run(Engine(segmentation.folder, key="k", executor=make_executor(), progress=hear))
    begun = {}
    for what, done, total in heard:
        if not what.startswith("check "):
            begun.setdefault(what, done / total)
    assert begun.pop("merging, level 1") == 0 and set(begun.values()) == {1.0}
    assert np.array_equal(open_labels(segmentation.neurons).read(), labels)


def test_a_larger_block_needs_more_memory():
    assert memory_of("pieces", 40_000_000) > memory_of("pieces", 10_000_000) > memory_of("pieces", 0) > 1e8
    assert memory_of("pieces", 40_000_000) < 2e9
    assert memory_of("seen", 10**9) > 0
