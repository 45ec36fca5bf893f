import pytest

from neurotome.blocks import Ledger, write_boxes
from neurotome.core import Grid, RunFolderError

BOXES = write_boxes(Grid((5, 8, 8), (30, 6, 6)), (2, 8, 4))


def test_boxes_cover_the_grid_once():
    seen = [
        (z, y, x)
        for b in BOXES
        for z in range(*b.slices[0].indices(99))
        for y in range(b.start[1], b.stop[1])
        for x in range(b.start[2], b.stop[2])
    ]
    assert len(seen) == len(set(seen)) == 5 * 8 * 8


def test_finished_blocks_are_not_done_again(tmp_path):
    ledger = Ledger(tmp_path / "steps", "key")
    for box in BOXES[:3]:
        ledger.add(box)
    assert Ledger(tmp_path / "steps", "key").todo(BOXES) == BOXES[3:]


def test_a_line_cut_by_a_kill_is_done_again(tmp_path):
    path = tmp_path / "steps"
    ledger = Ledger(path, "key")
    ledger.add(BOXES[0])
    ledger.add(BOXES[1])
    path.write_text(path.read_text()[:-4])
    assert Ledger(path, "key").todo(BOXES) == BOXES[1:]


def test_another_key_is_refused(tmp_path):
    Ledger(tmp_path / "steps", "key")
    with pytest.raises(RunFolderError, match="another configuration"):
        Ledger(tmp_path / "steps", "other")
