import shutil
import time

import pytest

from neurotome.blocks import blocks_of
from neurotome.blocks.ledger import Ledger
from neurotome.core import Grid, RunFolderError

BLOCKS = blocks_of(Grid((5, 8, 8), (30, 6, 6)), (2, 8, 4))


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def finish(run, blocks, key="key"):
    ledger = Ledger(run, "step", key)
    for block in blocks:
        ledger.add(block.write, [written(run, block)])
    return ledger


def written(run, block):
    path = run / f"{block.write.start}.npy"
    path.write_bytes(bytes(block.write.start) * 1000)
    return path


def todo(run, key="key"):
    return Ledger(run, "step", key).todo(BLOCKS)


def only_file(run):
    (path,) = (run / "blocks" / "step").iterdir()
    return path


def test_finished_blocks_are_not_done_again(run):
    assert todo(run) == BLOCKS
    finish(run, BLOCKS[:3])
    assert todo(run) == BLOCKS[3:]


def test_files_of_several_processes_are_read_together(run):
    finish(run, BLOCKS[::2])
    finish(run, BLOCKS[1::2])
    assert len(list((run / "blocks" / "step").iterdir())) == 2
    assert todo(run) == []


def test_a_line_cut_by_a_kill_is_done_again(run):
    finish(run, BLOCKS[:2])
    whole = only_file(run).read_bytes()
    second = whole.rindex(b"\n")
    for end in range(second, len(whole)):
        only_file(run).write_bytes(whole[:end])
        assert todo(run) == BLOCKS[1:]
    for end in range(whole.index(b"\n")):
        only_file(run).write_bytes(whole[:end])
        assert todo(run) == BLOCKS


def test_what_follows_a_line_cut_by_a_full_disk_is_read(run):
    ledger = finish(run, BLOCKS[:2])
    only_file(run).write_bytes(only_file(run).read_bytes()[:-9])
    ledger.add(BLOCKS[2].write, [written(run, BLOCKS[2])])
    assert todo(run) == [BLOCKS[1], *BLOCKS[3:]]


def test_another_key_is_refused(run):
    finish(run, BLOCKS[:1])
    with pytest.raises(RunFolderError, match="another configuration"):
        todo(run, key="other")


def test_a_moved_run_goes_on(run, tmp_path):
    finish(run, BLOCKS[:3])
    shutil.move(run, tmp_path / "elsewhere")
    assert todo(tmp_path / "elsewhere") == BLOCKS[3:]


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_damage_is_noticed_and_named(run, harm, caplog):
    finish(run, BLOCKS)
    path = written(run, BLOCKS[4])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data if harm == "flip" else data[:-1])
    assert todo(run) == [BLOCKS[4]]
    assert f"'{path.name}' of a finished block is gone or damaged" in caplog.text
    # Whoever writes into a damaged shard reads it first, and could not.
    assert not path.exists() and written(run, BLOCKS[3]).exists()


def test_a_damaged_block_that_was_done_again_counts(run):
    finish(run, BLOCKS)
    path = written(run, BLOCKS[4])
    path.write_bytes(b"new")
    Ledger(run, "step", "key").add(BLOCKS[4].write, [path])
    assert todo(run) == []


def test_a_shard_of_zeros_that_is_not_stored_stays_absent(run, caplog):
    path = run / "c" / "0"
    Ledger(run, "step", "key").add(BLOCKS[0].write, [path])
    assert todo(run) == BLOCKS[1:]
    path.parent.mkdir()
    path.write_bytes(b"something")
    assert todo(run) == BLOCKS


def test_names_with_blanks_and_signs(run):
    path = run / "a .\n b\t..npy"
    path.write_bytes(b"x")
    Ledger(run, "step", "key").add(BLOCKS[0].write, [path])
    assert todo(run) == BLOCKS[1:]


def test_a_session_knows_what_all_its_processes_have_finished(run):
    mine = finish(run, BLOCKS[:1])
    assert [mine.has(b.write) for b in BLOCKS[:2]] == [True, False]
    # Another process writes a file of its own, in two pieces.
    line = only_file(run).read_bytes().replace(b"0 0 0 2 8 4 ", b"0 0 4 2 8 8 ")
    theirs = only_file(run).with_name(f"host-1-{mine.session}-0.done")
    theirs.write_bytes(line[:-5])
    assert not mine.has(BLOCKS[1].write)
    theirs.write_bytes(line[:-5] + b"\n" + line.split(b"\n")[1])  # cut by a full disk, then written again
    assert mine.has(BLOCKS[1].write)
    theirs.write_bytes(line)
    assert mine.has(BLOCKS[1].write)
    # An earlier session's lines do not count: their files may have been found damaged.
    assert not Ledger(run, "step", "key").has(BLOCKS[0].write)


def test_many_blocks_are_read_quickly(run):
    blocks = blocks_of(Grid((40, 500, 500), (1, 1, 1)), (10, 10, 10))
    finish(run, blocks[:1])
    head, line = only_file(run).read_text().split("\n")
    files = line.split(" ", 6)[-1]
    numbers = (" ".join(map(str, (*b.write.start, *b.write.stop))) for b in blocks)
    only_file(run).write_text("\n".join([head, *(f"{n} {files}" for n in numbers)]))
    start = time.monotonic()
    assert Ledger(run, "step", "key").todo(blocks) == []
    assert time.monotonic() - start < 20
