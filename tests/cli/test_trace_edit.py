"""The commands `trace edit` and `tracing select` as functions of Typer: options, words printed, files written."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from neurotome.cli.trace_edit import edit
from neurotome.cli.tracing_select import select
from neurotome.core import Grid, Image, InputError
from neurotome.io import save

app = typer.Typer()
app.command("edit")(edit)
app.command("select")(select)


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "n.swc").write_text("# unit: um\n1 1 0 0 1 0.5 -1\n2 3 2 0 1 0.5 1\n3 3 9 0 1 0.5 -1\n")
    lines = [("join", {"a": 2, "b": 3}), ("set_type", {"node": 3, "kind": 2})]
    text = "".join(json.dumps({"operation": name, "arguments": arguments}) + "\n" for name, arguments in lines)
    (tmp_path / "edits.jsonl").write_text(text)
    return tmp_path


def test_edit_says_what_was_done_and_where_it_is(tree):
    done = run("edit", tree / "n.swc", "--script", tree / "edits.jsonl", "-o", tree / "out.swc", "--log", tree / "log.jsonl")
    assert done.exit_code == 0 and "2 operations done: 3 nodes before, 3 after" in done.output and "log.jsonl" in done.output
    assert (tree / "out.swc").read_text().splitlines()[-1].split()[-1] == "2"
    assert len((tree / "log.jsonl").read_text().splitlines()) == 2


def test_edit_bridges_in_an_image(tree):
    values = np.zeros((4, 6, 12), np.uint8)
    values[1, 0, :] = 200
    save(Image(values, Grid(values.shape, (1000.0, 1000.0, 1000.0))), tree / "i.tif")
    (tree / "b.jsonl").write_text('{"operation": "bridge", "arguments": {"a": 2, "b": 3}}\n')
    done = run("edit", tree / "n.swc", "--script", tree / "b.jsonl", "-o", tree / "out.swc", "--image", tree / "i.tif")
    assert done.exit_code == 0 and "1 operation done: 3 nodes before, 5 after" in done.output, done.output
    both = run("edit", tree / "n.swc", "--script", tree / "b.jsonl", "-o", tree / "o.swc", "--image", "i", "--probability", "p")
    assert isinstance(both.exception, InputError) and "Both --probability and --image" in str(both.exception)


def test_help_names_every_operation():
    from neurotome.tracing.edit import operation_names

    said = run("edit", "--help").output
    assert all(name in said for name in operation_names())


def test_select_prints_the_chosen(tmp_path, rng):
    for k in range(3):
        values = rng.normal(100, 2 + k, (12, 20, 24))
        values[5:8, 9:12] += 60
        save(Image(values.astype(np.uint16), Grid(values.shape, (300.0, 300.0, 300.0))), tmp_path / "in" / f"s{k}.tif")
    done = run("select", tmp_path / "in", "-o", tmp_path / "out", "--count", 2)
    assert done.exit_code == 0 and "2 of 3 images chosen" in done.output, done.output
    assert len((tmp_path / "out" / "selected.txt").read_text().split()) == 2 and (tmp_path / "out" / "selection.png").is_file()
