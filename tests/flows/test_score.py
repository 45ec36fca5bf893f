"""Scoring on blocks: the same for any number of workers, and that of the volumes in memory."""

import json

import numpy as np
import pytest

from neurotome import measure
from neurotome.blocks import Engine, blocks_of, make_executor
from neurotome.core import InputError
from neurotome.flows import Workforce, score_files
from neurotome.flows.score import compare_step
from neurotome.io import open_labels, save


@pytest.fixture(scope="module")
def paths(small_phantom, tmp_path_factory):
    folder, truth = tmp_path_factory.mktemp("volumes"), small_phantom.neurons
    save(type(truth)(np.roll(truth.data.astype(np.uint64) // 2, 3, axis=1), truth.grid), folder / "mine.ome.zarr")
    save(truth, folder / "truth.ome.zarr")
    return str(folder / "mine.ome.zarr"), str(folder / "truth.ome.zarr")


@pytest.fixture
def small_blocks(monkeypatch):
    """Makes eight blocks of a small volume."""
    monkeypatch.setattr("neurotome.flows.score.blocks_of", lambda grid, shape: blocks_of(grid, (5, 64, 64)))


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_workers_count_what_one_counts(paths, small_blocks, tmp_path):
    written = []
    for workers in (1, 2):
        out = tmp_path / str(workers) / "scores.json"
        scores = score_files(*paths, out, truth_parts="components", conventions=("isbi", "cremi"), workforce=Workforce(workers))
        assert scores.to_json() == json.loads(out.read_text())
        written.append(files(out.parent))
    assert written[0] == written[1] and set(written[0]) == {"scores.json", "errors.csv", "objects.csv"}


@pytest.mark.parametrize("options", [{}, {"truth_parts": "components", "border_nm": 20.0}], ids=str)
def test_a_comparison_on_blocks_is_that_of_the_volumes(paths, small_blocks, tmp_path, options):
    with make_executor() as executor:
        engine = Engine(tmp_path, key="k", executor=executor)
        found = compare_step(engine, *map(measure.LabelFile, paths), **options)
    whole = measure.compare(*map(open_labels, paths), **options)
    assert list(measure.comparison_scores(found)) == list(measure.comparison_scores(whole))
    assert measure.error_table(found).to_rows() == measure.error_table(whole).to_rows()
    assert len(list((tmp_path / "counts").iterdir())) == 8


def test_scores_never_land_on_a_volume(paths, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.json"):
        score_files(*paths, tmp_path / "labels.ome.zarr")
    assert not list(tmp_path.iterdir())
