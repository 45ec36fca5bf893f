"""Probabilities in, neurons out, on blocks; and other thresholds from what is kept."""

import shutil

import numpy as np
import pytest

from neurotome import boundary, neurons
from neurotome.core import Grid, NeurotomeError, Probability, RunFailedError, RunFolderError
from neurotome.flows import Workforce, cut_run, segment_file
from neurotome.flows.segment import stored_segmentation
from neurotome.io import open_labels, save

OPTIONS = {"t_low": 60, "min_voxels": 20}
BLOCKS = Workforce(block=(4, 48, 48))


@pytest.fixture(scope="module")
def volume(small_phantom):
    truth = small_phantom.neurons.read()[:7, :90, :96]
    targets, _ = boundary.targets(truth, boundary.NEAREST)
    noise = np.random.default_rng(1).normal(0, 35, targets.shape)
    data = np.clip(50 + 160 * targets.astype(float) + noise, 0, 255).astype(np.uint8)
    return Probability(data, Grid(truth.shape, (30, 6, 6)), boundary.NEAREST)


@pytest.fixture(scope="module")
def run(volume, tmp_path_factory):
    """A finished run at threshold 0.5."""
    folder = tmp_path_factory.mktemp("run")
    save(volume, folder / "p.ome.zarr")
    segment_file(str(folder / "p.ome.zarr"), folder / "out", threshold=0.5, options=OPTIONS, workforce=BLOCKS)
    return folder / "out"


def whole(volume, threshold):
    return neurons.segment(volume, settings=neurons.AgglomerateSettings(threshold=threshold, **OPTIONS)).labels.data


def labels(folder):
    return open_labels(folder / "neurons.ome.zarr").read()


def test_blocks_and_workers_change_nothing(volume, run, tmp_path):
    assert np.array_equal(labels(run), whole(volume, 0.5))
    path = str(run.parent / "p.ome.zarr")
    count = segment_file(path, tmp_path / "out", threshold=0.5, options=OPTIONS, workforce=Workforce(2, block=(7, 30, 50)))
    assert np.array_equal(labels(tmp_path / "out"), labels(run)) and count == labels(run).max()
    assert (tmp_path / "out" / "neurons.csv").read_text() == (run / "neurons.csv").read_text()
    assert {p.name for p in run.iterdir()} == {
        "run.json", "neurons.ome.zarr", "fragments.ome.zarr", "neurons.csv", "region_graph.npz", "merges.npz", "segmentation",
    }  # fmt: skip


@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_a_cut_is_a_segmentation_at_that_threshold(volume, run, tmp_path, threshold):
    count = cut_run(run, tmp_path / "cut", threshold=threshold)
    assert np.array_equal(labels(tmp_path / "cut"), whole(volume, threshold)) and count == labels(tmp_path / "cut").max()
    kept = stored_segmentation(tmp_path / "cut")
    assert kept.settings.threshold == threshold
    assert np.array_equal(neurons.recut(kept, 0.8).labels.data, whole(volume, 0.8))


def test_a_cut_can_be_cut(volume, run, tmp_path):
    cut_run(run, tmp_path / "once", threshold=0.7)
    cut_run(tmp_path / "once", tmp_path / "twice", threshold=0.2)
    assert np.array_equal(labels(tmp_path / "twice"), whole(volume, 0.2))
    # It rests on the first run, not on the cut between.
    shutil.rmtree(tmp_path / "once")
    cut_run(tmp_path / "twice", tmp_path / "again", threshold=0.5)
    assert np.array_equal(labels(tmp_path / "again"), labels(run))


def test_a_run_can_be_moved_and_cut_where_it_is(volume, run, tmp_path):
    shutil.copytree(run, tmp_path / "moved")
    cut_run(tmp_path / "moved", tmp_path / "cut", threshold=0.7)
    assert np.array_equal(labels(tmp_path / "cut"), whole(volume, 0.7))


def test_a_cut_whose_source_has_moved_says_where_it_was(run, tmp_path):
    shutil.copytree(run, tmp_path / "source")
    cut_run(tmp_path / "source", tmp_path / "once", threshold=0.7)
    (tmp_path / "source").rename(tmp_path / "elsewhere")
    with pytest.raises(NeurotomeError, match=r"source.segmentation.*does not exist, on which '.*once' rests") as error:
        cut_run(tmp_path / "once", tmp_path / "twice", threshold=0.2)
    assert error.value.exit_code == 2
    assert not (tmp_path / "twice").exists()


def test_only_runs_with_a_region_graph_can_be_cut(run, tmp_path):
    path = str(run.parent / "p.ome.zarr")
    segment_file(path, tmp_path / "out", method="components", options={"min_voxels": 20})
    for folder in (tmp_path / "out", tmp_path):
        with pytest.raises(NeurotomeError, match="a finished run by `agglomerate`"):
            cut_run(folder, tmp_path / "cut", threshold=0.2)
    assert not (tmp_path / "cut").exists()


def test_other_names_of_the_channels_are_another_run(volume, run, tmp_path):
    np.save(tmp_path / "p.npy", volume.data)
    options = {"voxel_nm": (30.0, 6.0, 6.0), "method": "components", "options": {"threshold": 0.3}}
    segment_file(str(tmp_path / "p.npy"), tmp_path / "out", channels=boundary.NEAREST, **options)
    with pytest.raises(RunFolderError, match=r"config\.channels"):
        segment_file(str(tmp_path / "p.npy"), tmp_path / "out", channels=boundary.NEAREST[::-1], **options)


def test_no_neuron_at_all_is_a_failure(run, tmp_path):
    with pytest.raises(RunFailedError, match="No neuron was found"):
        segment_file(str(run.parent / "p.ome.zarr"), tmp_path / "out", threshold=0.5, min_voxels=10**6)
