"""`neurotome trace` as a user would call it; and what cannot be traced: one clear line, exit code 2."""

import json
import re

import imageio.v3 as imageio
import numpy as np
import pytest

from neurotome.core import Grid, Image
from neurotome.io import open_image, save


@pytest.fixture(scope="session")
def inputs(neurite_files, tmp_path_factory):
    """A good stack and its map (a copy), and many that cannot be traced."""
    folder = tmp_path_factory.mktemp("traces")
    for path in neurite_files.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    stack, good = (open_image(folder / name) for name in ("stack.ome.tif", "map.ome.tif"))
    grid, values = stack.grid, good.read()
    wrong = {
        "empty": np.zeros(grid.shape, np.uint8),
        "flat": np.full(grid.shape, 9, np.uint8),
        "dim": values // 3,
        "bright": np.maximum(values, 200),
        "wide": values.astype(np.float32) / 100,
        "negative": values.astype(np.float32) / 255 - 0.1,
        "counts": values.astype(np.uint16) * 100,
        "hole": np.where(values == 255, np.nan, values / 255).astype(np.float32),
    }
    for name, data in wrong.items():
        save(Image(data, grid), folder / f"{name}.h5")
    save(Image(values[:, :50], Grid((40, 50, 96), grid.voxel_nm)), folder / "short.ome.tif")
    save(Image(values, Grid(grid.shape, (1000, 400, 400))), folder / "other-voxel.ome.tif")
    save(Image(values[:1], Grid((1, *grid.shape[1:]), grid.voxel_nm)), folder / "section.ome.tif")
    np.save(folder / "no-units.npy", stack.read())
    imageio.imwrite(folder / "colour.tif", np.stack([stack.read()[0]] * 2 + [stack.read()[9]], -1))
    no_unit = [line for line in (folder / "truth.swc").read_text().splitlines() if not line.startswith("#")]
    (folder / "no-unit.swc").write_text("\n".join(no_unit))
    (folder / "no-tree.swc").write_text("dear diary,\nnothing grew today\n")
    (folder / "point.swc").write_text("# unit: um\n1 1 5 5 5 1 -1\n")
    (folder / "no-points.csv").write_text("depth,row,column\n1,2,3\n")
    return folder


@pytest.fixture
def complain(cli, inputs, tmp_path, monkeypatch):
    """Trace what cannot be traced: the one line it says."""
    monkeypatch.chdir(inputs)

    def run(*words):
        code, out, err = cli("trace", *words, "-o", tmp_path / "out")
        assert code == 2, (code, out, err)
        line = err.strip()
        assert line.startswith("neurotome: ") and "\n" not in line and "Traceback" not in line, err
        return line

    return run


def named(parameter):
    return " ".join(map(str, parameter)) if isinstance(parameter, tuple) else "says"


MAP = ("stack.ome.tif", "--probability", "map.ome.tif")
BEFORE_ANYTHING = [
    (("nowhere.tif", "--raw"), "'nowhere.tif' does not exist"),
    (("no-units.npy", "--raw"), "does not state its voxel size.*--voxel-nm"),
    (("section.ome.tif", "--raw"), "one section of 112 x 96 pixels.*whole stack"),
    (("colour.tif", "--raw", "--voxel-nm", 1000, 500, 500), "colour.tif.*--channel"),
    (("stack.ome.tif", "--raw", "--voxel-nm", 1000, 400, 400), "1000, 500, 500.*1000, 400, 400"),
    (("stack.ome.tif", "--raw", "--probability", "map.ome.tif"), "--probability and --raw at once.*one of them"),
    (("stack.ome.tif", "--raw", "--model", "m"), "--raw and --model at once"),
    ((*MAP, "--raw", "--model", "m"), "--probability and --raw and --model at once"),
    (("stack.ome.tif", "--model", "neurite-voxresnot"), "Unknown model 'neurite-voxresnot'"),
    (("stack.ome.tif", "--probability", "nowhere.tif"), "nowhere.tif' does not exist"),
    (("stack.ome.tif", "--probability", "short.ome.tif"), r"\(40, 50, 96\).*\(40, 112, 96\)"),
    (("stack.ome.tif", "--probability", "section.ome.tif"), "section.ome.tif.*one section"),
    (("stack.ome.tif", "--probability", "other-voxel.ome.tif"), "voxel size.*1000, 400, 400"),
    ((*MAP, "--method", "scoping"), "did you mean 'scooping'?"),
    ((*MAP, "--set", "min_lenght_nm=5"), "did you mean 'min_length_nm'?"),
    ((*MAP, "--set", "min_length_nm"), "NAME=VALUE"),
    ((*MAP, "--set", "min_length_nm=far"), "min_length_nm.*'far'.*number"),
    ((*MAP, "--set", "somata=7"), "somata.*7.*true or false"),
    ((*MAP, "--set", "threshold=0.4"), "threshold.*0.4.*whole number"),
    ((*MAP, "--set", "bridges=golden"), "Unknown bridges 'golden'.*caat, neurotome, none"),
    ((*MAP, "--set", "threshold_method=otso"), "did you mean 'otsu'?"),
    ((*MAP, "--set", "tracer=consensus"), "Unknown setting of trace 'tracer'"),
    ((*MAP, "--threshold", 1.5), r"Threshold 1.5.*\(0, 1\]"),
    ((*MAP, "--threshold", 0), r"Threshold 0.*\(0, 1\]"),
    ((*MAP, "--threshold", "nan"), r"Threshold nan.*\(0, 1\]"),
    ((*MAP, "--seed", "1,2"), "Start point '1,2'.*--seed 10,200,150"),
    ((*MAP, "--seed", "1.5,2,3"), "Start point '1.5,2,3'"),
    ((*MAP, "--seeds", "nowhere.csv"), "'nowhere.csv' does not exist"),
    ((*MAP, "--seeds", "no-points.csv"), "'no-points.csv' holds no start points.*columns z, y, x"),
    ((*MAP, "--seeds", "no-unit.swc"), "'no-unit.swc' does not say.*unit: um"),
    ((*MAP, "--truth", "nowhere.swc"), "'nowhere.swc' does not exist"),
    ((*MAP, "--truth", "no-unit.swc"), "'no-unit.swc'.*--truth-unit"),
    ((*MAP, "--truth", "no-unit.swc", "--truth-unit", "mm"), "mm.*nm"),
    ((*MAP, "--truth", "no-tree.swc", "--truth-unit", "um"), "'no-tree.swc', line 1 .*id type x y z radius parent"),
    ((*MAP, "--truth", "map.ome.tif", "--truth-unit", "um"), "'map.ome.tif'.*SWC"),
    ((*MAP, "--truth", "point.swc"), "'point.swc'.*no length"),
    ((*MAP, "--workers", 0), "--workers 1 or more"),
    ((*MAP, "--block", 0, 8, 8), "--block Z Y X"),
]


