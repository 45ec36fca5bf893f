import io

from rich.console import Console

from neurotome.cli import progress
from neurotome.cli.progress import Bars


def drawn(monkeypatch, calls, now):
    """What a terminal shows after calls (seconds, done) of a step of 100 Mvoxel."""
    clock = [0.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: clock[0])
    console = Console(file=io.StringIO(), force_terminal=True, width=160)
    bars = Bars(console)
    for seconds, done in calls:
        clock[0] = seconds
        bars("predict", done * 1_000_000, 100_000_000)
    clock[0] = now
    console.print(bars.bars.get_renderable())
    return console.file.getvalue()


def test_what_was_done_before_does_not_count_as_speed(monkeypatch):
    text = drawn(monkeypatch, [(0, 80), (10, 90)], now=10)
    assert "1.0 Mvoxel/s" in text and "0:00:10" in text and "90%" in text


def test_time_left_runs_down_between_blocks(monkeypatch):
    assert "0:00:04" in drawn(monkeypatch, [(0, 80), (10, 90)], now=16)


def test_nothing_is_foretold_from_what_was_done_before(monkeypatch):
    text = drawn(monkeypatch, [(0, 80), (10, 80)], now=10)
    assert "-:--:--" in text and "Mvoxel/s" not in text
