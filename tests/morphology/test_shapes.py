import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import (
    SOMA,
    FormatError,
    Grid,
    InputError,
    Labels,
    Mesh,
    MissingFileError,
    ObjectVoxels,
    PointCloud,
    Skeleton,
    UnitError,
    UnknownNameError,
)
from neurotome.datasets import data_root
from neurotome.io import save, write_skeletons, write_swc
from neurotome.io.mesh_files import write_mesh
from neurotome.morphology.shapes import read_shapes, with_soma
from neurotome.neurons import neuron_table

GRID = Grid((4, 40, 40), (500.0, 100.0, 100.0))


def line(name="n", length_nm=5000.0):
    return Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, length_nm]], [100, 100], name=name)


@pytest.fixture
def folder(tmp_path):
    for name in ("b", "a", "10", "9"):
        write_swc(tmp_path / "swc" / f"{name}.swc", line(name))
    return tmp_path / "swc"


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    ids = np.zeros(GRID.shape, np.uint64)
    ids[1, 2:30, 5] = 7
    ids[0:3, 35, 20:38] = 2**40
    path = tmp_path_factory.mktemp("volume")
    labels = Labels(ids, GRID)
    save(labels, path / "run" / "neurons.ome.zarr")
    (path / "run" / "run.json").write_text("{}")
    neuron_table(labels).to_csv(path / "run" / "neurons.csv", index=False)
    np.save(path / "labels.npy", ids)
    return path


def test_a_folder_is_read_in_the_order_of_names_one_by_one(folder):
    shapes = read_shapes(folder)
    assert shapes.names == ("10", "9", "a", "b")
    assert [shape.name for shape in shapes] == list(shapes.names)
    assert shapes[2].length_nm == 5000
    assert shapes[-1].name == "b"
    assert shapes[1:3].names == ("9", "a")
    assert shapes.take(["b", "9"]).names == ("9", "b")
    assert shapes.sources[2] == str(folder / "a.swc")
    assert read_shapes(sorted(folder.iterdir(), reverse=True)).names == shapes.names
    assert pickle.loads(pickle.dumps(shapes))[0].name == "10"


def test_files_of_all_kinds_become_shapes(folder, tmp_path):
    points = np.array([[0.0, 0, 0], [0, 0, 9000], [0, 9000, 0]])
    np.savez(folder / "cloud.npz", points_nm=points)
    (tmp_path / "table.csv").write_text("z_um,y_um,x_um\n0,0,0\n0,0,9\n")
    write_mesh(folder / "m.ply", Mesh(points, np.array([[0, 1, 2]])))
    write_mesh(folder / "o.obj", Mesh(points, np.array([[0, 1, 2]])))
    (folder / "labels.csv").write_text("name,cell_type\na,x\n")
    shapes = read_shapes([folder, tmp_path / "table.csv"])
    kinds = {shape.name: type(shape) for shape in shapes}
    assert kinds == dict.fromkeys(("10", "9", "a", "b"), Skeleton) | {
        "cloud": PointCloud,
        "table": PointCloud,
        "m": Mesh,
        "o": Mesh,
    }
    assert shapes.take(["table"])[0].points_nm[1].tolist() == [0, 0, 9000]


def test_two_files_of_one_stem_are_both_named(folder, tmp_path):
    write_swc(tmp_path / "other" / "a.swc", line())
    with pytest.raises(InputError, match=r"called 'a': '.*other/a\.swc' and '.*swc/a\.swc'"):
        read_shapes([folder, tmp_path / "other"])
    assert len(read_shapes([folder / "a.swc", folder / "a.swc"])) == 1


