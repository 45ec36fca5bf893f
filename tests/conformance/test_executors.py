"""What every executor must do, wherever it works, and the engine with it.

A new executor joins by one line in EXECUTORS. Work says what it did by files: it may run in another process.
"""

import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import dask.config
import pytest
from distributed import LocalCluster

from neurotome.blocks import Engine, Step, blocks_of, make_executor
from neurotome.blocks.alike import here
from neurotome.core import Block, BlocksFailedError, Grid, InputError

BLOCKS = blocks_of(Grid((4, 16, 24), (1, 1, 1)), (2, 8, 8), halo=(1, 1, 1))
BAD = BLOCKS[5]
SHORT = blocks_of(Grid((200, 1, 1), (1, 1, 1)), (1, 1, 1))
EXECUTORS = ["serial", "dask", "scheduler"]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Work:
    """Writes a file per block, and one more per call."""

    folder: Path

    def __call__(self, block: Block) -> list[Path]:
        self.call(block)
        path = self.folder / "out" / name_of(block)
        path.write_bytes(repr(block).encode())
        return [path]

    def call(self, block: Block) -> int:
        """Note the call; how many there have been."""
        calls = self.folder / "calls"
        n = len(list(calls.glob(f"{name_of(block)}-*"))) + 1
        (calls / f"{name_of(block)}-{n}").write_text(str(os.getpid()))
        return n


@dataclass(frozen=True)
class Failing(Work):
    """Fails in one block as often as it is told."""

    times: int = 99
    error: type[Exception] = OSError

    def __call__(self, block: Block) -> list[Path]:
        if block == BAD and self.call(block) <= self.times:
            raise self.error("no luck\nwith this")
        return super().__call__(block)


@dataclass(frozen=True)
class Killing(Work):
    """Kills its own process in one block as often as it is told, as the system does when memory runs out."""

    times: int = 99

    def __call__(self, block: Block) -> list[Path]:
        if block == BAD and self.call(block) <= self.times:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(block)


@dataclass(frozen=True)
class KilledAfterwards(Work):
    """Has a worker that dies when its block is finished and recorded, but before anybody has heard of it."""

    def __call__(self, block: Block) -> list[Path]:
        files = super().__call__(block)
        if block == BAD and calls(self.folder, BAD) == 1:
            ledger = self.folder / "blocks" / "step"
            threading.Thread(target=_die_when_recorded, args=(ledger, block), daemon=True).start()
        return files


@dataclass(frozen=True)
class LongAtTheEnd(Work):
    """Short blocks, then some that take long. Each note says who did it."""

    seconds: float = 0.3

    def __call__(self, block: Block) -> list[Path]:
        if block in SHORT[-4:]:
            time.sleep(self.seconds)
        return super().__call__(block)


@dataclass(frozen=True)
class KillingLate(Work):
    """Kills its process once, in a block that is given out together with others."""

    def __call__(self, block: Block) -> list[Path]:
        if block == SHORT[150] and self.call(block) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(block)


@dataclass(frozen=True)
class DyingTogether(Work):
    """Workers that die at their first blocks, as jobs of one walltime do. A block that is done again notes from when to when."""

    def __call__(self, block: Block) -> list[Path]:
        if self.call(block) == 1 and block in BLOCKS[:2]:
            while not all((self.folder / "calls" / f"{name_of(b)}-1").exists() for b in BLOCKS[:2]):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        start = time.time()
        time.sleep(4 if block in BLOCKS[:2] else 0)
        (self.folder / "out" / name_of(block)).write_text(f"{start} {time.time()}")
        return []


def _die_when_recorded(ledger: Path, block: Block) -> None:
    line = " ".join(map(str, (*block.write.start, *block.write.stop))) + " "
    while not any(line in path.read_text() for path in ledger.glob("*.done")):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Elsewhere:
    """Work that cannot be unpacked where it is sent to."""

    error: Exception

    def __reduce__(self):
        return _raise, (self.error,)


def _raise(error):
    raise error


@dataclass(frozen=True)
class Locked(Work):
    lock: object = None


def name_of(block: Block) -> str:
    return "_".join(map(str, block.write.start))


@pytest.fixture(scope="module")
def local_dask():
    path = list(sys.path)
    sys.path.append(str(ROOT))  # so that the workers can import this file
    with make_executor(workers=2) as executor:
        yield executor
    sys.path[:] = path


@pytest.fixture(params=EXECUTORS)
def executor(request):
    if request.param == "serial":
        yield make_executor()
        return
    dask = request.getfixturevalue("local_dask")
    if request.param == "dask":
        yield dask
        return
    with make_executor(scheduler=dask.cluster.scheduler_address) as elsewhere:
        assert elsewhere.workers == 2
        yield elsewhere


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "calls").mkdir()
    return tmp_path


