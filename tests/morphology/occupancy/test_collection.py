import json

import numpy as np
import pytest
import zarr

from neurotome.core import FormatError, InputError, MissingFileError
from neurotome.morphology.occupancy import GridSettings, OccupancyCollection, voxelise, write_collection


@pytest.fixture(scope="module")
def neurons(grown):
    return [grown(seed, 60, f"n{seed}") for seed in range(19)]


@pytest.mark.parametrize("mode", ["hits", "edt"])
def test_what_was_written_is_read(neurons, tmp_path, mode):
    rule = GridSettings(size=16, mode=mode)
    seen = []
    written = write_collection(tmp_path / "c.zarr", iter(neurons), rule, progress=lambda *now: seen.append(now))
    held = OccupancyCollection.open(tmp_path / "c.zarr", rule)
    assert len(held) == 19 and held.names == tuple(f"n{n}" for n in range(19)) == written.names
    assert held.frames == written.frames and held.settings == rule and seen[-1][1] == 19
    for row in (0, 15, 16, -1):
        expected = voxelise(neurons[row], rule)
        assert (held[row].data == expected.data).all() and held[row].data.dtype == expected.data.dtype
        assert held[row].name == neurons[row].name and len(held[row].frame.source_sha256) == 64
        assert held[row].frame.centre_nm == expected.frame.centre_nm
    chosen = held.stack([17, 3, 17])
    assert (chosen[0] == chosen[2]).all() and (chosen[1] == held[3].data).all() and chosen.shape == (3, 16, 16, 16)
    assert held.stack().shape == (19, 16, 16, 16) and held.row_of("n7") == 7
    with pytest.raises(IndexError):
        held[19]
    with pytest.raises(InputError, match="no neuron 'n99'"):
        held.row_of("n99")


def test_it_is_one_zarr_array_of_bits(neurons, tmp_path):
    write_collection(tmp_path / "c.zarr", neurons[:3], GridSettings(size=16))
    array = zarr.open_array(tmp_path / "c.zarr", mode="r")
    assert array.shape == (3, 16, 16, 2) and array.dtype == np.uint8
    bits = np.unpackbits(array[1], axis=-1).astype(bool)
    assert (bits == voxelise(neurons[1], GridSettings(size=16)).data).all()
    assert array.attrs["neurotome"]["names"] == ["n0", "n1", "n2"]


def test_the_same_neurons_give_the_same_bytes(neurons, tmp_path):
    for name in "ab":
        write_collection(tmp_path / name, neurons[:5], GridSettings(size=16))
    files = [sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*") if p.is_file()) for n in "ab"]
    assert files[0] == files[1] and all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files[0])


def test_other_settings_are_refused_and_the_same_ones_written_anew(neurons, tmp_path):
    path = tmp_path / "c.zarr"
    write_collection(path, neurons[:5], GridSettings(size=16))
    with pytest.raises(InputError, match=r"made with size=16, dilate=0.*size=24, dilate=1"):
        write_collection(path, neurons[:5], GridSettings(size=24, dilate=1))
    with pytest.raises(InputError, match="centring=soma"):
        OccupancyCollection.open(path, GridSettings(size=16, centring="mean"))
    assert len(write_collection(path, neurons[:2], GridSettings(size=16))) == 2
    assert len(OccupancyCollection.open(path)) == 2


def test_a_failure_leaves_nothing_or_what_was_there(neurons, tmp_path):
    def breaking():
        yield from neurons[:17]
        raise RuntimeError("power cut")

    path = tmp_path / "c.zarr"
    with pytest.raises(RuntimeError, match="power cut"):
        write_collection(path, breaking(), GridSettings(size=16))
    assert list(tmp_path.iterdir()) == []
    write_collection(path, neurons[:2], GridSettings(size=16))
    with pytest.raises(RuntimeError, match="power cut"):
        write_collection(path, breaking(), GridSettings(size=16))
    assert len(OccupancyCollection.open(path)) == 2 and list(tmp_path.iterdir()) == [path]


def test_what_is_no_collection_is_refused(neurons, tmp_path):
    with pytest.raises(MissingFileError):
        OccupancyCollection.open(tmp_path)
    zarr.create_array(tmp_path / "other.zarr", shape=(2, 2), dtype="u1")
    with pytest.raises(FormatError, match="another Zarr array"):
        OccupancyCollection.open(tmp_path / "other.zarr")
    with pytest.raises(FormatError):
        write_collection(tmp_path / "other.zarr", neurons, GridSettings(size=16))
    with pytest.raises(InputError, match="Two neurons are called 'n0'"):
        write_collection(tmp_path / "c.zarr", [neurons[0], neurons[0]], GridSettings(size=16))
    with pytest.raises(InputError, match="no neurons"):
        write_collection(tmp_path / "c.zarr", [], GridSettings(size=16))
    write_collection(tmp_path / "c.zarr", neurons[:1], GridSettings(size=16))
    metadata = json.loads((tmp_path / "c.zarr/zarr.json").read_text())
    metadata["attributes"]["neurotome"]["format"] = 2
    (tmp_path / "c.zarr/zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(FormatError, match="format 2"):
        OccupancyCollection.open(tmp_path / "c.zarr")
