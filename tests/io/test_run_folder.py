import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurotome.core import InputError, MissingFileError, RunFolderError
from neurotome.io import RunFolder, sha256
from neurotome.io.run_folder import versions


def start(path: Path, **changes: Any) -> RunFolder:
    return RunFolder.start(
        path, **{"command": "reconstruct", "config": {"voxel_nm": (30, 6, 6), "neurons": {"threshold": 0.3}}, **changes}
    )


def stored(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / "run.json").read_text()))


def test_a_run_from_start_to_end(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"pixels")
    with start(tmp_path / "out", inputs={"image": tmp_path / "a.tif"}, seed=7) as run:
        assert stored(run.path)["status"] == "running"
        with run.step("boundary"):
            (run / "boundary.txt").write_text("done")
        run.keep({"neurons": np.int64(12), "threshold": np.float32(0.25)})
        run.finish()
    record = stored(tmp_path / "out")
    assert record["status"] == "done"
    assert record["done"] == ["boundary"]
    assert record["facts"] == {"neurons": 12, "threshold": 0.25}
    assert record["config"] == {"voxel_nm": [30, 6, 6], "neurons": {"threshold": 0.3}}
    assert record["seed"] == 7
    assert record["inputs"] == {str(tmp_path / "a.tif"): sha256(tmp_path / "a.tif")}
    assert record["seconds"]["boundary"] >= 0
    assert record["peak_memory_bytes"] > 10e6
    assert {"neurotome", "python", "numpy"} <= record["versions"].keys()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["boundary.txt", "run.json"]


def test_the_same_run_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), start(tmp_path / "out") as run:
        with run.step("boundary"):
            pass
        run.keep({"a": 1})
        with run.step("neurons"):
            raise ZeroDivisionError
    assert stored(tmp_path / "out")["status"] == "failed"
    with start(tmp_path / "out") as run:
        assert stored(run.path)["status"] == "running"
        assert (run.done("boundary"), run.done("neurons")) == (True, False)
        assert run.facts == {"a": 1}
        assert "boundary" in run.record.seconds
    assert stored(tmp_path / "out")["status"] == "done"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": "neurons segment"}, r'command is "reconstruct" there and "neurons segment" now'),
        (
            {"config": {"voxel_nm": [30, 6, 6], "neurons": {"threshold": 0.5}}},
            r"config.neurons.threshold is 0.3 there and 0.5 now",
        ),
        ({"config": {"voxel_nm": [30, 6, 6]}}, r'config.neurons.threshold is 0.3 there and "absent" now'),
        (
            {"config": {"voxel_nm": [30, 6, 5], "neurons": {"threshold": 0.3}}},
            r"config.voxel_nm is \[30, 6, 6\] there and \[30, 6, 5\] now",
        ),
        ({"seed": 1}, r"seed is 0 there and 1 now"),
    ],
)
def test_another_run_is_refused_by_key_and_values(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with start(tmp_path / "out") as run:
        (run / "result.txt").write_text("mine")
    with pytest.raises(RunFolderError, match=said):
        start(tmp_path / "out", **changes)
    assert (tmp_path / "out" / "result.txt").exists()
    with start(tmp_path / "out", **changes, overwrite=True):
        assert not (tmp_path / "out" / "result.txt").exists()


def test_a_changed_input_is_another_run(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"one")
    start(tmp_path / "out", inputs={"image": tmp_path / "a.tif"}).__exit__(None, None, None)
    (tmp_path / "a.tif").write_bytes(b"two")
    with pytest.raises(RunFolderError, match=r"inputs\..*a.tif is"):
        start(tmp_path / "out", inputs={"image": tmp_path / "a.tif"})


def test_a_folder_with_other_things_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(RunFolderError, match=r"not empty and holds no run \(it has thesis.tex\)"):
            start(tmp_path, overwrite=overwrite)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RunFolderError, match="is a file"):
        start(tmp_path / "out")


def test_overwriting_spares_the_inputs(tmp_path: Path) -> None:
    with start(tmp_path / "out") as run:
        (run / "boundary.txt").write_text("input of the next")
    with pytest.raises(InputError, match=r"lies in .*out', which is to be overwritten"):
        start(tmp_path / "out", command="other", inputs={"p": tmp_path / "out" / "boundary.txt"}, overwrite=True)
    assert (tmp_path / "out" / "boundary.txt").exists()
    with start(tmp_path / "out"):
        pass


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run.json' is not the record of a run"):
        start(tmp_path)


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    with start(tmp_path / "out"):
        with pytest.raises(RunFolderError, match=rf"Process {os.getpid()} on .* is writing to '.*out'"):
            start(tmp_path / "out")
        assert stored(tmp_path / "out")["status"] == "running"
    with start(tmp_path / "out"):
        pass