def calls(folder, block=None):
    return len(list((folder / "calls").glob(f"{name_of(block)}-*" if block else "*")))


def run(folder, executor, work, **options):
    Engine(folder, key="key", executor=executor, **options).run(Step("step", BLOCKS, work))


def test_each_block_has_one_outcome(executor, folder):
    outcomes = list(executor.outcomes(Work(folder), BLOCKS))
    assert {o.block for o in outcomes} == set(BLOCKS) and len(outcomes) == len(BLOCKS)
    assert [o.error for o in outcomes] == [None] * len(BLOCKS)
    assert {p.name for p in (folder / "out").iterdir()} == {name_of(b) for b in BLOCKS}


def test_blocks_are_asked_for_as_they_are_needed(executor, folder):
    asked = []
    endless = (asked.append(b) or b for _ in range(1000) for b in BLOCKS)
    outcomes = executor.outcomes(Work(folder), endless)
    next(outcomes)
    outcomes.close()
    assert len(asked) < 50


def test_the_order_of_blocks_does_not_matter(executor, folder, tmp_path_factory):
    run(folder, executor, Work(folder))
    other = tmp_path_factory.mktemp("other")
    (other / "out").mkdir(), (other / "calls").mkdir()
    Engine(other, key="key", executor=executor).run(Step("step", BLOCKS[::-1], Work(other)))
    for block in BLOCKS:
        assert (folder / "out" / name_of(block)).read_bytes() == (other / "out" / name_of(block)).read_bytes()


def test_an_error_is_an_outcome_with_its_traceback(executor, folder):
    outcomes = {o.block: o for o in executor.outcomes(Failing(folder), BLOCKS)}
    bad = outcomes.pop(BAD)
    assert bad.error == "OSError: no luck with this"
    assert "in __call__" in bad.trace and "test_executors.py" in bad.trace
    assert all(o.error is None for o in outcomes.values())


def test_a_block_that_fails_is_tried_again(executor, folder):
    run(folder, executor, Failing(folder, times=2))
    assert calls(folder, BAD) == 4  # two failures, and a success that notes itself twice


def test_a_block_that_fails_for_good_stops_no_other(executor, folder):
    with pytest.raises(BlocksFailedError, match=r"1 of 12 blocks of step failed \(.*OSError: no luck with this"):
        run(folder, executor, Failing(folder))
    assert calls(folder, BAD) == 3
    assert len(list((folder / "out").iterdir())) == len(BLOCKS) - 1


def test_bad_input_is_not_tried_again(executor, folder):
    with pytest.raises(BlocksFailedError, match="InputError"):
        run(folder, executor, Failing(folder, error=InputError))
    assert calls(folder, BAD) == 1


def test_a_second_run_does_what_is_left(executor, folder):
    with pytest.raises(BlocksFailedError):
        run(folder, executor, Failing(folder), retries=0)
    assert calls(folder) == len(BLOCKS)
    run(folder, executor, Work(folder))
    assert calls(folder) == len(BLOCKS) + 1
    run(folder, executor, Work(folder))
    assert calls(folder) == len(BLOCKS) + 1


def test_work_that_cannot_be_sent_says_so(local_dask, folder):
    with pytest.raises(InputError, match=r"cannot be sent to another process .*pickle.*plain values"):
        local_dask.outcomes(Locked(folder, threading.Lock()), BLOCKS)


def test_a_killed_worker_costs_its_block_only(local_dask, folder):
    run(folder, local_dask, Killing(folder, times=1), retries=0)
    assert calls(folder, BAD) == 3
    # The worker may have been at its next block; nothing that was finished is done again.
    assert calls(folder) <= len(BLOCKS) + 2 + 1


def test_a_block_that_kills_its_workers_fails_alone(local_dask, folder):
    with pytest.raises(BlocksFailedError, match=r"1 of 12 blocks.*the worker process died each time"):
        run(folder, local_dask, Killing(folder), retries=0)
    assert len(list((folder / "out").iterdir())) == len(BLOCKS) - 1


def test_blocks_of_workers_that_die_together_are_done_again_side_by_side(local_dask, folder, monkeypatch):
    monkeypatch.setattr("neurotome.blocks.cluster._LOOK_S", 0.1)
    local_dask.client.wait_for_workers(2)
    run(folder, local_dask, DyingTogether(folder), retries=0)
    (from_1, to_1), (from_2, to_2) = (map(float, (folder / "out" / name_of(b)).read_text().split()) for b in BLOCKS[:2])
    assert max(from_1, from_2) < min(to_1, to_2)
    assert len(list((folder / "out").iterdir())) == len(BLOCKS)


