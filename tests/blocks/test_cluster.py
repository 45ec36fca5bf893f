"""The life of the processes: nothing is left behind, nothing complains."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from neurotome.blocks import cluster, make_executor
from neurotome.core import InputError, ValueRangeError

SCRIPT = """
import os, signal, sys, time
from dataclasses import dataclass
from pathlib import Path
from neurotome.blocks import Engine, Step, blocks_of, make_executor
from neurotome.core import Grid

@dataclass(frozen=True)
class Sleep:
    folder: Path

    def __call__(self, block):
        (self.folder / f"pid-{os.getpid()}").touch()
        time.sleep(60)
        return []

if __name__ == "__main__":
    # As a terminal starts it: tests that run in the background of a shell would hand down a deaf ear.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(sys.argv[1])
    blocks = blocks_of(Grid((9, 1, 1), (1, 1, 1)), (1, 1, 1))
    with make_executor(workers=2) as executor:
        Engine(folder, key="k", executor=executor).run(Step("sleep", blocks, Sleep(folder)))
"""


@pytest.fixture
def sleeping(tmp_path):
    """A run whose two workers are busy for a minute: the process and theirs."""
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, script, tmp_path], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: len(list(tmp_path.glob("pid-*"))) == 2 or process.poll() is not None)
    workers = [int(p.name.removeprefix("pid-")) for p in tmp_path.glob("pid-*")]
    assert len(workers) == 2
    yield process, workers
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def gone(pids):
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def test_workers_end_with_the_process_that_is_killed(sleeping):
    process, workers = sleeping
    process.kill()
    wait_for(lambda: gone(workers), seconds=10)


def test_an_interrupt_ends_all_at_once_and_in_silence(sleeping):
    process, workers = sleeping
    start = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - start < 5
    wait_for(lambda: gone(workers), seconds=2)
    assert out == ""
    # The interrupt itself, for the command line to catch, and nothing of the workers.
    assert err.rstrip().endswith("KeyboardInterrupt") and err.count("Traceback") == 1


def test_slurm_jobs_ask_for_what_was_given():
    pytest.importorskip("dask_jobqueue")
    with cluster.slurm_cluster(
        {"partition": "gpu-long", "walltime": "02:00:00", "job_extra_directives": "--qos=low; --exclusive"}
    ) as c:
        script = c.job_script()
    for line in (
        "#SBATCH -p gpu-long",
        "#SBATCH -t 02:00:00",
        "#SBATCH --qos=low",
        "#SBATCH --exclusive",
        "#SBATCH --cpus-per-task=1",
        "export NUMBA_NUM_THREADS=1",
    ):
        assert line in script.splitlines(), script
    assert "--nthreads 1" in script
    # Workers retire five to fifteen minutes before their job is killed.
    assert "--lifetime 6600s --lifetime-stagger 300s" in script


def test_a_lifetime_that_was_given_is_kept():
    pytest.importorskip("dask_jobqueue")
    with cluster.slurm_cluster({"walltime": "1-00", "worker_extra_args": "--lifetime 1h"}) as c:
        assert "--lifetime 1h" in c.job_script() and c.job_script().count("--lifetime") == 1


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("90", 1.5),
        ("90:00", 1.5),
        ("01:30:00", 1.5),
        ("0-1:30", 1.5),
        ("2-12", 60),
        ("2-12:00:00", 60),
        ("soon", None),
        ("", None),
    ],
)
def test_walltimes_are_read_as_slurm_does(text, hours):
    assert cluster.walltime_seconds(text) == (None if hours is None else hours * 3600)


def test_slurm_needs_sbatch(monkeypatch):
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="sbatch is not on this machine"):
        make_executor(workers=2, slurm={"partition": "long"})


def test_slurm_options_that_do_not_exist_are_named():
    pytest.importorskip("dask_jobqueue")
    with pytest.raises(InputError, match="partitoin=long"):
        cluster.slurm_cluster({"partitoin": "long"})


def test_slurm_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(InputError, match=r"pip install 'neurotome\[slurm\]'"):
        make_executor(workers=2, slurm={"partition": "long"})


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": -1}])
def test_at_least_one_worker(options):
    with pytest.raises(ValueRangeError, match="at least one"):
        make_executor(**options)


def test_one_place_to_work_at():
    with pytest.raises(InputError, match="--scheduler or --slurm"):
        make_executor(scheduler="tcp://127.0.0.1:8786", slurm={})


def test_importing_blocks_does_not_import_dask():
    code = "import sys, neurotome.blocks; print('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
