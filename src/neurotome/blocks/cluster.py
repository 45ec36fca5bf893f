"""Blocks on other processes and machines through Dask: on this one, on any scheduler, or on SLURM."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from time import monotonic
from traceback import format_tb
from types import TracebackType
from typing import Any

import dask.config
from distributed import Client, Future, KilledWorker, LocalCluster, Nanny, Worker, WorkerPlugin, as_completed, get_worker
from distributed.comm.addressing import parse_host_port
from distributed.protocol import pickle

from neurotome.blocks.alike import Here, here, require_alike
from neurotome.blocks.executor import BlockFunction, Outcome, attempt
from neurotome.core import Block, InputError, MissingExtraError, RunFailedError

__all__ = ["DaskExecutor", "at", "local", "slurm"]

_log = logging.getLogger(__name__)

# One block is one core's: what would split it further only fights the other workers.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
# For schedulers of our own. A block whose worker died comes back to us at once (see `_outcomes`); a kernel that holds the
# interpreter for minutes is no reason to give its worker up.
SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-ttl": None,
    "distributed.nanny.pre-spawn-environ": ONE_THREAD,
}
# Port 0: any that is free, where two runs on a machine would ask for the same.
NO_DASHBOARD = {"dashboard": False, "dashboard_address": ":0"}
# Bundles given out per worker: one being worked on, the others waiting so that the worker need not.
_AHEAD = 4
# A bundle is one block, or as many short ones as are done in this time: a task costs Dask milliseconds, whatever is in it.
_BUNDLE_S = 0.1
_MOST_BLOCKS = 64
_LOOK_S = 2.0
ANSWER_S = 10.0
# Without any worker: when to say so, and how often again.
ALONE_S, ALONE_AGAIN_S = 20.0, 60.0
_ADDRESS = ("tcp://", "tls://")
# A job's workers retire this long before SLURM would kill them, not all at the same time.
_RETIRE_S, _RETIRE_PART = 600.0, 0.2
_SLURM_MEMORY = "8GB"
DIED = "the worker process died each time it was at this block (out of memory, or killed)"

# What Dask says is for those who run its machinery; what matters comes back as an outcome.
for _name in ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def local(workers: int) -> DaskExecutor:
    """Processes on this machine. They end with this process, however it ends."""
    with dask.config.set(SETTINGS), _environment_kept():
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address=None,
            scheduler_kwargs=NO_DASHBOARD,
            silence_logs=logging.CRITICAL,
        )
    executor = DaskExecutor(Client(cluster, set_as_default=False), workers, cluster)
    executor.client.register_plugin(_DeafToInterrupts())
    return executor


def at(address: str) -> DaskExecutor:
    """The workers of a running scheduler, "tcp://host:port". They need neurotome and see the same files under the same paths.

    Raises InputError when it is no address, or nothing answers there.
    """
    if not address.startswith(_ADDRESS):
        raise InputError(
            f"'{address}' is no address of a Dask scheduler", "tcp://HOST:PORT or tls://HOST:PORT", "correct --scheduler"
        )
    try:
        _require_greeting(address)
        client = Client(address, timeout=ANSWER_S, set_as_default=False)
    except Exception as error:  # what is no scheduler makes Dask stumble over whatever it says
        words = " ".join(f"{error}".split())
        raise InputError(
            f"No Dask scheduler answers at '{address}' ({words})", "an address like tcp://host:8786", "start `dask scheduler`"
        ) from error
    return DaskExecutor(client, max(1, _cores(client)))


def _require_greeting(address: str) -> None:
    """Raises TimeoutError when somebody is there who does not speak first, as a scheduler does: Dask would wait for ever."""
    if not address.startswith("tcp://"):
        return
    with suppress(ConnectionError), socket.create_connection(parse_host_port(address.removeprefix("tcp://")), ANSWER_S) as there:
        there.recv(1)


def slurm(options: Mapping[str, str], workers: int) -> DaskExecutor:
    """`workers` SLURM jobs of one core each. See `slurm_cluster` for the options."""
    cluster = slurm_cluster(options)
    if shutil.which(cluster.job_cls.submit_command) is None:
        cluster.close()
        raise InputError("SLURM's sbatch is not on this machine", "a login node of the cluster", "start the run there")
    cluster.scale(n=workers)
    return DaskExecutor(Client(cluster, set_as_default=False), workers, cluster)


def slurm_cluster(options: Mapping[str, str]) -> Any:
    """A `dask_jobqueue.SLURMCluster` without jobs yet.

    options: partition, account, walltime, memory (per job), and whatever else `SLURMCluster` takes, as words; several words
    of a list (job_extra_directives) are parted by semicolons.

    Raises MissingExtraError without dask-jobqueue, InputError for an option it does not know.
    """
    try:
        from dask_jobqueue import SLURMCluster  # type: ignore[attr-defined]
    except ImportError as error:
        raise MissingExtraError("dask-jobqueue", "slurm") from error
    given = {"queue" if name == "partition" else name: _slurm_value(name, value) for name, value in options.items()}
    given.setdefault("memory", _SLURM_MEMORY)
    given.setdefault("cores", 1)
    # A process per core: blocks of one process would share its interpreter lock.
    given.setdefault("processes", given["cores"])
    given["worker_extra_args"] = [*_lifetime(given), *given.get("worker_extra_args", [])]
    exports = [f"export {name}={value}" for name, value in ONE_THREAD.items()]
    given["job_script_prologue"] = [*exports, *given.get("job_script_prologue", [])]
    try:
        # A job first: a cluster that is refused half way complains when it is thrown away.
        SLURMCluster.job_cls(scheduler="tcp://0.0.0.0:0", name="0", **given)
        with dask.config.set(SETTINGS):
            return SLURMCluster(**given, scheduler_options=NO_DASHBOARD, silence_logs=logging.CRITICAL)
    except (TypeError, ValueError) as error:
        named = ", ".join(f"{name}={value}" for name, value in options.items())
        raise InputError(
            f"SLURM cannot be asked with {named} ({error})", "options of dask_jobqueue.SLURMCluster", "correct --slurm"
        ) from error


def _lifetime(given: Mapping[str, Any]) -> list[str]:
    """Options of a worker that let it retire before its job is killed: what it is at is then given to another, without blame."""
    seconds = walltime_seconds(str(given.get("walltime") or dask.config.get("jobqueue.slurm.walltime", "")))
    if seconds is None or any(word.startswith("--lifetime") for word in given.get("worker_extra_args", [])):
        return []
    margin = min(_RETIRE_S, _RETIRE_PART * seconds)
    return [f"--lifetime {seconds - margin:.0f}s", f"--lifetime-stagger {margin / 2:.0f}s"]


def walltime_seconds(text: str) -> float | None:
    """A duration as SLURM writes it ("90", "90:00", "1:30:00", "2-12", "2-12:30"); None when it is none.

    >>> [walltime_seconds(text) for text in ("90", "90:00", "1:30:00", "0-1:30", "soon")]
    [5400, 5400, 5400, 5400, None]
    """
    days, dash, rest = text.rpartition("-")
    try:
        numbers = [int(part) for part in rest.split(":")]
        whole_days = int(days) if dash else 0
    except ValueError:
        return None
    # With days the first number is hours; without, a single one is minutes, and two are minutes and seconds.
    hours, minutes, seconds = ([*numbers, 0, 0][:3]) if dash or len(numbers) > 2 else ([0, *numbers, 0][:3])
    return ((24 * whole_days + hours) * 60 + minutes) * 60 + seconds


def _slurm_value(name: str, value: str) -> Any:
    if name in {"cores", "processes", "job_cpu"}:
        return int(value)
    if name in {"job_extra_directives", "job_directives_skip", "job_script_prologue", "worker_extra_args"}:
        return [part.strip() for part in value.split(";")]
    return value


class DaskExecutor(AbstractContextManager["DaskExecutor"]):
    """See `Executor`. cluster: one that ends with the executor; None where the workers belong to somebody else."""

    # Dask itself repeats what had been finished on a worker that died, and not been fetched.
    repeats = True

    def __init__(self, client: Client, workers: int, cluster: Any = None) -> None:
        self.client, self.workers, self.cluster = client, workers, cluster
        self._looked = monotonic()
        self._absence = _Absence()

    def outcomes(
        self, work: BlockFunction, blocks: Iterable[Block], *, folder: Path | None = None
    ) -> Generator[Outcome, None, None]:
        expected = here(folder)
        return self._outcomes(_Task(_packed(work), expected), blocks)

    def _outcomes(self, task: _Task, blocks: Iterable[Block]) -> Generator[Outcome, None, None]:
        dead: list[_Dead] = []
        yield from self._finished(task, blocks, dead, window=self._ahead, most=_MOST_BLOCKS)
        # Workers that die had several blocks each. With one block each it is certain which of them is to blame; should a
        # worker have had two all the same, these are done one at a time.
        suspects, dead = [d.block for d in dead], []
        yield from self._finished(task, suspects, dead, window=lambda: max(1, _cores(self.client)), most=1)
        with_it = Counter(d.worker for d in dead)
        yield from (Outcome(d.block, DIED) for d in dead if with_it[d.worker] == 1)
        suspects, dead = [d.block for d in dead if with_it[d.worker] > 1], []
        yield from self._finished(task, suspects, dead, window=lambda: 1, most=1)
        yield from (Outcome(d.block, DIED) for d in dead)

    def _finished(
        self, task: _Task, blocks: Iterable[Block], dead: list[_Dead], *, window: Callable[[], int], most: int
    ) -> Iterator[Outcome]:
        """The outcomes of blocks as they finish; those whose worker died are added to `dead` instead.

        window: how many bundles may be under way at a time; most: blocks in a bundle.
        """
        waiting = _Waiting(blocks, most=most)
        under_way: dict[Future, list[Block]] = {}
        finished = as_completed(loop=self.client.loop, with_results=True, raise_errors=False)
        try:
            while True:
                room = window() - len(under_way)
                while room > 0 and (bundle := waiting.bundle()):
                    future = self.client.submit(_attempt, task, bundle, pure=False)
                    under_way[future] = bundle
                    finished.add(future)
                    room -= 1
                if not under_way:
                    return
                for future, result in self._next(finished):
                    bundle = under_way.pop(future)
                    if isinstance(result, _Attempted):
                        waiting.learn(bundle, result)
                        yield from result.outcomes
                    elif killed := _killed(bundle, result):
                        dead.extend(killed)
                    else:
                        yield from _not_done(bundle, result)
        finally:
            if under_way:
                with suppress(Exception):
                    self.client.cancel(list(under_way), force=True)

    def _next(self, finished: as_completed) -> list[tuple[Future, Any]]:
        """The futures that are ready and what they gave; none now and then, because more workers may be there by now."""
        while not finished.has_ready():
            with finished.thread_condition:
                finished.thread_condition.wait(timeout=0.1)
            if monotonic() - self._looked > _LOOK_S:
                self._looked = monotonic()
                self._look_after_workers()
                break
        return list(finished.next_batch(block=False))

    def _look_after_workers(self) -> None:
        with suppress(OSError):
            cores = _cores(self.client)
            self._absence.note(cores)
            if self.cluster is None:
                # On a scheduler that is not ours workers come and go.
                self.workers = max(1, cores)
        if self.cluster is not None and len(self.cluster.workers) < self.workers:
            # A worker that dies once it has started is started again by Dask; one that dies before, or whose job ends, is not.
            self.cluster.scale(n=self.workers)

    def _ahead(self) -> int:
        return _AHEAD * self.workers

    def close(self) -> None:
        cluster, self.cluster = self.cluster, None
        if cluster is not None:
            _kill_workers(cluster)
        with suppress(Exception):
            self.client.close(timeout=2)
        if cluster is not None:
            cluster.close(timeout=10)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _packed(work: BlockFunction) -> bytes:
    """The work as bytes, once for all blocks."""
    try:
        return bytes(pickle.dumps(work))
    except Exception as error:
        raise InputError(
            f"The work cannot be sent to another process ({type(error).__name__}: {error})",
            "a dataclass of plain values: paths, numbers, other such dataclasses",
            "let it open what it needs when it is called, or give --workers 1",
        ) from error


@lru_cache(maxsize=4)
def _unpacked(packed: bytes) -> BlockFunction:
    work: BlockFunction = pickle.loads(packed)
    return work


@dataclass(frozen=True)
class _Attempted:
    """What a worker says of a bundle: how it went with the blocks that it came to, the first ones."""

    outcomes: Sequence[Outcome]
    seconds: float


@dataclass(frozen=True)
class _Task:
    """What a worker is to do with a bundle, and what it must have in common with this process."""

    packed: bytes
    expected: Here


@dataclass(frozen=True)
class _Dead:
    """A block whose worker died."""

    block: Block
    worker: str


def _attempt(task: _Task, bundle: Sequence[Block]) -> _Attempted:
    """Do the blocks of a bundle until its time is over, the first in any case."""
    require_alike(task.expected, get_worker().address)
    work, start = _unpacked(task.packed), monotonic()
    outcomes = []
    for block in bundle:
        outcomes.append(attempt(work, block))
        if monotonic() - start > _BUNDLE_S:
            break
    return _Attempted(outcomes, monotonic() - start)


class _Waiting:
    """Blocks that are yet to be given out, in bundles that grow while blocks turn out to be short."""

    def __init__(self, blocks: Iterable[Block], *, most: int) -> None:
        self._blocks, self._most, self._size = iter(blocks), most, 1
        self._returned: deque[Block] = deque()

    def bundle(self) -> list[Block]:
        """The next blocks, none when there are no more."""
        again = [self._returned.popleft() for _ in range(min(self._size, len(self._returned)))]
        return again + list(islice(self._blocks, self._size - len(again)))

    def learn(self, bundle: Sequence[Block], attempted: _Attempted) -> None:
        """Take back what a worker did not come to: one block took long, and the others need not wait for such."""
        done = len(attempted.outcomes)
        self._returned.extend(bundle[done:])
        if done < len(bundle):
            self._size = done
        elif attempted.seconds < _BUNDLE_S / 2:
            self._size = min(self._most, max(self._size, 2 * done))


def _killed(bundle: Sequence[Block], result: Any) -> list[_Dead]:
    """The blocks of a bundle whose worker died; none where Dask's error is another."""
    error = None if isinstance(result, BaseException) else result[1]
    return [_Dead(block, error.last_worker.address) for block in bundle] if isinstance(error, KilledWorker) else []


