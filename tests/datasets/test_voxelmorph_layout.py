import pickle

import numpy as np
import pytest

from neurotome.core import FormatError, InputError, MissingFileError, UnitError, UnknownNameError
from neurotome.datasets.voxelmorph_layout import open_voxelmorph
from neurotome.io.label_table import labels_for, read_label_table

IDS = [f"86469113558155121{n}_{piece}" for n in range(3) for piece in range(2)]
POINTS_UM = np.array([[400.0, -450.0, 100.0], [420.0, -700.25, 130.0]])


class Harmful:
    def __reduce__(self):
        return print, ("run",)


@pytest.fixture
def folder(tmp_path):
    for name in ("coords", "normals", "splits"):
        (tmp_path / name).mkdir()
    for n, name in enumerate(IDS):
        np.savez(tmp_path / "coords" / f"{name}.npz", data=(POINTS_UM + n).astype(np.float16))
    np.savez(tmp_path / "normals" / f"{IDS[0]}.npz", data=np.array([[1, 0, 0], [0, 1, 0]], np.float16))
    somata = {name: np.array([410.0, -500.0, 110.0]) for name in IDS[:-1]} | {IDS[-1]: np.full(3, np.nan)}
    (tmp_path / "idsplit2soma.pkl").write_bytes(pickle.dumps(somata))
    (tmp_path / "normalizing_constants.pkl").write_bytes(pickle.dumps({"soma": {"min": np.float32(-2), "max": np.float32(3)}}))
    for part, names in (("train", IDS[:4]), ("val", IDS[4:]), ("test", [])):
        np.save(tmp_path / "splits" / f"{part}.npy", np.array(names, dtype="<U32"))
    (tmp_path / "labels.csv").write_text(
        "segment_id,split_index,assigned_layer,segment_split\n" + "".join(f"{i[:-2]},{i[-1]},L4,{i}\n" for i in IDS)
    )
    return tmp_path


def test_coordinates_are_times_1000_and_in_z_y_x(folder):
    data = open_voxelmorph(folder, allow_pickle=True)
    assert data.names == tuple(sorted(IDS))
    cloud = data.load(IDS[0])
    # Float16 has steps of half a unit above 512.
    assert cloud.points_nm.tolist() == [[100e3, -450e3, 400e3], [130e3, -700e3, 420e3]]
    assert cloud.soma_nm == (110e3, -500e3, 410e3)
    assert cloud.normals.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert data.load(IDS[1]).normals is None
    assert data.load(IDS[-1]).soma_nm is None
    assert data.constants == {"soma": (-2.0, 3.0)}


def test_splits_and_labels(folder):
    data = open_voxelmorph(folder)
    assert [data.splits[name] for name in IDS] == ["train"] * 4 + ["val"] * 2
    assert set(labels_for(data.names, read_label_table(folder / "labels.csv"))["assigned_layer"]) == {"L4"}
    np.save(folder / "splits" / "test.npy", np.array(IDS[:1]))
    with pytest.raises(InputError, match=f"{IDS[0]} in train and in test"):
        _ = open_voxelmorph(folder).splits


def test_pickles_are_read_with_consent_only_and_hold_values_only(folder, capsys):
    data = open_voxelmorph(folder)
    assert data.load(IDS[0]).soma_nm is None
    with pytest.raises(InputError, match="allow_pickle=True"):
        _ = data.somata
    (folder / "idsplit2soma.pkl").write_bytes(pickle.dumps({"a": Harmful()}))
    with pytest.raises(FormatError, match=r"wants builtins\.print"):
        _ = open_voxelmorph(folder, allow_pickle=True).somata
    assert capsys.readouterr().out == ""
    (folder / "idsplit2soma.pkl").write_bytes(b"cut")
    with pytest.raises(FormatError, match="not readable"):
        _ = open_voxelmorph(folder, allow_pickle=True).somata


def test_units_that_do_not_fit_and_numbers_that_have_overflown(folder):
    with pytest.raises(UnitError, match=r"soma of .* is .* um outside"):
        open_voxelmorph(folder, allow_pickle=True, soma_unit="nm").load(IDS[0])
    with np.errstate(over="ignore"):
        np.savez(folder / "coords" / f"{IDS[0]}.npz", data=(POINTS_UM * 1000).astype(np.float16))
    with pytest.raises(FormatError, match=f"'{IDS[0]}' is an overflow of the stored format"):
        open_voxelmorph(folder).load(IDS[0])


def test_unknown_ids_units_and_folders(folder, tmp_path):
    with pytest.raises(UnknownNameError, match="neuron '5'"):
        open_voxelmorph(folder).load("5")
    with pytest.raises(UnknownNameError, match="unit 'mm'"):
        open_voxelmorph(folder, unit="mm")
    with pytest.raises(MissingFileError):
        open_voxelmorph(tmp_path / "none")
    np.savez(folder / "normals" / f"{IDS[1]}.npz", other=POINTS_UM)
    with pytest.raises(FormatError, match="keys other"):
        open_voxelmorph(folder).load(IDS[1])
