from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Box, FormatError
from neurotome.io import open_image, open_probability


@pytest.mark.parametrize("shape", [(7, 8), (5, 7, 8)])
def test_sections_and_stacks(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype=">u2").reshape(shape)
    np.save(tmp_path / "a.npy", values)
    found = open_image(tmp_path / "a.npy", voxel_nm=(30, 6, 6))
    assert np.array_equal(found.read(), values.reshape(-1, 7, 8))
    assert found.read(Box((0, 1, 2), (1, 3, 4))).dtype == np.uint16


def test_channels_come_first(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((2, 3, 4, 5))
    np.save(tmp_path / "a.npy", values)
    found = open_probability(tmp_path / "a.npy", voxel_nm=(30, 6, 6), channels=("membrane", "inside"))
    assert np.array_equal(found.read(("inside",))[0], values[1])


@pytest.mark.parametrize("values", [np.zeros(5), np.zeros((2, 2), complex), np.zeros((1, 1, 1, 1, 1))])
def test_what_is_no_volume_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(FormatError, match="numbers along"):
        open_image(tmp_path / "a.npy", voxel_nm=(1, 1, 1))


def test_objects_and_stumps_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "o.npy", np.array([{}, {}]), allow_pickle=True)
    np.save(tmp_path / "a.npy", np.zeros((9, 9, 9)))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:500])
    for name in ("o.npy", "a.npy"):
        with pytest.raises(FormatError, match=name):
            open_image(tmp_path / name, voxel_nm=(1, 1, 1))
