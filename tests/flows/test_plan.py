"""What a reconstruction would take: sensible, and nothing is written."""

import pytest

from neurotome.core import MissingFileError
from neurotome.flows import ReconstructSettings, Workforce, planned
from neurotome.io import save


@pytest.fixture(scope="module")
def image(small_phantom, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "image.ome.tif"
    save(small_phantom.image, path)
    return str(path)


def plan_of(image, out, workforce=None, **settings):
    return planned(ReconstructSettings(image, **settings), out, workforce or Workforce())


def test_nothing_is_written(image, tmp_path):
    plan_of(image, tmp_path / "out")
    with pytest.raises(MissingFileError):
        plan_of(str(tmp_path / "none.tif"), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_steps_are_those_of_the_run_with_sensible_numbers(image, tmp_path, small_phantom):
    plan, voxels = plan_of(image, tmp_path, averaging=1), small_phantom.image.grid.size
    steps = {step.name: step for step in plan.steps}
    assert list(steps)[:3] == ["predict", "pieces", "pairs"] and {"contacts", "merge-0", "numbers", "paint"} <= set(steps)
    assert all(step.blocks == 1 and step.voxels >= voxels for step in plan.steps)
    assert 1e8 < plan.bytes_per_worker < 4e9 and all(step.bytes_per_worker > 1e7 for step in plan.steps)
    # Between one bit and eight bytes per voxel on disk; prediction takes most of the time.
    assert voxels / 8 < plan.disk_bytes < 8 * voxels
    assert steps["predict"].seconds(1) > plan.seconds / 2
    assert "predict" in plan.text() and plan.text().splitlines()[-1].startswith("total")


def test_more_symmetries_take_longer_and_more_workers_less(image, tmp_path):
    blocks = Workforce(1, block=(5, 64, 64))
    one = plan_of(image, tmp_path, blocks, averaging=1)
    pieces = next(step for step in one.steps if step.name == "pieces")
    assert pieces.blocks == 8 and pieces.bytes_per_worker < plan_of(image, tmp_path).bytes_per_worker
    assert plan_of(image, tmp_path, blocks, averaging=8).steps[0].seconds(1) == pytest.approx(8 * one.steps[0].seconds(1))
    two = plan_of(image, tmp_path, Workforce(2, block=(5, 64, 64)), averaging=1)
    assert two.seconds < one.seconds and two.disk_bytes == one.disk_bytes