def test_an_archive_is_read_like_its_folder(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "n.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"deep/{file.name}")
        archive.writestr("labels.csv", "name\na\n")
        archive.writestr("__MACOSX/a.swc", "clutter")
    one, other = read_shapes(tmp_path / "n.zip"), read_shapes(folder)
    assert one.names == other.names
    assert all(np.array_equal(a.points_nm, b.points_nm) for a, b in zip(one, other, strict=True))
    assert one.sources[0].endswith("n.zip/deep/10.swc")


def test_the_neurons_of_a_run_are_its_skeletons_or_else_its_labels(volume, tmp_path):
    shapes = read_shapes(volume / "run")
    assert shapes.names == ("1099511627776", "7")
    assert all(isinstance(shape, ObjectVoxels) for shape in shapes)
    assert len(shapes[1].voxels) == 28
    assert shapes[1].voxels.min(0).tolist() == [1, 2, 5]
    assert shapes[1].grid.voxel_nm == GRID.voxel_nm
    write_swc(tmp_path / "skeletons" / "7.swc", line())
    (tmp_path / "run.json").write_text("{}")
    (found,) = read_shapes(tmp_path)
    assert isinstance(found, Skeleton)
    assert found.name == "7"
    (tmp_path / "skeletons" / "7.swc").unlink()
    with pytest.raises(FormatError, match="holds no neurons"):
        read_shapes(tmp_path)


def test_the_objects_of_a_label_volume_are_those_of_the_run(volume):
    run = read_shapes(volume / "run")
    plain = read_shapes(volume / "labels.npy", voxel_nm=GRID.voxel_nm)
    assert plain.names == run.names
    assert all(np.array_equal(a.voxels, b.voxels) for a, b in zip(plain, run, strict=True))
    assert read_shapes(volume / "run" / "neurons.ome.zarr", ids=[7]).names == ("7",)
    with pytest.raises(UnitError):
        read_shapes(volume / "labels.npy")


def test_precomputed_skeletons(tmp_path):
    write_skeletons(tmp_path / "skeletons", {5: line(), 12: line()})
    assert read_shapes(tmp_path / "skeletons").names == ("12", "5")
    assert read_shapes(tmp_path / "skeletons")[0].length_nm == 5000


def test_ids_that_are_not_there_are_listed(folder):
    assert read_shapes(folder, ids=["b", 9]).names == ("9", "b")
    with pytest.raises(InputError, match="no neurons c, bb"):
        read_shapes(folder, ids=["b", "c", "bb"])


def test_one_bad_file_stops_or_is_left_out_and_noted(folder):
    (folder / "aa.swc").write_text("no swc at all\n")
    with pytest.raises(FormatError, match=r"aa\.swc"):
        list(read_shapes(folder))
    shapes = read_shapes(folder, on_error="skip")
    assert len(shapes) == 5
    assert [shape.name for shape in shapes] == ["10", "9", "a", "b"]
    (note,) = shapes.skipped
    assert note.source == str(folder / "aa.swc")
    assert "line 1" in note.message
    with pytest.raises(FormatError):
        shapes[3]
    assert shapes.readable().names == ("10", "9", "a", "b")
    assert len(shapes.skipped) == 1
    with pytest.raises(UnknownNameError, match="skip, stop"):
        read_shapes(folder, on_error="ignore")


def test_where_all_are_bad_the_first_reason_is_said(tmp_path):
    (tmp_path / "a.swc").write_text("1 1 0 0 0 1 -1\n2 1 9 0 0 1 1\n")
    with pytest.raises(InputError, match=r"None of 1 neurons can be read, the first because: .* does not state its unit"):
        list(read_shapes(tmp_path, on_error="skip"))


@pytest.mark.parametrize(("length_nm", "unit"), [(300.0, "um"), (6e7, "nm")])
def test_an_extent_that_no_neuron_has_is_an_error_of_the_unit(tmp_path, length_nm, unit):
    write_swc(tmp_path / "a.swc", line(length_nm=length_nm))
    with pytest.raises(UnitError, match=r"'a' is .* long"):
        list(read_shapes(tmp_path))


def test_one_node_two_trees_and_no_soma_are_fine(tmp_path):
    write_swc(tmp_path / "one.swc", Skeleton.of([-1], [[5, 5, 5]], [100], [SOMA]))
    write_swc(tmp_path / "two.swc", Skeleton.of([-1, 0, -1], [[0, 0, 0], [0, 0, 5e3], [0, 9e3, 0]]))
    one, two = read_shapes(tmp_path)
    assert len(one) == 1
    assert len(two.roots) == 2


def test_somata_of_a_table_are_added(folder, tmp_path):
    (tmp_path / "somata.csv").write_text("neuron_id,soma_z,soma_y,soma_x\na,0,0,4000\n")
    np.savez(folder / "c.npz", points_nm=[[0.0, 0, 0], [0, 0, 9e3]])
    shapes = {shape.name: shape for shape in read_shapes(folder, soma_table=tmp_path / "somata.csv")}
    assert shapes["a"].kinds.tolist() == [0, SOMA]
    assert shapes["b"].kinds.tolist() == [0, 0]
    (cloud,) = read_shapes(folder / "c.npz", soma_table={"c": (1.0, 2.0, 3.0)})
    assert cloud.soma_nm == (1.0, 2.0, 3.0)
    with pytest.raises(InputError, match="somata are of other neurons: x"):
        read_shapes(folder, soma_table={"x": (0.0, 0.0, 0.0)})


def test_a_soma_that_is_known_stays():
    known = replace(line(), kinds=np.array([SOMA, 0]))
    assert with_soma(known, (0.0, 0.0, 5000.0)).kinds.tolist() == [SOMA, 0]


def test_the_folder_of_the_reference_is_read_as_it_keeps_its_clouds(tmp_path):
    (tmp_path / "coords").mkdir()
    np.savez(tmp_path / "coords" / "864691135581551213_0.npz", data=np.array([[400, -450, 100], [420, -700, 130]], np.float16))
    shapes = read_shapes(tmp_path)
    assert shapes.names == ("864691135581551213_0",)
    # x, y, z in thousands there.
    assert shapes[0].points_nm.tolist() == [[100e3, -450e3, 400e3], [130e3, -700e3, 420e3]]


def test_paths_without_neurons(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="holds no neurons"):
        read_shapes(tmp_path / "empty")
    with pytest.raises(MissingFileError):
        read_shapes(tmp_path / "none")
    with pytest.raises(InputError, match="No neurons are given"):
        read_shapes([])
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(FormatError, match="holds no neurons"):
        read_shapes(tmp_path / "e.zip")


@pytest.mark.realdata
@pytest.mark.skipif(not (data_root() / "swc" / "fly_medulla.zip").is_file(), reason="no archives of SWC files in the data folder")
def test_a_real_archive_opens_at_once_and_reads_what_is_asked_for():
    shapes = read_shapes(data_root() / "swc" / "fly_medulla.zip", unit="um")
    assert len(shapes) == 379
    assert len(shapes.take(["214"])[0]) == 1332
