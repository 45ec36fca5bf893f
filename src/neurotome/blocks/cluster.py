"""Blocks on other processes and machines through Dask: on this one, on any scheduler, or on SLURM."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import logging
import os
import shutil
import signal
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from itertools import islice
from time import monotonic
from traceback import format_tb
from types import TracebackType
from typing import Any

import dask.config
from distributed import Client, Future, KilledWorker, LocalCluster, Nanny, Worker, WorkerPlugin, as_completed
from distributed.protocol import pickle

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
# Blocks given out per worker: one being worked on, the others waiting so that the worker need not.
_AHEAD = 4
_LOOK_S = 2.0
ANSWER_S = 10.0
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

    Raises InputError when nothing answers there.
    """
    try:
        client = Client(address, timeout=ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at '{address}' ({error})", "an address like tcp://host:8786", "start `dask scheduler`"
        ) from error
    return DaskExecutor(client, max(1, _cores(client)))


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


def _slurm_value(name: str, value: str) -> Any:
    if name in {"cores", "processes", "job_cpu"}:
        return int(value)
    if name in {"job_extra_directives", "job_directives_skip", "job_script_prologue", "worker_extra_args"}:
        return [part.strip() for part in value.split(";")]
    return value


class DaskExecutor(AbstractContextManager["DaskExecutor"]):
    """See `Executor`. cluster: one that ends with the executor; None where the workers belong to somebody else."""

    def __init__(self, client: Client, workers: int, cluster: Any = None) -> None:
        self.client, self.workers, self.cluster = client, workers, cluster
        self._looked = monotonic()

    def outcomes(self, work: BlockFunction, blocks: Iterable[Block]) -> Generator[Outcome, None, None]:
        return self._outcomes(_packed(work), blocks)

    def _outcomes(self, packed: bytes, blocks: Iterable[Block]) -> Generator[Outcome, None, None]:
        suspects: list[Block] = []
        for block, outcome in self._finished(packed, blocks, alone=False):
            if outcome is None:
                suspects.append(block)
            else:
                yield outcome
        # Several blocks may have been with a worker that died. One at a time, it is certain which of them is to blame.
        for block, outcome in self._finished(packed, suspects, alone=True):
            yield outcome or Outcome(block, DIED)

    def _finished(self, packed: bytes, blocks: Iterable[Block], *, alone: bool) -> Iterator[tuple[Block, Outcome | None]]:
        """Each block with its outcome as they finish, None when its worker died; a bounded number is under way at a time."""
        waiting = iter(blocks)
        under_way: dict[Future, Block] = {}
        finished = as_completed(loop=self.client.loop, with_results=True, raise_errors=False)
        try:
            while True:
                room = (1 if alone else self._window()) - len(under_way)
                for block in islice(waiting, max(0, room)):
                    future = self.client.submit(_attempt, packed, block, pure=False)
                    under_way[future] = block
                    finished.add(future)
                if not under_way:
                    return
                for future, result in self._next(finished):
                    block = under_way.pop(future)
                    yield block, _outcome(block, result)
        finally:
            if under_way:
                with suppress(Exception):
                    self.client.cancel(list(under_way), force=True)

    def _next(self, finished: as_completed) -> list[tuple[Future, Any]]:
        """The futures that are ready, at least one, and what they gave."""
        while not finished.has_ready():
            with finished.thread_condition:
                finished.thread_condition.wait(timeout=0.1)
            if monotonic() - self._looked > _LOOK_S:
                self._looked = monotonic()
                self._look_after_workers()
        return list(finished.next_batch())

    def _look_after_workers(self) -> None:
        if self.cluster is None:
            # On a scheduler that is not ours workers come and go.
            self.workers = max(1, _cores(self.client))
        elif len(self.cluster.workers) < self.workers:
            # A worker that dies once it has started is started again by Dask; one that dies before, or whose job ends, is not.
            self.cluster.scale(n=self.workers)

    def _window(self) -> int:
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


def _attempt(packed: bytes, block: Block) -> Outcome:
    return attempt(_unpacked(packed), block)


def _outcome(block: Block, result: Any) -> Outcome | None:
    """What came back for a block: its outcome, an error of Dask's as (type, error, traceback), or the end of the scheduler."""
    if isinstance(result, Outcome):
        return result
    if isinstance(result, BaseException):
        raise RunFailedError("The Dask scheduler has gone", "it to stay until the end", "run the same command again")
    _, error, trace = result
    if isinstance(error, KilledWorker):
        return None
    return Outcome(block, " ".join(f"{type(error).__name__}: {error}".split()), "".join(format_tb(trace)))


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
