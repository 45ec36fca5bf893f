"""Stack in, trees out: what a tracing leaves behind, whatever happens to it on the way."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neurotome import tracing
from neurotome.core import InputError, RunFolderError
from neurotome.flows import TraceJob, Workforce, trace
from neurotome.io import load_arrays, open_image, read_swc

LEFT = {
    "run.json", "report.html", "skeletons/stack.swc", "skeletons/stack.nodes.csv", "projections.npz",
    "neurons.csv", "bridges.csv", "components.csv", "contested.csv", "sholl.csv", "scores.json", "errors.csv", "objects.csv",
}  # fmt: skip
SECONDS_IN_THEM = {"run.json", "report.html"}
BLOCKS = Workforce(block=(32, 64, 64))
NETWORK = tracing.DEFAULT_NEURITE_MODEL
# A process that has imported everything and forks one per command: it is the work that is to be stopped, not the start.
STOPPED = """
import json, os, signal, sys, threading, time
from pathlib import Path
import neurotome.flows.trace
from neurotome.cli.main import main

def stop(folder, pattern, number):
    while not list(Path(folder).glob(pattern)):
        time.sleep(0.0002)
    os.kill(os.getpid(), number)

for line in sys.stdin:
    words, folder, pattern, number, log = json.loads(line)
    pid = os.fork()
    if pid == 0:
        with open(log, "w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=stop, args=(folder, pattern, number), daemon=True).start()
        sys.argv = ["neurotome", *words]
        try:
            main()
        except SystemExit as end:
            os._exit(end.code or 0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def job(neurite_files):
    paths = {"image": "stack.ome.tif", "probability": "map.ome.tif", "truth": "truth.swc"}
    return TraceJob(**{name: str(neurite_files / path) for name, path in paths.items()})


@pytest.fixture(scope="module")
def run(job, tmp_path_factory):
    """A finished tracing of the map that nothing happened to."""
    out = tmp_path_factory.mktemp("run") / "out"
    trace(job, out, workforce=BLOCKS)
    return out


def files(out):
    """All files of a run, those with seconds in them empty."""
    found = {str(path.relative_to(out)): path for path in out.rglob("*") if path.is_file()}
    return {name: b"" if name in SECONDS_IN_THEM else path.read_bytes() for name, path in found.items()}


def record(out):
    return json.loads((out / "run.json").read_text())


def tree(out):
    return read_swc(out / record(out)["facts"]["swc"], repair=False).skeleton


def test_what_a_tracing_leaves(run, neurite_files):
    assert set(files(run)) == LEFT
    facts = record(run)["facts"]
    traced = read_swc(run / facts["swc"], repair=False)
    assert traced.repairs == () and traced.unit == "um" and any("stack.ome.tif sha256" in line for line in traced.header)
    table = pd.read_csv(run / "neurons.csv")
    assert len(table) == facts["trees"] == len(traced.skeleton.roots) == 2 and facts["somata"] == 1
    assert table["length_um"].sum() == pytest.approx(facts["length_um"]) == pytest.approx(traced.skeleton.length_nm / 1000, 1e-3)
    assert len(pd.read_csv(run / "skeletons/stack.nodes.csv")) == len(traced.skeleton) == table["nodes"].sum()
    assert facts["scores"]["f1"] >= 0.97 and facts["scores"]["recall"] >= 0.97
    stack = open_image(neurite_files / "stack.ome.tif").read()
    for axis, seen in load_arrays(run / "projections.npz", "z", "y", "x").items():
        assert np.array_equal(seen, stack.max("zyx".index(axis)))


def test_tables_name_the_same_trees_and_places(run):
    bridges, pieces, contested = (pd.read_csv(run / f"{name}.csv") for name in ("bridges", "components", "contested"))
    # The map is dim where y is 60 and 61: whatever passes there is interrupted, and bridged.
    assert len(bridges) >= 1 and bridges["confidence"].between(0, 1).all()
    assert ((bridges[["y", "to_y"]].min(axis=1) < 61) & (bridges[["y", "to_y"]].max(axis=1) > 60)).all()
    jumps = pd.read_csv(run / "skeletons/stack.nodes.csv")["jump"]
    assert jumps.sum() >= len(bridges)
    assert set(pieces["tree"]) - {-1} == {0, 1} and len(contested) == 0
    sholl = pd.read_csv(run / "sholl.csv")
    assert sholl["crossings"].min() >= 0 and (sholl["tree"] == 0).all()
    scores = {(s["metric"], s["convention"]): s["value"] for s in json.loads((run / "scores.json").read_text())}
    assert scores["f1", "2 voxels"] == record(run)["facts"]["scores"]["f1"]
    assert set(pd.read_csv(run / "errors.csv")["kind"]) <= {"missing", "extra"}
    assert set(pd.read_csv(run / "objects.csv")["side"]) == {"gold", "test"}


def test_grey_values_as_they_are(job, tmp_path):
    result = trace(replace(job, probability=None, raw=True), tmp_path / "out", workforce=BLOCKS)
    assert set(files(tmp_path / "out")) == LEFT and result["scores"]["recall"] > 0.8
    # Chosen from the grey values: the threshold of each node says which.
    levels = pd.read_csv(tmp_path / "out/skeletons/stack.nodes.csv")["threshold"].unique()
    assert levels.tolist() == [result["threshold_of_255"]] and 1 < levels[0] < 255
    again = trace(replace(job, probability=None, raw=True, threshold=levels[0] / 255), tmp_path / "same", workforce=BLOCKS)
    assert again["length_um"] == result["length_um"] and np.array_equal(
        tree(tmp_path / "same").points_nm, tree(tmp_path / "out").points_nm
    )


def test_with_the_network_of_the_zoo(job, tmp_path):
    from neurotome.nn import zoo_names

    if NETWORK not in zoo_names():
        pytest.skip(f"the zoo has no {NETWORK} yet")
    result = trace(replace(job, probability=None), tmp_path / "out")
    assert {path.split("/")[0] for path in files(tmp_path / "out")} == {
        *(path.split("/")[0] for path in LEFT), "probability.ome.zarr",
    }  # fmt: skip
    assert result["scores"]["f1"] > 0.8 and result["model_card"]["name"] == NETWORK


@pytest.mark.parametrize("block", [None, (32, 32, 32), (40, 112, 96), (7, 50, 33), (1, 112, 96), (33, 20, 96)])
def test_blocks_change_nothing(job, run, tmp_path, block):
    trace(job, tmp_path / "out", workforce=Workforce(block=block))
    assert files(tmp_path / "out") == files(run)


def test_workers_change_nothing(job, run, tmp_path):
    trace(job, tmp_path / "out", workforce=Workforce(2, block=(32, 64, 64)))
    assert files(tmp_path / "out") == files(run)


@pytest.mark.parametrize("step", ["hash inputs", "values", "foreground", "trace", "projections"])
def test_interrupted_in_any_step_it_goes_on_to_the_same_bytes(job, run, tmp_path, step):
    def stop(what, done, total):
        if what == step and done:
            raise RuntimeError(f"stopped in {step}")

    with pytest.raises(RuntimeError, match="stopped in"):
        trace(job, tmp_path / "out", workforce=BLOCKS, progress=stop)
    seen = []
    trace(job, tmp_path / "out", workforce=BLOCKS, progress=lambda what, done, total: seen.append(what))
    assert files(tmp_path / "out") == files(run)
    # What was finished is not done again.
    assert "projections" in seen and ("trace" in seen) == (step != "projections")


@pytest.fixture(scope="module")
def stopped():
    """(words, folder, pattern, signal, log) -> exit code: the command gets the signal as soon as the folder has such a file."""
    with subprocess.Popen([sys.executable, "-c", STOPPED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def stop(*request):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield stop
        process.stdin.close()


def words(job, out):
    named = ("--probability", job.probability, "--truth", job.truth, "--block", 32, 64, 64)
    return [str(word) for word in ("trace", job.image, "-o", out, *named)]


def test_killed_again_and_again_it_ends_with_the_same_bytes(job, run, stopped, tmp_path):
    out, codes = tmp_path / "out", []
    for pattern in ("run.json", "counts/*", "bricks/*", "skeletons/*.swc", "neurons.csv", "views/*", "errors.csv"):
        codes.append(stopped(words(job, out), str(out), pattern, 9, str(tmp_path / "log")))
        if codes[-1] == 0:
            break
    assert codes.count(-9) >= 4, (codes, (tmp_path / "log").read_text())
    trace(job, out, workforce=BLOCKS)
    assert files(out) == files(run)


def test_ctrl_c_says_how_to_go_on(job, run, stopped, tmp_path):
    out, log = tmp_path / "out", tmp_path / "log"
    assert stopped(words(job, out), str(out), "bricks/*", 2, str(log)) == 130
    assert "run the same command again" in log.read_text() and record(out)["status"] == "interrupted"
    trace(job, out, workforce=BLOCKS)
    assert files(out) == files(run)


def test_a_finished_run_is_not_done_again(job, run):
    before, seen = files(run), []
    trace(job, run, workforce=BLOCKS, progress=lambda what, done, total: seen.append(what))
    assert files(run) == before and set(seen) <= {"hash inputs"}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"threshold": 0.4}, "threshold"),
        ({"method": "fast_marching"}, "method"),
        ({"options": {"min_length_nm": 5000}}, "min_length_nm"),
        ({"seed": ("1,2,3",)}, "seed"),
        ({"truth": None}, "truth"),
    ],
)
def test_another_run_is_refused(job, run, changes, key):
    before = (run / "run.json").read_bytes()
    with pytest.raises(RunFolderError, match=rf"holds another run: \S*{key}.*--overwrite"):
        trace(replace(job, **changes), run)
    assert (run / "run.json").read_bytes() == before


