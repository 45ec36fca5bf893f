import json

import numpy as np
import pytest

from neurotome.core import FormatError, Grid, Image, InputError, Probability, Skeleton, UnitError
from neurotome.flows.edit import edit_tree, volume_bricks
from neurotome.io import save
from neurotome.io.node_table import write_node_table
from neurotome.io.swc import read_swc, write_swc
from neurotome.tracing.on_blocks.values import ValuesFile

VOXEL, ORIGIN = (300.0, 100.0, 100.0), (6000.0, 2000.0, 1000.0)


@pytest.fixture
def tree(tmp_path):
    """Two ends of a fibre along x, in a volume whose origin is not 0."""
    places = np.array([[4, 10, x] for x in (5, 10, 15, 35, 40)]) * VOXEL + ORIGIN
    found = Skeleton.of([-1, 0, 1, -1, 3], places, np.full(5, 200.0), features={"locked": np.arange(5) == 0})
    write_swc(tmp_path / "n.swc", found, header=["made by hand", "source_sha256: 12"])
    write_node_table(tmp_path / "n.nodes.csv", found)
    return tmp_path / "n.swc"


@pytest.fixture
def volume(tmp_path):
    values = np.zeros((1, 9, 20, 60), np.uint8)
    values[:, 3:6, 8:13] = 255
    values[..., 20:30] //= 2
    save(Probability(values, Grid((9, 20, 60), VOXEL, ORIGIN), ("neurite",)), tmp_path / "p.ome.zarr")
    return str(tmp_path / "p.ome.zarr")


def script(folder, *lines):
    path = folder / "edits.jsonl"
    path.write_text("".join(json.dumps({"operation": name, "arguments": arguments}) + "\n" for name, arguments in lines))
    return path


def test_a_script_makes_tree_table_and_log(tree, volume, tmp_path):
    edits = script(
        tmp_path, ("bridge", {"a": 3, "b": 4}), ("lock", {"node": 3}), ("undo", {}), ("set_type", {"node": 5, "kind": 2})
    )
    done = edit_tree(tree, edits, tmp_path / "out.swc", values=ValuesFile(volume), user="ann")
    assert [p.name for p in done.written] == ["out.swc", "out.nodes.csv", "out.edits.jsonl"] and done.operations == 4
    written = read_swc(tmp_path / "out.swc")
    assert "made by hand" in written.header and "source_sha256: 12" in written.header
    assert len(written.skeleton.roots) == 1 and np.ptp(written.skeleton.points_nm[:, 1]) == 0
    assert done.after.features["jump"].sum() == len(done.after) - 4
    assert 0.5 < done.after.features["confidence"].min() < 1


def test_the_log_replays_to_the_same_files(tree, volume, tmp_path):
    edits = script(tmp_path, ("bridge", {"a": 3, "b": 4}), ("accept_jump", {"node": 4}), ("undo", {}), ("redo", {}))
    edit_tree(tree, edits, tmp_path / "a.swc", values=ValuesFile(volume), user="ann")
    edit_tree(tree, tmp_path / "a.edits.jsonl", tmp_path / "b.swc", values=ValuesFile(volume), user="bob")
    for suffix in (".swc", ".nodes.csv", ".edits.jsonl"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes(), suffix


def test_what_is_undone_leaves_the_file_byte_for_byte(tree, tmp_path):
    edits = script(tmp_path, ("cut", {"node": 3}), ("lock", {"node": 5}), ("undo", {}), ("undo", {}))
    edit_tree(tree, edits, tmp_path / "same.swc")
    assert (tmp_path / "same.swc").read_bytes() == tree.read_bytes()
    assert (tmp_path / "same.nodes.csv").read_bytes() == (tmp_path / "n.nodes.csv").read_bytes()


def test_a_bad_script_writes_nothing(tree, tmp_path):
    before = set(tmp_path.iterdir())
    edits = script(tmp_path, ("cut", {"node": 3}), ("move_node", {"node": 1, "point_nm": [0, 0, 0]}))
    with pytest.raises(InputError, match=r"edits.jsonl', line 2 \(move_node\): Node 1 is locked.*unlock node 1 first"):
        edit_tree(tree, edits, tmp_path / "out.swc")
    edits.write_text('{"operation": "cutt"}\n{"operation": "cut"}\n')
    with pytest.raises(FormatError, match=r"has 2 mistakes: line 1: .*'cut'\?; line 2: cut misses node"):
        edit_tree(tree, edits, tmp_path / "out.swc")
    assert set(tmp_path.iterdir()) == before | {edits}


def test_files_are_not_replaced_by_accident(tree, tmp_path):
    edits = script(tmp_path, ("cut", {"node": 3}))
    edit_tree(tree, edits, tmp_path / "out.swc")
    with pytest.raises(InputError, match=r"out.swc' exists already.*--overwrite"):
        edit_tree(tree, edits, tmp_path / "out.swc")
    with pytest.raises(InputError, match=r"The log would replace the script"):
        edit_tree(tree, edits, tmp_path / "new.swc", log=edits)
    with pytest.raises(InputError, match=r"a name that ends in .swc"):
        edit_tree(tree, edits, tmp_path / "new.csv")
    (tmp_path / "n.nodes.csv").unlink()
    assert edit_tree(tree, edits, tmp_path / "out.swc", overwrite=True).written[1].name == "out.edits.jsonl"
    assert not (tmp_path / "out.nodes.csv").exists(), "the table of another tree stayed beside it"


def test_units_and_tables_that_do_not_fit(tree, tmp_path):
    edits = script(tmp_path, ("cut", {"node": 3}))
    (tmp_path / "n.nodes.csv").write_text("id,locked\n1,true\n")
    with pytest.raises(FormatError, match=r"n.nodes.csv' has 1 nodes, and not node 2"):
        edit_tree(tree, edits, tmp_path / "out.swc")
    (tmp_path / "bare.swc").write_text("1 1 0 0 0 1 -1\n2 1 5 0 0 1 1\n")
    with pytest.raises(UnitError, match="does not state its unit"):
        edit_tree(tmp_path / "bare.swc", edits, tmp_path / "out.swc")


def test_an_image_is_stretched_to_be_evidence(tmp_path):
    values = np.full((4, 40, 40), 100, np.uint16)
    values[2, 10, :] = 300
    save(Image(values, Grid(values.shape, VOXEL)), tmp_path / "i.ome.tif")
    bricks, grid = volume_bricks(ValuesFile(str(tmp_path / "i.ome.tif"), "image"))
    assert bricks.read(grid.box).max() == 255 and bricks.read(grid.box)[0].max() == 0 and bricks.voxel_nm == VOXEL