CHILD = """
import sys
from neurotome.io import RunFolder
run = RunFolder.start(sys.argv[1], command="reconstruct", config={})
with run.step("boundary"):
    pass
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_run_leaves_valid_json_and_can_be_taken_over(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "out")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child, child.stdin, child.stdout:
        assert child.stdout.readline() == "ready\n"
        with pytest.raises(RunFolderError, match=f"Process {child.pid} on"):
            start(tmp_path / "out", config={})
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert stored(tmp_path / "out")["status"] == "running"
    assert (tmp_path / "out" / "run.lock").exists()
    with start(tmp_path / "out", config={}) as run:
        assert run.done("boundary")


def test_a_lock_of_another_machine_is_respected(tmp_path: Path) -> None:
    with start(tmp_path / "out"):
        pass
    (tmp_path / "out" / "run.lock").write_text('{"pid": 1, "host": "node-17.elsewhere"}')
    with pytest.raises(RunFolderError, match=r"Process 1 on node-17.elsewhere .* delete '.*run.lock'"):
        start(tmp_path / "out")


def test_other_versions_are_noted(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    with start(tmp_path / "out"):
        pass
    record = stored(tmp_path / "out")
    record["versions"]["numpy"] = "1.0.0"
    (tmp_path / "out" / "run.json").write_text(json.dumps(record))
    with start(tmp_path / "out"):
        pass
    assert f"begun with numpy 1.0.0 and goes on with {np.__version__}" in log.text


def test_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "a.h5") == sha256(f"{tmp_path}/a.h5:/raw") == known


def test_hash_of_a_folder_follows_names_and_contents(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "c").mkdir(parents=True)
        (tmp_path / name / "c" / "0").write_bytes(b"xy")
        (tmp_path / name / "info").write_bytes(b"z")
    same = sha256(tmp_path / "a")
    assert sha256(tmp_path / "b") == sha256(f"precomputed://{tmp_path}/b") == same
    (tmp_path / "b" / "c" / "0").rename(tmp_path / "b" / "c" / "1")
    assert sha256(tmp_path / "b") != same
    (tmp_path / "a" / "info").write_bytes(b"Z")
    assert sha256(tmp_path / "a") != same


def test_a_missing_input_stops_before_the_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        start(tmp_path / "out", inputs={"image": tmp_path / "absent.tif"})
    assert not (tmp_path / "out").exists()


def test_versions_name_torch_only_where_it_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert "torch" not in versions()
    monkeypatch.setitem(sys.modules, "torch", sys)
    assert "torch" in versions()


def test_inputs_too_large_to_read_are_known_by_size_and_time(tmp_path, monkeypatch):
    monkeypatch.setattr("neurotome.io.run_folder.HASHED_BYTES", 3)
    file = tmp_path / "image.raw"
    file.write_bytes(b"1234")
    first = sha256(file)
    assert first.startswith("names-sizes-times:") and sha256(file) == first
    os.utime(file, ns=(1, 1))
    assert sha256(file) != first


def test_a_run_killed_before_its_record_was_written_can_begin_again(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    left = tmp_path / "out" / ".5f3a90bc.part.run.json"
    left.write_text("{")
    with start(tmp_path / "out"):
        assert not left.exists()


def test_going_on_removes_what_a_killed_writer_left(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), start(tmp_path / "out") as run:
        left = run / "parts" / ".5f3a90bc.part.0.npz"
        left.parent.mkdir()
        left.write_text("half")
        raise ZeroDivisionError
    with start(tmp_path / "out"):
        assert left.parent.is_dir() and not left.exists()


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(143)])
def test_a_run_that_was_stopped_has_not_failed(tmp_path: Path, stop: BaseException) -> None:
    with pytest.raises(type(stop)), start(tmp_path / "out"):
        raise stop
    assert stored(tmp_path / "out")["status"] == "interrupted"
    with pytest.raises(SystemExit), start(tmp_path / "out"):
        raise SystemExit(1)
    assert stored(tmp_path / "out")["status"] == "failed"


TERMINATED = """
import signal, sys, time
from neurotome.io import RunFolder
with RunFolder.start(sys.argv[1], command="reconstruct", config={}):
    print("ready", flush=True)
    time.sleep(60)
"""


def test_termination_is_recorded_and_the_signal_given_back(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", TERMINATED, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child, child.stdout:
        assert child.stdout.readline() == "ready\n"
        child.terminate()
        assert child.wait(20) == 143
    assert stored(tmp_path / "out")["status"] == "interrupted"
    assert not (tmp_path / "out" / "run.lock").exists()
    with start(tmp_path / "other"):
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_first_error_is_heard_when_the_record_cannot_be_written(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError), start(tmp_path / "out") as run:
        shutil.rmtree(run.path)
        run.path.touch()
        raise ZeroDivisionError
    assert "run.json' could not be written" in log.text
    with pytest.raises(OSError, match="exists"), start(tmp_path / "again") as run:
        shutil.rmtree(run.path)
        run.path.touch()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with start(tmp_path / "out") as run:
        run.finish()
    (tmp_path / "out" / "run.lock").mkdir()
    with pytest.raises(RunFolderError, match=r"out' cannot be written \(Is a directory\).*check the disk"):
        start(tmp_path / "out")
