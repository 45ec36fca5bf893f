import numpy as np
import pytest

from neurotome.core import Grid, InputError, Labels, MissingExtraError, Skeleton
from neurotome.flows.microns import fetch_microns
from neurotome.io import announce_skeletons, read_swc, save, write_skeletons

GRID = Grid((20, 60, 60), (40.0, 4.0, 4.0))


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    ids = np.zeros(GRID.shape, np.uint64)
    ids[2, 9:12, 5:52], ids[2, 29:32, 5:52] = 3, 864691135581551213
    path = tmp_path_factory.mktemp("microns") / "seg.precomputed"
    save(Labels(ids, GRID), path)
    points = {label: [[80.0, row * 4.0, x * 4.0] for x in range(5, 55, 5)] for label, row in ((3, 10), (864691135581551213, 30))}
    trees = {label: Skeleton.of(range(-1, len(rows) - 1), rows, np.full(len(rows), 8.0)) for label, rows in points.items()}
    write_skeletons(path / "skeletons", trees, voxel_nm=GRID.voxel_nm)
    announce_skeletons(path)
    return path


def test_all_neurons_of_a_local_volume_become_swc_files(volume, tmp_path):
    found = fetch_microns(tmp_path, url=str(volume))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["3.swc", "864691135581551213.swc"]
    assert found.missing == ()
    assert read_swc(tmp_path / "3.swc").skeleton.length_nm == pytest.approx(180.0)


def test_some_of_them(volume, tmp_path):
    assert list(fetch_microns(tmp_path, url=f"file://{volume}", ids=("3", "4")).files) == [3]
    with pytest.raises(InputError, match="--type"):
        fetch_microns(tmp_path, url=str(volume), cell_types=("23P",))


def test_the_services_need_the_extra(tmp_path):
    try:
        import caveclient  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"neurotome\[microns\]"):
            fetch_microns(tmp_path / "out", cell_types=("23P",))
        assert not (tmp_path / "out").exists()
    else:
        pytest.skip("caveclient is installed: the services themselves would be asked")
