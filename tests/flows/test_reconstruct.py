"""Image in, report out: the whole way, interrupted and resumed."""

import json

import numpy as np
import pytest

from neurotome import boundary
from neurotome.core import Grid, Image, Labels
from neurotome.flows import ReconstructSettings, reconstruct
from neurotome.io import open_labels, save


@pytest.fixture(scope="module")
def files(small_phantom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    save(small_phantom.image, folder / "image.ome.tif")
    save(small_phantom.neurons, folder / "truth.ome.tif")
    return ReconstructSettings(str(folder / "image.ome.tif"), truth=str(folder / "truth.ome.tif"), averaging=1)


@pytest.fixture(scope="module")
def finished(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    return reconstruct(files, out), out


def test_everything_promised_is_there(finished, small_phantom):
    result, out = finished
    names = {p.name for p in out.iterdir()}
    assert names >= {
        "run.json", "boundary.ome.zarr", "fragments.ome.zarr", "neurons.ome.zarr", "neurons.csv", "region_graph.npz",
        "merges.npz", "scores.json", "errors.csv", "objects.csv", "threshold_curve.csv", "report.html",
    }  # fmt: skip
    assert not any(n.startswith(".") or n.endswith((".blocks", ".lock")) for n in names)
    record = json.loads((out / "run.json").read_text())
    assert record["status"] == "done" and set(record["seconds"]) >= {"predict", "segment", "neurons", "score", "report"}
    labels = open_labels(out / "neurons.ome.zarr")
    assert labels.grid == small_phantom.image.grid and labels.read().max() == result["neurons"]


def test_the_shipped_network_does_the_job_on_unseen_tissue(finished):
    # The network has never seen this phantom; a threshold on grey values scores above 0.5.
    assert finished[0]["scores"]["adapted_rand_error"] < 0.3


def test_interrupted_anywhere_it_ends_the_same(files, finished, tmp_path):
    expected = open_labels(finished[1] / "neurons.ome.zarr").read()
    for step in ("predict", "region graph", "table of neurons", "report"):

        class InterruptError(Exception):
            pass

        def stop(what, done, total, step=step, error=InterruptError):
            if what == step:
                raise error

        with pytest.raises(InterruptError):
            reconstruct(files, tmp_path / "out", progress=stop)
        assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "failed"
    result = reconstruct(files, tmp_path / "out")
    assert result == finished[0]
    assert np.array_equal(open_labels(tmp_path / "out" / "neurons.ome.zarr").read(), expected)


def test_finished_blocks_are_not_predicted_again(files, tmp_path, monkeypatch):
    blocks = []
    whole = boundary.PredictBlock.__call__

    def counted(self, block):
        blocks.append(block)
        return whole(self, block)

    monkeypatch.setattr("neurotome.boundary.PredictBlock.__call__", counted)
    reconstruct(files, tmp_path / "out")
    reconstruct(files, tmp_path / "out")
    assert len(blocks) == 1


def test_rescale_brings_labels_back_to_the_image(small_phantom, tmp_path):
    fine = Grid((10, 128, 128), (30, 3, 3))
    save(Image(small_phantom.image.read(), fine), tmp_path / "fine.ome.tif")
    settings = ReconstructSettings(str(tmp_path / "fine.ome.tif"), averaging=1, rescale=True)
    reconstruct(settings, tmp_path / "out")
    labels: Labels = open_labels(tmp_path / "out" / "neurons.ome.zarr")
    assert labels.grid.shape == fine.shape and labels.grid.voxel_nm == pytest.approx((30, 3, 3)) and labels.read().max() > 1