@pytest.mark.parametrize(("words", "line"), BEFORE_ANYTHING, ids=named)
def test_refused_before_anything_is_written(complain, tmp_path, words, line):
    said = complain(*words)
    assert re.search(line, said), said
    assert not (tmp_path / "out").exists()


WHEN_READ = [
    (("empty.h5", "--raw"), "has the value 0 everywhere"),
    (("flat.h5", "--raw"), "has the value 9 everywhere"),
    (("stack.ome.tif", "--probability", "empty.h5"), "Every voxel of the volume is 0"),
    (("stack.ome.tif", "--probability", "bright.h5"), "makes 100 % of the volume neurite.*give a threshold of"),
    (("stack.ome.tif", "--probability", "wide.h5"), r"'.*wide.h5' has the value .* at voxel \(.*\[0, 1\]"),
    (("stack.ome.tif", "--probability", "negative.h5"), r"has the value -0.1 at voxel \(0, 0, 0\)"),
    (("stack.ome.tif", "--probability", "hole.h5"), r"not finite at voxel \(.*\) \(z, y, x\)"),
    (("hole.h5", "--raw"), r"not finite at voxel"),
    (("stack.ome.tif", "--probability", "counts.h5"), "uint16 and values up to 25500.*--raw"),
    (("stack.ome.tif", "--probability", "dim.h5"), "Threshold 128 leaves no voxel; the largest value is 85.*give a threshold of"),
    ((*MAP, "--set", "min_length_nm=-5"), "length -5 nm"),
    ((*MAP, "--set", "directions=0"), "0 directions.*4 or more"),
    ((*MAP, "--set", "min_component_voxels=99999", "--set", "somata=false"), "No piece has 99999 voxels.*min_component_voxels"),
    ((*MAP, "--seed", "40,0,0"), r"\(40, 0, 0\) lies outside.*\(40, 112, 96\)"),
    ((*MAP, "--seed", "39,111,0"), r"Start point \(39, 111, 0\) lies in the background.*at most 10 voxels"),
]


@pytest.mark.parametrize(("words", "line"), WHEN_READ, ids=named)
def test_refused_once_the_values_are_known(complain, tmp_path, words, line):
    said = complain(*words)
    assert re.search(line, said), said
    assert not (tmp_path / "out" / "report.html").exists()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "failed"


def test_from_stack_to_report(cli, inputs, tmp_path):
    words = ("--probability", inputs / "map.ome.tif", "--truth", inputs / "truth.swc")
    code, out, err = cli("trace", inputs / "stack.ome.tif", "-o", tmp_path / "out", *words)
    assert code == 0, err
    assert "2 trees, 141 µm" in out and "skeletons/stack.swc" in out.replace("\n", "") and "f1   " in out
    assert "report.html" in out and (tmp_path / "out" / "report.html").exists()


def test_a_start_point_in_the_background_is_moved_and_it_says_so(cli, inputs, tmp_path):
    values = open_image(inputs / "map.ome.tif").read()
    z, y, x = (int(i) for i in np.argwhere(values >= 200)[0])
    beside = next((z, y, x + d) for d in range(1, 9) if values[z, y, x + d] < 128)
    words = ("--probability", inputs / "map.ome.tif", "--seed", ",".join(map(str, beside)))
    code, out, err = cli("trace", inputs / "stack.ome.tif", "-o", tmp_path / "out", *words)
    assert code == 0, err
    assert f"Start point {beside} lies in the background; moved" in out
    assert f"Start point {beside} lies in the background" in (tmp_path / "out" / "report.html").read_text()


def test_help_names_the_methods_and_the_corrections(cli):
    code, out, _ = cli("trace", "--help")
    assert code == 0 and "edit" in out
    code, out, _ = cli("trace", "stack", "--help")
    assert code == 0 and all(word in out for word in ("--probability", "--raw", "consensus", "back_tracking", "--truth-unit"))
