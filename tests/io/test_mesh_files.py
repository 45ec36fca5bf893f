import struct

import numpy as np
import pytest

from neurotome.core import FormatError, InputError, Mesh, UnitError
from neurotome.io.mesh_files import is_mesh_ply, read_mesh, write_mesh

CORNERS = np.array([[0, 0, 0], [0, 0, 30], [0, 20, 0], [10, 0, 0]], float)
TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
TETRAHEDRON = Mesh(CORNERS, TRIANGLES, name="t")


def corners(mesh):
    """The triangles by place, in any order."""
    return sorted(sorted(map(tuple, triangle)) for triangle in mesh.vertices_nm[mesh.triangles].tolist())


@pytest.mark.parametrize("suffix", [".obj", ".ply"])
def test_what_is_written_is_read_back(tmp_path, suffix):
    write_mesh(tmp_path / f"t{suffix}", TETRAHEDRON)
    found = read_mesh(tmp_path / f"t{suffix}")
    assert found.vertices_nm.tolist() == CORNERS.tolist()
    assert found.triangles.tolist() == TRIANGLES.tolist()
    assert found.name == "t"
    with pytest.raises(UnitError, match="is in nm"):
        read_mesh(tmp_path / f"t{suffix}", unit="um")


def test_obj_in_x_y_z_with_polygons_and_all_ways_to_number(tmp_path):
    text = "o a\nv 1 2 3\nv 4 2 3 1.0\nv 4 5 3\nv 1 5 3\nvn 0 0 1\nf 1/1/1 2//1 3 4\nf -4 -3 -1\n"
    (tmp_path / "a.obj").write_text(text)
    mesh = read_mesh(tmp_path / "a.obj", unit="um")
    assert mesh.vertices_nm[0].tolist() == [3000, 2000, 1000]
    assert mesh.triangles.tolist() == [[0, 1, 3], [0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("mixed", [False, True])
def test_ply_faces_of_one_and_of_many_lengths(tmp_path, order, mixed):
    faces = [[0, 1, 2, 3], [0, 1, 2]] if mixed else [[0, 1, 2], [1, 2, 3]]
    head = (
        f"ply\nformat {order} 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\n"
    )
    head += f"element face {len(faces)}\nproperty list uchar int vertex_indices\nproperty float quality\nend_header\n"
    if order == "ascii":
        body = "".join("{} {} {} 255\n".format(*point[::-1]) for point in CORNERS)
        body += "".join(" ".join(map(str, [len(face), *face, 0.5])) + "\n" for face in faces)
        content = body.encode()
    else:
        sign = "<" if "little" in order else ">"
        content = b"".join(struct.pack(f"{sign}fffB", *point[::-1], 255) for point in CORNERS)
        content += b"".join(struct.pack(f"{sign}B{len(face)}if", len(face), *face, 0.5) for face in faces)
    (tmp_path / "a.ply").write_bytes(head.encode() + content)
    mesh = read_mesh(tmp_path / "a.ply", unit="nm")
    assert mesh.vertices_nm.tolist() == CORNERS.tolist()
    assert sorted(mesh.triangles.tolist()) == ([[0, 1, 2], [0, 1, 2], [0, 2, 3]] if mixed else faces)


def test_stl_of_both_kinds_gives_the_same_closed_surface(tmp_path):
    places = CORNERS[TRIANGLES][..., ::-1]
    binary = b"\0" * 80 + struct.pack("<I", 4)
    binary += b"".join(struct.pack("<12fH", 0, 0, 0, *triangle.ravel(), 0) for triangle in places)
    (tmp_path / "b.stl").write_bytes(binary)
    text = "".join(
        "facet normal 0 0 0\nouter loop\n" + "".join("vertex {} {} {}\n".format(*p) for p in triangle) + "endloop\nendfacet\n"
        for triangle in places
    )
    (tmp_path / "a.stl").write_text(f"solid t\n{text}endsolid t\n")
    for name in ("a.stl", "b.stl"):
        mesh = read_mesh(tmp_path / name, unit="nm")
        assert len(mesh.vertices_nm) == 4
        assert corners(mesh) == corners(TETRAHEDRON)


def test_a_ply_without_faces_is_a_cloud(tmp_path):
    write_mesh(tmp_path / "t.ply", TETRAHEDRON)
    assert is_mesh_ply(tmp_path / "t.ply")
    (tmp_path / "c.ply").write_text("ply\nformat ascii 1.0\nelement vertex 1\nelement face 0\nend_header\n")
    assert not is_mesh_ply(tmp_path / "c.ply")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.obj", "v 1 2\nf 1 1 1\n", "fewer than three"),
        ("a.obj", "v 1 2 three\n", "line 1"),
        ("a.obj", "v 1 2 3\nf 0 1 1\n", "line 2"),
        ("a.stl", "nothing", "bytes long"),
        ("a.off", "OFF", "by its name"),
        ("a.ply", "", "0 bytes"),
    ],
)
def test_what_is_no_mesh_is_said(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=message):
        read_mesh(tmp_path / name, unit="nm")


def test_meshes_without_triangles_and_with_vertices_that_do_not_exist(tmp_path):
    (tmp_path / "a.obj").write_text("v 1 2 3\n")
    with pytest.raises(InputError, match="'a' has no triangles"):
        read_mesh(tmp_path / "a.obj", unit="nm")
    (tmp_path / "a.obj").write_text("v 1 2 3\nf 1 1 2\n")
    with pytest.raises(InputError, match="vertex 1"):
        read_mesh(tmp_path / "a.obj", unit="nm")
    with pytest.raises(FormatError, match=r"\.obj or \.ply"):
        write_mesh(tmp_path / "a.stl", TETRAHEDRON)
