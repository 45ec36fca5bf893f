"""Every command in the README and the docs exists, with every option it is shown with; no figure was forgotten."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GROUPS = ("boundary", "neurons", "tracing", "morphology", "synapses", "data", "prepare")
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
COMMANDS = sorted({line.split("#")[0].strip() for p in PAGES for line in re.findall(r"^neurotome .*$", p.read_text(), re.M)})


@pytest.mark.parametrize("line", COMMANDS)
def test_command_and_options_exist(cli, line):
    words = line.split()[1:]
    grouped = words[0] in GROUPS or words[:2] == ["trace", "edit"]
    command = words[:2] if grouped else words[:1]
    code, out, _ = cli(*command, "--help")
    assert code == 0
    for option in (w for w in words if w.startswith("-")):
        assert option in out, option


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_no_figure_was_forgotten(page):
    assert not re.search(r"\b[A-Z0-9]+_(TABLE|MINUTES)\b|TODO|XXX", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_named_tests_exist(page):
    """`tests/a/test_b.py::test_c`, and `::test_d` for another one of the same file."""
    file = None
    for path, name in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", page.read_text()):
        file = ROOT / path if path else file
        if file is None:
            continue
        assert file.is_file(), path
        assert not name or f"def {name}(" in file.read_text(), f"{file.name}::{name}"
