import numpy as np
import pytest

from neurotome.core import FormatError, InputError, MissingFileError, UnitError, UnknownNameError, ValueRangeError
from neurotome.io.point_cloud_files import read_point_cloud

POINTS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])


def ply(order, body, vertices=2, more=""):
    head = f"ply\nformat {order} 1.0\ncomment unit: nm\nelement vertex {vertices}\n"
    return (head + "property float x\nproperty float y\nproperty float z\n" + more + "end_header\n").encode() + body


def test_npz_in_nm_by_its_key_and_in_the_unit_that_is_said(tmp_path):
    np.savez(tmp_path / "a.npz", points_nm=POINTS, normals=POINTS, soma_nm=[7, 8, 9])
    cloud = read_point_cloud(tmp_path / "a.npz")
    assert cloud.points_nm.tolist() == POINTS.tolist()
    assert cloud.name == "a"
    assert cloud.soma_nm == (7.0, 8.0, 9.0)
    assert cloud.normals.tolist() == POINTS.tolist()
    np.savez(tmp_path / "b.npz", data=POINTS.astype(np.float16))
    assert read_point_cloud(tmp_path / "b.npz", unit="um").points_nm.tolist() == (POINTS * 1000).tolist()
    assert read_point_cloud(tmp_path / "b.npz", unit="um", axes="xyz").points_nm.tolist() == (POINTS[:, ::-1] * 1000).tolist()
    voxels = read_point_cloud(tmp_path / "b.npz", unit="voxel", voxel_nm=(40, 4, 4))
    assert voxels.points_nm.tolist() == [[40, 8, 12], [160, 20, 26]]


@pytest.mark.parametrize(
    ("header", "unit"), [("z_nm,y_nm,x_nm", None), ("z_um,y_um,x_um", None), ("Z, Y, X", "um"), ("# unit: um\nz,y,x", None)]
)
def test_csv_by_the_names_of_its_columns(tmp_path, header, unit):
    (tmp_path / "a.csv").write_text(f"{header},label\n" + "".join("{},{},{},s\n".format(*point) for point in POINTS))
    factor = 1 if "nm" in header else 1000
    assert read_point_cloud(tmp_path / "a.csv", unit=unit).points_nm.tolist() == (POINTS * factor).tolist()


@pytest.mark.parametrize(("order", "dtype"), [("binary_little_endian", "<f4"), ("binary_big_endian", ">f4"), ("ascii", None)])
def test_ply_of_every_kind_in_x_y_z(tmp_path, order, dtype):
    body = POINTS.astype(dtype).tobytes() if dtype else b"1 2 3\n4 5 6.5\n"
    (tmp_path / "a.ply").write_bytes(ply(order, body))
    assert read_point_cloud(tmp_path / "a.ply").points_nm.tolist() == POINTS[:, ::-1].tolist()


def test_ply_normals(tmp_path):
    more = "".join(f"property float n{axis}\n" for axis in "xyz")
    (tmp_path / "a.ply").write_bytes(ply("ascii", b"1 2 3 0 0 1\n", vertices=1, more=more))
    assert read_point_cloud(tmp_path / "a.ply").normals.tolist() == [[1, 0, 0]]


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", POINTS)
    assert read_point_cloud(tmp_path / "a.npy", unit="nm").points_nm.tolist() == POINTS.tolist()


def test_units_must_be_stated_and_agree(tmp_path):
    np.save(tmp_path / "a.npy", POINTS)
    with pytest.raises(UnitError, match="does not state its unit"):
        read_point_cloud(tmp_path / "a.npy")
    with pytest.raises(UnitError, match="voxels of unknown size"):
        read_point_cloud(tmp_path / "a.npy", unit="voxel")
    with pytest.raises(UnknownNameError, match="um"):
        read_point_cloud(tmp_path / "a.npy", unit="mm")
    (tmp_path / "a.csv").write_text("z_nm,y_nm,x_nm\n1,2,3\n")
    with pytest.raises(UnitError, match="is in nm, --unit um"):
        read_point_cloud(tmp_path / "a.csv", unit="um")


def test_float16_that_has_overflown_is_named(tmp_path):
    values = np.array([[1.0, 2, 3], [4, 7e4, 6]])
    with np.errstate(over="ignore"):
        np.savez(tmp_path / "864_0.npz", data=values.astype(np.float16))
    with pytest.raises(FormatError, match="Point 1 of '864_0' is an overflow of the stored format"):
        read_point_cloud(tmp_path / "864_0.npz", unit="um")


def test_the_first_point_that_is_not_finite_is_named(tmp_path):
    (tmp_path / "n7.csv").write_text("z_nm,y_nm,x_nm\n1,2,3\n4,,6\n,,\n")
    with pytest.raises(ValueRangeError, match="Point 1 of 'n7'"):
        read_point_cloud(tmp_path / "n7.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "a,b\n1,2\n", "columns a, b"),
        ("a.csv", "z,y,x\n1,two,3\n", "point 0 is 1, two, 3"),
        ("a.csv", "", "0 bytes"),
        ("a.npz", "no zip", "not readable"),
        ("a.npy", "no array", "not readable"),
        ("a.ply", "solid", "no header"),
        ("a.ply", ply("binary_little_endian", b"12345").decode(), "cut off"),
        ("a.ply", ply("ascii", b"1 2 3 4 5\n").decode(), "cut off"),
        ("a.ply", "ply\nformat strange 1.0\nend_header\n", "line 2"),
        ("a.xyz", "1 2 3", "by its name"),
    ],
)
def test_what_is_no_cloud_is_said(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=message):
        read_point_cloud(tmp_path / name, unit="nm")


def test_shapes_and_keys_that_are_no_points(tmp_path):
    np.savez(tmp_path / "a.npz", other=POINTS)
    with pytest.raises(FormatError, match="keys other"):
        read_point_cloud(tmp_path / "a.npz")
    np.save(tmp_path / "b.npy", POINTS[:, :2])
    with pytest.raises(FormatError, match=r"shape \(2, 2\)"):
        read_point_cloud(tmp_path / "b.npy", unit="nm")
    np.save(tmp_path / "c.npy", POINTS[:0])
    with pytest.raises(InputError, match="'c' is empty"):
        read_point_cloud(tmp_path / "c.npy", unit="nm")
    with pytest.raises(MissingFileError):
        read_point_cloud(tmp_path / "d.npy")
