"""A run as a user runs it, and what can happen to it: workers killed, the whole run killed, files damaged, two runs at once."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import psutil
import pytest

from neurotome import boundary
from neurotome.core import Grid, Probability
from neurotome.io import ome_zarr, open_probability, save

BLOCK = ("3", "48", "48")
COMMAND = "from neurotome.cli.main import main; main()"
# Imports what the command line imports and forks a process per command: it is the work that is to be killed, not the start.
READY_MADE = """
import os, sys, signal
import neurotome.flows
from neurotome.cli.main import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    words = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sys.argv = ["neurotome", *words[1:]]
        with open(words[0], "w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        main()
        sys.exit()
    print(pid, flush=True)
"""


@pytest.fixture(scope="module")
def probability(small_phantom, tmp_path_factory):
    """Affinities of a phantom with noise: (7, 96, 96) voxels."""
    truth = small_phantom.neurons.read()[:7, :96, :96]
    targets, _ = boundary.targets(truth, boundary.NEAREST)
    noise = np.random.default_rng(1).normal(0, 40, targets.shape)
    data = np.clip(50 + 160 * targets.astype(float) + noise, 0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("probability") / "p.ome.zarr"
    save(Probability(data, Grid(truth.shape, (30, 6, 6)), boundary.NEAREST), path)
    return path


def words(probability, out, *more):
    segment = ("neurons", "segment", probability, "-o", out, "--min-voxels", 20, "--set", "grow=1.5", "--block", *BLOCK, *more)
    return [str(word) for word in segment]


def started(probability, out, *more):
    """The command in a process group of its own, as from a shell."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words(probability, out, *more)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finished(process):
    """(exit code, what was printed, what was complained about)."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.005)
    return found


def result(out):
    """Every file that a run leaves, except the record of how long it took."""
    files = (path for path in sorted(out.rglob("*")) if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def ledger(out):
    """The finished blocks on record: how often each (step, box) is."""
    lines = Counter()
    for path in out.glob("blocks/*/*.done"):
        for line in path.read_text().split("\n")[1:]:
            if line.endswith("\t."):
                lines[path.parent.name, " ".join(line.split(" ", 6)[:6])] += 1
    return lines


@pytest.fixture(scope="module")
def undisturbed(probability, tmp_path_factory):
    """The files of a run that nothing happened to."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    code, _, err = finished(started(probability, out))
    assert code == 0, err
    files = result(out)
    assert {name.split("/")[0] for name in files} == {
        "neurons.ome.zarr", "fragments.ome.zarr", "neurons.csv", "region_graph.npz", "merges.npz", "segmentation",
    }  # fmt: skip
    return files


def test_two_workers_leave_the_same_bytes_even_if_one_is_killed(probability, undisturbed, tmp_path):
    out = tmp_path / "out"
    process = started(probability, out, "--workers", 2)
    wait_for(lambda: len(ledger(out)) > 12)
    victim = workers_of(process.pid)[0]
    victim.kill()
    code, _, err = finished(process)
    assert code == 0, err
    assert victim.pid not in {p.pid for p in psutil.process_iter()} and result(out) == undisturbed


def workers_of(pid):
    """Processes that do blocks, by the files that say so."""
    return [child for child in psutil.Process(pid).children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]


class ReadyMade:
    """A process that forks one that runs a command, at once."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", READY_MADE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, log, command):
        self.process.stdin.write("\t".join([str(log), *command]) + "\n")
        self.process.stdin.flush()
        return psutil.Process(int(self.process.stdout.readline()))

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def ready_made():
    processes = ReadyMade()
    yield processes
    processes.close()


def killed_or_done(process, out, delay):
    """Wait until the run has the folder, then so many seconds more, and kill all its processes; whether it was still at it."""
    wait_for(lambda: owner(out) == process.pid or not process.is_running())
    try:
        process.wait(timeout=delay)
    except psutil.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)
        return True
    return False


def steps_done(out):
    return json.loads((out / "run.json").read_text())["done"]


def owner(out):
    try:
        return json.loads((out / "run.lock").read_text()).get("pid")
    except (OSError, ValueError):
        return None


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "kills", "longest_s"), [(1, 20, 0.5), (2, 4, 5.0)])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    probability, undisturbed, ready_made, tmp_path, workers, kills, longest_s
):
    moments, log, runs, killed = random.Random(workers), tmp_path / "log", 0, 0
    out, on_record = tmp_path / "out-0", Counter()
    while True:
        process = ready_made.start(log, words(probability, out, "--workers", workers))
        if killed_or_done(process, out, moments.uniform(0, longest_s) if killed < kills else 120):
            killed += 1
            before, on_record = on_record, ledger(out)
            # Once the table is written, the run is done but for tidying up, and ledgers are what is tidied.
            assert not before - on_record or "neurons" in steps_done(out), "a finished block is no longer on record"
            assert set(on_record.values()) <= {1}, "a finished block was done again"
            continue
        assert result(out) == undisturbed, log.read_text()
        if killed == kills:
            return
        runs, on_record = runs + 1, Counter()
        out = tmp_path / f"out-{runs}"


def flip(path, place=0.5):
    """Another byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0xFF
    path.write_bytes(data)


def stopped(ready_made, probability, out, log, when):
    """A run that is killed as soon as `when` is true."""
    process = ready_made.start(log, words(probability, out))
    wait_for(when)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    assert out.joinpath("blocks").is_dir(), "the run had ended before it was killed"


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_finished_chunks_that_were_damaged_are_named_and_made_again(probability, undisturbed, ready_made, tmp_path):
    out, log = tmp_path / "out", tmp_path / "log"
    stopped(ready_made, probability, out, log, lambda: any(step == "renumber" for step, _ in ledger(out)))
    box = next(box for step, box in ledger(out) if step == "renumber").split()
    shard = out.joinpath("neurons.ome.zarr/0/c", *(str(int(a) // int(b)) for a, b in zip(box, BLOCK)))
    workspace = out / "segmentation"
    damaged = [
        files(workspace / "pieces.ome.zarr" / "0" / "c")[-1],
        files(workspace / "pieces")[0],
        files(workspace / "known-0")[0],
        workspace / "numbered.npy",
        shard,
    ]
    for path in damaged:
        flip(path)
    lost = files(workspace / "seams")[1]
    lost.unlink()
    code, _, err = finished(started(probability, out))
    assert code == 0, err
    warnings = "".join(err.split("\n"))
    for path in (*damaged, lost):
        assert f"'{path.relative_to(out)}' of a finished block is gone or damaged: the block is done again" in warnings, err
    assert result(out) == undisturbed


def test_a_second_run_in_the_folder_is_refused_and_told_who_works_there(probability, undisturbed, ready_made, tmp_path):
    out = tmp_path / "out"
    first = ready_made.start(tmp_path / "log", words(probability, out))
    wait_for(lambda: owner(out) == first.pid)
    first.suspend()  # so that it is still at it
    code, printed, err = finished(started(probability, out))
    assert code == 2 and printed == "" and err.count("\n") == 1
    assert f"Process {first.pid} on " in err and f"is writing to '{out}'" in err and "choose another --out" in err
    first.resume()
    first.wait(timeout=60)
    assert result(out) == undisturbed


def test_a_block_that_cannot_be_done_is_named_and_all_others_are_done(probability, tmp_path):
    damaged, out = tmp_path / "damaged.ome.zarr", tmp_path / "out"
    # The first chunk of one of four shards that each channel has.
    whole = open_probability(str(probability))
    array = ome_zarr.create(
        damaged,
        shape=whole.data.shape,
        dtype=np.uint8,
        grid=whole.grid,
        channels=whole.channels,
        chunk=(7, 48, 48),
        shard=(7, 48, 48),
    )
    array.write(whole.read()).result()
    flip(damaged / "0" / "c" / "1" / "0" / "0" / "0")
    code, printed, err = finished(started(damaged, out))
    assert code == 1 and printed == ""
    last = err.rstrip().split("\n")[-1]
    assert "blocks of pieces failed (0:3, 0:48, 0:48: " in last and "failed_blocks.csv" in last
    rows = list(csv.DictReader((out / "failed_blocks.csv").read_text().splitlines()))
    boxes = {tuple(int(row[name]) for name in ("z0", "y0", "x0", "z1", "y1", "x1")) for row in rows}
    assert {row["step"] for row in rows} == {"pieces"} and (0, 0, 0, 3, 48, 48) in boxes
    # Blocks read two voxels into the damaged chunk where they lie below or beside it.
    done = {tuple(map(int, box.split())) for step, box in ledger(out) if step == "pieces"}
    assert len(boxes) + len(done) == 12 and not boxes & done and (0, 48, 48, 3, 96, 96) in done | boxes
    assert json.loads((out / "run.json").read_text())["status"] == "failed"
