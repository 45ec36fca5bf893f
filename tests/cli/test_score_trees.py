"""`neurotome score` of two SWC files."""

import csv
import json

import pytest


@pytest.fixture
def swc(tmp_path):
    """Write a line along x as SWC: (name, last x, step, header) -> path."""

    def write(name, last, step=1, header="# unit: um\n# voxel_nm: 1000 1000 1000", radius=1.0):
        xs = range(0, last + 1, step)
        lines = [f"{i} 3 {x} 0 0 {radius} {i - 1 if i > 1 else -1}" for i, x in enumerate(xs, 1)]
        (tmp_path / name).write_text("\n".join([header, *lines, ""]))
        return tmp_path / name

    return write


def values(path, convention="2 voxels"):
    return {s["metric"]: s["value"] for s in json.loads(path.read_text()) if s["convention"] == convention}


def test_scores_errors_and_objects_of_half_a_tree(cli, swc, tmp_path):
    code, out, err = cli("score", swc("half.swc", 50), swc("gold.swc", 100), "-o", tmp_path / "s" / "s.json")
    assert code == 0, err
    assert "f1" in out and "0.6842" in out and "errors.csv" in out.replace("\n", "")
    found = values(tmp_path / "s" / "s.json")
    assert found["precision"] == 1 and found["recall"] == pytest.approx(0.52) and found["dsa"] == pytest.approx(26)
    with (tmp_path / "s" / "errors.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], float(row["length_um"]), row["z"], row["x"]) for row in rows] == [("missing", 48.0, "0", "76")]
    with (tmp_path / "s" / "objects.csv").open() as file:
        objects = list(csv.DictReader(file))
    assert [(row["side"], float(row["found"])) for row in objects] == [("gold", 0.52), ("test", 1.0)]


def test_units_of_the_two_files_may_differ(cli, swc, tmp_path):
    gold = swc("gold.swc", 200, header="# no unit")
    options = ("--unit", "voxel", "--voxel-nm", 500, 500, 500, "-o", tmp_path / "s.json")
    code, _, err = cli("score", swc("test.swc", 100), gold, *options)
    assert code == 0, err
    assert values(tmp_path / "s.json")["f1"] == 1
    assert values(tmp_path / "s.json", "2 um")["esa"] == pytest.approx(0, abs=1e-9)


def test_what_cannot_be_scored(cli, swc, files, tmp_path):
    gold, bare, point = swc("gold.swc", 100), swc("bare.swc", 100, header="# bare"), swc("point.swc", 0)
    other = swc("other.swc", 100, header="# unit: um\n# voxel_nm: 500 500 500")
    sizeless = swc("sizeless.swc", 100, header="# unit: um")
    for words, said in (
        ((gold, files / "truth.ome.tif"), ("gold.swc", "is a tree", "truth.ome.tif")),
        ((bare, bare), ("bare.swc", "--unit")),
        ((sizeless, sizeless), ("sizeless.swc", "--voxel-nm")),
        ((gold, other), ("1000", "500", "--voxel-nm")),
        ((point, gold), ("'point'", "1 node", "at least two nodes")),
        ((gold, gold, "--components"), ("--components", "label volumes")),
        ((files / "truth.ome.tif", files / "truth.ome.tif", "--unit", "um"), ("--unit", "SWC")),
        ((gold, gold, "-o", tmp_path / "s.tif"), (".json",)),
    ):
        code, _, err = cli("score", *words)
        assert code == 2 and err.startswith("neurotome: ") and "\n" not in err.strip(), err
        assert all(word in err for word in said), err
    assert not (tmp_path / "s.tif").exists()


def test_a_run_that_traced_nothing_scores_worst(swc, tmp_path):
    from neurotome.core import Grid
    from neurotome.flows.score_trees import write_tree_scores
    from neurotome.io import RunFolder, read_swc

    gold = read_swc(swc("gold.swc", 100)).skeleton
    grid = Grid((9, 9, 109), (1000, 1000, 1000), (0, 0, -4000))
    with RunFolder.start(tmp_path / "run", command="trace", config={}, inputs={}) as run:
        nothing = write_tree_scores(run, gold.take([]), gold, grid)
        assert nothing == {"precision": 0, "recall": 0, "f1": 0, "pds": 1}
        assert (run / "errors.csv").read_text().startswith("rank,kind,tree,length_um")
        half = write_tree_scores(run, gold.take(range(51)), gold, grid)
        assert half["f1"] == pytest.approx(0.6842, abs=5e-5)
        with (run / "errors.csv").open() as file:
            assert next(csv.DictReader(file))["x"] == "80"  # the grid begins 4 voxels earlier
