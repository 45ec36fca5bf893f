import csv
import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from neurotome.blocks import Engine, Step, blocks_of, make_executor
from neurotome.blocks.engine import Recorded
from neurotome.blocks.ledger import Ledger
from neurotome.core import Block, BlocksFailedError, DiskFullError, Grid, InputError, RunFolderError, ShapeError

BLOCKS = blocks_of(Grid((4, 8, 8), (1, 1, 1)), (2, 4, 4))
VOXELS = 4 * 8 * 8


@dataclass(frozen=True)
class Work:
    folder: Path
    bad: tuple[Block, ...] = ()

    def __call__(self, block: Block) -> list[Path]:
        if block in self.bad:
            raise ValueError("a bad block")
        path = self.folder / f"{block.write.start}.txt"
        path.write_text(path.read_text() + "again" if path.exists() else "once")
        return [path]


@dataclass(frozen=True)
class Failing:
    """Fails with an error number of the system, or in a device that is always full; counts its calls."""

    folder: Path
    number: int | None = None

    def __call__(self, block: Block) -> list[Path]:
        with (self.folder / "calls").open("a") as calls:
            calls.write(".")
        if self.number is None:
            Path("/dev/full").write_text("x")
        raise OSError(self.number, os.strerror(self.number), "a.npy")


@dataclass(frozen=True)
class Trampling:
    """Fails, and leaves a file in the place of the run's folder."""

    folder: Path

    def __call__(self, block: Block) -> list[Path]:
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.folder.exists():
            self.folder.touch()
        raise ValueError("a bad block")


def engine(folder, **options):
    return Engine(folder, executor=make_executor(), **{"key": "key", **options})


def test_progress_counts_voxels_and_those_of_an_earlier_run_from_the_start(tmp_path):
    with pytest.raises(BlocksFailedError):
        engine(tmp_path).run(Step("step", BLOCKS, Work(tmp_path, (BLOCKS[1], BLOCKS[2]))))
    calls = []
    engine(tmp_path, progress=lambda *call: calls.append(call)).run(Step("step", BLOCKS, Work(tmp_path), what="a step"))
    steps = [call for call in calls if call[0] == "a step"]
    assert steps == [("a step", n * 32, VOXELS) for n in (6, 7, 8)]
    assert calls[0] == ("check step", 32, 6 * 32)
    assert {p.read_text() for p in tmp_path.glob("*.txt")} == {"once"}


def test_failed_blocks_are_listed_in_a_table(tmp_path):
    with pytest.raises(
        BlocksFailedError, match=r"^5 of 8 blocks of step failed \(0:2, 0:4, 0:4: ValueError: a bad block; "
    ) as caught:
        engine(tmp_path).run(Step("step", BLOCKS, Work(tmp_path, tuple(BLOCKS[:5]))))
    assert caught.value.exit_code == 1 and "\n" not in str(caught.value)
    assert "failed_blocks.csv" in caught.value.remedy
    rows = list(csv.DictReader((tmp_path / "failed_blocks.csv").read_text().splitlines(keepends=True)))
    assert [(r["step"], r["z0"], r["y0"], r["x0"]) for r in rows] == [("step", *map(str, b.write.start)) for b in BLOCKS[:5]]
    assert all(r["error"] == "ValueError: a bad block" and "Traceback" in r["traceback"] for r in rows)
    engine(tmp_path).run(Step("step", BLOCKS, Work(tmp_path)))
    assert not (tmp_path / "failed_blocks.csv").exists()


def test_a_damaged_file_is_named_and_its_block_done_again(tmp_path, caplog):
    engine(tmp_path).run(Step("step", BLOCKS, Work(tmp_path)))
    path = tmp_path / f"{BLOCKS[3].write.start}.txt"
    path.write_text("oncf")
    engine(tmp_path).run(Step("step", BLOCKS, Work(tmp_path)))
    # It was removed, and written anew; the others were left alone.
    assert path.name in caplog.text and {p.read_text() for p in tmp_path.glob("*.txt")} == {"once"}