def _not_done(bundle: Sequence[Block], result: Any) -> list[Outcome]:
    """The outcomes of a bundle that Dask has an error for: (type, error, traceback), or the end of the scheduler.

    Raises RunFailedError when the scheduler has gone, InputError when a worker has another neurotome or other files.
    """
    if isinstance(result, BaseException):
        raise RunFailedError("The Dask scheduler has gone", "it to stay until the end", "run the same command again")
    _, error, trace = result
    words, lines = " ".join(f"{type(error).__name__}: {error}".split()), "".join(format_tb(trace))
    if isinstance(error, InputError):
        raise error
    if isinstance(error, (ImportError, AttributeError)):
        raise InputError(
            f"A worker cannot begin its work ({words})",
            "neurotome and all that it needs to be installed there as it is here",
            "install the same for the workers and start them again",
        ) from error
    return [Outcome(block, words, lines) for block in bundle]


class _Absence:
    """Says that there is nobody to do the work: at first after a while, then every minute."""

    def __init__(self) -> None:
        self._since = monotonic()
        self._say_at = self._since + ALONE_S

    def note(self, cores: int) -> None:
        now = monotonic()
        if cores:
            self._since, self._say_at = now, now + ALONE_S
        elif now >= self._say_at:
            self._say_at = now + ALONE_AGAIN_S
            _log.warning("the Dask scheduler has had no worker for %.0f s: the blocks wait until there is one", now - self._since)


def _cores(client: Client) -> int:
    return sum(client.nthreads().values())


def _kill_workers(cluster: Any) -> None:
    """End the processes of a cluster on this machine at once: nobody waits for the blocks they may be at."""
    for nanny in cluster.workers.values():
        if isinstance(nanny, Nanny):
            nanny.close_gracefully()
            if nanny.pid:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL)


class _DeafToInterrupts(WorkerPlugin):
    """Ctrl-C reaches every process of a terminal; this one ends the workers, so that they need not complain themselves."""

    def setup(self, worker: Worker) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Dask sets what workers are to inherit in this process, too."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
