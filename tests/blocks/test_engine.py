import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from neurotome.blocks import Engine, Step, blocks_of, make_executor
from neurotome.core import Block, BlocksFailedError, Grid, RunFolderError, ShapeError

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
    assert path.read_text() == "oncfagain" and path.name in caplog.text
    assert sum(p.read_text() != "once" for p in tmp_path.glob("*.txt")) == 1


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
