import io
import zlib

import numpy as np
import pytest

from neurotome.core import Box, Grid, Labels, Probability
from neurotome.view.volumes import Reversed, _thinned_mask, channel_data, image_volume, segmentation_volume

neuroglancer = pytest.importorskip("neuroglancer")

GRID = Grid((5, 6, 7), (30.0, 6.0, 8.0))
IDS = np.arange(5 * 6 * 7, dtype=np.uint64).reshape(5, 6, 7) + np.uint64(2**40)


class Counting:
    """An array that notes the largest box anyone reads."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.largest = data, 0
        self.shape, self.dtype = data.shape, data.dtype

    def __getitem__(self, key: object) -> np.ndarray:
        box = self.data[key]
        self.largest = max(self.largest, box.size)
        return box


def _served(volume: object, start: tuple[int, ...], stop: tuple[int, ...], scale: str = "1,1,1") -> np.ndarray:
    encoded, _ = volume.get_encoded_subvolume("npz", np.array(start), np.array(stop), scale)
    return np.load(io.BytesIO(zlib.decompress(encoded)))


def test_the_voxel_under_the_cursor_is_the_voxel_of_the_array() -> None:
    volume = segmentation_volume(Labels(IDS, GRID), "predicted")
    for z, y, x in [(0, 0, 0), (4, 5, 6), (1, 2, 3)]:
        # neuroglancer's own encoder gives the box in its axis order, the slowest last.
        assert _served(volume, (x, y, z), (x + 1, y + 1, z + 1)).ravel().tolist() == [IDS[z, y, x]]


def test_a_box_keeps_its_axes() -> None:
    box = _served(segmentation_volume(Labels(IDS, GRID), "predicted"), (1, 2, 3), (4, 6, 5))
    wanted = IDS[3:5, 2:6, 1:4]
    assert np.array_equal(box.reshape(wanted.shape) if box.shape == wanted.shape else box.T, wanted)


def test_axes_are_x_y_z_in_nm() -> None:
    info = segmentation_volume(Labels(IDS, GRID), "predicted").info()
    assert info["coordinateSpace"] == {"x": [8e-9, "m"], "y": [6e-9, "m"], "z": [3e-8, "m"]}
    assert info["dataType"] == "uint64" and info["volumeType"] == "segmentation" and tuple(info["shape"]) == (7, 6, 5)


def test_small_labels_are_served_as_uint64() -> None:
    assert segmentation_volume(Labels(IDS.astype(np.uint8), GRID), "a").info()["dataType"] == "uint64"


def test_channels_come_last_and_are_the_chosen_ones() -> None:
    data = np.stack([np.full((5, 6, 7), c, np.uint8) for c in (10, 20, 30)])
    probability = Probability(data, GRID, ("a", "b", "c"))
    several = image_volume(channel_data(probability, ("c", "a")), GRID, "p")
    assert tuple(several.info()["shape"]) == (7, 6, 5, 2)
    assert _served(several, (0, 0, 0, 0), (1, 1, 1, 2), "1,1,1,1").ravel().tolist() == [30, 10]
    one = image_volume(channel_data(probability, ("b",)), GRID, "p")
    assert _served(one, (0, 0, 0), (1, 1, 1)).ravel().tolist() == [20]


def test_only_the_box_asked_for_is_read() -> None:
    counting = Counting(IDS)
    assert Reversed(counting, np.dtype(np.uint64))[1:3, 0:2, 4:5].shape == (2, 2, 1)
    assert counting.largest == 4


def _vertices_nm(mesh: bytes) -> np.ndarray:
    count = int(np.frombuffer(mesh, "<u4", 1)[0])
    return np.frombuffer(mesh, "<f4", 3 * count, 4).reshape(-1, 3) * 1e9


@pytest.mark.parametrize("box", [None, Box((2, 4, 6), (8, 24, 30))])
def test_a_surface_lies_around_its_object(box: Box | None) -> None:
    labels = np.zeros((12, 40, 40), np.uint64)
    labels[2:8, 4:24, 6:30] = 2**40
    grid = Grid(labels.shape, (30.0, 6.0, 8.0))
    volume = segmentation_volume(Labels(labels, grid), "predicted", {2**40: box} if box else None)
    vertices = _vertices_nm(volume.get_object_mesh(2**40))
    # Half a voxel is what simplifying may take off a corner.
    assert np.all(np.abs(vertices.min(0) - (6 * 8, 4 * 6, 2 * 30)) <= (4.1, 3.1, 15.1))
    assert np.all(np.abs(vertices.max(0) - (30 * 8, 24 * 6, 8 * 30)) <= (4.1, 3.1, 15.1))


def test_an_object_that_is_not_there_has_no_surface() -> None:
    volume = segmentation_volume(Labels(IDS, GRID), "predicted")
    with pytest.raises(neuroglancer.local_volume.InvalidObjectIdForMesh):
        volume.get_object_mesh(3)


def test_a_large_object_is_thinned_before_it_is_a_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurotome.view.volumes.MESH_VOXELS", 4000)
    monkeypatch.setattr("neurotome.view.volumes.SLAB_VOXELS", 4000)
    labels = np.zeros((20, 40, 40), np.uint64)
    labels[:, 8:32, 8:32] = 5
    counting = Counting(labels)
    grid = Grid(labels.shape, (30.0, 6.0, 6.0))
    vertices = _vertices_nm(segmentation_volume(Labels(counting, grid), "predicted").get_object_mesh(5))
    assert counting.largest <= 4800
    assert np.all(np.abs(vertices.min(0) - (48, 48, 0)) <= 20) and np.all(np.abs(vertices.max(0) - (192, 192, 600)) <= 20)


def test_a_wide_object_is_read_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurotome.view.volumes.SLAB_VOXELS", 300)
    counting = Counting(np.random.default_rng(0).integers(0, 2, (7, 31, 43)).astype(np.uint64))
    box, step = Box((1, 2, 3), (7, 30, 42)), (2, 3, 4)
    mask = _thinned_mask(Labels(counting, Grid((7, 31, 43), (30.0, 6.0, 6.0))), 1, box, step)
    assert np.array_equal(mask, counting.data[box.slices][::2, ::3, ::4] == 1)
    assert counting.largest <= 300
