import numpy as np
import pytest

from neurotome.core import FormatError, Frame, Occupancy
from neurotome.io import open_volume
from neurotome.io.nrrd_write import write_nrrd


def test_an_upright_grid_is_read_as_it_was_written(tmp_path):
    data = np.random.default_rng(0).random((8, 8, 8)).astype(np.float32)
    frame = Frame((1000.0, 2000.0, -3000.0), -400.0, 400.0, 8)
    write_nrrd(tmp_path / "a.nrrd", Occupancy(data, frame))
    read = open_volume(tmp_path / "a.nrrd")
    assert (np.asarray(read.data) == data).all()
    assert read.grid.voxel_nm == (100.0, 100.0, 100.0)
    assert read.grid.origin_nm == tuple(frame.index_nm(np.array([[0.5, 0.5, 0.5]]))[0])


def test_the_header_of_a_turned_grid_leads_to_the_same_places(tmp_path):
    frame = Frame((10.0, 20.0, 30.0), -400.0, 400.0, 8, rotation=((0.0, 0.6, 0.8), (0.0, -0.8, 0.6), (1.0, 0.0, 0.0)))
    write_nrrd(tmp_path / "a.nrrd", Occupancy(np.ones((8, 8, 8), bool), frame))
    fields = dict(line.split(": ", 1) for line in (tmp_path / "a.nrrd").read_bytes().split(b"\n\n")[0].decode().split("\n")[1:])
    directions = np.array([[float(v) for v in part.strip("()").split(",")] for part in fields["space directions"].split()])
    origin = np.array([float(v) for v in fields["space origin"].strip("()").split(",")])
    index_zyx = np.array([2, 5, 7])
    expected = frame.index_nm(index_zyx[None] + 0.5)[0]
    assert origin + index_zyx[::-1] @ directions == pytest.approx(expected[::-1])
    assert fields["type"] == "uint8"


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(FormatError, match="no NRRD by its name"):
        write_nrrd(tmp_path / "a.nhdr", Occupancy(np.ones((8, 8, 8), bool), Frame((0, 0, 0), 0, 80, 8)))
