import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from neurotome import io
from neurotome.core import FormatError, Grid, Labels, Probability, RunFolderError
from neurotome.report import read_results


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def test_everything_of_a_run_is_found(finished_run: Path) -> None:
    results = read_results(finished_run)
    assert results.missing == ()
    assert results.grid is not None and results.grid.voxel_nm == (30.0, 6.0, 8.0)
    assert [v is not None for v in (results.image, results.truth, results.neurons, results.probability)] == [True] * 4
    assert results.fragments is None
    assert len(results.table) == 16 and results.table[0]["voxels"] == 8 * 22 * 22 * 2
    assert sorted(row["kind"] for row in results.errors) == ["merge", "split"]
    assert results.curve[0]["threshold"] == 0.1


def test_a_volume_that_is_gone_is_named_not_fatal(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    record["config"]["truth"] = str(run / "nowhere.tif")
    (run / "run.json").write_text(json.dumps(record))
    results = read_results(run)
    assert results.truth is None
    assert len(results.missing) == 1 and "nowhere.tif" in results.missing[0]


def test_the_channel_and_the_voxel_size_of_the_truth_are_those_of_the_run(run: Path) -> None:
    channels = np.random.default_rng(0).integers(0, 255, (2, 8, 96, 96)).astype(np.uint8)
    io.save(Probability(channels, Grid((8, 96, 96), (30, 6, 8)), ("red", "blue")), run / "two.ome.zarr")
    np.save(run / "truth.npy", np.ones((8, 96, 96), np.uint8))
    record = json.loads((run / "run.json").read_text())
    record["config"] |= {"image": str(run / "two.ome.zarr"), "channel": "blue", "truth": str(run / "truth.npy")}
    record["config"] |= {"truth_voxel_nm": [30, 6.001, 8]}
    (run / "run.json").write_text(json.dumps(record))
    results = read_results(run)
    assert results.image is not None and np.array_equal(results.image.read(), channels[1])
    assert results.truth is not None and results.truth.grid.voxel_nm == (30, 6.001, 8)


def test_a_layer_on_another_grid_is_left_out(run: Path) -> None:
    io.save(Labels(np.ones((8, 96, 95), np.uint64), Grid((8, 96, 95), (30, 6, 8))), run / "fragments.ome.zarr")
    results = read_results(run)
    assert results.fragments is None and results.neurons is not None
    assert "Fragments" in results.missing[0] and "(8, 96, 95)" in results.missing[0]


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"holds no run\.json.*--out"):
        read_results(tmp_path)
    with pytest.raises(RunFolderError, match="is not a folder"):
        read_results(tmp_path / "nothing")


def test_a_broken_table_names_its_file(run: Path) -> None:
    (run / "scores.json").write_text("[{")
    with pytest.raises(FormatError, match=r"scores\.json"):
        read_results(run)