def test_a_worker_that_dies_when_its_block_is_finished_costs_little(local_dask, folder):
    run(folder, local_dask, KilledAfterwards(folder), retries=0)
    assert calls(folder, BAD) == 1
    # The worker may have been at its next block.
    assert calls(folder) <= len(BLOCKS) + 1


def test_long_blocks_among_short_ones_are_shared(local_dask, folder):
    local_dask.client.wait_for_workers(2)
    outcomes = list(local_dask.outcomes(LongAtTheEnd(folder), SHORT))
    assert sorted(o.block.write.start for o in outcomes) == [b.write.start for b in SHORT]
    assert calls(folder) == len(SHORT)
    assert len({(folder / "calls" / f"{name_of(block)}-1").read_text() for block in SHORT[-4:]}) == 2


def test_a_killed_worker_costs_no_short_block_that_it_had_finished(local_dask, folder):
    Engine(folder, key="key", executor=local_dask, retries=0).run(Step("step", SHORT, KillingLate(folder)))
    assert calls(folder, SHORT[150]) == 3
    assert all(calls(folder, block) == 1 for block in SHORT if block != SHORT[150])


def test_a_worker_that_dies_before_it_has_begun_is_replaced(local_dask, folder):
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "0.2s"}):
        for nanny in list(local_dask.cluster.workers.values()):
            local_dask.client.sync(nanny.close)
        run(folder, local_dask, Work(folder))
    assert calls(folder) == len(BLOCKS)


def test_a_worker_with_another_neurotome_is_named(local_dask, folder, monkeypatch):
    monkeypatch.setattr("neurotome.blocks.cluster.here", lambda folder: replace(here(folder), sources="0123456789ab"))
    with pytest.raises(
        InputError, match=r"Worker tcp://\S+ has another neurotome: source files \(hash\) \w{12}, and 0123456789ab"
    ):
        run(folder, local_dask, Work(folder))
    assert calls(folder) == 0


def test_a_worker_that_does_not_see_the_folder_is_named(local_dask, folder):
    with pytest.raises(InputError, match=r"Worker tcp://\S+ does not see the run's folder '/absent/run'"):
        list(local_dask.outcomes(Work(folder), BLOCKS, folder=Path("/absent/run")))


@pytest.mark.parametrize("error", [ModuleNotFoundError("No module named 'lab'"), AttributeError("no such function")])
def test_a_worker_that_cannot_begin_says_so(local_dask, folder, error):
    with pytest.raises(InputError, match=r"A worker cannot begin its work \(\w+Error: [Nn]o "):
        list(local_dask.outcomes(Elsewhere(error), BLOCKS))


def test_a_scheduler_without_workers_is_noticed(folder, monkeypatch, caplog):
    monkeypatch.setattr("neurotome.blocks.cluster.ALONE_S", 0.3)
    monkeypatch.setattr("neurotome.blocks.cluster.ALONE_AGAIN_S", 0.3)
    monkeypatch.setattr("neurotome.blocks.cluster._LOOK_S", 0.1)
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address=None, scheduler_kwargs={"dashboard": False}) as empty,
        make_executor(scheduler=empty.scheduler_address) as executor,
    ):
        outcomes = executor.outcomes(Work(folder), BLOCKS)
        waiting = threading.Thread(target=lambda: list(outcomes))
        waiting.start()
        while caplog.text.count("has had no worker for") < 2:
            time.sleep(0.05)
        empty.scale(1)
        waiting.join(30)
    assert calls(folder) == len(BLOCKS)


def test_workers_use_one_thread(local_dask):
    threads = local_dask.client.run(os.getenv, "NUMBA_NUM_THREADS")
    assert set(threads.values()) == {"1"}


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr("neurotome.blocks.cluster.ANSWER_S", 0.5)
    with pytest.raises(InputError, match=r"No Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        make_executor(scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("address", ["foo", "127.0.0.1:8786", "http://127.0.0.1:8786"])
def test_what_is_no_address_is_refused_at_once(address):
    start = time.monotonic()
    with pytest.raises(InputError, match=rf"'{address}' is no address of a Dask scheduler.*tcp://HOST:PORT"):
        make_executor(scheduler=address)
    assert time.monotonic() - start < 1


def test_somebody_else_at_the_address(monkeypatch):
    monkeypatch.setattr("neurotome.blocks.cluster.ANSWER_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match=rf"No Dask scheduler answers at '{address}' \(timed out\)"):
            make_executor(scheduler=address)