def test_another_file_of_the_same_name_is_another_run(job, neurite_files, tmp_path):
    image = tmp_path / "stack.ome.tif"
    image.write_bytes((neurite_files / "stack.ome.tif").read_bytes())
    own = replace(job, image=str(image), truth=None)
    trace(own, tmp_path / "out", workforce=BLOCKS)
    image.write_bytes((neurite_files / "map.ome.tif").read_bytes())
    with pytest.raises(RunFolderError, match=r"holds another run: inputs.*stack\.ome\.tif"):
        trace(own, tmp_path / "out", workforce=BLOCKS)


@pytest.fixture(scope="module")
def start(run):
    """A voxel z, y, x on the smaller tree."""
    pieces = pd.read_csv(run / "components.csv")
    return pieces[pieces["tree"] == 1][["z", "y", "x"]].iloc[0].tolist()


def test_start_points_in_every_form_give_the_tree_they_lie_on(job, run, start, tmp_path):
    z, y, x = start
    nm = [i * v for i, v in zip(start, (1000, 500, 500))]
    (tmp_path / "voxels.csv").write_text(f"name,z,y,x\nmine,{z},{y},{x}\n")
    (tmp_path / "nm.csv").write_text(f"z_nm,y_nm,x_nm\n{nm[0]},{nm[1]},{nm[2]}\n")
    (tmp_path / "points.json").write_text(json.dumps([start]))
    (tmp_path / "root.swc").write_text(f"# unit: um\n1 0 {nm[2] / 1000} {nm[1] / 1000} {nm[0] / 1000} 1 -1\n")
    forms = [{"seed": (f"{z},{y},{x}",)}, *({"seeds": str(path)} for path in sorted(tmp_path.iterdir()))]
    trees = []
    for number, form in enumerate(forms):
        trace(replace(job, truth=None, **form), tmp_path / "out" / str(number), workforce=BLOCKS)
        trees.append(tree(tmp_path / "out" / str(number)))
    assert len(forms) == 5 and all(np.array_equal(t.points_nm, trees[0].points_nm) for t in trees)
    second = tree(run).take(tree(run).trees == 1)
    assert len(trees[0].roots) == 1 and trees[0].length_nm == pytest.approx(second.length_nm, rel=0.05)
    assert np.abs(trees[0].points_nm[0] - nm).max() <= 2500


@pytest.mark.parametrize("method", sorted(set(tracing.TRACERS) - {"scooping"}))
def test_other_methods(job, run, tmp_path, method):
    result = trace(replace(job, method=method), tmp_path / "out", workforce=BLOCKS)
    assert set(files(tmp_path / "out")) == LEFT
    assert result["scores"]["f1"] > 0.9 and result["trees"] >= 1
    assert not np.array_equal(tree(tmp_path / "out").points_nm, tree(run).points_nm)


def test_no_tree_is_an_error_that_says_what_would_give_one(job, tmp_path):
    with pytest.raises(InputError, match=r"No piece has 100000 voxels.*min_component_voxels"):
        trace(replace(job, options={"min_component_voxels": 100_000, "somata": False}), tmp_path / "out")
