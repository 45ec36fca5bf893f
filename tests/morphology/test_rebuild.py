"""What an encoder remembers of neurons, as files."""

import numpy as np
import pytest

from neurotome.datasets.neuron_shapes import collection
from neurotome.io.swc import read_swc
from neurotome.morphology.occupancy import GridSettings, voxelise
from neurotome.morphology.rebuild import write_all_decoded


class Perfect:
    """An encoder that forgets nothing, but for neurons of one kind, of which it knows nothing."""

    settings = GridSettings(size=32)

    def reconstruct(self, grids, log_extent, source=None):
        known = grids.sum((1, 2, 3)) > self.least
        return grids.astype(np.float32) * known[:, None, None, None]

    least = 0


@pytest.fixture
def encoder():
    return Perfect()


@pytest.fixture(scope="module")
def neurons():
    return collection(1, seed=0, kinds=("basket", "granule"))[0]


def test_trees_lie_where_the_neurons_are_and_what_is_there_stays(encoder, neurons, tmp_path):
    seen = []
    assert (
        write_all_decoded(
            tmp_path / "d", neurons, encoder, threshold=0.5, files=("swc",), progress=lambda what, *at: seen.append(at)
        )
        == []
    )
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == ["basket-0000.swc", "granule-0000.swc"]
    assert seen == [(1, 2), (2, 2)]
    for neuron in neurons:
        back = read_swc(tmp_path / "d" / f"{neuron.name}.swc").skeleton
        voxel = voxelise(neuron, encoder.settings).frame.voxel_nm
        far = np.linalg.norm(back.points_nm[:, None] - neuron.points_nm[None], axis=-1).min(1)
        assert far.max() < 3 * np.max(voxel)
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "d").iterdir()}
    write_all_decoded(tmp_path / "d", neurons, encoder, threshold=0.5, files=("swc",))
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "d").iterdir()} == before


def test_a_neuron_of_which_nothing_comes_back_is_named(encoder, neurons, tmp_path):
    encoder.least = 10**6
    assert write_all_decoded(tmp_path, neurons, encoder, threshold=0.5) == [neuron.name for neuron in neurons]
    assert list(tmp_path.iterdir()) == []
