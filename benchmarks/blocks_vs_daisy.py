"""Work on blocks: neurotome's engine against daisy, with the same block functions on the same blocks in the same run.

    python benchmarks/blocks_vs_daisy.py --daisy FOLDER                                     # where daisy was installed, see below
    python benchmarks/blocks_vs_daisy.py --daisy FOLDER --probability FILE.ome.zarr         # labelling, too
    python benchmarks/blocks_vs_daisy.py --daisy FOLDER --cases trivial facts               # some of it

daisy (MIT) is no dependency. Install it beside:
pip install --target FOLDER --no-deps daisy==2.0.0 funlib-geometry tqdm cloudpickle

trivial     writes one file of 100 bytes: what is left is overhead
labelling   `neurons.blockwise.FindPieces` on affinities, 16 blocks of 16 x 256 x 256
prediction  `boundary.PredictBlock` with the default model, 4 blocks of 4 x 256 x 256 of SNEMI3D
facts       what is done again after damage, a kill, and a change of settings

Each measurement is a process of its own, with one thread per process; the ways to run the blocks take turns.

seconds       from the call that runs the blocks to its return; workers are started and stopped within it
start + stop  until the first block begins (Python starts, modules are imported), and from the end of the last to the return
function      time within the block function, per block
overhead      (end of the last block - begin of the first) * workers - time within the block function, per block: what a worker
              does, or waits for, between its blocks
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from neurotome.blocks import Engine, Executor, Step, Work, blocks_of, make_executor
from neurotome.core import Block, Box, Grid, RunFolderError

CASES = ("trivial", "labelling", "prediction", "facts")
# system, workers (0: in the process itself), whether finished blocks are recorded
WAYS = [(system, workers, recorded) for recorded in (False, True) for workers in (0, 1, 2) for system in ("neurotome", "daisy")]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
LABEL_SHAPE, LABEL_BOX = (16, 256, 256), Box((0, 0, 0), (16, 1024, 1024))
PREDICT_SHAPE, PREDICT_BOX = (4, 256, 256), Box((0, 256, 256), (4, 768, 768))
FACT_BLOCKS = 60


@dataclass(frozen=True)
class Trivial:
    """Writes one small file. seconds: how long it takes at least."""

    folder: Path
    content: bytes = b"x" * 100
    seconds: float = 0.0

    def __call__(self, block: Block) -> Sequence[Path]:
        time.sleep(self.seconds)
        path = self.folder / "_".join(map(str, block.write.start))
        path.write_bytes(self.content)
        return [path]


@dataclass(frozen=True)
class Timed:
    """Notes when each block began and ended, on the clock that all processes share, in one file per process."""

    work: Work
    notes: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        begin = time.monotonic()
        files = self.work(block)
        end = time.monotonic()
        _note(self.notes, json.dumps([begin, end, block.write.start]))
        return files


_open_notes: dict[int, int] = {}


def _note(folder: Path, line: str) -> None:
    if os.getpid() not in _open_notes:
        _open_notes[os.getpid()] = os.open(folder / f"{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(_open_notes[os.getpid()], f"{line}\n".encode())


def _noted(folder: Path) -> list[list]:
    return [json.loads(line) for path in folder.iterdir() for line in path.read_text().splitlines()]


@dataclass(frozen=True)
class Case:
    """One block function: `make(folder)` prepares its files and gives it, `blocks` are what it is called with."""

    blocks: Sequence[Block]
    make: Callable[[Path], Work]


def _trivial(blocks: int, **work: object) -> Case:
    def make(folder: Path) -> Work:
        (folder / "out").mkdir(exist_ok=True)
        return Trivial(folder / "out", **work)  # type: ignore[arg-type]

    return Case(blocks_of(Grid((blocks, 1, 1), (1, 1, 1)), (1, 1, 1)), make)


def _labelling(probability: str) -> Case:
    from neurotome.io import ome_zarr, open_probability
    from neurotome.neurons import AgglomerateSettings
    from neurotome.neurons.blockwise.lattice import Lattice
    from neurotome.neurons.blockwise.pieces import FindPieces, ProbabilityFile, halo
    from neurotome.neurons.blockwise.workspace import Workspace

    settings, grid = AgglomerateSettings(), open_probability(probability).grid
    lattice = Lattice(grid.shape, LABEL_SHAPE)

    def make(folder: Path) -> Work:
        path = folder / "pieces.ome.zarr"
        ome_zarr.create(path, shape=grid.shape, dtype="uint32", grid=grid, chunk=LABEL_SHAPE, shard=LABEL_SHAPE)
        return FindPieces(ProbabilityFile(probability), settings, Workspace(folder / "workspace", lattice), path)

    return Case([b for b in lattice.blocks(*halo(settings)) if _within(b.write, LABEL_BOX)], make)


def _prediction() -> Case:
    from neurotome import boundary
    from neurotome.datasets import load
    from neurotome.io import ome_zarr, save

    crop = load("snemi3d", "labelled").image.crop(PREDICT_BOX)
    grid = Grid(crop.grid.shape, crop.grid.voxel_nm)

    def make(folder: Path) -> Work:
        save(crop, folder / "image.ome.zarr")
        ready = boundary.prepared(boundary.ImageFile(str(folder / "image.ome.zarr")), boundary.DEFAULT_MODEL, averaging=1)
        out, shape = folder / "out.ome.zarr", (len(ready.channels), *grid.shape)
        ome_zarr.create(
            out, shape=shape, dtype="uint8", grid=grid, channels=ready.channels, chunk=PREDICT_SHAPE, shard=PREDICT_SHAPE
        )
        return ready.work(out, folder / "scales.npz")

    return Case(blocks_of(grid, PREDICT_SHAPE), make)


def _within(box: Box, outer: Box) -> bool:
    return all(a <= b for a, b in zip(outer.start, box.start)) and all(a <= b for a, b in zip(box.stop, outer.stop))


@dataclass(frozen=True)
class ForDaisy:
    """A block function as daisy calls it: the same Block reaches the same work."""

    work: Work
    blocks: dict[tuple[int, ...], Block]

    def __call__(self, block) -> None:  # type: ignore[no-untyped-def]
        self.work(self.blocks[tuple(block.write_roi.begin)])


def _run_neurotome(case: Case, work: Work, folder: Path, workers: int, *, recorded: bool) -> bool:
    with _executor(workers) as executor:
        if recorded:
            Engine(folder, key=zlib.crc32(repr(work).encode()).__format__("x"), executor=executor).run(
                Step("step", case.blocks, work)
            )
            return True
        return all(outcome.error is None for outcome in executor.outcomes(work, case.blocks))


def _executor(workers: int) -> Executor:
    if workers != 1:
        return make_executor(workers=workers or 1)
    # One worker is a process of its own for daisy, too.
    from neurotome.blocks import cluster

    return cluster.local(1)


def _run_daisy(case: Case, work: Work, folder: Path, workers: int, *, recorded: bool) -> bool:
    import daisy
    from daisy.logging import set_log_basedir

    set_log_basedir(str(folder / "logs"))
    start, stop = case.blocks[0].write.start, case.blocks[-1].write.stop
    first = case.blocks[0].write.shape
    # The halo is the work's own affair; for daisy, no two blocks depend on each other.
    task = daisy.Task(
        task_id="step",
        total_roi=daisy.Roi(start, [b - a for a, b in zip(start, stop)]),
        read_roi=daisy.Roi((0, 0, 0), first),
        write_roi=daisy.Roi((0, 0, 0), first),
        process_function=ForDaisy(work, {b.write.start: b for b in case.blocks}),
        read_write_conflict=False,
        fit="shrink",
        max_workers=workers or 1,
        tracking_path=str(folder / "tracking") if recorded else False,
    )
    with redirect_stdout(sys.stderr):
        return bool(daisy.run_blockwise(task, multiprocessing=workers > 0, progress=False))


def one(name: str, system: str, workers: int, recorded: bool, folder: Path, given: dict) -> None:  # noqa: FBT001
    """One measurement, in this process; prints a line of JSON."""
    make_case = {"trivial": _trivial, "labelling": _labelling, "prediction": _prediction}[name]
    case = make_case(**given)
    notes = folder / "notes"
    notes.mkdir(exist_ok=True)
    work = Timed(case.make(folder), notes)
    before = len(_noted(notes))
    if system == "daisy":
        import daisy  # noqa: F401
    elif workers:
        import neurotome.blocks.cluster  # noqa: F401
    run = {"neurotome": _run_neurotome, "daisy": _run_daisy}[system]
    began = time.monotonic()
    try:
        well = run(case, work, folder, workers, recorded=recorded)
    except RunFolderError as error:
        well = str(error)
    seconds = time.monotonic() - began
    calls = _noted(notes)
    blocks = len(case.blocks)
    first, last = min((c[0] for c in calls), default=began), max((c[1] for c in calls), default=began)
    inside = sum(end - begin for begin, end, _ in calls)
    print(
        json.dumps(
            {
                "well": well,
                "blocks": blocks,
                "calls": len(calls) - before,
                "seconds": seconds,
                "outside": seconds - (last - first),
                "inside": inside / blocks,
                "overhead": ((last - first) * (workers or 1) - inside) / blocks,
                "digest": _digest(folder),
            }
        )
    )


def _digest(folder: Path) -> int:
    """Of what the blocks wrote, whoever ran them."""
    check = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        if name.parts[0] not in {"notes", "blocks", "tracking", "logs"}:
            check = zlib.crc32(path.read_bytes(), zlib.crc32(str(name).encode(), check))
    return check


def main() -> None:
    options = _options()
    print(", ".join(f"{name} {_version(name, options.daisy)}" for name in ("neurotome", "distributed", "daisy")))
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {options.repeats} runs of each; median (least to most)\n")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    if {"trivial", "labelling", "prediction"} & set(options.cases):
        _print_speed(options)
    if "facts" in options.cases:
        _print_facts(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daisy", type=Path, required=True, help="folder daisy was installed into with pip --target")
    parser.add_argument("--probability", type=Path, help="OME-Zarr of affinities, at least 16 x 1024 x 1024, for labelling")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--blocks", type=int, default=2000, help="of the trivial case")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="folder for the working files (default: the system's, removed at the end)")
    return parser.parse_args()


def _version(name: str, folder: Path) -> str:
    found = importlib.metadata.distributions(name=name, path=[*sys.path, str(folder)])
    return next((d.version for d in found), "not installed")


def _print_speed(options: argparse.Namespace) -> None:
    units = "seconds | start + stop, s | function, ms | ms/block | overhead, ms/block"
    print(f"| case | system | workers | recorded | blocks | {units} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    cases = {"trivial": {"blocks": options.blocks}, "labelling": {"probability": str(options.probability)}, "prediction": {}}
    for name, given in cases.items():
        if name not in options.cases or (name == "labelling" and options.probability is None):
            continue
        ways = [way for way in WAYS if way[2] or name == "trivial"]
        runs: dict[tuple, list[dict]] = {way: [] for way in ways}
        for k in range(options.repeats):
            # Each way in another place each time: what the machine does besides does not fall on one of them.
            turn = ways[k % 2 :: 2] + ways[(k + 1) % 2 :: 2]
            for way in turn if k % 2 else turn[::-1]:
                with _folder(options.keep) as folder:
                    runs[way].append(_measure(options, name, way, Path(folder), given))
        for way, results in runs.items():
            _print_row(name, way, results)
        _print_ratios(runs)
        digests = {result["digest"] for results in runs.values() for result in results}
        print(f"| | {'all wrote the same bytes' if len(digests) == 1 else 'THE BYTES DIFFER'} | | | | | | | | |", flush=True)


def _folder(parent: Path | None) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=parent, prefix="blocks-")


def _measure(options: argparse.Namespace, name: str, way: tuple, folder: Path, given: dict) -> dict:
    process = _start(options, name, way, folder, given)
    said, complaint = process.communicate()
    if process.returncode:
        sys.exit(f"{name} {way} failed:\n{complaint[-3000:]}")
    result = json.loads(said.splitlines()[-1])
    if result["well"] is False:
        sys.exit(f"{name} {way}: blocks failed:\n{complaint[-3000:]}")
    return result


def _start(options: argparse.Namespace, name: str, way: tuple, folder: Path, given: dict) -> subprocess.Popen[str]:
    """The measurement in a process (and process group) of its own. Not as a script: workers import this file by its name."""
    code = f"import blocks_vs_daisy as b, pathlib; b.one({name!r}, *{way!r}, pathlib.Path({str(folder)!r}), {given!r})"
    seen = [str(Path(__file__).parent.absolute()), *([str(options.daisy.absolute())] if way[0] == "daisy" else [])]
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(seen)}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _print_row(name: str, way: tuple, results: list[dict]) -> None:
    system, workers, recorded = way
    blocks = results[0]["blocks"]
    numbers = [
        _spread([r["seconds"] for r in results], 2),
        f"{statistics.median(r['outside'] for r in results):.2f}",
        f"{statistics.median(r['inside'] for r in results) * 1e3:.2f}",
        f"{statistics.median(r['seconds'] for r in results) / blocks * 1e3:.2f}",
        _spread([r["overhead"] * 1e3 for r in results], 2),
    ]
    words = [name, system, str(workers or "in process"), "yes" if recorded else "no", str(blocks), *numbers]
    print(f"| {' | '.join(words)} |", flush=True)


def _spread(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _print_ratios(runs: dict[tuple, list[dict]]) -> None:
    """neurotome / daisy, run by run."""
    for system, workers, recorded in runs:
        if system == "daisy":
            continue
        pairs = list(zip(runs["neurotome", workers, recorded], runs["daisy", workers, recorded], strict=True))
        ratios = [_spread([ours[key] / theirs[key] for ours, theirs in pairs], 2) for key in ("seconds", "overhead")]
        words = ["", "neurotome / daisy", str(workers or "in process"), "yes" if recorded else "no", "", ratios[0]]
        print(f"| {' | '.join([*words, '', '', '', ratios[1]])} |")


def _print_facts(options: argparse.Namespace) -> None:
    print(f"\n{FACT_BLOCKS} trivial blocks, 2 workers, finished blocks recorded; then the same run again in a new process:\n")
    print("| what happens in between | system | blocks done again | what the second run says | files as they should be |")
    print("|---|---|---|---|---|")
    for what, prepare in (("nothing", None), ("one file gone, one with a byte changed, one cut short", _damage)):
        for system in ("neurotome", "daisy"):
            with _folder(options.keep) as name:
                _fact_after(options, what, system, Path(name), prepare)
    for system in ("neurotome", "daisy"):
        with _folder(options.keep) as name:
            _fact_settings(options, system, Path(name))
    for system in ("neurotome", "daisy"):
        _fact_killed(options, system)


def _fact_after(
    options: argparse.Namespace, what: str, system: str, folder: Path, prepare: Callable[[Path], None] | None
) -> None:
    way, given = (system, 2, True), {"blocks": FACT_BLOCKS}
    expected = _measure(options, "trivial", way, folder, given)["digest"]
    if prepare:
        prepare(folder / "out")
    again = _measure(options, "trivial", way, folder, given)
    _print_fact(what, system, str(again["calls"]), again["well"], again["digest"] == expected)


def _damage(out: Path) -> None:
    gone, changed, short, *_ = sorted(out.iterdir())
    gone.unlink()
    changed.write_bytes(b"y" + changed.read_bytes()[1:])
    short.write_bytes(short.read_bytes()[:50])


def _fact_settings(options: argparse.Namespace, system: str, folder: Path) -> None:
    way = (system, 2, True)
    _measure(options, "trivial", way, folder, {"blocks": FACT_BLOCKS})
    again = _measure(options, "trivial", way, folder, {"blocks": FACT_BLOCKS, "content": b"other"})
    right = again["well"] is not True or all(p.read_bytes() == b"other" for p in (folder / "out").iterdir())
    _print_fact("the block function is to write something else", system, str(again["calls"]), again["well"], right)


def _fact_killed(options: argparse.Namespace, system: str) -> None:
    """SIGKILL to the whole run when a third, a half and two thirds of the blocks are done."""
    given, way = {"blocks": FACT_BLOCKS, "seconds": 0.05}, (system, 2, True)
    repeated, right = [], []
    for share in (1 / 3, 1 / 2, 2 / 3):
        with _folder(options.keep) as name:
            folder = Path(name)
            process = _start(options, "trivial", way, folder, given)
            while not (folder / "notes").exists() or len(_noted(folder / "notes")) < share * FACT_BLOCKS:
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            finished = {tuple(start) for *_, start in _noted(folder / "notes")}
            again = _measure(options, "trivial", way, folder, given)
            repeated.append(again["calls"] - (FACT_BLOCKS - len(finished)))
            right.append(len(list((folder / "out").iterdir())) == FACT_BLOCKS)
    _print_fact("SIGKILL to all processes (three times)", system, ", ".join(map(str, repeated)), True, all(right))


def _print_fact(what: str, system: str, again: str, said: bool | str, right: bool) -> None:  # noqa: FBT001
    words = "success" if said is True else said
    print(f"| {what} | {system} | {again} | {words} | {'yes' if right else 'NO'} |", flush=True)


if __name__ == "__main__":
    main()