def test_another_key_is_refused_until_the_step_is_forgotten(tmp_path):
    engine(tmp_path).run(Step("step", BLOCKS, Work(tmp_path)))
    other = engine(tmp_path, key="other")
    with pytest.raises(RunFolderError, match="another configuration"):
        other.run(Step("step", BLOCKS, Work(tmp_path)))
    other.forget("step")
    other.run(Step("step", BLOCKS, Work(tmp_path)))
    assert {p.read_text() for p in tmp_path.glob("*.txt")} == {"onceagain"}


def test_steps_do_not_know_of_each_other(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        engine(tmp_path).run(Step(name, BLOCKS, Work(tmp_path / name)))
    assert len(list(tmp_path.glob("?/*.txt"))) == 2 * len(BLOCKS)


def test_two_blocks_may_not_write_the_same_box(tmp_path):
    with pytest.raises(ShapeError, match="write the same box"):
        engine(tmp_path).run(Step("step", [*BLOCKS, BLOCKS[0]], Work(tmp_path)))


def test_a_step_without_blocks_is_done(tmp_path):
    engine(tmp_path).run(Step("step", [], Work(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_ends_the_step_at_once(tmp_path):
    with pytest.raises(DiskFullError, match=r"^No space left on device\. Expected: more room\.") as caught:
        engine(tmp_path).run(Step("step", BLOCKS, Failing(tmp_path)))
    assert caught.value.exit_code == 2
    assert (tmp_path / "calls").read_text() == "."


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_disk_that_may_not_be_written_ends_the_step_at_once(tmp_path, number):
    with pytest.raises(InputError, match=rf"^'a\.npy': {os.strerror(number)}\. .* Remedy: check the disk"):
        engine(tmp_path).run(Step("step", BLOCKS, Failing(tmp_path, number)))
    assert (tmp_path / "calls").read_text() == "."


def test_when_all_blocks_fail_the_others_are_not_tried(tmp_path):
    blocks = blocks_of(Grid((40, 1, 1), (1, 1, 1)), (1, 1, 1))
    with pytest.raises(
        BlocksFailedError, match=r"^16 of 40 blocks of step failed .*; 24 others were not tried any more"
    ) as caught:
        engine(tmp_path).run(Step("step", blocks, Failing(tmp_path, errno.EIO)))
    assert (tmp_path / "calls").read_text() == 16 * "."
    assert len((tmp_path / "failed_blocks.csv").read_text().splitlines()) > 16 and caught.value.untried == 24


def test_why_blocks_failed_is_said_even_where_the_table_cannot_be_written(tmp_path, caplog):
    folder = tmp_path / "run"
    with pytest.raises(BlocksFailedError, match=r"1 of 1 blocks.*ValueError: a bad block.*Remedy: remove the cause"):
        engine(folder, retries=0).run(Step("step", BLOCKS[:1], Trampling(folder)))
    assert "failed_blocks.csv' could not be written" in caplog.text


def test_two_steps_of_one_name_are_refused(tmp_path):
    (tmp_path / "other").mkdir()
    this = engine(tmp_path)
    this.run(Step("step", BLOCKS, Work(tmp_path)))
    for blocks, folder in ((BLOCKS[1:], tmp_path), (BLOCKS, tmp_path / "other")):
        with pytest.raises(InputError, match="'step' was run before with other blocks or other work"):
            this.run(Step("step", blocks, Work(folder)))
    this.run(Step("step", BLOCKS[::-1], Work(tmp_path)))
    assert {p.read_text() for p in tmp_path.glob("*.txt")} == {"once"}
    this.forget("step")
    this.run(Step("step", BLOCKS, Work(tmp_path / "other")))
    assert len(list((tmp_path / "other").iterdir())) == len(BLOCKS)


def test_a_finished_block_that_is_given_out_again_is_not_done_again(tmp_path):
    ledger = Ledger(tmp_path, "step", "key")
    for again in (False, True, True):
        Recorded(Work(tmp_path), ledger, again=again)(BLOCKS[0])
    assert [p.read_text() for p in tmp_path.glob("*.txt")] == ["once"]
    assert len(ledger.todo(BLOCKS)) == len(BLOCKS) - 1
